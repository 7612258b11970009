package file

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// checkShareName applies the rules for share names.
func checkShareName(name string) *wire.Error {
	if len(name) < 3 || len(name) > 63 {
		return bad("OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
	}
	for i, r := range name {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		inner := r == '-' && i > 0 && i < len(name)-1 && name[i-1] != '-'
		if !alnum && !inner {
			return bad("InvalidResourceName", "The specified resource name contains invalid characters.")
		}
	}
	return nil
}

const (
	defaultQuota = 5120
	mostQuota    = 102400 // GiB
)

// describeShare applies the headers that set up a share, or change it.
func (x *call) describeShare(sh *tree.Share) *wire.Error {
	h := x.R.Header
	if v := h.Get("X-Ms-Share-Quota"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > mostQuota {
			return badHeader("x-ms-share-quota", v)
		}
		sh.Quota = n
	}
	if v := h.Get("X-Ms-Access-Tier"); v != "" {
		premium := x.Account.Kind == "FileStorage"
		i := slices.IndexFunc([]string{"TransactionOptimized", "Hot", "Cool", "Premium"}, func(t string) bool { return strings.EqualFold(t, v) })
		if i < 0 || (i == 3) != premium {
			return badHeader("x-ms-access-tier", v)
		}
		tier := [...]string{"TransactionOptimized", "Hot", "Cool", "Premium"}[i]
		if tier != sh.Tier {
			sh.Tier, sh.TierSince = tier, x.Now
		}
	}
	if v := h.Get("X-Ms-Root-Squash"); v != "" {
		if sh.Protocol != "NFS" || !slices.Contains([]string{"NoRootSquash", "RootSquash", "AllSquash"}, v) {
			return badHeader("x-ms-root-squash", v)
		}
		sh.RootSquash = v
	}
	return nil
}

// protocol reads x-ms-enabled-protocols: NFS is for premium accounts alone. The code of
// its refusal elsewhere could not be confirmed.
func (x *call) protocol() (string, *wire.Error) {
	switch v := x.R.Header.Get("X-Ms-Enabled-Protocols"); {
	case v == "" || strings.EqualFold(v, "SMB"):
		return "SMB", nil
	case strings.EqualFold(v, "NFS") && x.Account.Kind == "FileStorage":
		return "NFS", nil
	default:
		return "", badHeader("x-ms-enabled-protocols", v)
	}
}

// createShare answers Create Share.
func (x *call) createShare() *wire.Error {
	if err := checkShareName(x.share); err != nil {
		return err
	}
	protocol, err := x.protocol()
	if err != nil {
		return err
	}
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	if _, ok := x.account.shares[x.share]; ok {
		return conflict("ShareAlreadyExists", "The specified share already exists.")
	}
	sh := newShare(x.Account, x.account, x.share, protocol, x.Now)
	sh.Metadata = md
	if err := x.describeShare(sh); err != nil {
		return err
	}
	x.account.shares[x.share] = sh
	x.tag(sh)
	x.out.Set("X-Ms-Share-Quota", strconv.Itoa(sh.Quota))
	return x.answer(http.StatusCreated)
}

// tag writes what every answer about a share has.
func (x *call) tag(sh *tree.Share) {
	x.out["ETag"] = []string{sh.ETag}
	x.out.Set("Last-Modified", httpTime(sh.Modified))
}

// changeShare lets f change the share under the account's lock and tags the answer. A
// share that is leased is changed by who names the lease.
func (x *call) changeShare(status int, f func(*tree.Share) *wire.Error) *wire.Error {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	if err := sh.Lease.CheckRead(x.R.Header.Get("X-Ms-Lease-Id"), "Share", x.Now); err != nil {
		return err
	}
	if err := f(sh); err != nil {
		return err
	}
	sh.ETag, sh.Modified = x.account.stamps.ETag(x.Now), x.Now
	x.tag(sh)
	return x.answer(status)
}

// setShare answers Set Share Properties.
func (x *call) setShare() *wire.Error {
	return x.changeShare(http.StatusOK, func(sh *tree.Share) *wire.Error {
		changed := *sh
		if err := x.describeShare(&changed); err != nil {
			return err
		}
		*sh = changed
		x.out.Set("X-Ms-Share-Quota", strconv.Itoa(sh.Quota))
		return nil
	})
}

// setShareMetadata answers Set Share Metadata.
func (x *call) setShareMetadata() *wire.Error {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	return x.changeShare(http.StatusOK, func(sh *tree.Share) *wire.Error {
		sh.Metadata = md
		return nil
	})
}

// getShare answers Get Share Properties and Get Share Metadata.
func (x *call) getShare() *wire.Error {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	x.tag(sh)
	sh.Metadata.Write(x.out)
	x.out.Set("X-Ms-Share-Quota", strconv.Itoa(sh.Quota))
	x.out.Set("X-Ms-Enabled-Protocols", sh.Protocol)
	x.out.Set("X-Ms-Access-Tier", sh.Tier)
	x.out.Set("X-Ms-Access-Tier-Change-Time", httpTime(sh.TierSince))
	if sh.Protocol == "NFS" {
		x.out.Set("X-Ms-Root-Squash", sh.RootSquash)
	}
	x.leaseHeaders(sh.Lease)
	return x.answer(http.StatusOK)
}

// deleteShare answers Delete Share, of a share or of a snapshot.
func (x *call) deleteShare() *wire.Error {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	if sh.Snapshot != "" {
		x.account.shares[x.share].DropSnapshot(sh.Snapshot)
		return x.answer(http.StatusAccepted)
	}
	option := strings.ToLower(x.R.Header.Get("X-Ms-Delete-Snapshots"))
	switch {
	case option != "" && option != "include" && option != "include-leased":
		return badHeader("x-ms-delete-snapshots", option)
	case len(sh.Snapshots()) > 0 && option == "":
		return conflict("ShareHasSnapshots", "The share has snapshots and the operation requires no snapshots.")
	}
	if err := sh.Lease.CheckWrite(x.R.Header.Get("X-Ms-Lease-Id"), "Share", x.Now); err != nil {
		return err
	}
	delete(x.account.shares, x.share)
	if x.account.keepDays > 0 {
		sh.Deleted, sh.Version = x.Now, strings.ToUpper(strings.Trim(x.account.stamps.ETag(x.Now), `"`))
		x.account.deleted = append(x.account.deleted, sh)
	}
	return x.answer(http.StatusAccepted)
}

// restoreShare answers Restore Share.
func (x *call) restoreShare() *wire.Error {
	name, version := x.R.Header.Get("X-Ms-Deleted-Share-Name"), x.R.Header.Get("X-Ms-Deleted-Share-Version")
	if name == "" || version == "" {
		return noHeader("x-ms-deleted-share-version")
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	x.account.expire(x.Now)
	i := slices.IndexFunc(x.account.deleted, func(sh *tree.Share) bool { return sh.Name == name && sh.Version == version })
	if i < 0 {
		return shareNotFound()
	}
	if _, ok := x.account.shares[x.share]; ok || x.share != name {
		return conflict("ShareAlreadyExists", "The specified share already exists.")
	}
	sh := x.account.deleted[i]
	x.account.deleted = slices.Delete(x.account.deleted, i, i+1)
	sh.Deleted, sh.Version = time.Time{}, ""
	x.account.shares[name] = sh
	x.tag(sh)
	return x.answer(http.StatusCreated)
}

// listedShares is the document of List Shares.
type listedShares struct {
	XMLName    xml.Name `xml:"EnumerationResults"`
	Endpoint   string   `xml:"ServiceEndpoint,attr"`
	Prefix     string   `xml:"Prefix,omitempty"`
	Marker     string   `xml:"Marker,omitempty"`
	MaxResults string   `xml:"MaxResults,omitempty"`
	Shares     struct {
		Share []listedShare
	} `xml:"Shares"`
	NextMarker string `xml:"NextMarker"`
}

type listedShare struct {
	Name       string
	Snapshot   string `xml:"Snapshot,omitempty"`
	Deleted    bool   `xml:"Deleted,omitempty"`
	Version    string `xml:"Version,omitempty"`
	Properties struct {
		LastModified     string `xml:"Last-Modified"`
		ETag             string `xml:"Etag"`
		Quota            int
		AccessTier       string
		TierSince        string `xml:"AccessTierChangeTime"`
		EnabledProtocols string
		RootSquash       string `xml:",omitempty"`
		LeaseStatus      string
		LeaseState       string
		LeaseDuration    string `xml:",omitempty"`
		DeletedTime      string `xml:",omitempty"`
		DaysLeft         int    `xml:"RemainingRetentionDays,omitempty"`
	}
	Metadata *meta.Map `xml:"Metadata"`
}

// mostListed is how many shares, or files and directories, a page has.
const mostListed = 5000

// pageSize reads maxresults.
func (x *call) pageSize() (int, *wire.Error) {
	v := x.query.Get("maxresults")
	if v == "" {
		return mostListed, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, badQuery("maxresults", v)
	}
	if n < 1 {
		e := bad("OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range.")
		return 0, kit.WithDetail(kit.WithDetail(e, "QueryParameterName", "maxresults"), "QueryParameterValue", v)
	}
	return min(n, mostListed), nil
}

// listShares answers List Shares: snapshots stand behind their share, oldest first.
func (x *call) listShares() *wire.Error {
	most, err := x.pageSize()
	if err != nil {
		return err
	}
	q := x.query
	doc := listedShares{Endpoint: "https://" + x.R.Host + "/", Prefix: q.Get("prefix"), Marker: q.Get("marker"), MaxResults: q.Get("maxresults")}
	include := strings.Split(strings.ToLower(q.Get("include")), ",")
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	x.account.expire(x.Now)
	for _, sh := range x.account.all(include) {
		place := sh.Name + "\n" + sh.Snapshot + sh.Version
		if place < unmark(doc.Marker) || !strings.HasPrefix(sh.Name, doc.Prefix) {
			continue
		}
		if len(doc.Shares.Share) == most {
			doc.NextMarker = mark(place)
			break
		}
		doc.Shares.Share = append(doc.Shares.Share, x.showShare(sh, slices.Contains(include, "metadata")))
	}
	kit.WriteXML(x.W, http.StatusOK, doc)
	return nil
}

// all are the shares in the order of the list.
func (a *account) all(include []string) []*tree.Share {
	var out []*tree.Share
	for _, name := range a.names() {
		out = append(out, a.shares[name])
		if slices.Contains(include, "snapshots") {
			out = append(out, a.shares[name].Snapshots()...)
		}
	}
	if slices.Contains(include, "deleted") {
		out = append(out, a.deleted...)
	}
	slices.SortStableFunc(out, func(p, q *tree.Share) int {
		return strings.Compare(p.Name+"\n"+p.Snapshot+p.Version, q.Name+"\n"+q.Snapshot+q.Version)
	})
	return out
}

func (x *call) showShare(sh *tree.Share, withMetadata bool) listedShare {
	e := listedShare{Name: sh.Name, Snapshot: sh.Snapshot, Deleted: sh.Version != "", Version: sh.Version}
	p := &e.Properties
	p.LastModified, p.ETag, p.Quota, p.AccessTier, p.TierSince = httpTime(sh.Modified), sh.ETag, sh.Quota, sh.Tier, httpTime(sh.TierSince)
	p.EnabledProtocols, p.RootSquash = sh.Protocol, sh.RootSquash
	p.LeaseStatus, p.LeaseState, p.LeaseDuration = sh.Lease.Status(x.Now), sh.Lease.State(x.Now), sh.Lease.DurationText(x.Now)
	if e.Deleted {
		p.DeletedTime = httpTime(sh.Deleted)
		p.DaysLeft = int(sh.Deleted.AddDate(0, 0, x.account.keepDays).Sub(x.Now).Hours() / 24)
	}
	if withMetadata {
		e.Metadata = &sh.Metadata
	}
	return e
}

// newShare makes a share as the service does without further words.
func newShare(a kit.Account, acct *account, name, protocol string, now time.Time) *tree.Share {
	sh := tree.New(name, protocol, &acct.stamps, now)
	sh.Quota, sh.Tier, sh.TierSince = defaultQuota, "TransactionOptimized", now
	if a.Kind == "FileStorage" {
		sh.Tier, sh.Quota = "Premium", mostQuota
	}
	if protocol == "NFS" {
		sh.RootSquash = "NoRootSquash"
	}
	return sh
}
