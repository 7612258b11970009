package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// credential is a link's credential, bound to one side and one tenant.
type credential struct {
	side   plugin.Side
	link   string
	tenant string // ID; "" until the first token said it
	inner  azcore.TokenCredential
	tool   bool // inner is a developer tool and keeps no tokens: they are kept here

	mu   sync.Mutex
	kept map[string]azcore.AccessToken // by scope; mu guards it
}

// keepUntil is how long before its end a kept token is given up.
const keepUntil = 5 * time.Minute

// GetToken implements azcore.TokenCredential. It refuses any other tenant than its own,
// asked for or given.
func (c *credential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if opts.TenantID != "" && !strings.EqualFold(opts.TenantID, c.tenant) {
		return azcore.AccessToken{}, c.wrongTenant(opts.TenantID)
	}
	// The inner credential may know its tenant by a domain; it is asked for its own.
	opts.TenantID = ""
	token, err := c.token(ctx, opts)
	if err != nil {
		return token, c.refused(err)
	}
	if tid := claimsOf(token.Token).TenantID; tid != "" && !strings.EqualFold(tid, c.tenant) {
		return azcore.AccessToken{}, c.wrongTenant(tid)
	}
	return token, nil
}

// token asks inner, or takes a kept token that is still good. A claims challenge means
// that the kept one is not.
func (c *credential) token(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if !c.tool {
		return c.inner.GetToken(ctx, opts)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.Join(opts.Scopes, " ")
	if t, ok := c.kept[key]; ok && opts.Claims == "" && time.Until(t.ExpiresOn) > keepUntil {
		return t, nil
	}
	t, err := c.inner.GetToken(ctx, opts)
	if err == nil {
		if c.kept == nil {
			c.kept = map[string]azcore.AccessToken{}
		}
		c.kept[key] = t
	}
	return t, err
}

func (c *credential) wrongTenant(tenant string) error {
	return &errs.Error{
		Op: opSignIn, Kind: errs.Unauthenticated, Side: string(c.side),
		Err:  nonRetriable{fmt.Errorf("the credential is of tenant %s and cannot serve tenant %s", c.tenant, tenant)},
		Hint: "check that the resource belongs to the " + string(c.side) + " tenant",
	}
}

func (c *credential) refused(err error) error {
	code := codeOf(err)
	return &errs.Error{
		Op: opSignIn, Kind: kindOf(err, c.tool), Side: string(c.side), Code: code, Hint: hints[code],
		Err: &tokenError{text: c.link + ": " + oneLine(err), err: err},
	}
}

// nonRetriable tells the SDK's retry policy that another try is of no use.
type nonRetriable struct{ error }

// NonRetriable is the mark that azcore looks for.
func (nonRetriable) NonRetriable() {}

// tokenError is a refusal in one line; the SDK's own text has many. The line is made at
// once: the SDK gives one error to everybody who waited for the token, and reading the
// answer behind it is no thing for several at a time.
type tokenError struct {
	text string
	err  error
}

func (e *tokenError) Error() string { return e.text }
func (e *tokenError) Unwrap() error { return e.err }

// claims are those of an access token that tell whose it is. The token is not verified: it
// came straight from the authority, and the claims decide no access.
type claims struct {
	TenantID    string `json:"tid"`
	ObjectID    string `json:"oid"`
	AppID       string `json:"appid"`
	AuthorizedP string `json:"azp"` // of version 2 tokens, for appid
	UPN         string `json:"upn"`
	UniqueName  string `json:"unique_name"`
	AppName     string `json:"app_displayname"`
}

// claimsOf reads the claims of a token; of one that is not a JWT it returns none.
func claimsOf(token string) claims {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

func isGUID(s string) bool {
	return len(s) == 36 && uuid.Validate(s) == nil
}

// validTenant tells whether s can be a tenant: azidentity's own check, earlier.
func validTenant(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' {
			return false
		}
	}
	return true
}
