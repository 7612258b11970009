package table

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

// audience of tokens for tables: the same in every cloud, as aztables has it.
const audience = "https://storage.azure.com"

// service returns the client of the account's table service, which is made once.
func service(ctx context.Context, a *account.Account) (*aztables.ServiceClient, error) {
	address, err := a.URL(account.Table)
	if err != nil {
		return nil, err
	}
	opt := &aztables.ClientOptions{ClientOptions: a.Options()}
	opt.PerCallPolicies = append(slices.Clone(opt.PerCallPolicies), tap{})
	opt.Cloud = known(opt.Cloud)
	if !a.UsesKey() {
		return account.Memo(a, func() (*aztables.ServiceClient, error) {
			return aztables.NewServiceClient(address, a.Credential(), opt)
		})
	}
	key, err := a.Key(ctx)
	if err != nil {
		return nil, err
	}
	return account.Memo(a, func() (*aztables.ServiceClient, error) {
		cred, err := aztables.NewSharedKeyCredential(a.Name, key.Reveal())
		if err != nil { // the SDK's text is about the key
			return nil, &errs.Error{Op: "sign in with the account's key", Kind: errs.Invalid, Resource: a.ID, Err: account.ErrNoKey}
		}
		return aztables.NewServiceClientWithSharedKey(address, cred, opt)
	})
}

// known adds what aztables asks a cloud for and does not use for storage accounts.
func known(c cloud.Configuration) cloud.Configuration {
	if _, ok := c.Services[aztables.ServiceName]; ok || c.Services == nil {
		return c
	}
	c.Services = maps.Clone(c.Services)
	c.Services[aztables.ServiceName] = cloud.ServiceConfiguration{Audience: audience}
	return c
}

// raw asks a tap to carry bodies past the SDK, which decodes entities into Go values and
// so loses the types of some properties.
type raw struct {
	send []byte // instead of what the SDK made of an entity or a batch; nil: that
	kind string // the content type of what is sent; "": that of an entity
	got  []byte // the answer's body, but for a single entity sent; where nothing is sent, the SDK gets an empty one
}

// What an entity is sent as, and the answer that is wanted for one.
const (
	contentJSON = "application/json"
	noContent   = "return-no-content"
)

type rawKey struct{}

// tap is the policy that does so for requests with a raw in their context.
type tap struct{}

// Do implements policy.Policy.
func (tap) Do(req *policy.Request) (*http.Response, error) {
	r, ok := req.Raw().Context().Value(rawKey{}).(*raw)
	if !ok {
		return req.Next()
	}
	switch {
	case r.kind != "":
		return r.batch(req)
	case r.send != nil:
		req.Raw().Header.Set("Prefer", noContent)
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(r.send)), contentJSON); err != nil {
			return nil, err
		}
		return req.Next()
	}
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	return resp, r.read(resp, []byte("{}"))
}

// batch sends a body of several parts, and shows the answer to both.
func (r *raw) batch(req *policy.Request) (*http.Response, error) {
	if err := req.SetBody(streaming.NopCloser(bytes.NewReader(r.send)), r.kind); err != nil {
		return nil, err
	}
	resp, err := req.Next()
	if err != nil {
		return nil, err
	}
	return resp, r.read(resp, nil)
}

// read takes the body of an answer, and puts another into its place; nil: the same.
func (r *raw) read(resp *http.Response, instead []byte) (err error) {
	r.got, err = io.ReadAll(resp.Body)
	_ = resp.Body.Close() // nothing more can be read
	if instead == nil {
		instead = r.got
	}
	resp.Body = io.NopCloser(bytes.NewReader(instead))
	return err
}

// through returns a context whose requests go by way of r.
func through(ctx context.Context, r *raw) context.Context { return context.WithValue(ctx, rawKey{}, r) }

// list is the body of Query Entities.
type list struct {
	Value []json.RawMessage `json:"value"`
}
