package arm

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/rbac"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// audiences are the resources whose tokens ARM takes in the public cloud.
var audiences = []string{
	"https://management.core.windows.net/", "https://management.core.windows.net",
	"https://management.azure.com/", "https://management.azure.com",
}

// authenticate verifies a request's token. sub is the subscription it asks for, or nil.
func (s *Store) authenticate(r *http.Request, sub *subscription) (wire.Claims, *wire.Error) {
	authority := "https://login.windows.net/"
	if sub != nil {
		authority += sub.tenantID
	}
	if s.opt.Tokens == nil {
		return wire.Claims{}, tokenRefusal(wire.ErrNoToken, authority, s.opt.Clock)
	}
	c, err := s.opt.Tokens.Verify(r)
	switch {
	case err != nil:
		return c, tokenRefusal(err, authority, s.opt.Clock)
	case !slices.Contains(audiences, c.Audience):
		return c, challenge(authority, "InvalidAuthenticationTokenAudience",
			fmt.Sprintf("The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences '%s'.", c.Audience, strings.Join(audiences, "','")),
			"The access token has been obtained from wrong audience or resource.")
	case sub != nil && !strings.EqualFold(sub.tenantID, c.TenantID):
		return c, wrongTenant(c.TenantID, sub.tenantID, authority)
	}
	return c, nil
}

func wrongTenant(has, wants, authority string) *wire.Error {
	return challenge(authority, "InvalidAuthenticationTokenTenant",
		fmt.Sprintf("The access token is from the wrong issuer 'https://sts.windows.net/%s/'. It must match the tenant 'https://sts.windows.net/%s/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/%s' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.", has, wants, wants),
		"The access token is from the wrong issuer. It must match the tenant associated with this subscription. Please use correct authority to get the token.")
}

// challenge is a 401 with the WWW-Authenticate header that ARM sends: it names the
// authority to get a token from, which clients use to find a subscription's tenant.
func challenge(authority, code, message, description string) *wire.Error {
	return challengeWith(authority, code, message, fmt.Sprintf(`error="invalid_token", error_description="%s"`, description))
}

func challengeWith(authority, code, message, params string) *wire.Error {
	e := refusal(http.StatusUnauthorized, code, "%s", message)
	e.Header = map[string]string{"WWW-Authenticate": fmt.Sprintf(`Bearer authorization_uri="%s", %s`, authority, params)}
	return e
}

// tokenRefusal puts a token's refusal in ARM's words.
func tokenRefusal(err error, authority string, clock wire.Clock) *wire.Error {
	const usDate = "1/2/2006 3:04:05 PM"
	var te *wire.TokenError
	errors.As(err, &te)
	switch {
	case errors.Is(err, wire.ErrNoToken):
		return challenge(authority, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.",
			"The authentication failed because of missing 'Authorization' header.")
	case errors.Is(err, wire.ErrNotBearer):
		return challenge(authority, "AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format.",
			"The authentication failed because the 'Authorization' header is in an invalid format.")
	case te == nil:
		return challenge(authority, "InvalidAuthenticationToken", "The access token is invalid.", "The access token is invalid.")
	case errors.Is(err, wire.ErrTokenExpired):
		return challengeWith(authority, "ExpiredAuthenticationToken",
			fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", te.At.UTC().Format(usDate), clock().UTC().Format(usDate)), te.Challenge())
	case errors.Is(err, wire.ErrTokenRevoked):
		return challengeWith(authority, "TokenIssuedBeforeRevocationTimestamp", te.Message, te.Challenge())
	}
	return challengeWith(authority, "InvalidAuthenticationToken", te.Message, te.Challenge())
}

// actionOf names what a request needs a role for. The rule is the one by which Azure names
// its actions; the POSTs that break it are listed.
func actionOf(method, typ string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return typ + "/read"
	case http.MethodPut, http.MethodPatch:
		return typ + "/write"
	case http.MethodDelete:
		return typ + "/delete"
	}
	if slices.Contains(readingPosts, strings.ToLower(typ)) {
		return typ + "/read"
	}
	return typ + "/action"
}

// readingPosts are the POST operations whose action is a read.
var readingPosts = []string{
	"microsoft.keyvault/checknameavailability",
	"microsoft.keyvault/checkmhsmnameavailability", // by analogy, not documented
}

// authorize refuses a request whose caller may not do the action at the scope, and one
// that a lock there forbids.
func (q *request) authorize(action, scope string) *wire.Error {
	return q.authorizeRole(action, scope, "")
}

// authorizeRole is authorize for writing or deleting the assignment of a role.
func (q *request) authorizeRole(action, scope, roleID string) *wire.Error {
	if q.allowed(action, scope, roleID) {
		return q.store.unlocked(action, scope)
	}
	return errForbidden(q.caller, action, scope)
}

func (q *request) allowed(action, scope, roleID string) bool {
	return q.store.roles.Allowed(rbac.Query{
		TenantID: q.caller.TenantID, PrincipalID: q.caller.ObjectID, Scope: scope, Action: action, RoleID: roleID,
	})
}
