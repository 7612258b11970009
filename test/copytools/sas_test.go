package copytools

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	filesas "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/sas"
	fileservice "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
)

// soon is when the signatures of these tests expire.
func soon() time.Time { return time.Now().UTC().Add(time.Hour) }

// accountSAS signs with an account's key for all of its blobs.
func accountSAS(t *testing.T, account string, expires time.Time) string {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(account, key(account))
	must(t, err)
	p, err := sas.AccountSignatureValues{
		Protocol: sas.ProtocolHTTPS, ExpiryTime: expires, ResourceTypes: "sco",
		Permissions: (&sas.AccountPermissions{Read: true, Write: true, Delete: true, List: true, Add: true, Create: true, Tag: true}).String(),
	}.SignWithSharedKey(cred)
	must(t, err)
	return p.Encode()
}

// containerSAS signs with an account's key for reading one container.
func containerSAS(t *testing.T, account, container string) string {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(account, key(account))
	must(t, err)
	p, err := toRead(container).SignWithSharedKey(cred)
	must(t, err)
	return p.Encode()
}

// delegatedSAS signs with a key that the account gives the principal of its tenant, for
// reading one container.
func (w *world) delegatedSAS(t *testing.T, tenant, account, container string) string {
	t.Helper()
	c, err := service.NewClient(blobURL(account, ""), w.credential(t, tenant), &service.ClientOptions{ClientOptions: w.options()})
	must(t, err)
	start, expiry := time.Now().UTC().Format(sas.TimeFormat), soon().Format(sas.TimeFormat)
	cred, err := c.GetUserDelegationCredential(t.Context(), service.KeyInfo{Start: &start, Expiry: &expiry}, nil)
	must(t, err)
	p, err := toRead(container).SignWithUserDelegation(cred)
	must(t, err)
	return p.Encode()
}

func toRead(container string) sas.BlobSignatureValues {
	return sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPS, ExpiryTime: soon(), ContainerName: container,
		Permissions: (&sas.ContainerPermissions{Read: true, List: true, Tag: true}).String(),
	}
}

// shareSAS signs with an account's key for one share.
func shareSAS(t *testing.T, account, share string) string {
	t.Helper()
	cred, err := fileservice.NewSharedKeyCredential(account, key(account))
	must(t, err)
	p, err := filesas.SignatureValues{
		Protocol: filesas.ProtocolHTTPS, ExpiryTime: soon(), ShareName: share,
		Permissions: (&filesas.SharePermissions{Read: true, Write: true, Delete: true, List: true, Create: true}).String(),
	}.SignWithSharedKey(cred)
	must(t, err)
	return p.Encode()
}
