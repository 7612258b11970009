// Package cloud names the Azure clouds and their endpoints. Sign-in and Resource Manager
// endpoints come from the Azure SDK; the suffixes of data-plane host names are those of the
// "suffixes" object that each cloud's ARM metadata document (GET /metadata/endpoints) lists.
package cloud

import (
	"fmt"
	"strings"

	// Importing arm/runtime fills the SDK's clouds with their Resource Manager endpoints.
	_ "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Endpoints are the names by which a cloud's services are reached. Suffixes have no
// leading dot; URLs have a scheme and no trailing slash.
type Endpoints struct {
	Cloud           string // "public"
	Portal          string // "https://portal.azure.com"
	Authority       string // sign-in: "https://login.microsoftonline.com"
	ResourceManager string // "https://management.azure.com"
	Audience        string // of tokens for Resource Manager: "https://management.core.windows.net/"
	KeyVaultSuffix  string // "vault.azure.net"
	StorageSuffix   string // "core.windows.net"; a blob endpoint is NAME.blob.SUFFIX
}

// Scope is the OAuth scope of a token for Resource Manager, as the SDK's ARM clients ask
// for it: asking for the same one lets them share a cached token.
func (e Endpoints) Scope() string { return e.Audience + "/.default" }

// Public is the name of the cloud that is meant where none is given.
const Public = "public"

// Names lists the clouds that Resolve knows, the default first.
func Names() []string { return []string{Public, "usgovernment", "china"} }

// Resolve returns the SDK configuration and the endpoints of a cloud. An empty name means
// the public cloud; case does not matter. An unknown name is an *errs.Error of kind Invalid
// that lists the legal names.
func Resolve(name string) (azcloud.Configuration, Endpoints, error) {
	if name == "" {
		name = Public
	}
	name = strings.ToLower(name)
	c, ok := clouds[name]
	if !ok {
		return azcloud.Configuration{}, Endpoints{}, &errs.Error{
			Op: "choose the cloud", Kind: errs.Invalid,
			Err:  fmt.Errorf("there is no cloud %q", name),
			Hint: "use one of: " + strings.Join(Names(), ", "),
		}
	}
	arm := c.config.Services[azcloud.ResourceManager]
	c.endpoints.Cloud = name
	c.endpoints.Authority = strings.TrimSuffix(c.config.ActiveDirectoryAuthorityHost, "/")
	c.endpoints.ResourceManager = strings.TrimSuffix(arm.Endpoint, "/")
	c.endpoints.Audience = arm.Audience
	return c.config, c.endpoints, nil
}

type entry struct {
	config    azcloud.Configuration
	endpoints Endpoints
}

var clouds = map[string]entry{
	Public: {azcloud.AzurePublic, Endpoints{
		Portal: "https://portal.azure.com", KeyVaultSuffix: "vault.azure.net", StorageSuffix: "core.windows.net",
	}},
	"usgovernment": {azcloud.AzureGovernment, Endpoints{
		Portal: "https://portal.azure.us", KeyVaultSuffix: "vault.usgovcloudapi.net", StorageSuffix: "core.usgovcloudapi.net",
	}},
	"china": {azcloud.AzureChina, Endpoints{
		Portal: "https://portal.azure.cn", KeyVaultSuffix: "vault.azure.cn", StorageSuffix: "core.chinacloudapi.cn",
	}},
}
