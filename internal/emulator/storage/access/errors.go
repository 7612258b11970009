package access

import (
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func refusal(status int, code, message string) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: message}
}

const notAuthenticated = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."

// failed is AuthenticationFailed with what exactly was wrong.
func failed(detail string) *wire.Error {
	return kit.WithDetail(refusal(http.StatusForbidden, "AuthenticationFailed", notAuthenticated), "AuthenticationErrorDetail", detail)
}

// invalidAuthentication is of an Authorization header that cannot be read.
func invalidAuthentication(detail string) *wire.Error {
	e := refusal(http.StatusBadRequest, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format. Check the value of Authorization header.")
	if detail == "" {
		return e
	}
	return kit.WithDetail(e, "AuthenticationErrorDetail", detail)
}

func permissionMismatch() *wire.Error {
	return refusal(http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
}

func notAuthorized() *wire.Error {
	return refusal(http.StatusForbidden, "AuthorizationFailure", "This request is not authorized to perform this operation.")
}

func keysNotPermitted() *wire.Error {
	return refusal(http.StatusForbidden, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account.")
}

// challenge is a 401 that says where to get a token.
func (q *request) challenge(code, detail string) *wire.Error {
	e := refusal(http.StatusUnauthorized, code, "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.")
	if detail != "" {
		e = kit.WithDetail(e, "AuthenticationErrorDetail", detail)
	}
	e.Header = map[string]string{
		"Www-Authenticate": "Bearer authorization_uri=https://login.microsoftonline.com/" + q.acc.TenantID + "/oauth2/authorize resource_id=https://storage.azure.com",
	}
	return e
}
