package containers

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// longestPage is how many results a list answers with at once.
const longestPage = 5000

// listing is what all lists are asked for.
type listing struct {
	prefix, delimiter, marker string
	most                      int
	include                   []string
}

func (l listing) has(what string) bool { return slices.Contains(l.include, what) }

// read reads the parameters of a list; known are the values of include.
func read(r *req.Request, known ...string) (listing, *wire.Error) {
	l := listing{prefix: r.Param("prefix"), delimiter: r.Param("delimiter"), most: longestPage}
	if v := r.Param("maxresults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return l, req.Bad("OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range.")
		}
		l.most = min(n, longestPage)
	}
	if v := r.Param("include"); v != "" {
		for what := range strings.SplitSeq(strings.ToLower(v), ",") {
			if !slices.Contains(known, what) {
				return l, req.BadQuery("include", v)
			}
			l.include = append(l.include, what)
		}
	}
	var ok bool
	if l.marker, ok = unmark(r.Param("marker")); !ok {
		return l, req.Bad("OutOfRangeInput", "One of the request inputs is out of range.")
	}
	return l, nil
}

// mark makes the marker behind which a list goes on from a name, in a form like the
// service's own, which clients must not look into.
func mark(name string) string {
	return "2!" + strconv.Itoa(len(name)) + "!" + base64.URLEncoding.EncodeToString([]byte(name))
}

func unmark(marker string) (string, bool) {
	if marker == "" {
		return "", true
	}
	parts := strings.SplitN(marker, "!", 3)
	if len(parts) != 3 || parts[0] != "2" {
		return marker, !strings.Contains(marker, "!") // a name: also taken
	}
	name, err := base64.URLEncoding.DecodeString(parts[2])
	return string(name), err == nil && strconv.Itoa(len(name)) == parts[1]
}

// List answers List Containers.
func List(r *req.Request) *wire.Error {
	if err := r.Allow("l", "", "containers/read"); err != nil {
		return err
	}
	l, err := read(r, "metadata", "deleted", "system")
	if err != nil {
		return err
	}
	x := newWriter()
	x.open("EnumerationResults", "ServiceEndpoint", "https://"+r.R.Host+"/")
	l.echo(x, r)
	x.open("Containers")
	next, n := "", 0
	r.Store.Containers(max(l.marker, l.prefix), l.has("deleted"), r.Now, func(c *model.Container) bool {
		switch {
		case !strings.HasPrefix(c.Name, l.prefix):
			return c.Name < l.prefix
		case hidden(c.Name) && !l.has("system"):
			return true
		case n == l.most:
			next = mark(c.Name)
			return false
		}
		n++
		writeContainer(x, c, l, r)
		return true
	})
	x.close("Containers")
	x.text("NextMarker", next)
	x.close("EnumerationResults")
	return x.send(r, http.StatusOK)
}

// hidden are the system containers that a list leaves out.
func hidden(name string) bool { return name == "$logs" || name == "$blobchangefeed" }

// echo writes what was asked for.
func (l listing) echo(x *writer, r *req.Request) {
	x.optional("Prefix", l.prefix)
	x.optional("Marker", r.Param("marker"))
	if r.Param("maxresults") != "" {
		x.text("MaxResults", strconv.Itoa(l.most))
	}
	x.optional("Delimiter", l.delimiter)
}

func writeContainer(x *writer, c *model.Container, l listing, r *req.Request) {
	s := c.View()
	x.open("Container")
	x.text("Name", c.Name)
	if !c.DeletedAt.IsZero() {
		x.text("Deleted", "true")
		x.text("Version", c.Version)
	}
	x.open("Properties")
	x.text("Last-Modified", s.Modified.UTC().Format(http.TimeFormat))
	x.text("Etag", `"`+s.ETag+`"`)
	x.text("LeaseStatus", s.Lease.Status(r.Now))
	x.text("LeaseState", s.Lease.State(r.Now))
	x.optional("LeaseDuration", s.Lease.DurationText(r.Now))
	x.optional("PublicAccess", s.Public)
	x.text("DefaultEncryptionScope", scopeOr(s.Scope))
	x.text("DenyEncryptionScopeOverride", yes(s.DenyOverride))
	x.text("HasImmutabilityPolicy", yes(s.Worm != nil))
	x.text("HasLegalHold", yes(len(s.Holds) > 0))
	x.text("ImmutableStorageWithVersioningEnabled", yes(s.VersionWorm))
	if !c.DeletedAt.IsZero() {
		x.text("DeletedTime", c.DeletedAt.UTC().Format(http.TimeFormat))
		x.text("RemainingRetentionDays", strconv.Itoa(int(c.PurgeAt.Sub(r.Now).Hours()/24)))
	}
	x.close("Properties")
	if l.has("metadata") {
		x.metadata(s.Meta)
	}
	x.close("Container")
}
