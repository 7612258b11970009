package copytools

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// copies are the operations that take a source by its URL and a token for it
// (x-ms-copy-source-authorization), by the name of the blob of the source that they copy.
var copies = map[string]func(t *testing.T, into *container.Client, from, token string) error{
	"text": func(t *testing.T, into *container.Client, from, token string) error {
		_, err := into.NewBlockBlobClient("text").UploadBlobFromURL(t.Context(), from, &blockblob.UploadBlobFromURLOptions{CopySourceAuthorization: &token})
		return err
	},
	"dir/big": func(t *testing.T, into *container.Client, from, token string) error {
		b, id := into.NewBlockBlobClient("dir/big"), "MDAwMQ=="
		if _, err := b.StageBlockFromURL(t.Context(), id, from, &blockblob.StageBlockFromURLOptions{CopySourceAuthorization: &token}); err != nil {
			return err
		}
		_, err := b.CommitBlockList(t.Context(), []string{id}, nil)
		return err
	},
	"dir/log": func(t *testing.T, into *container.Client, from, token string) error {
		b := into.NewAppendBlobClient("dir/log")
		_, err := b.Create(t.Context(), nil)
		must(t, err)
		_, err = b.AppendBlockFromURL(t.Context(), from, &appendblob.AppendBlockFromURLOptions{CopySourceAuthorization: &token})
		return err
	},
	"disk": func(t *testing.T, into *container.Client, from, token string) error {
		const size, most = 9 << 20, 4 << 20
		b := into.NewPageBlobClient("disk")
		_, err := b.Create(t.Context(), size, nil)
		must(t, err)
		for at := int64(0); at < size && err == nil; at += most {
			_, err = b.UploadPagesFromURL(t.Context(), from, at, at, min(most, size-at), &pageblob.UploadPagesFromURLOptions{CopySourceAuthorization: &token})
		}
		return err
	},
	"empty": func(t *testing.T, into *container.Client, from, token string) error {
		_, err := into.NewBlobClient("empty").CopyFromURL(t.Context(), from, &blob.CopyFromURLOptions{CopySourceAuthorization: &token})
		return err
	},
}

// The account of the source looks at the token as it does at every other: it must be of
// its own tenant. The REST reference says nothing of the target's tenant, so the token
// of one tenant opens a source for a target in the other, which takes its own caller's
// token; AzCopy, of whose documentation the rule of one tenant is, signs in once for both. That
// Azure lets tokens through between tenants is not confirmed.
func TestSourceBearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := func(tenant string) string {
		got, err := w.credential(t, tenant).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}})
		must(t, err)
		return "Bearer " + got.Token
	}
	ofSource, ofTarget := token("contoso"), token("fabrikam")
	for tenant, account := range map[string]string{"contoso": neighbour, "fabrikam": target} {
		c, err := service.NewClient(blobURL(account, ""), w.credential(t, tenant), &service.ClientOptions{ClientOptions: w.options()})
		must(t, err)
		into := c.NewContainerClient("into")
		for name, do := range copies {
			var re *azcore.ResponseError
			if err := do(t, into, blobURL(source, "box/"+name), ofTarget); !errors.As(err, &re) || re.StatusCode != http.StatusUnauthorized || re.ErrorCode != "CannotVerifyCopySource" {
				t.Errorf("%s to %s, with a token of another tenant than the source's: %v", name, account, err)
			}
			must(t, do(t, into, blobURL(source, "box/"+name), ofSource))
		}
	}
	w.serverSide(t)
	want := contents(w.state(t, source, "box", "", false))
	same(t, want, contents(w.state(t, neighbour, "into", "", false)))
	same(t, want, contents(w.state(t, target, "into", "", false)))
}

// contents leaves of a state the hashes of what is in the blobs.
func contents(state map[string]string) map[string]string {
	for name, text := range state {
		state[name] = text[strings.LastIndex(text, " "):]
	}
	return state
}
