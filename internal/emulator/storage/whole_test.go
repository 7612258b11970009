package storage_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	queuesas "github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/sas"
)

const everything = `"containers":[{"name":"all","metadata":{"Owner":"x"},"publicAccess":"blob","policies":[{"id":"p","permission":"r"}],"defaultEncryptionScope":"scope1",
	"legalHolds":["case1"],"immutability":{"days":2},"versionImmutability":true,"blobs":[
	{"name":"doc","content":"now","contentType":"text/plain","contentEncoding":"e","contentLanguage":"l","contentDisposition":"d","cacheControl":"c","metadata":{"A":"1"},"tags":{"t":"v w"},"tier":"Cool",
	 "snapshots":[{"content":"older"}],"leased":true,"encryptionScope":"scope1"},
	{"name":"raw","base64":"AAH/","noMD5":true},
	{"name":"blocks","size":100,"seed":9,"blockSize":40},
	{"name":"half","content":"x","uncommitted":[{"id":"MDE=","content":"staged"}]},
	{"name":"log","type":"append","content":"line","sealed":true},
	{"name":"disk","type":"page","size":1024,"seed":1},
	{"name":"kept","content":"k","legalHold":true,"immutableUntil":"2099-01-01T00:00:00Z","immutabilityLocked":true},
	{"name":"gone","content":"g","deleted":true}]}],
	"encryptionScopes":["scope1"],"blobService":{"deleteRetentionPolicy":{"enabled":true,"days":5}},
	"managementPolicy":{"rules":[{"name":"r","type":"Lifecycle","definition":{"actions":{"baseBlob":{"delete":{"daysAfterModificationGreaterThan":1}}}}}]}`

// TestScenario: everything that a scenario can say is there afterwards.
func TestScenario(t *testing.T) {
	t.Parallel()
	l := newLab(t, everything, map[string]any{"allowBlobPublicAccess": true})
	objects, err := l.emu.Objects(l.id(t, source))
	ok(t, err)
	got := map[string]map[string]string{}
	keys := ""
	for _, o := range objects {
		got[o.Key] = o.Fields
		keys += o.Kind + ":" + o.Key + " "
	}
	const want = "blob:blobs/all/blocks blob:blobs/all/disk blob:blobs/all/doc snapshot:blobs/all/doc@0 blob:blobs/all/half blob:blobs/all/kept blob:blobs/all/log blob:blobs/all/raw container:containers/all managementPolicy:lifecycle "
	if keys != want {
		t.Errorf("objects %s", keys)
	}
	for key, fields := range map[string]map[string]string{
		"containers/all": {"metadata": "owner=x", "publicAccess": "blob", "policies": "p|||r", "legalHolds": "case1", "defaultEncryptionScope": "scope1", "immutabilityDays": "2"},
		"blobs/all/doc": {
			"content": "now", "contentType": "text/plain", "contentEncoding": "e", "contentLanguage": "l", "contentDisposition": "d", "cacheControl": "c",
			"metadata": "a=1", "tags": "t=v+w", "tier": "Cool", "lease": "leased", "encryptionScope": "scope1",
		},
		"blobs/all/doc@0":  {"content": "older"},
		"blobs/all/raw":    {"size": "3", "contentMD5": ""},
		"blobs/all/blocks": {"blocks": "3", "size": "100"},
		"blobs/all/half":   {"uncommittedBlocks": "1"},
		"blobs/all/log":    {"sealed": "true", "type": "AppendBlob"},
		"blobs/all/disk":   {"ranges": "0-1023"},
		"blobs/all/kept":   {"legalHold": "true", "immutableUntil": "2099-01-01T00:00:00Z", "immutabilityMode": "Locked"},
	} {
		for name, want := range fields {
			if got[key][name] != want {
				t.Errorf("%s: %s is %q, want %q", key, name, got[key][name], want)
			}
		}
	}
	c := l.withKey(t, source).NewContainerClient("all")
	if s := list(t, c, container.ListBlobsInclude{Snapshots: true, Deleted: true, Copy: true, LegalHold: true, ImmutabilityPolicy: true}); s != "blocks disk doc@ doc@~ doc gone~ half kept log raw " {
		t.Errorf("listed %s", s)
	}
	_, err = c.NewBlockBlobClient("x").Upload(t.Context(), body("x"), &blockblob.UploadOptions{CPKScopeInfo: &blob.CPKScopeInfo{EncryptionScope: ptr("none")}})
	wantCode(t, "unknown scope", err, "EncryptionScopeNotFound")
	_, err = c.NewBlockBlobClient("x").Upload(t.Context(), body("x"), &blockblob.UploadOptions{CPKScopeInfo: &blob.CPKScopeInfo{EncryptionScope: ptr("scope1")}})
	wantCode(t, "known scope", err, "")
	_, err = c.Delete(t.Context(), nil)
	wantCode(t, "held container", err, "ContainerImmutableDueToPolicy")
}

// TestScenarioWithAWebsite: the website of a scenario is on.
func TestScenarioWithAWebsite(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"staticWebsite":{"indexDocument":"i.html","errorDocument404Path":"404.html"},"containers":[{"name":"$web","blobs":[{"name":"i.html","content":"hi"}]}]`, nil)
	p, err := l.withKey(t, source).GetProperties(t.Context(), nil)
	ok(t, err)
	if w := p.StaticWebsite; !*w.Enabled || *w.IndexDocument != "i.html" || *w.ErrorDocument404Path != "404.html" {
		t.Errorf("%+v", w)
	}
	if r := get(t, l, "https://"+source+".z6.web.core.windows.net/", nil); r.StatusCode != http.StatusOK {
		t.Errorf("home: %d", r.StatusCode)
	}
}

// TestBadSeeds are refused with what is wrong.
func TestBadSeeds(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", nil)
	for data, want := range map[string]string{
		`{"containers":[{"name":"A"}]}`:                                                                                        "cannot have this name",
		`{"containers":[{"name":"one","colour":"red"}]}`:                                                                       "colour",
		`{"containers":[{"name":"two","publicAccess":"all"}]}`:                                                                 "publicAccess",
		`{"containers":[{"name":"three","metadata":{"a-b":"x"}}]}`:                                                             "metadata",
		`{"containers":[{"name":"four","blobs":[{"name":"x","type":"round"}]}]}`:                                               "round",
		`{"containers":[{"name":"five","blobs":[{"name":"","content":""}]}]}`:                                                  "1,024",
		`{"containers":[{"name":"six","blobs":[{"name":"x","base64":"!"}]}]}`:                                                  "base64",
		`{"containers":[{"name":"seven","blobs":[{"name":"x","type":"page","size":5}]}]}`:                                      "512",
		`{"containers":[{"name":"eight","blobs":[{"name":"x","tags":{"#":""}}]}]}`:                                             "tags",
		`{"containers":[{"name":"nine","blobs":[{"name":"x","immutableUntil":"soon"}]}]}`:                                      "immutableUntil",
		`{"containers":[{"name":"ten","blobs":[{"name":"x","type":"page","size":512,"ranges":[{"offset":512,"size":512}]}]}]}`: "not made of pages",
		`{"containers":[{"name":"eleven","blobs":[{"name":"x","size":-1}]}]}`:                                                  "size",
		`{"virtual":{"container":"box","count":0}}`:                                                                            "count",
		`{"virtual":[{"container":"box","count":1,"size":-1}]}`:                                                                "negative",
		`{"virtual":{"container":"Box","count":1}}`:                                                                            "cannot have this name",
		`{"accountKeys":["!"]}`:                                               "Base64",
		`{"accountKeys":["YQ==","YQ==","YQ=="]}`:                              "2",
		`{"blobService":{"deleteRetentionPolicy":{"enabled":true,"days":0}}}`: "1 to 365",
		`{"managementPolicy":{"rules":[]}}`:                                   "no rules",
		`[]`:                                                                  "JSON object",
	} {
		if err := l.emu.Seed(l.id(t, target), json.RawMessage(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
}

// TestOtherServices: keys and signatures open tables and queues in their own ways.
func TestOtherServices(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", nil)
	cred, err := aztables.NewSharedKeyCredential(target, key(target))
	ok(t, err)
	opt := &aztables.ClientOptions{ClientOptions: l.options()}
	svc, err := aztables.NewServiceClientWithSharedKey("https://"+target+".table.core.windows.net/", cred, opt)
	ok(t, err)
	_, err = svc.CreateTable(t.Context(), "People", nil)
	ok(t, err)
	table := svc.NewClient("People")
	_, err = table.AddEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"m"}`), nil)
	ok(t, err)
	url, err := table.GetTableSASURL(aztables.SASPermissions{Read: true}, l.now().Add(-time.Hour), l.now().Add(time.Hour))
	ok(t, err)
	signed, err := aztables.NewClientWithNoCredential(url, opt)
	ok(t, err)
	_, err = signed.GetEntity(t.Context(), "p", "m", nil)
	wantCode(t, "table SAS", err, "")
	_, err = signed.DeleteEntity(t.Context(), "p", "m", nil)
	wantCode(t, "table SAS without delete", err, "AuthorizationPermissionMismatch")
	bounded, err := aztables.SASSignatureValues{
		TableName: "People", Permissions: "r", ExpiryTime: l.now().Add(time.Hour), StartPartitionKey: "p", StartRowKey: "n", EndPartitionKey: "p", EndRowKey: "z",
	}.Sign(cred)
	ok(t, err)
	bounded += "&spk=p&srk=n&epk=p&erk=z" // the SDK signs them and leaves them out
	ranged, err := aztables.NewClientWithNoCredential("https://"+target+".table.core.windows.net/People?"+bounded, opt)
	ok(t, err)
	_, err = ranged.GetEntity(t.Context(), "p", "m", nil)
	wantCode(t, "entity outside the signed range", err, "AuthorizationFailure")

	qcred, err := azqueue.NewSharedKeyCredential(target, key(target))
	ok(t, err)
	qopt := &azqueue.ClientOptions{ClientOptions: l.options()}
	queues, err := azqueue.NewServiceClientWithSharedKeyCredential("https://"+target+".queue.core.windows.net/", qcred, qopt)
	ok(t, err)
	_, err = queues.CreateQueue(t.Context(), "orders", nil)
	ok(t, err)
	q, err := queuesas.QueueSignatureValues{QueueName: "orders", Permissions: "a", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(qcred)
	ok(t, err)
	adder, err := azqueue.NewQueueClientWithNoCredential("https://"+target+".queue.core.windows.net/orders?"+q.Encode(), qopt)
	ok(t, err)
	_, err = adder.EnqueueMessage(t.Context(), "one", nil)
	wantCode(t, "queue SAS", err, "")
	if r := get(t, l, "https://"+target+".queue.core.windows.net/orders/messages?"+q.Encode(), nil); r.Header.Get("X-Ms-Error-Code") != "AuthorizationPermissionMismatch" {
		t.Errorf("queue SAS without process: %s", r.Status)
	}
}

// TestChildrenInDepth: what the bodies of Resource Manager carry arrives.
func TestChildrenInDepth(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	sub, cred, opt := l.arm(t, "contoso")
	rg := group(source)
	tables, err := armstorage.NewTableClient(sub, cred, opt)
	ok(t, err)
	policy := armstorage.TableSignedIdentifier{ID: ptr("MTIz"), AccessPolicy: &armstorage.TableAccessPolicy{Permission: ptr("r"), ExpiryTime: to.Ptr(l.now().Add(time.Hour))}}
	_, err = tables.Create(t.Context(), rg, source, "T123", armstorage.Table{TableProperties: &armstorage.TableProperties{SignedIdentifiers: []*armstorage.TableSignedIdentifier{&policy}}}, nil)
	ok(t, err)
	page, err := tables.NewListPager(rg, source, nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 1 {
		t.Errorf("%v %v", page.Value, err)
	}
	shares, err := armstorage.NewFileSharesClient(sub, cred, opt)
	ok(t, err)
	_, err = shares.Create(t.Context(), rg, source, "sh1", armstorage.FileShare{}, nil)
	ok(t, err)
	_, err = shares.Update(t.Context(), rg, source, "sh1", armstorage.FileShare{FileShareProperties: &armstorage.FileShareProperties{ShareQuota: ptr[int32](9), Metadata: map[string]*string{"m": ptr("1")}}}, nil)
	ok(t, err)
	if s, err := shares.Get(t.Context(), rg, source, "sh1", nil); err != nil || *s.FileShareProperties.ShareQuota != 9 || *s.FileShareProperties.Metadata["m"] != "1" {
		t.Errorf("%v %v", s, err)
	}
	boxes, err := armstorage.NewBlobContainersClient(sub, cred, opt)
	ok(t, err)
	_, err = boxes.Create(t.Context(), rg, source, "worm", armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{ImmutableStorageWithVersioning: &armstorage.ImmutableStorageWithVersioning{Enabled: ptr(true)}}}, nil)
	ok(t, err)
	if p, err := l.withKey(t, source).NewContainerClient("worm").GetProperties(t.Context(), nil); err != nil || !*p.IsImmutableStorageWithVersioningEnabled {
		t.Errorf("%v", err)
	}
	_, err = boxes.Update(t.Context(), rg, source, "nothere", armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{Metadata: map[string]*string{"a": ptr("b")}}}, nil)
	wantCode(t, "update of none", err, "ContainerNotFound")
	_, err = boxes.Update(t.Context(), rg, source, "docs", armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{Metadata: map[string]*string{"a": ptr("b")}}}, nil)
	ok(t, err)
	if a, err := l.withKey(t, source).NewContainerClient("docs").GetAccessPolicy(t.Context(), nil); err != nil || len(a.SignedIdentifiers) != 1 {
		t.Errorf("the policies are lost: %v", err)
	}
	_, err = boxes.SetLegalHold(t.Context(), rg, source, "docs", armstorage.LegalHold{Tags: []*string{ptr("x")}}, nil)
	wantCode(t, "short tag", err, "InvalidLegalHoldTag")
	files, err := armstorage.NewFileServicesClient(sub, cred, opt)
	ok(t, err)
	if f, err := files.GetServiceProperties(t.Context(), rg, source, nil); err != nil || *f.FileServiceProperties.FileServiceProperties.ShareDeleteRetentionPolicy.Days != 7 {
		t.Errorf("%v", err)
	}
	_, err = armstorage.NewBlobServicesClient(sub, cred, opt)
	ok(t, err)
}
