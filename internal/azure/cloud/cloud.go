// Package cloud names the Azure clouds and their endpoints.
//
// A cloud is described by its ARM metadata document (GET /metadata/endpoints of its
// Resource Manager): where to sign in, for which audience, and the suffixes of the host
// names of its services. The public cloud and the two sovereign ones are known by heart;
// the document of any other is read from its Resource Manager or from a file.
//
// Resolve and Load put all of this into the SDK's configuration, which every client of a
// side is made with; Of reads it back, so that a plugin needs nothing else.
package cloud

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	// Importing arm/runtime fills the SDK's clouds with their Resource Manager endpoints.
	_ "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Endpoints are the names by which a cloud's services are reached. Suffixes have no
// leading dot; URLs have a scheme and no trailing slash; audiences are as the cloud says
// them. What a cloud does not have, or does not say, is "".
type Endpoints struct {
	Cloud           string // "public"; of another cloud the name in its document, else its Resource Manager's host
	Portal          string // "https://portal.azure.com"
	Authority       string // sign-in: "https://login.microsoftonline.com"
	ResourceManager string // "https://management.azure.com"
	Audience        string // of tokens for Resource Manager: "https://management.core.windows.net/"

	KeyVaultSuffix   string // "vault.azure.net"
	ManagedHSMSuffix string // "managedhsm.azure.net"
	StorageSuffix    string // "core.windows.net"; a blob endpoint is NAME.blob.SUFFIX
	RegistrySuffix   string // "azurecr.io"
	SQLSuffix        string // "database.windows.net"
	MySQLSuffix      string // "mysql.database.azure.com"
	PostgreSQLSuffix string // "postgres.database.azure.com"
	SynapseSuffix    string // "dev.azuresynapse.net"

	GraphAudience        string // Microsoft Graph: "https://graph.microsoft.com/"
	BatchAudience        string // "https://batch.core.windows.net/"
	LogAnalyticsAudience string // "https://api.loganalytics.io"
	DatabaseAudience     string // of MySQL and PostgreSQL: "https://ossrdbms-aad.database.windows.net"
	SynapseAudience      string // "https://dev.azuresynapse.net"
}

// Scope is the OAuth scope of a token for Resource Manager, as the SDK's ARM clients ask
// for it: asking for the same one lets them share a cached token.
func (e Endpoints) Scope() string { return e.Audience + "/.default" }

// KeyVaultAudience is that of tokens for vaults: the URL of their suffix.
func (e Endpoints) KeyVaultAudience() string { return urlOf(e.KeyVaultSuffix) }

// SQLAudience is that of tokens for SQL databases: the URL of their suffix, with a slash
// (https://learn.microsoft.com/azure/azure-sql/database/authentication-aad-overview).
func (e Endpoints) SQLAudience() string {
	if e.SQLSuffix == "" {
		return ""
	}
	return urlOf(e.SQLSuffix) + "/"
}

// StorageAudience is that of tokens for every storage account, in every cloud
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
func (Endpoints) StorageAudience() string { return "https://storage.azure.com" }

func urlOf(suffix string) string {
	if suffix == "" {
		return ""
	}
	return "https://" + suffix
}

// Public is the name of the cloud that is meant where none is given.
const Public = "public"

// Names lists the clouds that are known by heart, the default first.
func Names() []string { return []string{Public, "usgovernment", "china"} }

// Resolve returns the SDK configuration and the endpoints of a cloud that is known by
// heart. An empty name means the public cloud; case does not matter, and the names of the
// Azure CLI (AzureCloud) are known too. An unknown name is an *errs.Error of kind Invalid
// that lists the legal names.
func Resolve(name string) (azcloud.Configuration, Endpoints, error) {
	if name == "" {
		name = Public
	}
	for _, k := range known {
		if strings.EqualFold(name, k.name) || strings.EqualFold(name, k.document.Name) {
			e := k.document.endpoints("")
			e.Cloud = k.name
			return configure(k.config, e), e, nil
		}
	}
	return azcloud.Configuration{}, Endpoints{}, &errs.Error{
		Op: "choose the cloud", Kind: errs.Invalid,
		Err:  fmt.Errorf("there is no cloud %q", name),
		Hint: "use one of: " + strings.Join(Names(), ", ") + "; or the address of the cloud's Resource Manager, or a file with its metadata document",
	}
}

// Of returns the endpoints of a configuration that Resolve or Load made. Of any other it
// knows what the known cloud with the same sign-in service has; without a sign-in service
// that is the public cloud. A foreign configuration has its own Resource Manager alone.
func Of(config azcloud.Configuration) Endpoints {
	if kept, ok := config.Services[self]; ok {
		return read(config, kept.Endpoint)
	}
	host := hostOf(config.ActiveDirectoryAuthorityHost)
	for _, k := range known {
		if host == "" || host == hostOf(k.document.Authentication.LoginEndpoint) || slices.Contains(k.signIn, host) {
			e := k.document.endpoints("")
			e.Cloud = k.name
			return e
		}
	}
	arm := config.Services[azcloud.ResourceManager]
	return Endpoints{
		Cloud: hostOf(arm.Endpoint), Authority: strings.TrimSuffix(config.ActiveDirectoryAuthorityHost, "/"),
		ResourceManager: strings.TrimSuffix(arm.Endpoint, "/"), Audience: arm.Audience,
	}
}

// Known tells whether Entra ID knows the host as a sign-in service of a cloud of its own.
// Clients ask the public one about any other, and must not where that cannot be reached.
func Known(authority string) bool {
	host := hostOf(authority)
	return slices.ContainsFunc(known, func(k entry) bool { return slices.Contains(k.signIn, host) })
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// self is the entry in a configuration's services that says which cloud it is.
const self azcloud.ServiceName = "atg/cloud"

// carried are the endpoints that a configuration carries beside those of the SDK, each as a service.
var carried = map[azcloud.ServiceName]func(*Endpoints) *string{
	"atg/portal":     func(e *Endpoints) *string { return &e.Portal },
	"atg/keyvault":   func(e *Endpoints) *string { return &e.KeyVaultSuffix },
	"atg/managedhsm": func(e *Endpoints) *string { return &e.ManagedHSMSuffix },
	"atg/storage":    func(e *Endpoints) *string { return &e.StorageSuffix },
	"atg/registry":   func(e *Endpoints) *string { return &e.RegistrySuffix },
	"atg/sql":        func(e *Endpoints) *string { return &e.SQLSuffix },
	"atg/mysql":      func(e *Endpoints) *string { return &e.MySQLSuffix },
	"atg/postgresql": func(e *Endpoints) *string { return &e.PostgreSQLSuffix },
	"atg/synapse":    func(e *Endpoints) *string { return &e.SynapseSuffix },

	"atg/graph-audience":         func(e *Endpoints) *string { return &e.GraphAudience },
	"atg/batch-audience":         func(e *Endpoints) *string { return &e.BatchAudience },
	"atg/log-analytics-audience": func(e *Endpoints) *string { return &e.LogAnalyticsAudience },
	"atg/database-audience":      func(e *Endpoints) *string { return &e.DatabaseAudience },
	"atg/synapse-audience":       func(e *Endpoints) *string { return &e.SynapseAudience },
}

// configure returns a copy of config that carries e. The SDK's own maps are shared by the
// whole process and left alone.
func configure(config azcloud.Configuration, e Endpoints) azcloud.Configuration {
	services := maps.Clone(config.Services)
	if services == nil {
		services = map[azcloud.ServiceName]azcloud.ServiceConfiguration{}
	}
	services[self] = azcloud.ServiceConfiguration{Endpoint: e.Cloud}
	for name, field := range carried {
		services[name] = azcloud.ServiceConfiguration{Endpoint: *field(&e)}
	}
	config.Services = services
	return config
}

func read(config azcloud.Configuration, name string) Endpoints {
	arm := config.Services[azcloud.ResourceManager]
	e := Endpoints{
		Cloud: name, Authority: strings.TrimSuffix(config.ActiveDirectoryAuthorityHost, "/"),
		ResourceManager: strings.TrimSuffix(arm.Endpoint, "/"), Audience: arm.Audience,
	}
	for name, field := range carried {
		*field(&e) = config.Services[name].Endpoint
	}
	return e
}
