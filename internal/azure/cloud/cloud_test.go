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
	tests := []struct {
		name string
		want cloud.Endpoints
	}{
		{"", cloud.Endpoints{
			Cloud: "public", Portal: "https://portal.azure.com", Authority: "https://login.microsoftonline.com",
			ResourceManager: "https://management.azure.com", Audience: "https://management.core.windows.net/",
			KeyVaultSuffix: "vault.azure.net", StorageSuffix: "core.windows.net",
		}},
		{"USGovernment", cloud.Endpoints{
			Cloud: "usgovernment", Portal: "https://portal.azure.us", Authority: "https://login.microsoftonline.us",
			ResourceManager: "https://management.usgovcloudapi.net", Audience: "https://management.core.usgovcloudapi.net/",
			KeyVaultSuffix: "vault.usgovcloudapi.net", StorageSuffix: "core.usgovcloudapi.net",
		}},
		{"china", cloud.Endpoints{
			Cloud: "china", Portal: "https://portal.azure.cn", Authority: "https://login.chinacloudapi.cn",
			ResourceManager: "https://management.chinacloudapi.cn", Audience: "https://management.core.chinacloudapi.cn/",
			KeyVaultSuffix: "vault.azure.cn", StorageSuffix: "core.chinacloudapi.cn",
		}},
	}
	for _, tt := range tests {
		t.Run("cloud "+tt.name, func(t *testing.T) {
			t.Parallel()
			config, got, err := cloud.Resolve(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("endpoints (-want +got):\n%s", d)
			}
			if config.Services[azcloud.ResourceManager].Endpoint != tt.want.ResourceManager {
				t.Errorf("the SDK goes to %s", config.Services[azcloud.ResourceManager].Endpoint)
			}
			if want := tt.want.Audience + "/.default"; got.Scope() != want {
				t.Errorf("scope %s, want %s", got.Scope(), want)
			}
		})
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
	if hint := errs.HintOf(err); hint != "use one of: public, usgovernment, china" {
		t.Errorf("hint %q", hint)
	}
}
