package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

func newAccounts(tb testing.TB, sub string, cred azcore.TokenCredential, opt *arm.ClientOptions) *armstorage.AccountsClient {
	tb.Helper()
	c, err := armstorage.NewAccountsClient(sub, cred, opt)
	ok(tb, err)
	return c
}

var poll = &runtime.PollUntilDoneOptions{Frequency: time.Millisecond}

func create(tb testing.TB, c *armstorage.AccountsClient, name string, p armstorage.AccountCreateParameters) (armstorage.Account, error) {
	tb.Helper()
	poller, err := c.BeginCreate(tb.Context(), group(source), name, p, nil)
	if err != nil {
		return armstorage.Account{}, err
	}
	got, err := poller.PollUntilDone(tb.Context(), poll)
	return got.Account, err
}

func parameters() armstorage.AccountCreateParameters {
	return armstorage.AccountCreateParameters{
		Kind: ptr(armstorage.KindStorageV2), Location: ptr("westeurope"), SKU: &armstorage.SKU{Name: ptr(armstorage.SKUNameStandardLRS)},
	}
}

// TestAccounts covers the life of an account in Resource Manager.
func TestAccounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", nil)
	c := newAccounts2(t, l)
	got, err := create(t, c, "newacct", parameters())
	ok(t, err)
	if *got.Properties.PrimaryEndpoints.Blob != "https://newacct.blob.core.windows.net/" || *got.Properties.PrimaryEndpoints.Web != "https://newacct.z6.web.core.windows.net/" || *got.SKU.Tier != "Standard" {
		t.Errorf("%+v", got.Properties.PrimaryEndpoints)
	}
	for name, wanted := range map[string]string{"Bad_Name": "AccountNameInvalid", target: "StorageAccountAlreadyTaken"} {
		_, err := create(t, c, name, parameters())
		wantCode(t, name, err, wanted)
		a, err := c.CheckNameAvailability(t.Context(), armstorage.AccountCheckNameAvailabilityParameters{Name: &name, Type: ptr("Microsoft.Storage/storageAccounts")}, nil)
		if err != nil || *a.NameAvailable {
			t.Errorf("%s is available: %v", name, err)
		}
	}
	premium := parameters()
	premium.Kind = ptr(armstorage.KindBlockBlobStorage)
	_, err = create(t, c, "premiumacct", premium)
	wantCode(t, "standard SKU of a premium kind", err, "InvalidAccountType")
	_, err = c.Update(t.Context(), group(source), "newacct", armstorage.AccountUpdateParameters{Properties: &armstorage.AccountPropertiesUpdateParameters{AllowSharedKeyAccess: ptr(false)}}, nil)
	ok(t, err)
	hns := parameters()
	hns.Properties = &armstorage.AccountPropertiesCreateParameters{IsHnsEnabled: ptr(true)}
	_, err = create(t, c, "newacct", hns)
	wantCode(t, "hierarchical namespace later", err, "AccountPropertyCannotBeUpdated")
	again, err := c.GetProperties(t.Context(), group(source), "newacct", nil)
	if err != nil || *again.Properties.AllowSharedKeyAccess {
		t.Errorf("the update is lost: %v", err)
	}
	if _, err := c.Delete(t.Context(), group(source), "newacct", nil); err != nil {
		t.Fatal(err)
	}
	a, err := c.CheckNameAvailability(t.Context(), armstorage.AccountCheckNameAvailabilityParameters{Name: ptr("newacct"), Type: ptr("Microsoft.Storage/storageAccounts")}, nil)
	if err != nil || !*a.NameAvailable {
		t.Errorf("the name of a deleted account: %v %v", a, err)
	}
}

func newAccounts2(tb testing.TB, l *lab) *armstorage.AccountsClient {
	tb.Helper()
	sub, cred, opt := l.arm(tb, "contoso")
	return newAccounts(tb, sub, cred, opt)
}

// TestKeys: a new key takes the place of an old one, and ARM signs.
func TestKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	c := newAccounts2(t, l)
	keys, err := c.ListKeys(t.Context(), group(source), source, nil)
	if err != nil || len(keys.Keys) != 2 || *keys.Keys[0].Value != key(source) {
		t.Fatalf("%v %v", keys, err)
	}
	later := l.now().Add(time.Hour)
	signed, err := c.ListAccountSAS(t.Context(), group(source), source, armstorage.AccountSasParameters{
		Services: ptr(armstorage.ServicesB), ResourceTypes: ptr(armstorage.SignedResourceTypes("sco")), Permissions: ptr(armstorage.Permissions("rl")), SharedAccessExpiryTime: &later,
	}, nil)
	ok(t, err)
	_, err = text(t.Context(), l.bareBlob(t, blobURL(source)+"docs/c.txt?"+*signed.AccountSasToken), nil)
	wantCode(t, "account SAS of ARM", err, "")
	one, err := c.ListServiceSAS(t.Context(), group(source), source, armstorage.ServiceSasParameters{
		CanonicalizedResource: ptr("/blob/" + source + "/docs/c.txt"), Resource: ptr(armstorage.SignedResourceB), Permissions: ptr(armstorage.PermissionsR), SharedAccessExpiryTime: &later,
	}, nil)
	ok(t, err)
	_, err = text(t.Context(), l.bareBlob(t, blobURL(source)+"docs/c.txt?"+*one.ServiceSasToken), nil)
	wantCode(t, "service SAS of ARM", err, "")
	_, err = c.RegenerateKey(t.Context(), group(source), source, armstorage.AccountRegenerateKeyParameters{KeyName: ptr("key1")}, nil)
	ok(t, err)
	_, err = l.withKey(t, source).GetProperties(t.Context(), nil)
	wantCode(t, "old key", err, "AuthenticationFailed")
	_, err = c.RegenerateKey(t.Context(), group(source), source, armstorage.AccountRegenerateKeyParameters{KeyName: ptr("key9")}, nil)
	wantCode(t, "no such key", err, "InvalidRequestPropertyValue")
}

// TestContainersOfARM: what is made on one side is seen on the other.
func TestContainersOfARM(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, map[string]any{"allowBlobPublicAccess": true})
	sub, cred, opt := l.arm(t, "contoso")
	c, err := armstorage.NewBlobContainersClient(sub, cred, opt)
	ok(t, err)
	rg := group(source)
	public := armstorage.PublicAccessBlob
	_, err = c.Create(t.Context(), rg, source, "fromarm", armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{PublicAccess: &public, Metadata: map[string]*string{"who": ptr("arm")}}}, nil)
	ok(t, err)
	props, err := l.withKey(t, source).NewContainerClient("fromarm").GetProperties(t.Context(), nil)
	if err != nil || *props.BlobPublicAccess != container.PublicAccessTypeBlob {
		t.Errorf("%v %v", props, err)
	}
	made(t, l.withKey(t, source), "fromdata")
	names := ""
	for p := c.NewListPager(rg, source, nil); p.More(); {
		page, err := p.NextPage(t.Context())
		ok(t, err)
		for _, item := range page.Value {
			names += *item.Name + " "
		}
	}
	if names != "docs fromarm fromdata open openblobs " {
		t.Errorf("ARM lists %s", names)
	}
	none := armstorage.PublicAccessNone
	_, err = c.Update(t.Context(), rg, source, "fromarm", armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{PublicAccess: &none}}, nil)
	ok(t, err)
	got, err := c.Get(t.Context(), rg, source, "fromarm", nil)
	if err != nil || *got.ContainerProperties.PublicAccess != none || *got.ContainerProperties.Metadata["who"] != "arm" {
		t.Errorf("%v %v", got, err)
	}
	l.lockContainer(t, c)
	_, err = c.Delete(t.Context(), rg, source, "fromarm", nil)
	ok(t, err)
	_, err = c.Get(t.Context(), rg, source, "fromarm", nil)
	wantCode(t, "deleted", err, "ContainerNotFound")
	_, err = c.Create(t.Context(), rg, source, "No", armstorage.BlobContainer{}, nil)
	wantCode(t, "bad name", err, "OutOfRangeInput")
}

// lockContainer protects docs by a hold and a policy and leases it.
func (l *lab) lockContainer(t *testing.T, c *armstorage.BlobContainersClient) {
	t.Helper()
	rg := group(source)
	del := func() error {
		_, err := l.withKey(t, source).NewContainerClient("docs").NewBlobClient("c.txt").Delete(t.Context(), nil)
		return err
	}
	_, err := c.SetLegalHold(t.Context(), rg, source, "docs", armstorage.LegalHold{Tags: []*string{ptr("case1")}}, nil)
	ok(t, err)
	wantCode(t, "held", del(), "BlobImmutableDueToPolicy")
	_, err = c.ClearLegalHold(t.Context(), rg, source, "docs", armstorage.LegalHold{Tags: []*string{ptr("case1")}}, nil)
	ok(t, err)
	days := armstorage.ImmutabilityPolicy{Properties: &armstorage.ImmutabilityPolicyProperty{ImmutabilityPeriodSinceCreationInDays: ptr[int32](3)}}
	set, err := c.CreateOrUpdateImmutabilityPolicy(t.Context(), rg, source, "docs", days, nil)
	ok(t, err)
	wantCode(t, "retained", del(), "BlobImmutableDueToPolicy")
	locked, err := c.LockImmutabilityPolicy(t.Context(), rg, source, "docs", *set.Etag, nil)
	ok(t, err)
	_, err = c.DeleteImmutabilityPolicy(t.Context(), rg, source, "docs", *locked.Etag, nil)
	wantCode(t, "locked policy", err, "ContainerImmutabilityPolicyFailure")
	days.Properties.ImmutabilityPeriodSinceCreationInDays = ptr[int32](5)
	_, err = c.ExtendImmutabilityPolicy(t.Context(), rg, source, "docs", *locked.Etag, &armstorage.BlobContainersClientExtendImmutabilityPolicyOptions{Parameters: &days})
	ok(t, err)
	got, err := c.Get(t.Context(), rg, source, "docs", nil)
	if err != nil || !*got.ContainerProperties.HasImmutabilityPolicy || *got.ContainerProperties.ImmutabilityPolicy.Properties.ImmutabilityPeriodSinceCreationInDays != 5 {
		t.Errorf("%+v %v", got, err)
	}
	action, span := armstorage.LeaseContainerRequestActionAcquire, int32(-1)
	leased, err := c.Lease(t.Context(), rg, source, "docs", &armstorage.BlobContainersClientLeaseOptions{Parameters: &armstorage.LeaseContainerRequest{Action: &action, LeaseDuration: &span}})
	if err != nil || *leased.LeaseID == "" {
		t.Error(err)
	}
}

// TestServicesOfARM: settings, versioning, and the lifecycle policy.
func TestServicesOfARM(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	sub, cred, opt := l.arm(t, "contoso")
	c, err := armstorage.NewBlobServicesClient(sub, cred, opt)
	ok(t, err)
	rg := group(source)
	_, err = c.SetServiceProperties(t.Context(), rg, source, armstorage.BlobServiceProperties{BlobServiceProperties: &armstorage.BlobServicePropertiesProperties{
		IsVersioningEnabled: ptr(true), DeleteRetentionPolicy: &armstorage.DeleteRetentionPolicy{Enabled: ptr(true), Days: ptr[int32](7)},
	}}, nil)
	ok(t, err)
	got, err := c.GetServiceProperties(t.Context(), rg, source, nil)
	if err != nil || !*got.BlobServiceProperties.BlobServiceProperties.IsVersioningEnabled {
		t.Errorf("%v %v", got, err)
	}
	up, err := l.withKey(t, source).NewContainerClient("docs").NewBlockBlobClient("c.txt").Upload(t.Context(), body("v2"), nil)
	if err != nil || up.VersionID == nil {
		t.Errorf("no version: %v", err)
	}
	_, err = c.SetServiceProperties(t.Context(), rg, source, armstorage.BlobServiceProperties{BlobServiceProperties: &armstorage.BlobServicePropertiesProperties{
		DeleteRetentionPolicy: &armstorage.DeleteRetentionPolicy{Enabled: ptr(true), Days: ptr[int32](999)},
	}}, nil)
	wantCode(t, "999 days", err, "InvalidRequestPropertyValue")
	m, err := armstorage.NewManagementPoliciesClient(sub, cred, opt)
	ok(t, err)
	_, err = m.Get(t.Context(), rg, source, armstorage.ManagementPolicyNameDefault, nil)
	wantCode(t, "no lifecycle policy", err, "ManagementPolicyNotFound")
	kind := armstorage.RuleTypeLifecycle
	_, err = m.CreateOrUpdate(t.Context(), rg, source, armstorage.ManagementPolicyNameDefault, armstorage.ManagementPolicy{Properties: &armstorage.ManagementPolicyProperties{
		Policy: &armstorage.ManagementPolicySchema{Rules: []*armstorage.ManagementPolicyRule{{Name: ptr("old"), Type: &kind, Definition: &armstorage.ManagementPolicyDefinition{
			Actions: &armstorage.ManagementPolicyAction{BaseBlob: &armstorage.ManagementPolicyBaseBlob{Delete: &armstorage.DateAfterModification{DaysAfterModificationGreaterThan: ptr[float32](30)}}},
			Filters: &armstorage.ManagementPolicyFilter{BlobTypes: []*string{ptr("blockBlob")}},
		}}}},
	}}, nil)
	ok(t, err)
	policy, err := m.Get(t.Context(), rg, source, armstorage.ManagementPolicyNameDefault, nil)
	if err != nil || *policy.Properties.Policy.Rules[0].Name != "old" {
		t.Errorf("%v %v", policy, err)
	}
	_, err = m.Delete(t.Context(), rg, source, armstorage.ManagementPolicyNameDefault, nil)
	ok(t, err)
}

// TestOtherChildren: shares, queues and tables of Resource Manager are those of their
// services.
func TestOtherChildren(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"shares":[{"name":"seeded"}]`, nil)
	sub, cred, opt := l.arm(t, "contoso")
	rg := group(source)
	shares, err := armstorage.NewFileSharesClient(sub, cred, opt)
	ok(t, err)
	queues, err := armstorage.NewQueueClient(sub, cred, opt)
	ok(t, err)
	tables, err := armstorage.NewTableClient(sub, cred, opt)
	ok(t, err)
	_, err = shares.Create(t.Context(), rg, source, "share1", armstorage.FileShare{FileShareProperties: &armstorage.FileShareProperties{ShareQuota: ptr[int32](7)}}, nil)
	ok(t, err)
	_, err = queues.Create(t.Context(), rg, source, "queue1", armstorage.Queue{QueueProperties: &armstorage.QueueProperties{Metadata: map[string]*string{"a": ptr("b")}}}, nil)
	ok(t, err)
	_, err = tables.Create(t.Context(), rg, source, "Table1", armstorage.Table{}, nil)
	ok(t, err)
	share, err := shares.Get(t.Context(), rg, source, "share1", nil)
	if err != nil || *share.FileShareProperties.ShareQuota != 7 {
		t.Errorf("%v %v", share, err)
	}
	queue, err := queues.Get(t.Context(), rg, source, "queue1", nil)
	if err != nil || *queue.QueueProperties.Metadata["a"] != "b" {
		t.Errorf("%v %v", queue, err)
	}
	table, err := tables.Get(t.Context(), rg, source, "Table1", nil)
	if err != nil || *table.TableProperties.TableName != "Table1" {
		t.Errorf("%v %v", table, err)
	}
	page, err := shares.NewListPager(rg, source, nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 2 {
		t.Errorf("%d shares: %v", len(page.Value), err)
	}
	objects, err := l.emu.Objects(l.id(t, source))
	ok(t, err)
	keys := ""
	for _, o := range objects {
		keys += o.Key + " "
	}
	if !strings.Contains(keys, "queues/queue1") || !strings.Contains(keys, "shares/seeded") || !strings.Contains(keys, "tables/Table1") {
		t.Errorf("objects: %s", keys)
	}
	_, err = tables.Delete(t.Context(), rg, source, "Table1", nil)
	ok(t, err)
	_, err = tables.Get(t.Context(), rg, source, "Table1", nil)
	wantCode(t, "deleted table", err, "ResourceNotFound")
}

// TestMisspeltSeed is refused by its name.
func TestMisspeltSeed(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", nil)
	err := l.emu.Seed(l.id(t, source), []byte(`{"container":[]}`))
	if err == nil || !strings.Contains(err.Error(), `"container"`) {
		t.Error(err)
	}
}
