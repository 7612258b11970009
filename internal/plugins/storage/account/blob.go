package account

import (
	"context"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
)

// Blobs returns the client of the account's blob service, which is made once. It asks for
// the account's key if that is what it signs in with.
func (a *Account) Blobs(ctx context.Context) (*service.Client, error) {
	address, err := a.URL(Blob)
	if err != nil {
		return nil, err
	}
	opt := &service.ClientOptions{ClientOptions: a.options}
	opt.PerCallPolicies = append(slices.Clone(opt.PerCallPolicies), listing.Tap{})
	opt.PerRetryPolicies = append(slices.Clone(opt.PerRetryPolicies), &a.clock)
	if !a.useKey {
		return Memo(a, func() (*service.Client, error) { return service.NewClient(address, a.credential, opt) })
	}
	cred, err := a.blobKey(ctx)
	if err != nil {
		return nil, err
	}
	return Memo(a, func() (*service.Client, error) { return service.NewClientWithSharedKeyCredential(address, cred, opt) })
}

// blobKey returns the credential that signs with the account's key.
func (a *Account) blobKey(ctx context.Context) (*service.SharedKeyCredential, error) {
	key, err := a.Key(ctx)
	if err != nil {
		return nil, err
	}
	cred, err := service.NewSharedKeyCredential(a.Name, key.Reveal())
	if err != nil { // the SDK's text says where the base64 breaks off, which is about the key
		return nil, &errs.Error{Op: "sign in with the account's key", Kind: errs.Invalid, Resource: a.ID, Err: ErrNoKey}
	}
	return cred, nil
}
