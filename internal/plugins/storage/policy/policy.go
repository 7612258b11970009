// Package policy holds stored access policies, which containers, shares, queues and tables
// all have in the same form, whatever the SDK of each calls them.
package policy

import (
	"slices"
	"strings"
	"time"
)

// Policy is one stored access policy
// (https://learn.microsoft.com/rest/api/storageservices/define-stored-access-policy).
type Policy struct {
	ID            string
	Start, Expiry time.Time // zero: left to the SAS
	Permission    string    // letters; "": left to the SAS
}

// Of makes a Policy of what SDKs return, where nil stands for what is not there.
func Of(id *string, start, expiry *time.Time, permission *string) Policy {
	p := Policy{}
	if id != nil {
		p.ID = *id
	}
	if start != nil {
		p.Start = *start
	}
	if expiry != nil {
		p.Expiry = *expiry
	}
	if permission != nil {
		p.Permission = *permission
	}
	return p
}

// Fields returns what SDKs take: nil for what is not there.
func (p Policy) Fields() (id *string, start, expiry *time.Time, permission *string) {
	moment := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	if p.Permission != "" {
		permission = &p.Permission
	}
	return &p.ID, moment(p.Start), moment(p.Expiry), permission
}

// Same tells whether two sets of policies grant the same under the same names; the order
// of policies and of letters says nothing.
func Same(a, b []Policy) bool {
	return slices.EqualFunc(sorted(a), sorted(b), func(x, y Policy) bool {
		return x.ID == y.ID && x.Start.Equal(y.Start) && x.Expiry.Equal(y.Expiry) && letters(x.Permission) == letters(y.Permission)
	})
}

func sorted(ps []Policy) []Policy {
	return slices.SortedFunc(slices.Values(ps), func(x, y Policy) int { return strings.Compare(x.ID, y.ID) })
}

func letters(s string) string {
	l := []byte(s)
	slices.Sort(l)
	return string(l)
}
