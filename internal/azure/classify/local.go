package classify

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/azure-tenant-grapher/atg/errs"
)

// fromNetwork recognises failures on the way to a service: no answer, half an answer, or
// none in time. All may pass, but for a name that does not exist.
func fromNetwork(e *errs.Error, err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound && !dns.IsTemporary {
		e.Kind = errs.NotFound
		e.Hint = "the name does not resolve: check the resource's name, and the DNS of this network if the resource has a private endpoint"
		e.Err = &cause{"no such host " + dns.Name, err}
		return true
	}
	var transport net.Error // *url.Error is one, so all of http.Client's failures are
	if !errors.As(err, &transport) && !cut(err) {
		return false
	}
	e.Kind, e.Err = errs.Unavailable, &cause{withoutURL(err), err}
	return true
}

// cut tells whether a connection ended in the middle of an answer.
func cut(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// withoutURL is err's text without the URL that http.Client puts before it.
func withoutURL(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return firstLine(err.Error(), "no answer")
}

// nonRetriable marks errors of the azidentity credentials. azcore's module keeps the
// interface internal, and only internal/azure/auth may import azidentity.
type nonRetriable interface {
	error
	NonRetriable()
}

var (
	aadsts   = regexp.MustCompile(`AADSTS\d+`)
	aadText  = regexp.MustCompile(`AADSTS\d+: [^\r\n"\\]*`)
	traceID  = regexp.MustCompile(`(?i)trace id: ([0-9a-f-]{36})`)
	response = regexp.MustCompile(`\bRESPONSE (\d{3})\b`)
	noRoute  = regexp.MustCompile(`dial tcp|no such host|connection re(set|fused)|i/o timeout|TLS handshake|\bEOF\b`)
)

// fromSignIn recognises the errors of credentials. They keep no chain, so that their text
// is all there is to read: codes as in
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func fromSignIn(e *errs.Error, err error) bool {
	var marked nonRetriable
	text := err.Error()
	code := aadsts.FindString(text)
	if code == "" && !errors.As(err, &marked) {
		return false
	}
	e.Kind, e.Code = errs.Unauthenticated, code
	if m := response.FindStringSubmatch(text); m != nil {
		e.Status, _ = strconv.Atoi(m[1])
	}
	if m := traceID.FindStringSubmatch(text); m != nil {
		e.RequestID = m[1]
	}
	switch {
	case code != "":
		text = aadText.FindString(text)
	case e.Status == http.StatusTooManyRequests:
		e.Kind = errs.Throttled
	case e.Status >= 500, e.Status == 0 && noRoute.MatchString(text):
		e.Kind = errs.Unavailable
	case strings.Contains(text, "configured to acquire tokens for tenant"):
		e.Hint = "the resource belongs to another tenant than the credential: check that the source and the target credentials are not swapped"
		text, _, _ = strings.Cut(text, ". To enable")
	}
	e.Err = &cause{firstLine(text, code), err}
	return true
}
