package emulator

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

// Identity is a principal of the scenario, with what a client needs to sign in as it.
type Identity struct {
	TenantID       string
	TenantName     string
	SubscriptionID string // the tenant's first; "" if it has none
	Name           string
	AppID          string
	ObjectID       string
	Secret         string // "" if it has only a certificate
}

// Principals returns the scenario's principals of a tenant, in its order. The tenant is
// given by name, ID or domain.
func (e *Emulator) Principals(tenant string) ([]Identity, error) {
	for _, t := range e.scenario.Tenants {
		if strings.EqualFold(tenant, t.Name) || strings.EqualFold(tenant, t.ID) || strings.EqualFold(tenant, t.DomainName()) {
			return identities(t), nil
		}
	}
	return nil, fmt.Errorf("emulator: there is no tenant %q", tenant)
}

// Principal returns the first of Principals.
func (e *Emulator) Principal(tenant string) (Identity, error) {
	all, err := e.Principals(tenant)
	if err != nil {
		return Identity{}, err
	}
	if len(all) == 0 {
		return Identity{}, fmt.Errorf("emulator: tenant %q has no principal", tenant)
	}
	return all[0], nil
}

func identities(t scenario.Tenant) []Identity {
	out := make([]Identity, 0, len(t.Principals))
	for _, p := range t.Principals {
		id := Identity{TenantID: t.ID, TenantName: t.Name, Name: p.Name, AppID: p.AppID, ObjectID: p.ObjectID, Secret: p.Secret}
		if len(t.Subscriptions) > 0 {
			id.SubscriptionID = t.Subscriptions[0].ID
		}
		out = append(out, id)
	}
	return out
}

// CAFile writes the certificate authority to a file in dir, which must exist and should
// hold no other certificate, and returns its path.
func (e *Emulator) CAFile(dir string) (string, error) {
	file, err := filepath.Abs(filepath.Join(dir, "azure-emulator-ca.pem"))
	if err != nil {
		return "", fmt.Errorf("emulator: certificate authority: %w", err)
	}
	if err := os.WriteFile(file, e.CAPEM(), 0o600); err != nil {
		return "", fmt.Errorf("emulator: certificate authority: %w", err)
	}
	return file, nil
}

// Env returns KEY=VALUE lines that point programs which know nothing of the emulator at
// it, signed in as the tenant's first principal: Azure SDKs, the Azure CLI (with az
// login --service-principal), Terraform's azurerm, AzCopy, curl. caFile comes from CAFile.
//
// Programs that ignore HTTPS_PROXY (Node's fetch) or SSL_CERT_FILE (Go programs on macOS
// and Windows) cannot be reached this way.
func (e *Emulator) Env(tenant, caFile string) ([]string, error) {
	id, err := e.Principal(tenant)
	if err != nil {
		return nil, err
	}
	proxy := e.ProxyURL()
	return []string{
		// Both spellings: programs differ in which one wins.
		"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "NO_PROXY=", "no_proxy=",
		// SSL_CERT_DIR keeps OpenSSL and Go from also trusting the machine's authorities.
		"SSL_CERT_FILE=" + caFile, "SSL_CERT_DIR=" + filepath.Dir(caFile),
		"REQUESTS_CA_BUNDLE=" + caFile, "CURL_CA_BUNDLE=" + caFile, "NODE_EXTRA_CA_CERTS=" + caFile,
		"AZURE_TENANT_ID=" + id.TenantID, "AZURE_CLIENT_ID=" + id.AppID, "AZURE_CLIENT_SECRET=" + id.Secret,
		"AZURE_SUBSCRIPTION_ID=" + id.SubscriptionID,
		"ARM_TENANT_ID=" + id.TenantID, "ARM_CLIENT_ID=" + id.AppID, "ARM_CLIENT_SECRET=" + id.Secret,
		"ARM_SUBSCRIPTION_ID=" + id.SubscriptionID,
		"AZCOPY_AUTO_LOGIN_TYPE=SPN", "AZCOPY_TENANT_ID=" + id.TenantID,
		"AZCOPY_SPA_APPLICATION_ID=" + id.AppID, "AZCOPY_SPA_CLIENT_SECRET=" + id.Secret,
	}, nil
}
