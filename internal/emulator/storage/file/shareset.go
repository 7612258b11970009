package file

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// letters are the permissions that a share SAS may have.
const letters = "rcwdl"

// mark makes a continuation token of a place, and unmark reads it; a token that is none
// is the beginning.
func mark(place string) string { return base64.URLEncoding.EncodeToString([]byte(place)) }

func unmark(token string) string {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return token
	}
	return string(b)
}

// small reads a body that is a document.
func (x *call) small() ([]byte, *wire.Error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, x.R.Body, 1<<20))
	if err != nil {
		return nil, tooLarge()
	}
	return data, nil
}

func (x *call) getACL() *wire.Error {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	x.tag(sh)
	kit.WriteXML(x.W, http.StatusOK, acl.Format(sh.Policies))
	return nil
}

func (x *call) setACL() *wire.Error {
	body, err := x.small()
	if err != nil {
		return err
	}
	ps, err := acl.Parse(body, letters)
	if err != nil {
		return err
	}
	return x.changeShare(http.StatusOK, func(sh *tree.Share) *wire.Error {
		sh.Policies = ps
		return nil
	})
}

// shareStats answers Get Share Stats.
func (x *call) shareStats() *wire.Error {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	x.tag(sh)
	kit.WriteXML(x.W, http.StatusOK, struct {
		XMLName xml.Name `xml:"ShareStats"`
		Bytes   int64    `xml:"ShareUsageBytes"`
	}{Bytes: sh.Usage()})
	return nil
}

// mostSnapshots is how many a share may have.
const mostSnapshots = 200

// snapshot answers Snapshot Share.
func (x *call) snapshot() *wire.Error {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	if len(sh.Snapshots()) == mostSnapshots {
		return conflict("ShareSnapshotCountExceeded", "The total number of snapshots for the share is over the limit.")
	}
	at := x.Now
	for sh.At(iso(at)) != nil {
		at = at.Add(100 * time.Nanosecond)
	}
	snap := sh.Snap(iso(at), x.account.stamps.ETag(x.Now), x.Now)
	if len(md) > 0 {
		snap.Metadata = md
	}
	x.tag(snap)
	x.out.Set("X-Ms-Snapshot", snap.Snapshot)
	return x.answer(http.StatusCreated)
}

// permission is the JSON of Create and Get Permission.
type permission struct {
	Permission string `json:"permission"`
	Format     string `json:"format,omitempty"`
}

// longestDescriptor is that of a permission in a header; by Create Permission one may be
// up to 64 KiB long.
const longestDescriptor = 8 << 10

// createPermission answers Create Permission.
func (x *call) createPermission() *wire.Error {
	body, err := x.small()
	if err != nil {
		return err
	}
	var in permission
	if json.Unmarshal(body, &in) != nil || in.Permission == "" {
		return bad("InvalidInput", "One of the request inputs is not valid.")
	}
	d := tree.Descriptor{Text: in.Permission, Format: cmp.Or(strings.ToLower(in.Format), "sddl")}
	if !valid(d) {
		return bad("InvalidInput", "One of the request inputs is not valid.")
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	x.tag(sh)
	x.out.Set("X-Ms-File-Permission-Key", sh.AddPermission(d))
	return x.answer(http.StatusCreated)
}

// valid tells whether a text can be a security descriptor: SDDL names owner, group and
// DACL, a binary one is base64.
func valid(d tree.Descriptor) bool {
	switch d.Format {
	case "sddl":
		return strings.Contains(d.Text, "O:") && strings.Contains(d.Text, "G:") && strings.Contains(d.Text, "D:")
	case "binary":
		_, err := base64.StdEncoding.DecodeString(d.Text)
		return err == nil
	}
	return false
}

// getPermission answers Get Permission, in the format in which it was created.
func (x *call) getPermission() *wire.Error {
	key := x.R.Header.Get("X-Ms-File-Permission-Key")
	if key == "" {
		return noHeader("x-ms-file-permission-key")
	}
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	d, ok := sh.Permission(key)
	if !ok {
		return badHeader("x-ms-file-permission-key", key)
	}
	if want := x.R.Header.Get("X-Ms-File-Permission-Format"); want != "" && !strings.EqualFold(want, d.Format) {
		return &wire.Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This emulator does not convert security descriptors; this one is in the format " + d.Format + "."}
	}
	out := permission{Permission: d.Text}
	if x.R.Header.Get("X-Ms-File-Permission-Format") != "" {
		out.Format = d.Format
	}
	wire.WriteJSON(x.W, http.StatusOK, out)
	return nil
}

// leaseHeaders writes the state of a lease.
func (x *call) leaseHeaders(l lease.Lease) {
	x.out.Set("X-Ms-Lease-State", l.State(x.Now))
	x.out.Set("X-Ms-Lease-Status", l.Status(x.Now))
	if d := l.DurationText(x.Now); d != "" {
		x.out.Set("X-Ms-Lease-Duration", d)
	}
}

// lease does x-ms-lease-action to a lease, writes what the answer says of it, and returns
// its new state and the status. A file's lease has no end and cannot be renewed.
func (x *call) lease(old lease.Lease, ofShare bool) (l lease.Lease, status int, err *wire.Error) {
	h := x.R.Header
	id, proposed := h.Get("X-Ms-Lease-Id"), h.Get("X-Ms-Proposed-Lease-Id")
	switch action := strings.ToLower(h.Get("X-Ms-Lease-Action")); {
	case action == "acquire":
		d, err := x.duration(ofShare)
		if err != nil {
			return old, 0, err
		}
		if l, err = old.Acquire(cmp.Or(proposed, uuid.NewString()), d, x.Now); err != nil {
			return old, 0, err
		}
		x.out.Set("X-Ms-Lease-Id", l.ID)
		return l, http.StatusCreated, nil
	case action == "renew" && ofShare:
		l, err = old.Renew(id, x.Now)
		x.out.Set("X-Ms-Lease-Id", l.ID)
	case action == "change":
		l, err = old.Change(id, proposed, x.Now)
		x.out.Set("X-Ms-Lease-Id", l.ID)
	case action == "release":
		l, err = old.Release(id)
	case action == "break":
		return x.breakLease(old, ofShare)
	default:
		return old, 0, badHeader("x-ms-lease-action", action)
	}
	return l, http.StatusOK, err
}

func (x *call) duration(ofShare bool) (time.Duration, *wire.Error) {
	v := x.R.Header.Get("X-Ms-Lease-Duration")
	n, err := strconv.Atoi(v)
	switch {
	case v == "" && !ofShare || err == nil && n == -1:
		return lease.Infinite, nil
	case v == "":
		return 0, noHeader("x-ms-lease-duration")
	case err != nil || !ofShare || n < 15 || n > 60:
		return 0, badHeader("x-ms-lease-duration", v)
	}
	return time.Duration(n) * time.Second, nil
}

func (x *call) breakLease(old lease.Lease, ofShare bool) (lease.Lease, int, *wire.Error) {
	period := time.Duration(-1)
	if v := x.R.Header.Get("X-Ms-Lease-Break-Period"); v != "" && ofShare {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 60 {
			return old, 0, badHeader("x-ms-lease-break-period", v)
		}
		period = time.Duration(n) * time.Second
	}
	l, left, err := old.Break(period, x.Now)
	if ofShare {
		x.out.Set("X-Ms-Lease-Time", strconv.Itoa(int(left/time.Second)))
	}
	return l, http.StatusAccepted, err
}

// leaseShare answers Lease Share.
func (x *call) leaseShare() *wire.Error {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	l, status, err := x.lease(sh.Lease, true)
	if err != nil {
		return err
	}
	sh.Lease = l
	x.tag(sh)
	return x.answer(status)
}

func (x *call) getSettings() *wire.Error {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	kit.WriteXML(x.W, http.StatusOK, x.account.settings)
	return nil
}

func (x *call) setSettings() *wire.Error {
	body, err := x.small()
	if err != nil {
		return err
	}
	in, err := settings.Parse(body)
	if err != nil {
		return err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	x.account.settings.Apply(in)
	return x.answer(http.StatusAccepted)
}
