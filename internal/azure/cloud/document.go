package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// document is an ARM metadata document, as far as it is read. The api-versions differ in
// form: 2015-01-01 and 1.0 (Azure Stack Hub) have portalEndpoint and no suffixes,
// 2019-05-01 and 2020-06-01 are a list of clouds, 2022-09-01 is one cloud.
type document struct {
	Name            string         `json:"name"`
	Portal          string         `json:"portal"`
	PortalOld       string         `json:"portalEndpoint"`
	ResourceManager string         `json:"resourceManager"`
	Authentication  authentication `json:"authentication"`
	Suffixes        suffixes       `json:"suffixes"`
	Batch           string         `json:"batch"`
	Graph           string         `json:"microsoftGraphResourceId"`
	LogAnalytics    string         `json:"logAnalyticsResourceId"`
	Database        string         `json:"ossrDbmsResourceId"`
	Synapse         string         `json:"synapseAnalyticsResourceId"`
}

type authentication struct {
	LoginEndpoint    string   `json:"loginEndpoint"`
	Audiences        []string `json:"audiences"`
	IdentityProvider string   `json:"identityProvider"` // "AAD" or "ADFS"
}

type suffixes struct {
	KeyVault   string `json:"keyVaultDns"`
	ManagedHSM string `json:"mhsmDns"`
	Storage    string `json:"storage"`
	Registry   string `json:"acrLoginServer"`
	SQL        string `json:"sqlServerHostname"`
	MySQL      string `json:"mysqlServerEndpoint"`
	PostgreSQL string `json:"postgresqlServerEndpoint"`
	Synapse    string `json:"synapseAnalytics"`
}

// parse reads a document. Of a list it takes the cloud whose Resource Manager is at the
// given host; without a host there must be only one. arm is the Resource Manager that the
// document was asked of, or "".
func parse(text []byte, arm string) (document, error) {
	var all []document
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		if err := json.Unmarshal(text, &all); err != nil {
			return document{}, fmt.Errorf("it is no ARM metadata document: %w", err)
		}
	} else {
		all = make([]document, 1)
		if err := json.Unmarshal(text, &all[0]); err != nil {
			return document{}, fmt.Errorf("it is no ARM metadata document: %w", err)
		}
	}
	d, err := choose(all, hostOf(arm))
	if err != nil {
		return d, err
	}
	return d, d.check(arm)
}

func choose(all []document, host string) (document, error) {
	names := make([]string, 0, len(all))
	for _, d := range all {
		if host != "" && hostOf(d.ResourceManager) == host {
			return d, nil
		}
		names = append(names, d.Name)
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0:
		return document{}, errors.New("it is an empty list of clouds")
	case host == "":
		return document{}, fmt.Errorf("it describes %d clouds (%s): keep the one that is meant", len(all), strings.Join(names, ", "))
	}
	return document{}, fmt.Errorf("it describes %s, but no cloud whose Resource Manager is at %s", strings.Join(names, ", "), host)
}

// check refuses a document that does not say enough to sign in.
func (d document) check(arm string) error {
	login, err := url.Parse(d.Authentication.LoginEndpoint)
	if err != nil || login.Scheme != "https" || login.Host == "" {
		return fmt.Errorf("its sign-in endpoint %q is no https address (authentication.loginEndpoint)", d.Authentication.LoginEndpoint)
	}
	if strings.EqualFold(d.Authentication.IdentityProvider, "ADFS") || strings.Trim(login.Path, "/") == "adfs" {
		return errADFS
	}
	if len(d.Authentication.Audiences) == 0 || d.Authentication.Audiences[0] == "" {
		return errors.New("it names no audience (authentication.audiences)")
	}
	own := first(d.ResourceManager, arm)
	manager, err := url.Parse(own)
	if err != nil || manager.Scheme != "https" || manager.Host == "" {
		return fmt.Errorf("its Resource Manager %q is no https address (resourceManager)", own)
	}
	if arm != "" && !strings.EqualFold(manager.Host, mustHost(arm)) {
		return fmt.Errorf("it is that of the Resource Manager at %s: save it to a file and look through it before you use it", manager.Host)
	}
	return nil
}

// errADFS: tenants, which keep the two sides apart, are a thing of Entra ID.
var errADFS = errors.New("the cloud signs in through AD FS, which has no tenants; only clouds with Microsoft Entra ID are supported")

// mustHost is host and port of an address that was parsed before.
func mustHost(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}

// endpoints are those that the document names; arm is the Resource Manager that it was
// asked of. A document without suffixes is Azure Stack Hub's: its services are below the
// region's domain, as Azure's libraries for it have it
// (Azure/go-autorest, autorest/azure/metadata_environment.go).
func (d document) endpoints(arm string) Endpoints {
	s := d.Suffixes
	e := Endpoints{
		Cloud: d.Name, Portal: address(first(d.Portal, d.PortalOld)), Authority: address(d.Authentication.LoginEndpoint),
		ResourceManager: address(first(d.ResourceManager, arm)), Audience: first(d.Authentication.Audiences...),
		KeyVaultSuffix: suffix(s.KeyVault), ManagedHSMSuffix: suffix(s.ManagedHSM), StorageSuffix: suffix(s.Storage),
		RegistrySuffix: suffix(s.Registry), SQLSuffix: suffix(s.SQL), MySQLSuffix: suffix(s.MySQL),
		PostgreSQLSuffix: suffix(s.PostgreSQL), SynapseSuffix: suffix(s.Synapse),
		GraphAudience: d.Graph, BatchAudience: d.Batch, LogAnalyticsAudience: d.LogAnalytics,
		DatabaseAudience: d.Database, SynapseAudience: d.Synapse,
	}
	host := hostOf(e.ResourceManager)
	e.Cloud = first(e.Cloud, host)
	for _, prefix := range []string{"management.", "adminmanagement."} {
		if domain, ok := strings.CutPrefix(host, prefix); ok && s == (suffixes{}) {
			e.KeyVaultSuffix, e.StorageSuffix = "vault."+domain, domain
		}
	}
	return e
}

// configuration is what the SDK must know of the cloud. Container registries take tokens
// for Resource Manager, as in the clouds that the SDK knows.
func (e Endpoints) configuration() azcloud.Configuration {
	arm := azcloud.ServiceConfiguration{Endpoint: e.ResourceManager, Audience: e.Audience}
	return configure(azcloud.Configuration{
		ActiveDirectoryAuthorityHost: e.Authority + "/",
		Services: map[azcloud.ServiceName]azcloud.ServiceConfiguration{
			azcloud.ResourceManager: arm,
			"azcontainerregistry":   {Audience: e.Audience},
			// The tables client wants an entry; it uses the audience for Cosmos DB alone, whose
			// own a metadata document does not name.
			"data/aztables": {Audience: e.StorageAudience()},
		},
	}, e)
}

func address(text string) string { return strings.TrimSuffix(text, "/") }

func suffix(text string) string { return strings.Trim(strings.ToLower(text), ".") }

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
