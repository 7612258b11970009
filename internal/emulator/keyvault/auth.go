package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The audiences that the service takes: its resource, and its application's identifier as
// version 2.0 tokens have it.
const (
	audience      = "https://vault.azure.net"
	applicationID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
)

// authenticate checks the token, its audience and its tenant.
func (c *call) authenticate() *wire.Error {
	claims, err := c.svc.opt.Tokens.Verify(c.r)
	if err != nil {
		return c.refuseToken(err)
	}
	if aud := strings.TrimSuffix(claims.Audience, "/"); !strings.EqualFold(aud, audience) && aud != applicationID {
		return c.challenge("", "AKV10022: Invalid audience. Expected %s, found: %s.", audience, claims.Audience)
	}
	if !strings.EqualFold(claims.TenantID, c.set.tenant) {
		return c.challenge("", "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/%s/, found https://sts.windows.net/%s/.", c.set.tenant, claims.TenantID)
	}
	c.claims = claims
	return nil
}

// refuseToken words what is wrong with a token as the service does; the frame around the
// reason of an invalid one is not confirmed.
func (c *call) refuseToken(err error) *wire.Error {
	var te *wire.TokenError
	switch {
	case errors.Is(err, wire.ErrNoToken), errors.Is(err, wire.ErrNotBearer):
		return c.challenge("", "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token.")
	case !errors.As(err, &te):
		return c.challenge("", "[BearerReadAccessTokenFailed] Error validating token: '%s'.", err.Error())
	case errors.Is(err, wire.ErrTokenExpired):
		return c.challenge(te.Challenge(), "[TokenExpired] Error validating token: '%s'.", te.Message)
	}
	return c.challenge(te.Challenge(), "[BearerReadAccessTokenFailed] Error validating token: '%s'.", te.Message)
}

// challenge is a 401 that tells where to get a token, and what was wrong with the last
// one.
func (c *call) challenge(more, format string, args ...any) *wire.Error {
	h := fmt.Sprintf(`Bearer authorization="https://login.microsoftonline.com/%s", resource="%s"`, c.set.tenant, audience)
	if more != "" {
		h += ", " + more
	}
	return &wire.Error{
		Status: http.StatusUnauthorized, Code: "Unauthorized", Message: fmt.Sprintf(format, args...),
		Header: map[string]string{"WWW-Authenticate": h},
	}
}

// caller names the caller in a refusal.
func (c *call) caller() string {
	return fmt.Sprintf("appid=%s;oid=%s;iss=https://sts.windows.net/%s/", c.claims.AppID, c.claims.ObjectID, c.claims.TenantID)
}

// place names the vault in a refusal.
func (c *call) place() string { return c.vault.name + ";location=" + c.vault.location }

// authorize checks what the caller may do: by role assignments or by access policies.
func (c *call) authorize() *wire.Error {
	if c.set.rbac {
		return c.byRole()
	}
	for _, p := range c.set.policies {
		if p.allows(c.claims, c.op.object, c.op.permission) {
			return nil
		}
	}
	// Microsoft's page of common error codes calls the inner code AccessDenied, and so did
	// the service until 2021; later answers have ForbiddenByPolicy.
	return c.forbidden("ForbiddenByPolicy", "The user, group or application '%s' does not have %s %s permission on key vault '%s'. "+
		"For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287", c.caller(), c.op.object, c.op.permission, c.place())
}

func (c *call) byRole() *wire.Error {
	scope := c.scope()
	for _, a := range c.op.actions {
		if c.svc.opt.Access.Allowed(c.claims, scope, "Microsoft.KeyVault/vaults/"+a, true) {
			return nil
		}
	}
	return c.forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\n"+
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
		"Caller: %s\r\nAction: 'Microsoft.KeyVault/vaults/%s'\r\nResource: '%s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n"+
		"DecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: %s\r\n", c.caller(), c.op.actions[0], strings.ToLower(scope), c.place())
}

// scope is the resource ID that a role must be assigned at or above.
func (c *call) scope() string {
	switch c.op.scope {
	case onVault:
	case onObject:
		return c.vault.id + "/" + c.op.object + "/" + c.name
	case onIssuer:
		return c.vault.id + "/certificatecas/" + c.name
	case onContact:
		return c.vault.id + "/certificatecontacts/contacts"
	}
	return c.vault.id
}

func (c *call) forbidden(inner, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: "Forbidden", Message: fmt.Sprintf(format, args...), Inner: inner}
}
