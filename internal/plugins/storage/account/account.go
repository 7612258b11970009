// Package account reaches one storage account: where its services are, how to sign in to
// them, and how to let another account read from it.
//
// # Signing in
//
// With Microsoft Entra ID wherever a service takes its tokens. With the account's key
// where the user gave one (Endpoint.Secret "accountKey" or "connectionString"), where the
// setting says so, and for the few operations that take no token; the key then comes from
// Resource Manager (listKeys) and stays in this package and in the SDK's credentials.
//
// # Addresses
//
// Resource Manager says where an account's services are (primaryEndpoints). A name is
// never put together from the account's and a suffix: DNS zones and clouds differ.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	blobs "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	files "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Service names one of an account's services as primaryEndpoints does.
type Service string

// The services.
const (
	Blob  Service = "blob"
	DFS   Service = "dfs"
	File  Service = "file"
	Queue Service = "queue"
	Table Service = "table"
	Web   Service = "web"
)

// Facts are what Resource Manager says of an account
// (https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties).
type Facts struct {
	Kind string // "StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"
	SKU  string // "Standard_LRS"
	HNS  bool   // hierarchical namespace: directories are objects with ACLs
	// NoSharedKey says that the account refuses its own keys (allowSharedKeyAccess false).
	NoSharedKey bool
	// NoPublicAccess says that no container can be public (allowBlobPublicAccess false).
	NoPublicAccess bool

	endpoints map[Service]string
}

// Premium tells whether the account has premium performance, which knows no access tiers.
func (f Facts) Premium() bool { return strings.HasPrefix(strings.ToLower(f.SKU), "premium") }

// Has tells whether the account has a service at all: a FileStorage account has no blobs,
// a BlockBlobStorage account nothing else.
func (f Facts) Has(s Service) bool { return f.endpoints[s] != "" }

// Account is one side of a pair. It is safe for concurrent use. Get one from a Cache.
type Account struct {
	Facts
	ID   string // resource ID
	Name string

	credential azcore.TokenCredential
	options    policy.ClientOptions
	given      func(string) (secret.Value, bool)
	useKey     bool
	since      time.Time    // when this Account was made
	written    atomic.Int64 // Unix nanoseconds of the last write through it
	clock      clock
	signing    chan struct{} // holds a token while a signature is made

	mu    sync.Mutex // guards what follows
	memo  map[reflect.Type]any
	keyed *keyed
	sas   map[string]*shared // by container and permissions, or by share
	manag *arm.Client

	udk     *delegation[blobs.UserDelegationCredential]
	fileUDK *delegation[files.UserDelegationCredential]
}

// open reads what an endpoint says of its account. It does no I/O.
func open(e plugin.Endpoint, useKey bool) (*Account, error) {
	opt := e.Options
	opt.PerCallPolicies = append(slices.Clone(opt.PerCallPolicies), asStored{})
	a := &Account{
		ID: e.Resource.ID, Name: e.Resource.Name, credential: e.Credential, options: opt,
		given: e.Secret, since: time.Now(), memo: map[reflect.Type]any{}, sas: map[string]*shared{}, signing: make(chan struct{}, 1),
	}
	facts, err := factsOf(e.Resource)
	if err != nil {
		return nil, &errs.Error{Op: "read the account's properties", Kind: errs.Invalid, Resource: e.Resource.ID, Err: err}
	}
	a.Facts = facts
	_, byUser := a.givenKey()
	a.useKey = useKey || byUser
	if a.useKey && !byUser && a.NoSharedKey {
		return nil, &errs.Error{
			Op: "sign in with the account's key", Kind: errs.Unsupported, Resource: a.ID,
			Err:  errors.New("the account does not take its keys (allowSharedKeyAccess is false)"),
			Hint: "use --set storage.sign-in=entra",
		}
	}
	return a, nil
}

// properties are the fields of an account's "properties" that this package reads.
type properties struct {
	Endpoints        map[string]any `json:"primaryEndpoints"` // a string each, and objects of other routes
	HNS              bool           `json:"isHnsEnabled"`
	SharedKey        *bool          `json:"allowSharedKeyAccess"`
	PublicBlobAccess *bool          `json:"allowBlobPublicAccess"`
}

func factsOf(r plugin.Resource) (Facts, error) {
	f := Facts{Kind: r.Kind, SKU: r.SKU, endpoints: map[Service]string{}}
	if len(r.Properties) == 0 {
		return f, errors.New("they were not read, and the addresses of its services stand in them")
	}
	var p properties
	if err := json.Unmarshal(r.Properties, &p); err != nil {
		return f, fmt.Errorf("they are not those of a storage account: %w", err)
	}
	for name, v := range p.Endpoints {
		text, ok := v.(string)
		if !ok || text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return f, fmt.Errorf("primaryEndpoints has %q, which is no https address", text)
		}
		f.endpoints[Service(strings.ToLower(name))] = "https://" + u.Host + "/"
	}
	f.HNS = p.HNS
	f.NoSharedKey = p.SharedKey != nil && !*p.SharedKey
	f.NoPublicAccess = p.PublicBlobAccess != nil && !*p.PublicBlobAccess
	return f, nil
}

// URL returns the address of a service, "https://NAME.blob.core.windows.net/", with a
// slash at its end. A service that the account lacks is an error of kind Unsupported.
func (a *Account) URL(s Service) (string, error) {
	if u := a.endpoints[s]; u != "" {
		return u, nil
	}
	return "", &errs.Error{
		Op: "find the address of the " + string(s) + " service", Kind: errs.Unsupported, Resource: a.ID,
		Err: fmt.Errorf("the account (%s, %s) has none", a.Kind, a.SKU),
	}
}

// Credential is the endpoint's, for services that take tokens of Microsoft Entra ID.
func (a *Account) Credential() azcore.TokenCredential { return a.credential }

// Options are for every SDK client that is made for this account.
func (a *Account) Options() policy.ClientOptions { return a.options }

// UsesKey tells whether to sign in with the account's key instead of the Credential.
func (a *Account) UsesKey() bool { return a.useKey }

// Once returns a context under which a request is sent a second time only if the service
// refused the first for haste (429, and 503 of code ServerBusy, which it answers before it
// does anything). It is for what makes a new thing at each call.
func (a *Account) Once(ctx context.Context) context.Context {
	opt := a.options.Retry
	again := opt.ShouldRetry
	opt.ShouldRetry = func(resp *http.Response, err error) bool {
		if err != nil || resp == nil {
			return false
		}
		busy := resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("x-ms-error-code") == "ServerBusy"
		return (busy || resp.StatusCode == http.StatusTooManyRequests) && (again == nil || again(resp, err))
	}
	return policy.WithRetryOptions(ctx, opt)
}

// Memo returns what build made for a at the first call, and makes it where it was not made
// yet or could not be made. A type of value has one memo in an account: clients are made
// once, not for each item. build does no I/O.
func Memo[T any](a *Account, build func() (T, error)) (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := reflect.TypeFor[T]()
	if v, ok := a.memo[key]; ok {
		return v.(T), nil
	}
	v, err := build()
	if err == nil {
		a.memo[key] = v
	}
	return v, err
}

// Wrote notes that something of the account was written now.
func (a *Account) Wrote() { a.written.Store(time.Now().UnixNano()) }

// Untouched tells whether this program has surely written nothing to the account since t.
func (a *Account) Untouched(t time.Time) bool {
	return t.After(a.since) && t.UnixNano() > a.written.Load()
}
