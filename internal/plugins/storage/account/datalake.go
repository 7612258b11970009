package account

import (
	"context"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Path returns a client for a directory or file of an account with a hierarchical
// namespace; name is as listings have it. It is made anew at each call.
func (a *Account) Path(ctx context.Context, container, name string) (*directory.Client, error) {
	address, err := a.URL(DFS)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	address += url.PathEscape(container) + "/" + strings.Join(parts, "/")
	opt := &directory.ClientOptions{ClientOptions: a.options}
	if !a.useKey {
		return directory.NewClient(address, a.credential, opt)
	}
	key, err := a.Key(ctx)
	if err != nil {
		return nil, err
	}
	cred, err := azdatalake.NewSharedKeyCredential(a.Name, key.Reveal())
	if err != nil { // the SDK's text says where the base64 breaks off, which is about the key
		return nil, &errs.Error{Op: "sign in with the account's key", Kind: errs.Invalid, Resource: a.ID, Err: ErrNoKey}
	}
	return directory.NewClientWithSharedKeyCredential(address, cred, opt)
}
