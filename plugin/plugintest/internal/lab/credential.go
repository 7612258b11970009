package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// credential signs one application in to one tenant with its secret (the client
// credentials grant of OAuth 2.0, RFC 6749 §4.4). It refuses every other tenant, as
// azidentity does without AdditionallyAllowedTenants. The suite does not use azidentity
// because sign-in is no part of a plugin.
type credential struct {
	tenantID, appID, objectID, secret string
	client                            *http.Client

	mu     sync.Mutex // guards tokens
	tokens map[string]azcore.AccessToken
}

// Caller returns whom a credential of this package signs in.
func Caller(cred azcore.TokenCredential) plugin.Caller {
	c, ok := cred.(*credential)
	if !ok {
		return plugin.Caller{}
	}
	return plugin.Caller{TenantID: c.tenantID, ObjectID: c.objectID, AppID: c.appID}
}

// GetToken implements azcore.TokenCredential.
func (c *credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.TenantID != "" && !strings.EqualFold(o.TenantID, c.tenantID) {
		return azcore.AccessToken{}, fmt.Errorf("this credential is for tenant %s and not for tenant %s", c.tenantID, o.TenantID)
	}
	scope := strings.Join(o.Scopes, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	if tk, ok := c.tokens[scope]; ok && time.Until(tk.ExpiresOn) > time.Minute {
		return tk, nil
	}
	tk, err := c.fetch(ctx, scope)
	if err != nil {
		return tk, fmt.Errorf("sign in to tenant %s: %w", c.tenantID, err)
	}
	if c.tokens == nil {
		c.tokens = map[string]azcore.AccessToken{}
	}
	c.tokens[scope] = tk
	return tk, nil
}

func (c *credential) fetch(ctx context.Context, scope string) (azcore.AccessToken, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.appID}, "client_secret": {c.secret}, "scope": {scope}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"https://login.microsoftonline.com/"+c.tenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.client.Do(req)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Token       string `json:"access_token"`
		Seconds     int    `json:"expires_in"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return azcore.AccessToken{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return azcore.AccessToken{}, fmt.Errorf("%s: %s", resp.Status, answer.Description)
	}
	return azcore.AccessToken{Token: answer.Token, ExpiresOn: time.Now().Add(time.Duration(answer.Seconds) * time.Second)}, nil
}
