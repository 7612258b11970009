package cloud_test

import (
	"strings"
	"testing"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	public := cloud.Endpoints{
		Cloud: "public", Portal: "https://portal.azure.com", Authority: "https://login.microsoftonline.com",
		ResourceManager: "https://management.azure.com", Audience: "https://management.core.windows.net/",
		KeyVaultSuffix: "vault.azure.net", ManagedHSMSuffix: "managedhsm.azure.net", StorageSuffix: "core.windows.net",
		RegistrySuffix: "azurecr.io", SQLSuffix: "database.windows.net", MySQLSuffix: "mysql.database.azure.com",
		PostgreSQLSuffix: "postgres.database.azure.com", SynapseSuffix: "dev.azuresynapse.net",
		GraphAudience: "https://graph.microsoft.com/", BatchAudience: "https://batch.core.windows.net/", LogAnalyticsAudience: "https://api.loganalytics.io",
		DatabaseAudience: "https://ossrdbms-aad.database.windows.net", SynapseAudience: "https://dev.azuresynapse.net",
	}
	government := cloud.Endpoints{
		Cloud: "usgovernment", Portal: "https://portal.azure.us", Authority: "https://login.microsoftonline.us",
		ResourceManager: "https://management.usgovcloudapi.net", Audience: "https://management.core.usgovcloudapi.net/",
		KeyVaultSuffix: "vault.usgovcloudapi.net", ManagedHSMSuffix: "managedhsm.usgovcloudapi.net", StorageSuffix: "core.usgovcloudapi.net",
		RegistrySuffix: "azurecr.us", SQLSuffix: "database.usgovcloudapi.net", MySQLSuffix: "mysql.database.usgovcloudapi.net",
		PostgreSQLSuffix: "postgres.database.usgovcloudapi.net", SynapseSuffix: "dev.azuresynapse.usgovcloudapi.net",
		GraphAudience: "https://graph.microsoft.us/", BatchAudience: "https://batch.core.usgovcloudapi.net/", LogAnalyticsAudience: "https://api.loganalytics.us",
		DatabaseAudience: "https://ossrdbms-aad.database.usgovcloudapi.net", SynapseAudience: "https://dev.azuresynapse.usgovcloudapi.net",
	}
	china := cloud.Endpoints{
		Cloud: "china", Portal: "https://portal.azure.cn", Authority: "https://login.chinacloudapi.cn",
		ResourceManager: "https://management.chinacloudapi.cn", Audience: "https://management.core.chinacloudapi.cn/",
		KeyVaultSuffix: "vault.azure.cn", ManagedHSMSuffix: "managedhsm.azure.cn", StorageSuffix: "core.chinacloudapi.cn",
		RegistrySuffix: "azurecr.cn", SQLSuffix: "database.chinacloudapi.cn", MySQLSuffix: "mysql.database.chinacloudapi.cn",
		PostgreSQLSuffix: "postgres.database.chinacloudapi.cn", SynapseSuffix: "dev.azuresynapse.azure.cn",
		GraphAudience: "https://microsoftgraph.chinacloudapi.cn", BatchAudience: "https://batch.chinacloudapi.cn/", LogAnalyticsAudience: "https://api.loganalytics.azure.cn",
		DatabaseAudience: "https://ossrdbms-aad.database.chinacloudapi.cn", SynapseAudience: "https://dev.azuresynapse.azure.cn",
	}
	for name, want := range map[string]cloud.Endpoints{
		"": public, "AzureCloud": public, "USGovernment": government, "azureusgovernment": government, "china": china,
	} {
		t.Run("cloud "+name, func(t *testing.T) {
			t.Parallel()
			config, got, err := cloud.Resolve(name)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("endpoints (-want +got):\n%s", d)
			}
			if d := cmp.Diff(want, cloud.Of(config)); d != "" {
				t.Errorf("read back from the configuration (-want +got):\n%s", d)
			}
			if arm := config.Services[azcloud.ResourceManager]; arm.Endpoint != want.ResourceManager || arm.Audience != want.Audience {
				t.Errorf("the SDK goes to %+v", arm)
			}
			if scope := want.Audience + "/.default"; got.Scope() != scope {
				t.Errorf("scope %s, want %s", got.Scope(), scope)
			}
			if got.KeyVaultAudience() != "https://"+want.KeyVaultSuffix || got.SQLAudience() != "https://"+want.SQLSuffix+"/" || got.StorageAudience() != "https://storage.azure.com" {
				t.Errorf("audiences: %s, %s, %s", got.KeyVaultAudience(), got.SQLAudience(), got.StorageAudience())
			}
		})
	}
	if len(azcloud.AzurePublic.Services["atg/cloud"].Endpoint) > 0 {
		t.Error("the SDK's own configuration was changed")
	}
}

// A configuration that the SDK or a test made is told by its sign-in service.
func TestOfForeignConfigurations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config               azcloud.Configuration
		cloud, vaults, https string
	}{
		"none":         {azcloud.Configuration{}, "public", "vault.azure.net", "https://vault.azure.net"},
		"public":       {azcloud.AzurePublic, "public", "vault.azure.net", "https://vault.azure.net"},
		"China, newer": {azcloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.partner.microsoftonline.cn/"}, "china", "vault.azure.cn", "https://vault.azure.cn"},
		"private": {azcloud.Configuration{
			ActiveDirectoryAuthorityHost: "https://login.example.com/",
			Services:                     map[azcloud.ServiceName]azcloud.ServiceConfiguration{azcloud.ResourceManager: {Endpoint: "https://management.example.com/", Audience: "https://a"}},
		}, "management.example.com", "", ""},
	} {
		e := cloud.Of(tt.config)
		if e.Cloud != tt.cloud || e.KeyVaultSuffix != tt.vaults || e.KeyVaultAudience() != tt.https {
			t.Errorf("%s: %+v", name, e)
		}
		if name == "private" && (e.Audience != "https://a" || e.ResourceManager != "https://management.example.com" || e.SQLAudience() != "") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if !cloud.Known("https://login.microsoftonline.us/") || cloud.Known("https://login.example.com/") || cloud.Known("::") {
		t.Error("the sign-in services that Entra ID knows of are others")
	}
}

func TestNamesResolve(t *testing.T) {
	t.Parallel()
	for _, name := range cloud.Names() {
		if _, e, err := cloud.Resolve(name); err != nil || e.Cloud != name {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	_, _, err := cloud.Resolve("germany")
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), `"germany"`) {
		t.Errorf("%v", err)
	}
	if hint := errs.HintOf(err); hint != "use one of: public, usgovernment, china; or the address of the cloud's Resource Manager, or a file with its metadata document" {
		t.Errorf("hint %q", hint)
	}
}
