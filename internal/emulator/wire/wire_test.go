package wire_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func request(t testing.TB, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://management.azure.com/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// noting is the writer that the front gives to services; wrapped hides it.
type noting struct {
	http.ResponseWriter
	code, caller string
}

func (n *noting) NoteCode(code string)              { n.code = code }
func (n *noting) NoteCaller(tenantID, appID string) { n.caller = tenantID + " " + appID }

type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestWriteError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    wire.Error
		status int
		body   string
	}{
		{"plain", wire.Error{Status: 404, Code: "ResourceNotFound", Message: "a <b> & c"}, 404, `{"error":{"code":"ResourceNotFound","message":"a <b> & c"}}`},
		{"inner", wire.Error{Status: 403, Code: "Forbidden", Message: "m", Inner: "SecretDisabled"}, 403, `{"error":{"code":"Forbidden","message":"m","innererror":{"code":"SecretDisabled"}}}`},
		{"no status", wire.Error{Code: "C"}, 500, `{"error":{"code":"C","message":""}}`},
	}
	for _, tt := range tests {
		rec := httptest.NewRecorder()
		front := &noting{ResponseWriter: rec}
		tt.err.Header = map[string]string{"Retry-After": "7"}
		wire.WriteError(wrapped{front}, &tt.err)
		h := rec.Header()
		if rec.Code != tt.status || rec.Body.String() != tt.body || front.code != tt.err.Code || h.Get("Retry-After") != "7" {
			t.Errorf("%s: %d %s %q %v", tt.name, rec.Code, rec.Body, front.code, h)
		}
		if h.Get("Content-Type") != "application/json; charset=utf-8" || h.Get("X-Ms-Request-Id") == "" {
			t.Errorf("%s: %v", tt.name, h)
		}
	}
}

func TestNoteCaller(t *testing.T) {
	t.Parallel()
	front := &noting{ResponseWriter: httptest.NewRecorder()}
	wire.NoteCaller(wrapped{wrapped{front}}, "t", "a")
	wire.NoteCaller(httptest.NewRecorder(), "nobody", "listens")
	wire.NoteCaller(nil, "nobody", "listens")
	if front.caller != "t a" {
		t.Errorf("%q", front.caller)
	}
}

func TestWriteJSONThatCannotBe(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	wire.WriteJSON(rec, http.StatusOK, func() {})
	if rec.Code != http.StatusInternalServerError || !strings.Contains(rec.Body.String(), "InternalServerError") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestStampIDs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{"X-Ms-Client-Request-Id", "mine"}, ""},
		{[]string{"X-Ms-Client-Request-Id", "mine", "X-Ms-Return-Client-Request-Id", "true"}, "mine"},
	}
	for _, tt := range tests {
		rec := httptest.NewRecorder()
		wire.StampIDs(rec, request(t, tt.headers...))
		id := rec.Header().Get("X-Ms-Request-Id")
		if got := rec.Header().Get("X-Ms-Client-Request-Id"); got != tt.want || id == "" {
			t.Errorf("%v: %q %q", tt.headers, got, id)
		}
		wire.WriteJSON(rec, http.StatusOK, 1)
		if rec.Header().Get("X-Ms-Request-Id") != id {
			t.Error("the request ID was replaced")
		}
	}
}

func TestBearerToken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header, token string
		err           error
	}{
		{"", "", wire.ErrNoToken},
		{" ", "", wire.ErrNoToken},
		{"Bearer", "", wire.ErrNotBearer},
		{"Bearer  ", "", wire.ErrNotBearer},
		{"Basic abc", "", wire.ErrNotBearer},
		{"Bearer abc", "abc", nil},
		{"bEARER  abc ", "abc", nil},
	}
	for _, tt := range tests {
		if got, err := wire.BearerToken(request(t, "Authorization", tt.header)); got != tt.token || !errors.Is(err, tt.err) {
			t.Errorf("%q: %q %v", tt.header, got, err)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`))
	at := time.Unix(1700000000, 0)
	tests := []struct {
		err  wire.TokenError
		want string
	}{
		{wire.TokenError{Cause: wire.ErrTokenRevoked, At: at, CAE: true}, `error="insufficient_claims", claims="` + claims + `"`},
		{wire.TokenError{Cause: wire.ErrTokenRevoked, At: at, Message: "gone"}, `error="invalid_token", error_description="gone"`},
		{wire.TokenError{Cause: wire.ErrTokenExpired, CAE: true, Message: `the "old" one`}, `error="invalid_token", error_description="the 'old' one"`},
	}
	for _, tt := range tests {
		if got := tt.err.Challenge(); got != tt.want {
			t.Errorf("%+v: %s", tt.err, got)
		}
		if !errors.Is(&tt.err, tt.err.Cause) || tt.err.Error() != tt.err.Message {
			t.Errorf("%+v", tt.err)
		}
	}
}

func TestScriptedExpiry(t *testing.T) {
	t.Parallel()
	if wire.HasExpiredToken(t.Context()) || !wire.HasExpiredToken(wire.WithExpiredToken(t.Context())) {
		t.Error("the mark is not found where it was put, or found where it was not")
	}
}

func TestRequestWrite(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]bool{"GET": false, "HEAD": false, "OPTIONS": false, "PUT": true, "POST": true, "PATCH": true, "DELETE": true} {
		if got := (wire.Request{Method: method}).Write(); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
	if err := (&wire.Error{Code: "C", Message: "m"}); err.Error() != "C: m" {
		t.Error(err)
	}
}
