package storage

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/inside"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

// fetch implements kit.Fetch: the request goes through the source account's own checks, as
// one that a service of Azure sends.
func (s *Service) fetch(ctx context.Context, src kit.Source) kit.Fetched {
	u, err := url.Parse(src.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return kit.Fetched{}
	}
	p, known := placeOf(u.Host)
	e, set, ok := s.at(p)
	if !known || !ok {
		return kit.Fetched{}
	}
	if !inScope(src.To, e) {
		return kit.Fetched{Status: http.StatusForbidden, Code: "AuthorizationFailure", Message: "This request is not authorized to perform this operation."} // code not confirmed
	}
	r, err := http.NewRequestWithContext(ctx, src.Method, src.URL, http.NoBody)
	if err != nil {
		return kit.Fetched{}
	}
	r.RequestURI = u.RequestURI()
	r.Header = src.Header.Clone()
	w := inside.New()
	c := &call{svc: s, entry: e, set: set, place: p, w: w, r: r, now: s.opt.Clock().UTC(), internal: true, grant: src.Grant}
	if refusal := c.serve(); refusal != nil {
		c.writeError(refusal)
	}
	out := kit.Fetched{Status: w.Status, Header: w.Header(), Content: w.Content(), Code: w.Code}
	if failure := w.Failure(); failure != nil {
		out.Message = failure.Message
	}
	return out
}

// inScope tells whether an account lets copies start in another. There are no virtual
// networks here that two of them could share.
func inScope(to kit.Account, from *entry) bool {
	switch {
	case strings.EqualFold(to.ID, from.id):
		return true
	case strings.EqualFold(to.CopyScope, "AAD"):
		return strings.EqualFold(to.TenantID, from.tenant)
	}
	return !strings.EqualFold(to.CopyScope, "PrivateLink")
}
