// Package vault makes the SDK clients of a Key Vault, cheaply enough to ask for them at
// every item.
//
// Key Vault tells a client by a challenge which tenant and audience its tokens are for:
// the first request of a client goes out without a token and without a body
// (https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses).
// A Cache therefore hands out the same clients for the same endpoint, and its clients
// share what one of them was told: one challenge for each vault and credential, however
// many items and workers there are.
package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Clients are the clients of one vault. They are safe for concurrent use.
type Clients struct {
	URL          string // "https://kv-prod.vault.azure.net"
	Secrets      *azsecrets.Client
	Keys         *azkeys.Client
	Certificates *azcertificates.Client

	retry policy.RetryOptions
}

// Once returns a context under which a write is sent a second time only if the vault
// refused the first for haste (429). SetSecret, CreateKey and their like make a new
// version each time: after a lost answer or a 5xx nobody knows whether it is there, and
// the caller has to look before it writes again.
func (c *Clients) Once(ctx context.Context) context.Context {
	opt := c.retry
	again := opt.ShouldRetry
	opt.ShouldRetry = func(resp *http.Response, err error) bool {
		if err != nil || resp == nil || resp.StatusCode != http.StatusTooManyRequests {
			return false
		}
		return again == nil || again(resp, err)
	}
	return policy.WithRetryOptions(ctx, opt)
}

// connect makes the clients of an endpoint. It does no I/O.
func connect(e plugin.Endpoint) (*Clients, error) {
	address, err := address(e)
	if err != nil {
		return nil, err
	}
	opt := e.Options
	opt.PerRetryPolicies = append([]policy.Policy{newGate()}, slices.Clone(opt.PerRetryPolicies)...)
	c := &Clients{URL: address, retry: opt.Retry}
	if c.Secrets, err = azsecrets.NewClient(address, e.Credential, &azsecrets.ClientOptions{ClientOptions: opt}); err != nil {
		return nil, err
	}
	if c.Keys, err = azkeys.NewClient(address, e.Credential, &azkeys.ClientOptions{ClientOptions: opt}); err != nil {
		return nil, err
	}
	c.Certificates, err = azcertificates.NewClient(address, e.Credential, &azcertificates.ClientOptions{ClientOptions: opt})
	return c, err
}

// address returns the URL of the endpoint's vault: what ARM says, else what its name and
// cloud give.
func address(e plugin.Endpoint) (string, error) {
	var props struct {
		VaultURI string `json:"vaultUri"`
	}
	if len(e.Resource.Properties) > 0 {
		if err := json.Unmarshal(e.Resource.Properties, &props); err != nil {
			return "", invalid(e, fmt.Errorf("its properties are not JSON: %w", err))
		}
	}
	if props.VaultURI == "" {
		return fromName(e)
	}
	u, err := url.Parse(props.VaultURI)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", invalid(e, fmt.Errorf("%q is no vault URI", props.VaultURI))
	}
	return u.Scheme + "://" + u.Host, nil
}

// fromName is for resources that were listed only and so lack their vaultUri.
func fromName(e plugin.Endpoint) (string, error) {
	suffix := cloud.Of(e.Options.Cloud).KeyVaultSuffix
	if suffix == "" || e.Resource.Name == "" {
		return "", invalid(e, errors.New("neither its vaultUri nor the DNS suffix of its cloud is known"))
	}
	return "https://" + strings.ToLower(e.Resource.Name) + "." + suffix, nil
}

func invalid(e plugin.Endpoint, err error) error {
	return &errs.Error{Op: "find the address of the vault", Kind: errs.Invalid, Resource: e.Resource.ID, Err: err}
}
