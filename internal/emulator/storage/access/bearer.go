package access

import (
	"errors"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	audience      = "https://storage.azure.com"
	applicationID = "e406a681-f3d4-42a8-90b6-c2b029497af1" // Azure Storage

	// bearerSince is the first version that takes tokens.
	bearerSince = "2017-11-09"
)

// user is the grant of a token.
type user struct {
	gate   Gate
	acc    kit.Account
	claims wire.Claims
}

// Check implements kit.Grant.
func (g user) Check(n kit.Need) *wire.Error {
	if len(n.Actions) == 0 {
		return notAuthorized()
	}
	if !g.gate.allowed(g.claims, g.acc, n) {
		return permissionMismatch()
	}
	return nil
}

// How implements kit.Grant.
func (user) How() string { return "Bearer" }

// Claims returns those of the caller's token; ok is false for a grant that is none of a
// token.
func Claims(g kit.Grant) (c wire.Claims, ok bool) {
	u, ok := g.(user)
	return u.claims, ok
}

// bearer checks the token, its audience and its tenant. The details' words are those that
// the service is known by, but for the one of a revoked token.
func (q *request) bearer() (kit.Grant, *wire.Error) {
	if q.r.Header.Get("X-Ms-Version") < bearerSince {
		return nil, failed("Authentication scheme Bearer is not supported in this version.")
	}
	claims, err := q.gate.Tokens.Verify(q.r)
	if err != nil {
		return nil, q.refuseToken(err)
	}
	if !q.audience(claims.Audience) {
		return nil, q.challenge("InvalidAuthenticationInfo", "Audience validation failed. Audiences did not match.")
	}
	if !strings.EqualFold(claims.TenantID, q.acc.TenantID) {
		return nil, q.challenge("InvalidAuthenticationInfo", "Issuer validation failed. Issuer did not match.")
	}
	return user{q.gate, q.acc.Account, claims}, nil
}

func (q *request) refuseToken(err error) *wire.Error {
	var te *wire.TokenError
	switch {
	case errors.Is(err, wire.ErrTokenExpired):
		return q.challenge("InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")
	case errors.Is(err, wire.ErrTokenRevoked) && errors.As(err, &te):
		e := q.challenge("InvalidAuthenticationInfo", te.Message)
		e.Header["Www-Authenticate"] += ", " + te.Challenge()
		return e
	}
	return q.challenge("InvalidAuthenticationInfo", "Signature validation failed. Signature verification failed.")
}

// audience takes the resource of all accounts, that of this one's services, and the
// application.
func (q *request) audience(aud string) bool {
	aud = strings.ToLower(strings.TrimRight(aud, "/"))
	if aud == audience || aud == applicationID {
		return true
	}
	host, ok := strings.CutPrefix(aud, "https://"+q.acc.Name+".")
	if !ok {
		return false
	}
	kind, rest, _ := strings.Cut(host, ".")
	switch kit.Kind(kind) {
	case q.service:
	case kit.Blob, kit.DFS:
		if q.service != kit.Blob && q.service != kit.DFS {
			return false
		}
	case kit.File, kit.Queue, kit.Table, kit.Web:
		return false
	}
	return rest == "core.windows.net"
}
