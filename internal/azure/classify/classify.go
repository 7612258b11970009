// Package classify turns what the Azure SDK returns into the errors of this project. It
// is the one place that knows which status, code or text means which errs.Kind.
//
// The shape of an error body is that of the Azure REST API guidelines
// (https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors):
// {"error":{"code","message","innererror":{"code"}}}. The innermost code says most, so it
// is the one that is kept.
package classify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Error returns err as an *errs.Error that says what could not be done (op, a phrase),
// where (side, resource, item) and why: kind, code, status, request ID, missing
// permission and wait are taken from err. It returns nil for nil, and an error that is
// classified already as it is.
//
// Its text is one line and quotes the service's own message, never a URL or a body. The
// original error stays reachable by errors.As.
func Error(op string, side plugin.Side, resource, item string, err error) error {
	if err == nil {
		return nil
	}
	if errs.Find(err) != nil {
		return err
	}
	e := &errs.Error{Op: op, Side: string(side), Resource: resource, Item: item}
	var answer *azcore.ResponseError
	switch {
	case ended(err):
		e.Kind, e.Err = errs.Canceled, err
	case errors.As(err, &answer):
		fromAnswer(e, answer, err)
	case fromNetwork(e, err):
	case fromSignIn(e, err):
	default:
		e.Kind, e.Err = errs.Internal, err
	}
	return e
}

// ended tells whether the caller's context stopped the work. A timeout of the HTTP client
// claims to be a context.DeadlineExceeded too, so identity counts, not errors.Is.
func ended(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		//nolint:errorlint // see above
		if err == context.Canceled || err == context.DeadlineExceeded {
			return true
		}
	}
	return false
}

// cause is an error with a text of its own: the SDK's texts run over many lines and quote
// URLs, whose queries may hold signatures.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }

func (c *cause) Unwrap() error { return c.err }

// fromAnswer reads an answer of a service.
func fromAnswer(e *errs.Error, answer *azcore.ResponseError, err error) {
	body := readBody(answer.RawResponse)
	e.Status = answer.StatusCode
	e.Code = answer.ErrorCode
	if body.inner != "" {
		e.Code = body.inner
	}
	e.Kind = kindOf(e.Status, e.Code)
	e.Err = &cause{firstLine(body.message, http.StatusText(e.Status)), err}
	switch {
	case e.Kind == errs.PermissionDenied:
		e.Action = missingAction(body.message)
		e.Hint = networkHint(e.Code, body.message)
	case e.Kind == errs.Unauthenticated && wantsNewToken(answer.RawResponse):
		e.Kind = errs.Unavailable
	case e.Kind == errs.Unauthenticated && tooOld(e.Code, body.message):
		e.Hint = hintClock
	}
	if answer.RawResponse != nil {
		e.RequestID = requestID(answer.RawResponse.Header)
		e.RetryAfter = retry.After(answer.RawResponse.Header, time.Now())
	}
}

// wantsNewToken tells whether a service refused a token that was revoked, and said what a
// new one must have (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
// The SDK answers such a challenge once for a request. Where many requests are challenged
// together it may do so with the token that another one had fetched before: the next try
// has a new one, or Entra ID says why there is none.
func wantsNewToken(resp *http.Response) bool {
	return resp != nil && strings.Contains(resp.Header.Get("WWW-Authenticate"), `error="insufficient_claims"`)
}

// kinds by code, where the code says more than the status does.
var kindByCode = map[string]errs.Kind{
	// https://learn.microsoft.com/azure/key-vault/general/common-error-codes: a disabled
	// object answers 403, whatever rights the caller has.
	"SecretDisabled":      errs.Conflict,
	"KeyDisabled":         errs.Conflict,
	"CertificateDisabled": errs.Conflict,
	// https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes:
	// a bad signature or token answers 403.
	"AuthenticationFailed": errs.Unauthenticated,
}

var kindByStatus = map[int]errs.Kind{
	http.StatusUnauthorized:        errs.Unauthenticated,
	http.StatusForbidden:           errs.PermissionDenied,
	http.StatusNotFound:            errs.NotFound,
	http.StatusMethodNotAllowed:    errs.Unsupported,
	http.StatusRequestTimeout:      errs.Unavailable,
	http.StatusConflict:            errs.Conflict,
	http.StatusGone:                errs.NotFound,
	http.StatusPreconditionFailed:  errs.Conflict,
	http.StatusTooManyRequests:     errs.Throttled,
	http.StatusNotImplemented:      errs.Unsupported,
	http.StatusInsufficientStorage: errs.Quota,
}

func kindOf(status int, code string) errs.Kind {
	if kind, ok := kindByCode[code]; ok {
		return kind
	}
	if status != http.StatusTooManyRequests && strings.Contains(strings.ToLower(code), "quota") {
		return errs.Quota
	}
	if kind, ok := kindByStatus[status]; ok {
		return kind
	}
	switch {
	case status >= 500:
		return errs.Unavailable
	case status >= 400:
		return errs.Invalid
	default:
		return errs.Internal
	}
}
