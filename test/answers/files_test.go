package answers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	queuesas "github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/sas"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// cloud is the emulator's storage service with accounts of two tenants, over TLS.
type cloud struct {
	svc *storage.Service
	opt azcore.ClientOptions
}

func newCloud(t *testing.T, accounts ...string) *cloud {
	t.Helper()
	c := &cloud{svc: storage.New(storage.Options{Tokens: refused{}, Access: refused{}})}
	for i, name := range accounts {
		res := &wire.Resource{ID: c.id(name), TenantID: fmt.Sprint("tenant", i), Type: "Microsoft.Storage/storageAccounts", Name: name, Body: map[string]any{
			"location": "westeurope", "kind": "StorageV2", "sku": map[string]any{"name": "Standard_LRS"},
		}}
		if err := c.svc.Put(res, nil); err != nil {
			t.Fatal(err)
		}
		must(t, c.svc.Seed(c.id(name), fmt.Appendf(nil, `{"accountKeys":[%q]}`, keyOf(name))))
	}
	srv := httptest.NewTLSServer(c.svc)
	t.Cleanup(srv.Close)
	tr := srv.Client().Transport.(*http.Transport).Clone()
	tr.TLSClientConfig.ServerName = "example.com"
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
	}
	t.Cleanup(tr.CloseIdleConnections)
	c.opt = azcore.ClientOptions{Transport: &http.Client{Transport: tr}, Retry: policy.RetryOptions{MaxRetries: -1}}
	return c
}

func (c *cloud) id(name string) string {
	return "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/" + name
}

// keyOf is the key of an account: each has its own.
func keyOf(name string) string {
	return base64.StdEncoding.EncodeToString([]byte((name + strings.Repeat("-", 64))[:64]))
}

// files is the client of an account's shares that signs with its key.
func (c *cloud) files(t *testing.T, name string) *service.Client {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(name, keyOf(name))
	must(t, err)
	s, err := service.NewClientWithSharedKeyCredential("https://"+name+".file.core.windows.net/", cred, &service.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	return s
}

// TestFilesBetweenTwoAccounts copies a file on the server, with the SAS of a share, and
// sees that nothing else opens it.
func TestFilesBetweenTwoAccounts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := newCloud(t, "filesa", "filesb")
	data := make([]byte, 9<<20+77)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(data); i++ {
		data[i] = byte(r.Uint32())
	}
	from, into := c.files(t, "filesa"), c.files(t, "filesb")
	for _, s := range []*service.Client{from, into} {
		_, err := s.CreateShare(ctx, "docs", nil)
		must(t, err)
	}
	source := from.NewShareClient("docs").NewRootDirectoryClient().NewFileClient("naïve & more.bin")
	_, err := source.Create(ctx, int64(len(data)), nil)
	must(t, err)
	must(t, source.UploadBuffer(ctx, data, nil))
	url, err := from.NewShareClient("docs").GetSASURL(sas.SharePermissions{Read: true}, time.Now().Add(time.Hour), nil)
	must(t, err)
	_, query, _ := strings.Cut(url, "?")

	target := into.NewShareClient("docs").NewRootDirectoryClient().NewFileClient("copy.bin")
	_, err = target.Create(ctx, int64(len(data)), nil)
	must(t, err)
	for off := int64(0); off < int64(len(data)); off += 4 << 20 {
		_, err := target.UploadRangeFromURL(ctx, source.URL()+"?"+query, off, off, min(4<<20, int64(len(data))-off), nil)
		must(t, err)
	}
	for name, f := range map[string]*file.Client{"in ranges": target, "whole": into.NewShareClient("docs").NewRootDirectoryClient().NewFileClient("whole.bin")} {
		if name == "whole" {
			_, err := f.StartCopyFromURL(ctx, source.URL()+"?"+query, nil)
			must(t, err)
		}
		resp, err := f.DownloadStream(ctx, nil)
		must(t, err)
		if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, data) {
			t.Errorf("copied %s: %d bytes, %v", name, len(got), err)
		}
	}
	anonymous, err := file.NewClientWithNoCredential(source.URL()+"?"+query, &file.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	if _, err := anonymous.GetProperties(ctx, nil); err != nil {
		t.Errorf("read with the SAS: %v", err)
	}
	if _, err := anonymous.Delete(ctx, nil); !refusedWith(err, 403, "AuthorizationPermissionMismatch") {
		t.Errorf("delete with a SAS for reading: %v", err)
	}
	if _, err := target.StartCopyFromURL(ctx, source.URL(), nil); !refusedWith(err, 404, "CannotVerifyCopySource") && !refusedWith(err, 403, "CannotVerifyCopySource") {
		t.Errorf("copy without a SAS: %v", err)
	}
	wrong, err := service.NewSharedKeyCredential("filesa", keyOf("filesb"))
	must(t, err)
	thief, err := share.NewClientWithSharedKeyCredential("https://filesa.file.core.windows.net/docs", wrong, &share.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	if _, err := thief.GetProperties(ctx, nil); !refusedWith(err, 403, "AuthenticationFailed") {
		t.Errorf("the other account's key: %v", err)
	}
}

// refusedWith tells whether an error is a refusal with a status and a code.
func refusedWith(err error, status int, code string) bool {
	var re *azcore.ResponseError
	return errors.As(err, &re) && re.StatusCode == status && re.ErrorCode == code
}

// TestSignaturesOfTablesAndQueues reads with SAS that are bound to a range of keys, to a
// queue, and to a stored access policy.
func TestSignaturesOfTablesAndQueues(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := newCloud(t, "signed")
	cred, err := aztables.NewSharedKeyCredential("signed", keyOf("signed"))
	must(t, err)
	tables, err := aztables.NewServiceClientWithSharedKey("https://signed.table.core.windows.net/", cred, &aztables.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	rows, err := tables.CreateTable(ctx, "Rows", nil)
	must(t, err)
	for _, pk := range []string{"a", "m", "z"} {
		_, err := tables.NewClient(*rows.TableName).AddEntity(ctx, fmt.Appendf(nil, `{"PartitionKey":%q,"RowKey":"1"}`, pk), nil)
		must(t, err)
	}
	signed, err := aztables.SASSignatureValues{
		TableName: "Rows", StartTime: time.Now().Add(-time.Hour), ExpiryTime: time.Now().Add(time.Hour), Permissions: aztables.SASPermissions{Read: true}.String(),
		StartPartitionKey: "b", EndPartitionKey: "n", StartRowKey: "0", EndRowKey: "9",
	}.Sign(cred)
	must(t, err)
	signed += "&spk=b&srk=0&epk=n&erk=9" // the SDK signs them and forgets to name them
	reader, err := aztables.NewServiceClientWithNoCredential("https://signed.table.core.windows.net/?"+signed, &aztables.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	if _, err := reader.NewClient("Rows").GetEntity(ctx, "m", "1", nil); err != nil {
		t.Errorf("within the range: %v", err)
	}
	if _, err := reader.NewClient("Rows").GetEntity(ctx, "z", "1", nil); err == nil {
		t.Error("an entity out of the range is read")
	}
	if _, err := reader.NewClient("Rows").AddEntity(ctx, []byte(`{"PartitionKey":"m","RowKey":"2"}`), nil); !refusedWith(err, 403, "AuthorizationPermissionMismatch") {
		t.Errorf("insert with a SAS for reading: %v", err)
	}

	qc, err := azqueue.NewSharedKeyCredential("signed", keyOf("signed"))
	must(t, err)
	queues, err := azqueue.NewServiceClientWithSharedKeyCredential("https://signed.queue.core.windows.net/", qc, &azqueue.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	_, err = queues.CreateQueue(ctx, "work", nil)
	must(t, err)
	work := queues.NewQueueClient("work")
	_, err = work.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: []*azqueue.SignedIdentifier{{ID: to.Ptr("adders"), AccessPolicy: &azqueue.AccessPolicy{Expiry: to.Ptr(time.Now().Add(time.Hour)), Start: to.Ptr(time.Now().Add(-time.Hour)), Permission: to.Ptr("a")}}}})
	must(t, err)
	values, err := queuesas.QueueSignatureValues{QueueName: "work", Identifier: "adders", Protocol: queuesas.ProtocolHTTPS}.SignWithSharedKey(qc)
	must(t, err)
	adder, err := azqueue.NewQueueClientWithNoCredential("https://signed.queue.core.windows.net/work?"+values.Encode(), &azqueue.ClientOptions{ClientOptions: c.opt})
	must(t, err)
	if _, err := adder.EnqueueMessage(ctx, "x", nil); err != nil {
		t.Errorf("add by the policy: %v", err)
	}
	if _, err := adder.PeekMessages(ctx, nil); !refusedWith(err, 403, "AuthorizationPermissionMismatch") {
		t.Errorf("peek by a policy for adding: %v", err)
	}
	_, err = work.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: []*azqueue.SignedIdentifier{}})
	must(t, err)
	if _, err := adder.EnqueueMessage(ctx, "x", nil); err == nil {
		t.Error("add by a policy that is gone")
	}
}
