package entra

import (
	"crypto/sha1" //nolint:gosec // x5t is defined as a SHA-1 thumbprint (RFC 7515, 4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// assertionClaims are those of a client assertion ("Microsoft identity platform
// application authentication certificate credentials").
type assertionClaims struct {
	jwt.RegisteredClaims
}

var errNoCertificate = errors.New("the key was not found")

// checkAssertion verifies a JWT that a client signed with the key of a registered
// certificate. Assertions of other issuers (workload identity federation) have no
// federated credential to match, and are refused as such.
func (a *Authority) checkAssertion(raw string, in call, t Tenant, p App) *stsError {
	var c assertionClaims
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(raw, &c, func(tok *jwt.Token) (any, error) {
			if c.Issuer != c.Subject {
				return nil, errNoCertificate
			}
			return certificateKey(tok, p.Certificates)
		})
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return badRequest("invalid_request", 50027, "JWT token is invalid or malformed.")
	case c.Issuer != c.Subject:
		return unauthorized(700211, "No matching federated identity record found for presented assertion issuer '%s'.", c.Issuer)
	case !strings.EqualFold(c.Subject, p.AppID):
		return unauthorized(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case errors.Is(err, errNoCertificate):
		return unauthorized(700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]")
	case err != nil:
		return unauthorized(700027, "Client assertion failed signature validation.")
	}
	return a.checkAssertionClaims(c, in, t)
}

func (a *Authority) checkAssertionClaims(c assertionClaims, in call, t Tenant) *stsError {
	if len(c.Audience) == 0 || !a.isTokenAudience(c.Audience[0], t) {
		return unauthorized(700023, "Client assertion audience claim does not match Realm issuer '%s'.", issuerV1(in.cloud.issuer, t.ID))
	}
	now := a.clock()
	if c.ExpiresAt == nil || !now.Before(c.ExpiresAt.Time) || (c.NotBefore != nil && now.Add(5*time.Minute).Before(c.NotBefore.Time)) {
		return unauthorized(700024, "Client assertion is not within its valid time range. Current time: %s.", now.UTC().Format(time.RFC3339))
	}
	return nil
}

// isTokenAudience accepts the token endpoints and issuers of the tenant.
func (a *Authority) isTokenAudience(aud string, t Tenant) bool {
	u, err := url.Parse(aud)
	if err != nil || !a.Owns(strings.ToLower(u.Hostname())) {
		return false
	}
	segment, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	return strings.EqualFold(segment, t.ID) || strings.EqualFold(segment, t.Domain)
}

// certificateKey finds the registered certificate that the header names.
func certificateKey(tok *jwt.Token, certs []*x509.Certificate) (any, error) {
	short, _ := tok.Header["x5t"].(string)
	long, _ := tok.Header["x5t#S256"].(string)
	for _, c := range certs {
		s1, s256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // see the import
		if sameThumbprint(short, s1[:]) || sameThumbprint(long, s256[:]) {
			return c.PublicKey, nil
		}
	}
	return nil, errNoCertificate
}

// sameThumbprint takes base64url with and without padding, and standard base64: clients
// differ.
func sameThumbprint(header string, sum []byte) bool {
	plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(header, "="))
	return plain != "" && plain == base64.RawURLEncoding.EncodeToString(sum)
}
