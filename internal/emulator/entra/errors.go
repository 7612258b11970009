package entra

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// stsError is an error of the sign-in service: an OAuth error name and an AADSTS code.
type stsError struct {
	status  int
	oauth   string
	code    int
	message string
}

// Error implements error.
func (e *stsError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.message) }

func badRequest(oauth string, code int, format string, args ...any) *stsError {
	return &stsError{http.StatusBadRequest, oauth, code, fmt.Sprintf(format, args...)}
}

func unauthorized(code int, format string, args ...any) *stsError {
	return &stsError{http.StatusUnauthorized, "invalid_client", code, fmt.Sprintf(format, args...)}
}

func errTenantUnknown(segment string) *stsError {
	return badRequest("invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", segment)
}

func errTenantForm(segment string) *stsError {
	return badRequest("invalid_request", 900023, "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid external domain.", segment)
}

func errNoTenant() *stsError {
	return badRequest("invalid_request", 50059, "No tenant-identifying information found in either the request or implied by any provided credentials.")
}

func errAppUnknown(appID string, t Tenant) *stsError {
	return badRequest("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", appID, t.Name)
}

func errAppDisabled(p App) *stsError {
	return badRequest("unauthorized_client", 7000112, "Application '%s'(%s) is disabled.", p.AppID, p.Name)
}

func errParameter(name string) *stsError {
	return badRequest("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
}

func errNoCredential() *stsError {
	return unauthorized(7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
}

func errSecret(appID string) *stsError {
	return unauthorized(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", appID)
}

func errSecretExpired(appID string) *stsError {
	return unauthorized(7000222, "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.", appID)
}

func errResourceUnknown(resource string, t Tenant) *stsError {
	return badRequest("invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", resource, t.Name)
}

func errScopeForm(scope string) *stsError {
	return badRequest("invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
}

func errScopeInvalid(scope, why string) *stsError {
	return badRequest("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. The scope %s is not valid. %s", scope, why)
}

func errScopeResources(scope string) *stsError {
	return badRequest("invalid_request", 28000, "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope %s is not valid.", scope)
}

func errGrantType(name string) *stsError {
	return badRequest("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", name)
}

func errNoUser(user string, t Tenant) *stsError {
	return badRequest("invalid_grant", 50034, "The user account %s does not exist in the %s directory. To sign into this application, the account must be added to the directory.", user, t.ID)
}

func errGrantInvalid() *stsError {
	return badRequest("invalid_grant", 70000, "The provided value for the input parameter is not valid: the grant was not issued by this directory, which signs in applications only.")
}

func errNotMobile() *stsError {
	return &stsError{http.StatusUnauthorized, "invalid_client", 70002, "The provided client is not supported for this feature. The client application must be marked as 'mobile.'"}
}

func errMethod(method, allowed string) *stsError {
	return badRequest("invalid_request", 900561, "The endpoint only accepts %s requests. Received a %s request.", allowed, method)
}

func errInstance() *stsError {
	return badRequest("invalid_instance", 50049, "Unknown or invalid instance.")
}

func errPath() *stsError {
	return &stsError{http.StatusNotFound, "invalid_request", 90019, "The address is no endpoint of the sign-in service."}
}

func errInternal(err error) *stsError {
	return &stsError{http.StatusInternalServerError, "server_error", 90033, "A transient error has occurred. Please try again. " + err.Error()}
}

// stsBody is the error body; the field order is Entra's.
type stsBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

func (a *Authority) fail(w http.ResponseWriter, r *http.Request, e *stsError) {
	trace := w.Header().Get(wire.HeaderRequestID)
	if trace == "" {
		trace = uuid.NewString()
		w.Header().Set(wire.HeaderRequestID, trace)
	}
	correlation := r.Header.Get("Client-Request-Id")
	if correlation == "" {
		correlation = uuid.NewString()
	}
	now := a.clock().UTC().Format("2006-01-02 15:04:05Z")
	wire.NoteCode(w, fmt.Sprintf("AADSTS%d", e.code))
	wire.WriteJSON(w, e.status, stsBody{
		Error:       e.oauth,
		Description: fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", e.Error(), trace, correlation, now),
		Codes:       []int{e.code}, Timestamp: now, TraceID: trace, CorrelationID: correlation,
		URI: fmt.Sprintf("https://%s/error?code=%d", instances[0].network, e.code),
	})
}

// WriteError implements wire.ErrorWriter: a scripted fault in the words of the sign-in
// service. The codes are those of a throttled tenant and of a transient failure.
func (a *Authority) WriteError(w http.ResponseWriter, r *http.Request, e *wire.Error) {
	for k, v := range e.Header {
		w.Header().Set(k, v)
	}
	code := 90033
	if e.Status == http.StatusTooManyRequests {
		code = 90055
	}
	a.fail(w, r, &stsError{e.Status, "temporarily_unavailable", code, e.Message})
}

func until(t, now time.Time) bool { return t.IsZero() || now.Before(t) }
