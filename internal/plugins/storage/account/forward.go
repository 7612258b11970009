package account

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
)

// scope is that of tokens for the services of any account, in every cloud
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
const scope = "https://storage.azure.com/.default"

// Foreign is a request to the blob service that another program made, without anything
// that signs it.
type Foreign struct {
	Method    string
	Container string      // which it is about, and no other
	Path      string      // escaped, with a slash in front: "/container/blob"
	Query     string      // encoded; "" for none
	Header    http.Header // names are sent as they are written here
	Body      []byte
}

// forwarder sends such requests.
type forwarder struct{ pipeline runtime.Pipeline }

// Forward sends r once, as the account's principal, through the account's pipeline, and
// returns the answer with its body at hand, whatever its status. With the account's key it
// is signed for the one container, to read and list alone where r does not write.
func (a *Account) Forward(ctx context.Context, r Foreign) (*http.Response, error) {
	address, err := a.URL(Blob)
	if err != nil {
		return nil, err
	}
	query := r.Query
	if a.useKey {
		signature, err := a.signature(ctx, r.Container, permissionsFor(r.Method))
		if err != nil {
			return nil, err
		}
		if query != "" {
			query += "&"
		}
		query += signature.Reveal()
	}
	target := address[:len(address)-1] + r.Path
	if query != "" {
		target += "?" + query
	}
	req, err := runtime.NewRequest(ctx, r.Method, target)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	for name, values := range r.Header {
		req.Raw().Header[name] = values
	}
	if len(r.Body) > 0 {
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(r.Body)), r.Header.Get("Content-Type")); err != nil {
			return nil, fmt.Errorf("pass the request on: %w", err)
		}
	}
	f, err := Memo(a, a.newForwarder)
	if err != nil {
		return nil, err
	}
	return f.pipeline.Do(req)
}

func permissionsFor(method string) sas.ContainerPermissions {
	perms := sas.ContainerPermissions{Read: true, List: true, Tag: true}
	if method != http.MethodGet && method != http.MethodHead {
		perms.Create, perms.Write = true, true
	}
	return perms
}

// newForwarder makes the pipeline. It does not try again: who made the request does.
func (a *Account) newForwarder() (*forwarder, error) {
	opt := a.options
	opt.Retry.MaxRetries = -1
	own := runtime.PipelineOptions{PerRetry: []policy.Policy{&a.clock}}
	if !a.useKey {
		own.PerRetry = append(own.PerRetry, runtime.NewBearerTokenPolicy(a.credential, []string{scope}, nil))
	}
	return &forwarder{runtime.NewPipeline("account", "v1.0.0", own, &opt)}, nil
}

// Now is the time at the account's service, as far as its answers told it.
func (a *Account) Now() time.Time { return a.clock.now() }
