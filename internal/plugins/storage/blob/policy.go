package blob

import (
	"cmp"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// policy is a stored access policy of a container
// (https://learn.microsoft.com/rest/api/storageservices/define-stored-access-policy).
// Fields that it leaves to the signature are empty.
type policy struct {
	id            string
	start, expiry time.Time
	permission    string
}

func policiesOf(ids []*container.SignedIdentifier) []policy {
	out := make([]policy, 0, len(ids))
	for _, s := range ids {
		p := policy{id: value(s.ID)}
		if a := s.AccessPolicy; a != nil {
			p.start, p.expiry, p.permission = value(a.Start), value(a.Expiry), value(a.Permission)
		}
		out = append(out, p)
	}
	return out
}

func identifiers(ps []policy) []*container.SignedIdentifier {
	out := make([]*container.SignedIdentifier, 0, len(ps))
	for _, p := range ps {
		a := &container.AccessPolicy{}
		if !p.start.IsZero() {
			a.Start = &p.start
		}
		if !p.expiry.IsZero() {
			a.Expiry = &p.expiry
		}
		if p.permission != "" {
			a.Permission = &p.permission
		}
		out = append(out, &container.SignedIdentifier{ID: &p.id, AccessPolicy: a})
	}
	return out
}

// samePolicies compares policies without regard to their order.
func samePolicies(a, b []policy) bool {
	byID := func(x, y policy) int { return cmp.Compare(x.id, y.id) }
	return slices.EqualFunc(slices.SortedFunc(slices.Values(a), byID), slices.SortedFunc(slices.Values(b), byID), func(x, y policy) bool {
		return x.id == y.id && x.start.Equal(y.start) && x.expiry.Equal(y.expiry) && x.permission == y.permission
	})
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
