// Package acl reads and writes stored access policies as the services of a storage
// account exchange them (Azure: Define a stored access policy; Set Queue ACL, Set Table
// ACL, Set Share ACL, Set Container ACL).
package acl

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Most is how many policies a container, share, queue or table may have, and LongestID
// how many characters the name of one.
const (
	Most      = 5
	LongestID = 64
)

// layout is the form of times in answers: ISO 8601 with seven digits of a second.
const layout = "2006-01-02T15:04:05.0000000Z"

// Document is the XML of a list of policies.
type Document struct {
	XMLName xml.Name `xml:"SignedIdentifiers"`
	Entries []entry  `xml:"SignedIdentifier"`
}

type entry struct {
	ID     string  `xml:"Id"`
	Policy *policy `xml:"AccessPolicy"`
}

type policy struct {
	Start      string `xml:"Start,omitempty"`
	Expiry     string `xml:"Expiry,omitempty"`
	Permission string `xml:"Permission,omitempty"`
}

// Format returns the document that answers a Get ACL.
func Format(ps []kit.Policy) Document {
	d := Document{}
	for _, p := range ps {
		d.Entries = append(d.Entries, entry{ID: p.ID, Policy: &policy{Start: stamp(p.Start), Expiry: stamp(p.Expiry), Permission: p.Permission}})
	}
	return d
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

// Parse reads the body of a Set ACL; an empty one removes all policies. Letters are the
// SAS permissions that the service knows. What Azure refuses is InvalidXmlDocument.
func Parse(body []byte, letters string) ([]kit.Policy, *wire.Error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, nil
	}
	var d Document
	if err := xml.Unmarshal(body, &d); err != nil {
		return nil, invalid()
	}
	ps := make([]kit.Policy, 0, len(d.Entries))
	for _, e := range d.Entries {
		p, err := e.read()
		if err != nil {
			return nil, invalid()
		}
		ps = append(ps, p)
	}
	if check(ps, letters) != nil {
		return nil, invalid()
	}
	return ps, nil
}

func (e entry) read() (kit.Policy, error) {
	p := kit.Policy{ID: e.ID}
	if e.Policy == nil {
		return p, nil
	}
	p.Permission = e.Policy.Permission
	var err error
	if p.Start, err = moment(e.Policy.Start); err != nil {
		return p, err
	}
	p.Expiry, err = moment(e.Policy.Expiry)
	return p, err
}

// moment reads the ISO 8601 forms that Azure accepts in policies.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, l := range []string{"2006-01-02T15:04:05.9999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no ISO 8601 time", s)
}

func check(ps []kit.Policy, letters string) error {
	if len(ps) > Most {
		return fmt.Errorf("%d policies, at most %d are allowed", len(ps), Most)
	}
	seen := map[string]bool{}
	for _, p := range ps {
		if p.ID == "" || len(p.ID) > LongestID || seen[p.ID] {
			return fmt.Errorf("policy %q: the id is empty, longer than %d or there twice", p.ID, LongestID)
		}
		seen[p.ID] = true
		if i := strings.IndexFunc(p.Permission, func(r rune) bool { return !strings.ContainsRune(letters, r) }); i >= 0 {
			return fmt.Errorf("policy %q: permission %q has letters that are not in %q", p.ID, p.Permission, letters)
		}
	}
	return nil
}

func invalid() *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidXmlDocument", Message: "XML specified is not syntactically valid."}
}

// Seed reads the "policies" of a scenario: [{"id", "start", "expiry", "permission"}].
func Seed(data json.RawMessage, letters string) ([]kit.Policy, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var in []struct{ ID, Start, Expiry, Permission string }
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	ps := make([]kit.Policy, 0, len(in))
	for _, p := range in {
		out, err := entry{ID: p.ID, Policy: &policy{Start: p.Start, Expiry: p.Expiry, Permission: p.Permission}}.read()
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", p.ID, err)
		}
		ps = append(ps, out)
	}
	return ps, check(ps, letters)
}

// Text is the canonical form of policies in a wire.Object: one line a policy.
func Text(ps []kit.Policy) string {
	lines := make([]string, 0, len(ps))
	for _, p := range ps {
		lines = append(lines, strings.Join([]string{p.ID, stamp(p.Start), stamp(p.Expiry), p.Permission}, "|"))
	}
	return strings.Join(lines, "\n")
}
