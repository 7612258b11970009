package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Causes of a refused token. Tokens.Verify returns ErrNoToken or ErrNotBearer as they
// are, and every other refusal as a *TokenError that wraps one of the last three.
var (
	// ErrNoToken: the request has no Authorization header.
	ErrNoToken = errors.New("the Authorization header is missing")
	// ErrNotBearer: the Authorization header is not "Bearer <token>".
	ErrNotBearer = errors.New("the Authorization header is not in the form 'Bearer <token>'")
	// ErrTokenInvalid: not a token of this authority (signature, key, issuer, form, not yet valid).
	ErrTokenInvalid = errors.New("the access token is invalid")
	// ErrTokenExpired: the token was good once.
	ErrTokenExpired = errors.New("the access token has expired")
	// ErrTokenRevoked: the token would still be good, had it not been revoked.
	ErrTokenRevoked = errors.New("the access token has been revoked")
)

// TokenError is a refused token.
type TokenError struct {
	Cause   error     // ErrTokenInvalid, ErrTokenExpired or ErrTokenRevoked
	Message string    // what is wrong, in Azure's words
	At      time.Time // when it expired or was revoked; zero for ErrTokenInvalid
	CAE     bool      // the client said that it understands claims challenges (xms_cc: CP1)
}

// Error implements error.
func (e *TokenError) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *TokenError) Unwrap() error { return e.Cause }

// Challenge returns the parameters that belong behind a service's own in its
// WWW-Authenticate header. For a revoked token of a client that understands it, that is
// the claims challenge of continuous access evaluation, which the client answers by
// fetching a token issued later than At; for others it is error="invalid_token".
func (e *TokenError) Challenge() string {
	if e.CAE && errors.Is(e.Cause, ErrTokenRevoked) {
		claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, e.At.Unix())
		return fmt.Sprintf(`error="insufficient_claims", claims="%s"`, base64.StdEncoding.EncodeToString([]byte(claims)))
	}
	return fmt.Sprintf(`error="invalid_token", error_description="%s"`, strings.ReplaceAll(e.Message, `"`, "'"))
}

// BearerToken takes the token out of the Authorization header. The error is ErrNoToken
// or ErrNotBearer; the token itself is not checked.
func BearerToken(r *http.Request) (string, error) {
	h := strings.TrimSpace(r.Header.Get("Authorization"))
	if h == "" {
		return "", ErrNoToken
	}
	scheme, token, ok := strings.Cut(h, " ")
	token = strings.TrimSpace(token)
	if !ok || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNotBearer
	}
	return token, nil
}

type expiredKey struct{}

// WithExpiredToken marks a request so that Tokens.Verify calls its token expired. The
// front uses it for the "expired" fault: the service then refuses in its own words.
func WithExpiredToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, expiredKey{}, true)
}

// HasExpiredToken tells whether WithExpiredToken was applied.
func HasExpiredToken(ctx context.Context) bool {
	v, _ := ctx.Value(expiredKey{}).(bool)
	return v
}
