package req

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Conditions are the conditional headers of a request (Azure: Specifying conditional
// headers for Blob service operations).
type Conditions struct {
	Match, NoneMatch  string
	Since, Unmodified time.Time
	Tags              *tagquery.Query
}

// Conditions reads those of the blob or container that a request is about.
func (r *Request) Conditions() (Conditions, *wire.Error) {
	c := Conditions{Match: r.Header("If-Match"), NoneMatch: r.Header("If-None-Match")}
	for name, t := range map[string]*time.Time{"If-Modified-Since": &c.Since, "If-Unmodified-Since": &c.Unmodified} {
		v := r.Header(name)
		if v == "" {
			continue
		}
		var err error
		if *t, err = http.ParseTime(v); err != nil {
			return c, BadHeader(name, v)
		}
	}
	if v := r.Header("X-Ms-If-Tags"); v != "" {
		q, err := tagquery.Parse(v)
		if err != nil {
			return c, BadHeader("x-ms-if-tags", v)
		}
		c.Tags = q
	}
	return c, nil
}

// CheckRead refuses a read whose conditions b does not meet: 304 where the client has what
// it asks for, 412 otherwise.
func (c Conditions) CheckRead(b *model.Blob) *wire.Error {
	switch {
	case strings.TrimSpace(c.NoneMatch) == "*": // as Azure's own command line sees it in its live tests of `blob show`
		return Bad("UnsatisfiableCondition", "The request includes an unsatisfiable condition for this operation.")
	case c.Match != "" && !has(c.Match, b), !c.Unmodified.IsZero() && seconds(b.Modified).After(c.Unmodified):
		return c.unmet()
	case c.NoneMatch != "" && has(c.NoneMatch, b), !c.Since.IsZero() && c.NoneMatch == "" && !seconds(b.Modified).After(c.Since):
		return Refuse(http.StatusNotModified, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	}
	return c.tags(b)
}

// CheckWrite refuses a write whose conditions b, which is nil if there is no blob, does not
// meet.
func (c Conditions) CheckWrite(b *model.Blob) *wire.Error {
	if b == nil {
		// What does not exist was not modified either (RFC 9110, 13.1.4).
		if c.Match != "" || c.Tags != nil {
			return c.unmet()
		}
		return nil
	}
	switch {
	case c.NoneMatch == "*":
		return Conflict("BlobAlreadyExists", "The specified blob already exists.")
	case c.Match != "" && !has(c.Match, b), c.NoneMatch != "" && has(c.NoneMatch, b),
		!c.Since.IsZero() && !seconds(b.Modified).After(c.Since), !c.Unmodified.IsZero() && seconds(b.Modified).After(c.Unmodified):
		return c.unmet()
	}
	return c.tags(b)
}

// CheckTime applies the conditions on time alone, which are all that containers know.
func (c Conditions) CheckTime(modified time.Time) *wire.Error {
	if !c.Since.IsZero() && !seconds(modified).After(c.Since) || !c.Unmodified.IsZero() && seconds(modified).After(c.Unmodified) {
		return c.unmet()
	}
	return nil
}

func (c Conditions) tags(b *model.Blob) *wire.Error {
	if c.Tags != nil && !c.Tags.Matches(b.Tags) {
		return c.unmet()
	}
	return nil
}

func (Conditions) unmet() *wire.Error {
	return Unmet("ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
}

func seconds(t time.Time) time.Time { return t.Truncate(time.Second) }

// has tells whether a list of ETags has that of b.
func has(list string, b *model.Blob) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for tag := range strings.SplitSeq(list, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`) == b.ETag {
			return true
		}
	}
	return false
}
