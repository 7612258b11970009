package storage_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// An account says which accounts its copies may start from: any, those of its tenant, or those of
// its virtual network.
func TestCopyScope(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{"": "", "AAD": "CannotVerifyCopySource", "PrivateLink": "CannotVerifyCopySource"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			properties := map[string]any{}
			if scope != "" {
				properties["allowedCopyScope"] = scope
			}
			l := newLab(t, toCopy, properties)
			into, within := made(t, l.withKey(t, target), "into"), made(t, l.withKey(t, source), "into")
			from := signed(t, l, "text")
			_, err := into.NewBlobClient("copy").StartCopyFromURL(t.Context(), from, nil)
			wantCode(t, "Copy Blob", err, want)
			_, err = into.NewBlockBlobClient("put").UploadBlobFromURL(t.Context(), from, nil)
			wantCode(t, "Put Blob From URL", err, want)
			wantMessage(t, err, want, "This request is not authorized to perform this operation.\n")
			_, err = within.NewBlobClient("copy").StartCopyFromURL(t.Context(), from, nil)
			wantCode(t, "Copy Blob within the account", err, "")
		})
	}
}

// The target tells in the source's words what its signature does not allow.
func TestSourceTold(t *testing.T) {
	t.Parallel()
	l := newLab(t, toCopy, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	p, err := sas.AccountSignatureValues{Permissions: "r", ResourceTypes: "sc", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(t, err)
	_, err = made(t, l.withKey(t, target), "into").NewBlockBlobClient("x").UploadBlobFromURL(t.Context(), blobURL(source)+"box/text?"+p.Encode(), nil)
	wantCode(t, "not for objects", err, "CannotVerifyCopySource")
	wantMessage(t, err, "CannotVerifyCopySource", "This request is not authorized to perform this operation using this resource type.\n")
}

// wantMessage fails unless an error with a code has a status of 403 and a message.
func wantMessage(tb testing.TB, err error, code, message string) {
	tb.Helper()
	var re *azcore.ResponseError
	if code == "" {
		return
	}
	if !errors.As(err, &re) || re.StatusCode != 403 || !strings.Contains(err.Error(), "<Message>"+strings.ReplaceAll(message, "\n", "&#xA;")) {
		tb.Errorf("the service says %v", err)
	}
}
