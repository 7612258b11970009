package neo4j

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v6/neo4j"

	"github.com/azure-tenant-grapher/atg/errs"
)

// refusal is an error that says itself how to react.
type refusal struct {
	kind errs.Kind
	text string
	hint string
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

const (
	signInHint  = "say who reads the graph with NEO4J_USER and NEO4J_PASSWORD, or with --neo4j-user and --neo4j-password-file"
	addressHint = "start Neo4j, or say where it is with NEO4J_URI or --neo4j-uri, such as bolt://localhost:7687"
)

// schemes are those that the driver knows; with +s and +ssc they want TLS.
var schemes = []string{"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"}

// address checks the address of the server. It must hold no password: addresses are shown.
func (f *Finder) address() (string, error) {
	const hint = "an address is SCHEME://HOST:PORT, such as bolt://localhost:7687; schemes: "
	wrong := func(text string) (string, error) {
		return "", &refusal{errs.Invalid, text, hint + strings.Join(schemes, ", ")}
	}
	u, err := url.Parse(f.config.URI)
	if err != nil {
		return wrong("the address of the server cannot be read") // the cause would show it
	}
	for _, s := range schemes {
		switch {
		case u.Scheme != s:
			continue
		case u.User != nil:
			return wrong("the address of the server must not hold a user or a password")
		case u.Hostname() == "":
			return wrong("the address of the server has no host")
		}
		return f.config.URI, nil
	}
	return wrong(fmt.Sprintf("the scheme %q is not one of Neo4j's", u.Scheme))
}

// shown is the address without what may be a secret.
func (f *Finder) shown() string {
	u, err := url.Parse(f.config.URI)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// wrap says of an error what it means for the reader.
func (f *Finder) wrap(ctx context.Context, err error) error {
	e := &errs.Error{Op: "read the Neo4j graph", Kind: errs.Unavailable, Side: string(f.scope.Side), Resource: f.shown(), Err: err}
	var own *refusal
	var server *driver.Neo4jError
	switch {
	case ctx.Err() != nil:
		e.Kind, e.Err = errs.Canceled, ctx.Err()
	case errors.As(err, &own):
		e.Kind, e.Hint = own.kind, own.hint
	case errors.As(err, &server):
		f.answered(e, server)
	case driver.IsConnectivityError(err):
		e.Hint, e.Err = unreached(err)
	default:
		e.Kind = errs.Internal
	}
	return e
}

// answered completes e by what the server said. Codes: the manual's list of status codes.
func (f *Finder) answered(e *errs.Error, said *driver.Neo4jError) {
	e.Code, e.Err = said.Code, errors.New(said.Msg)
	switch said.Code {
	case "Neo.ClientError.Security.Unauthorized":
		e.Kind, e.Hint = errs.Unauthenticated, signInHint
	case "Neo.ClientError.Security.AuthenticationRateLimit":
		e.Kind, e.Hint = errs.Unauthenticated, "wait some seconds: there were too many attempts with a wrong password; then "+signInHint
	case "Neo.ClientError.Security.CredentialsExpired":
		e.Kind, e.Hint = errs.Unauthenticated, "the first password must be changed: `ALTER CURRENT USER SET PASSWORD FROM 'OLD' TO 'NEW'` on the database system"
	case "Neo.ClientError.Security.Forbidden":
		e.Kind, e.Hint = errs.PermissionDenied, "give the user the right to read the database"
	case "Neo.ClientError.Database.DatabaseNotFound":
		e.Kind, e.Hint = errs.NotFound, "name one that `SHOW DATABASES` lists, with --neo4j-database"
	}
}

// unreached says why the server could not be reached, and what may help.
func unreached(err error) (hint string, cause error) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	text := err.Error()
	switch {
	case strings.Contains(text, "check that TLS is enabled"), strings.Contains(text, "does not look like a TLS handshake"):
		return "use the scheme without +s: bolt:// or neo4j://", errors.New("the server does not speak TLS")
	case errors.As(err, &unknown), errors.As(err, &host), strings.Contains(text, "x509:"):
		return "name the authority with SSL_CERT_FILE, or take any certificate with the scheme bolt+ssc:// or neo4j+ssc://", errors.New("the server's certificate is not trusted: " + text)
	case strings.Contains(text, "EOF"), strings.Contains(text, "connection reset"):
		return "try the scheme with +s: bolt+s:// or neo4j+s://", errors.New("the server hung up: it may want TLS, or it is no Neo4j")
	case strings.Contains(text, "deadline exceeded"):
		return "give the port of the Bolt protocol, 7687 if nothing else was configured, not that of HTTP", errors.New("something answers there, but not as Neo4j does")
	}
	return addressHint, err
}
