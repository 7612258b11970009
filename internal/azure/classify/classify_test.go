package classify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// answer is an error answer as the SDK hands it on.
func answer(status int, body string, header map[string]string) error {
	resp := &http.Response{
		StatusCode: status,
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(body)),
		Request:    &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "kv.vault.azure.net", Path: "/x", RawQuery: "sig=topsecret"}},
	}
	for k, v := range header {
		resp.Header.Set(k, v)
	}
	return runtime.NewResponseError(resp)
}

func vaultBody(code, message, inner string) string {
	if inner == "" {
		return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
	}
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innererror":{"code":%q}}}`, code, message, inner)
}

const rbacText = "Caller is not authorized to perform action on resource.\r\nIf role assignments changed recently, please observe propagation time.\r\n" +
	"Caller: appid=a;oid=b\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/s'"

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		header map[string]string
		want   errs.Error // compared: Kind, Code, Status, Action, RequestID, RetryAfter, Hint
		text   string
	}{
		{
			name: "no valid token", status: 401, body: vaultBody("Unauthorized", "AKV10032: Invalid issuer.", ""),
			header: map[string]string{"x-ms-request-id": "r1"},
			want:   errs.Error{Kind: errs.Unauthenticated, Code: "Unauthorized", Status: 401, RequestID: "r1"},
			text:   "AKV10032: Invalid issuer.",
		},
		{
			name: "role missing", status: 403, body: vaultBody("Forbidden", rbacText, "ForbiddenByRbac"),
			want: errs.Error{Kind: errs.PermissionDenied, Code: "ForbiddenByRbac", Status: 403, Action: "Microsoft.KeyVault/vaults/secrets/getSecret/action"},
			text: "Caller is not authorized to perform action on resource.",
		},
		{
			name: "access policy missing", status: 403,
			body: vaultBody("Forbidden", "The user, group or application 'appid=x' does not have secrets get permission on key vault 'kv;location=westeurope'.", "ForbiddenByPolicy"),
			want: errs.Error{Kind: errs.PermissionDenied, Code: "ForbiddenByPolicy", Status: 403, Action: "secrets/get"},
			text: "The user, group or application 'appid=x' does not have secrets get permission on key vault 'kv;location=westeurope'.",
		},
		{
			name: "resource manager", status: 403,
			body: vaultBody("AuthorizationFailed", "The client 'c' does not have authorization to perform action 'Microsoft.KeyVault/vaults/read' over scope '/s'.", ""),
			want: errs.Error{Kind: errs.PermissionDenied, Code: "AuthorizationFailed", Status: 403, Action: "Microsoft.KeyVault/vaults/read"},
			text: "The client 'c' does not have authorization to perform action 'Microsoft.KeyVault/vaults/read' over scope '/s'.",
		},
		{
			name: "firewall", status: 403, body: vaultBody("Forbidden", "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"),
			want: errs.Error{
				Kind: errs.PermissionDenied, Code: "ForbiddenByFirewall", Status: 403,
				Hint: "the network refuses this address: allow it in the resource's firewall, or run from an allowed network",
			},
			text: "Client address is not authorized and caller is not a trusted service.",
		},
		{
			name: "private endpoint", status: 403, body: vaultBody("Forbidden", "Public network access is disabled.", "ForbiddenByConnection"),
			want: errs.Error{
				Kind: errs.PermissionDenied, Code: "ForbiddenByConnection", Status: 403,
				Hint: "the resource takes private connections alone: run from a network with its private endpoint",
			},
			text: "Public network access is disabled.",
		},
		{
			name: "disabled secret", status: 403, body: vaultBody("Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"),
			want: errs.Error{Kind: errs.Conflict, Code: "SecretDisabled", Status: 403}, text: "Operation get is not allowed on a disabled secret.",
		},
		{
			name: "bad storage signature", status: 403, header: map[string]string{"x-ms-error-code": "AuthenticationFailed"},
			body: `<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.` + "\n" + `RequestId:x</Message></Error>`,
			want: errs.Error{Kind: errs.Unauthenticated, Code: "AuthenticationFailed", Status: 403}, text: "Server failed to authenticate the request.",
		},
		{
			name: "not found", status: 404, body: vaultBody("SecretNotFound", "A secret with (name/id) x was not found in this key vault.", ""),
			want: errs.Error{Kind: errs.NotFound, Code: "SecretNotFound", Status: 404}, text: "A secret with (name/id) x was not found in this key vault.",
		},
		{
			name: "soft-deleted", status: 409, body: vaultBody("Conflict", "Secret x is currently in a deleted but recoverable state.", "ObjectIsDeletedButRecoverable"),
			want: errs.Error{Kind: errs.Conflict, Code: "ObjectIsDeletedButRecoverable", Status: 409}, text: "Secret x is currently in a deleted but recoverable state.",
		},
		{
			name: "precondition", status: 412, body: "", want: errs.Error{Kind: errs.Conflict, Status: 412}, text: "Precondition Failed",
		},
		{
			name: "throttled", status: 429, body: vaultBody("Throttled", "Request was not processed.", ""), header: map[string]string{"Retry-After": "7"},
			want: errs.Error{Kind: errs.Throttled, Code: "Throttled", Status: 429, RetryAfter: 7 * time.Second}, text: "Request was not processed.",
		},
		{
			name: "throttled quota of requests", status: 429, body: vaultBody("RequestQuotaExceeded", "Slow down.", ""), header: map[string]string{"retry-after-ms": "250"},
			want: errs.Error{Kind: errs.Throttled, Code: "RequestQuotaExceeded", Status: 429, RetryAfter: 250 * time.Millisecond}, text: "Slow down.",
		},
		{
			name: "wait until a date that has passed", status: 503, header: map[string]string{"Retry-After": "Mon, 02 Jan 2006 15:04:05 GMT"},
			want: errs.Error{Kind: errs.Unavailable, Status: 503}, text: "Service Unavailable",
		},
		{
			name: "request timeout", status: 408, body: "busy", want: errs.Error{Kind: errs.Unavailable, Status: 408}, text: "Request Timeout",
		},
		{
			name: "quota", status: 409, body: vaultBody("QuotaExceeded", "The quota is used up.", ""),
			want: errs.Error{Kind: errs.Quota, Code: "QuotaExceeded", Status: 409}, text: "The quota is used up.",
		},
		{
			name: "nested codes", status: 400, body: `{"error":{"code":"BadParameter","message":"m","innererror":{"code":"Outer","innererror":{"code":"Inner"}}}}`,
			want: errs.Error{Kind: errs.Invalid, Code: "Inner", Status: 400}, text: "m",
		},
		{
			name: "flat body", status: 501, body: `{"code":"NotImplemented","message":"no"}`,
			want: errs.Error{Kind: errs.Unsupported, Code: "NotImplemented", Status: 501}, text: "no",
		},
		{
			name: "unexpected redirect", status: 302, body: "", want: errs.Error{Kind: errs.Internal, Status: 302}, text: "Found",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := answer(tt.status, tt.body, tt.header)
			err := classify.Error("read the secret", plugin.Source, "kv", "secrets/x", src)
			got := errs.Find(err)
			if got == nil {
				t.Fatalf("got %v, want an *errs.Error", err)
			}
			if diff := cmp.Diff(tt.want, *got, cmpopts.IgnoreFields(errs.Error{}, "Op", "Side", "Resource", "Item", "Err")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got.Op != "read the secret" || got.Side != "source" || got.Resource != "kv" || got.Item != "secrets/x" {
				t.Errorf("place lost: %+v", got)
			}
			if got.Err.Error() != tt.text {
				t.Errorf("text = %q, want %q", got.Err.Error(), tt.text)
			}
			if strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("text quotes the request or has several lines: %q", err)
			}
			var resp *azcore.ResponseError
			if !errors.As(err, &resp) || resp.StatusCode != tt.status {
				t.Error("the SDK's error cannot be reached")
			}
		})
	}
}

// What the network refuses is told from what roles refuse, in each service's own words.
func TestNetworkRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		header     map[string]string
		hint       string // its beginning; "": none
		text       string
	}{
		{"vault, firewall", vaultBody("Forbidden", "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"), nil, "the network refuses this address", "Client address is not authorized and caller is not a trusted service."},
		{"vault, private", vaultBody("Forbidden", "Public network access is disabled.", "ForbiddenByConnection"), nil, "the resource takes private connections alone", "Public network access is disabled."},
		{"vault, role", vaultBody("Forbidden", rbacText, "ForbiddenByRbac"), nil, "", "Caller is not authorized to perform action on resource."},
		{"storage", `<?xml version="1.0"?><Error><Code>AuthorizationFailure</Code><Message>This request is not authorized to perform this operation.</Message></Error>`, map[string]string{"x-ms-error-code": "AuthorizationFailure"}, "the account's firewall may refuse this address", "This request is not authorized to perform this operation."},
		{"storage, role", `<?xml version="1.0"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This request is not authorized to perform this operation using this permission.</Message></Error>`, map[string]string{"x-ms-error-code": "AuthorizationPermissionMismatch"}, "", "This request is not authorized to perform this operation using this permission."},
		{"storage, keys", `<?xml version="1.0"?><Error><Message>Key based authentication is not permitted on this storage account.</Message></Error>`, map[string]string{"x-ms-error-code": "KeyBasedAuthenticationNotPermitted"}, "the account refuses keys", "Key based authentication is not permitted on this storage account."},
		{"Cosmos DB", vaultBody("Forbidden", "Request originated from IP 203.0.113.1 through public internet. This is blocked by your Cosmos DB account firewall settings.", ""), nil, "the network refuses this address", "Request originated from IP 203.0.113.1 through public internet. This is blocked by your Cosmos DB account firewall settings."},
		{"Cosmos DB, private", vaultBody("Forbidden", "Request originated from client VNET through private endpoint.", ""), nil, "the resource takes private connections alone", "Request originated from client VNET through private endpoint."},
		{"registry", `{"errors":[{"code":"DENIED","message":"client with IP '203.0.113.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."}]}`, nil, "the network refuses this address", "client with IP '203.0.113.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."},
		{"App Configuration", `{"type":"https://azconfig.io/errors/ip-address-rejected","title":"Access to this resource is governed by a network access policy. The client IP address fails to meet the criteria for access.","status":403}`, nil, "the resource takes private connections alone", "Access to this resource is governed by a network access policy. The client IP address fails to meet the criteria for access."},
		{"App Configuration, perimeter", `{"type":"https://azconfig.io/errors/nsp-rejected","title":"Access to this resource is governed by a Network Security Perimeter. The request fails to meet the criteria for inbound access.","status":403}`, nil, "a network security perimeter", "Access to this resource is governed by a Network Security Perimeter. The request fails to meet the criteria for inbound access."},
		{"App Service", vaultBody("Forbidden", "Ip Forbidden", ""), nil, "the network refuses this address", "Ip Forbidden"},
	}
	for _, tt := range tests {
		got := errs.Find(classify.Error("read it", plugin.Source, "x", "", answer(403, tt.body, tt.header)))
		if got.Kind != errs.PermissionDenied || !strings.HasPrefix(got.Hint, tt.hint) || (tt.hint == "") != (got.Hint == "") {
			t.Errorf("%s: kind %q, hint %q", tt.name, got.Kind, got.Hint)
		}
		if got.Err.Error() != tt.text {
			t.Errorf("%s: text %q", tt.name, got.Err.Error())
		}
	}
}

// A token that a service calls expired is a matter of clocks: the SDK fetches new ones in time.
func TestExpiredAtTheService(t *testing.T) {
	t.Parallel()
	for body, clock := range map[string]bool{
		vaultBody("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.", ""): true,
		vaultBody("Unauthorized", "[TokenExpired] Error validating token.", ""):                                           true,
		vaultBody("Unauthorized", "AKV10032: Invalid issuer.", ""):                                                        false,
	} {
		got := errs.Find(classify.Error("read it", plugin.Source, "x", "", answer(401, body, nil)))
		if got.Kind != errs.Unauthenticated || strings.Contains(got.Hint, "clock") != clock {
			t.Errorf("%s: kind %q, hint %q", body, got.Kind, got.Hint)
		}
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	t.Parallel()
	err := classify.Error("op", plugin.Source, "", "", answer(400, vaultBody("Bad", strings.Repeat("é", 400), ""), nil))
	if text := errs.Find(err).Err.Error(); len(text) > 310 || !strings.HasSuffix(text, "é…") {
		t.Errorf("text has %d bytes and ends in %q", len(text), text[len(text)-5:])
	}
}

// signIn is an error as azidentity makes it: marked, without a chain.
type signIn string

func (s signIn) Error() string { return string(s) }
func (signIn) NonRetriable()   {}

const wrongSecret = `ClientSecretCredential authentication failed. 
POST https://login.microsoftonline.com/t/oauth2/v2.0/token
--------------------------------------------------------------------------------
RESPONSE 401: 401 Unauthorized
--------------------------------------------------------------------------------
{
  "error": "invalid_client",
  "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret is a value.\r\nTrace ID: 0f8fad5b-d9cb-469f-a165-70867728950e\r\nCorrelation ID: c"
}
--------------------------------------------------------------------------------
To troubleshoot, visit https://aka.ms/azsdk/go/identity/troubleshoot#client-secret`

func TestOtherErrors(t *testing.T) {
	t.Parallel()
	urlErr := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://kv.vault.azure.net/?sig=topsecret", Err: err}
	}
	tests := []struct {
		name string
		err  error
		kind errs.Kind
		code string
		text string
	}{
		{"canceled", fmt.Errorf("page: %w", context.Canceled), errs.Canceled, "", "page: context canceled"},
		{"deadline of the caller", context.DeadlineExceeded, errs.Canceled, "", "context deadline exceeded"},
		{"wrong secret", signIn(wrongSecret), errs.Unauthenticated, "AADSTS7000215", "AADSTS7000215: Invalid client secret provided. Ensure the secret is a value."},
		{"no credential", signIn("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:"), errs.Unauthenticated, "", "DefaultAzureCredential: failed to acquire a token."},
		{
			"swapped tenants",
			signIn(`ClientSecretCredential isn't configured to acquire tokens for tenant "t2". To enable acquiring tokens for this tenant add it`),
			errs.Unauthenticated, "", `ClientSecretCredential isn't configured to acquire tokens for tenant "t2"`,
		},
		{"sign-in throttled", signIn("X authentication failed. \nRESPONSE 429: 429"), errs.Throttled, "", "X authentication failed."},
		{"sign-in down", signIn("X authentication failed. \nRESPONSE 503: 503"), errs.Unavailable, "", "X authentication failed."},
		{"sign-in unreachable", signIn("ClientSecretCredential: dial tcp: connection refused"), errs.Unavailable, "", "ClientSecretCredential: dial tcp: connection refused"},
		{"reset", urlErr(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), errs.Unavailable, "", "read: connection reset by peer"},
		{"cut body", fmt.Errorf("body: %w", io.ErrUnexpectedEOF), errs.Unavailable, "", "body: unexpected EOF"},
		{"cut body of a write", fmt.Errorf("body: %w", errors.Join(signIn("x"), io.ErrUnexpectedEOF)), errs.Unavailable, "", "body: x"},
		{"unknown host", urlErr(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "kv.vault.azure.net", IsNotFound: true}}), errs.NotFound, "", "no such host kv.vault.azure.net"},
		{"names unavailable", urlErr(&net.DNSError{Name: "kv", Err: "server misbehaving", IsTemporary: true, IsNotFound: true}), errs.Unavailable, "", "lookup kv: server misbehaving"},
		{"anything else", errors.New("odd"), errs.Internal, "", "odd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := classify.Error("do it", plugin.Target, "kv", "", tt.err)
			got := errs.Find(err)
			if got.Kind != tt.kind || got.Code != tt.code || got.Err.Error() != tt.text {
				t.Errorf("got kind %q, code %q, text %q", got.Kind, got.Code, got.Err.Error())
			}
			if !errors.Is(err, tt.err) {
				t.Error("the cause cannot be reached")
			}
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("text quotes the URL: %q", err)
			}
		})
	}
}

func TestSignInDetails(t *testing.T) {
	t.Parallel()
	got := errs.Find(classify.Error("sign in", plugin.Source, "", "", signIn(wrongSecret)))
	if got.Status != 401 || got.RequestID != "0f8fad5b-d9cb-469f-a165-70867728950e" {
		t.Errorf("status %d, request ID %q", got.Status, got.RequestID)
	}
}

func TestClientTimeoutIsUnavailable(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer srv.Close()
	defer close(stop)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: time.Millisecond}).Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("no timeout")
	}
	if kind := errs.KindOf(classify.Error("op", plugin.Source, "", "", err)); kind != errs.Unavailable {
		t.Errorf("kind = %q, want unavailable", kind)
	}
}

func TestPassesThrough(t *testing.T) {
	t.Parallel()
	if err := classify.Error("op", plugin.Source, "", "", nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	known := fmt.Errorf("outer: %w", &errs.Error{Op: "inner", Kind: errs.Quota})
	if err := classify.Error("op", plugin.Source, "", "", known); !errors.Is(err, known) || errs.KindOf(err) != errs.Quota {
		t.Errorf("a classified error became %v", err)
	}
}

// TestChallengedAgain: a token that was revoked is fetched anew at the next try.
func TestChallengedAgain(t *testing.T) {
	t.Parallel()
	for challenge, want := range map[string]errs.Kind{
		`Bearer authorization="https://login.microsoftonline.com/t", error="insufficient_claims", claims="e30="`: errs.Unavailable,
		`Bearer authorization="https://login.microsoftonline.com/t"`:                                             errs.Unauthenticated,
	} {
		resp := &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {challenge}}, Body: http.NoBody}
		err := classify.Error("read", plugin.Source, "r", "i", &azcore.ResponseError{StatusCode: http.StatusUnauthorized, RawResponse: resp})
		if got := errs.KindOf(err); got != want {
			t.Errorf("%s: %s, want %s", challenge, got, want)
		}
	}
}
