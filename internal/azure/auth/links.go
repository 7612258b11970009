package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

// links returns the chain of this side in order. AdditionallyAllowedTenants is set in none
// of them: a credential that is pointed at the other side's vault fails before it sends.
func (c *chain) links() []link {
	if c.cfg.Flags.named() {
		return []link{{name: c.cfg.Flags.Origin, tenant: c.tenantOf(c.cfg.Flags), last: true, make: c.fromFlags}}
	}
	own := groups(c.cfg.Side)[0].origin()
	var before, after []link
	for _, p := range c.cfg.Environment.Principals {
		if p.Origin == own {
			before = append(before, c.principalLink(p))
		} else {
			after = append(after, c.principalLink(p))
		}
	}
	if c.cfg.Shared.named() {
		// An application may be registered in several tenants: the other side's is tried in this
		// side's tenant, whatever tenant it was named with.
		p := c.cfg.Shared
		p.TenantID = first(c.cfg.TenantID, p.TenantID)
		before = append(before, c.principalLink(p))
	}
	out := append(before, after...)
	out = append(out, c.hosted()...)
	out = append(out, c.tools()...)
	return append(out, c.interactive())
}

func (c *chain) principalLink(p Principal) link {
	return link{name: p.Origin, tenant: c.tenantOf(p), make: func(context.Context) (azcore.TokenCredential, error) {
		if missing := p.missing(); missing != "" {
			return nil, partial(missing + " is not set")
		}
		if c.foreign(p) {
			return nil, partial(fmt.Sprintf("is of tenant %s; this side is tenant %s", p.TenantID, c.cfg.TenantID))
		}
		return c.fromPrincipal(p)
	}}
}

// fromFlags is stricter than principalLink: what a person typed is used or refused.
func (c *chain) fromFlags(context.Context) (azcore.TokenCredential, error) {
	p := c.cfg.Flags
	if missing := p.missing(); missing != "" {
		return nil, c.invalid(fmt.Errorf("%s names a service principal in part: %s is missing", p.Origin, missing), "")
	}
	if c.foreign(p) {
		return nil, c.invalid(fmt.Errorf("%s names tenant %s, but this side is tenant %s", p.Origin, p.TenantID, c.cfg.TenantID), "")
	}
	return c.fromPrincipal(p)
}

// missing names what a principal lacks to sign in, or returns "".
func (p Principal) missing() string {
	switch {
	case p.ClientID == "":
		return "the client ID"
	case p.ClientSecret.Empty() && p.CertificatePath == "":
		return "the client secret"
	}
	return ""
}

// foreign tells whether the principal says that it is of another tenant than the side. It
// cannot tell for domains; there the token decides.
func (c *chain) foreign(p Principal) bool {
	return isGUID(p.TenantID) && isGUID(c.cfg.TenantID) && !strings.EqualFold(p.TenantID, c.cfg.TenantID)
}

// tenantOf returns the tenant in which a principal signs in: the side's, else its own.
func (c *chain) tenantOf(p Principal) string { return first(c.cfg.TenantID, p.TenantID, c.tenant) }

func (c *chain) fromPrincipal(p Principal) (azcore.TokenCredential, error) {
	tenant := c.tenantOf(p)
	if tenant == "" {
		return nil, partial("the tenant ID is not set")
	}
	if p.CertificatePath == "" {
		return azidentity.NewClientSecretCredential(tenant, p.ClientID, p.ClientSecret.Reveal(),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: c.cfg.Options, DisableInstanceDiscovery: c.private})
	}
	data, err := os.ReadFile(p.CertificatePath)
	if err != nil {
		return nil, c.invalid(fmt.Errorf("read the certificate of %s: %w", p.Origin, err), "")
	}
	certs, key, err := azidentity.ParseCertificates(data, []byte(p.CertificatePassword.Reveal()))
	if err != nil {
		return nil, c.invalid(fmt.Errorf("read the certificate of %s in %s: %w", p.Origin, p.CertificatePath, err),
			"the file must be PEM or PKCS #12 and hold the certificate and its private key")
	}
	return azidentity.NewClientCertificateCredential(tenant, p.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: c.cfg.Options, DisableInstanceDiscovery: c.private})
}

// hosted are the identities that Azure gives to the machine this runs on.
func (c *chain) hosted() []link {
	return []link{
		{name: "workload identity", tenant: c.tenant, make: c.selected("WorkloadIdentityCredential", "prod", c.workload)},
		{name: "managed identity", tenant: c.tenant, local: true, make: c.selected("ManagedIdentityCredential", "prod", c.managed)},
	}
}

// tools are the developer tools that may be signed in. They keep no tokens for us, so
// theirs are kept here.
func (c *chain) tools() []link {
	return []link{
		{name: "Azure CLI", tenant: c.tenant, tool: true, make: c.selected("AzureCLICredential", "dev", func(context.Context) (azcore.TokenCredential, error) {
			return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: c.tenant})
		})},
		{name: "Azure Developer CLI", tenant: c.tenant, tool: true, make: c.selected("AzureDeveloperCLICredential", "dev", func(context.Context) (azcore.TokenCredential, error) {
			return azidentity.NewAzureDeveloperCLICredential(&azidentity.AzureDeveloperCLICredentialOptions{TenantID: c.tenant})
		})},
		{name: "Azure PowerShell", tenant: c.tenant, tool: true, make: c.selected("AzurePowerShellCredential", "dev", func(context.Context) (azcore.TokenCredential, error) {
			return azidentity.NewAzurePowerShellCredential(&azidentity.AzurePowerShellCredentialOptions{TenantID: c.tenant})
		})},
	}
}

// selected leaves a member of the default chain out where AZURE_TOKEN_CREDENTIALS, as the
// SDK defines it, names another member or the other half of the chain.
func (c *chain) selected(name, half string, m maker) maker {
	only := c.cfg.Environment.Only
	if only == "" || strings.EqualFold(only, name) || only == half {
		return m
	}
	return func(context.Context) (azcore.TokenCredential, error) {
		return nil, unset("left out by AZURE_TOKEN_CREDENTIALS=" + only)
	}
}

func (c *chain) workload(context.Context) (azcore.TokenCredential, error) {
	env := c.cfg.Environment
	if env.FederatedTokenFile == "" {
		return nil, unset("AZURE_FEDERATED_TOKEN_FILE is not set")
	}
	if env.ClientID == "" || c.tenant == "" {
		return nil, unset("AZURE_CLIENT_ID or the tenant ID is not set")
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: c.cfg.Options, ClientID: env.ClientID, TenantID: c.tenant, TokenFilePath: env.FederatedTokenFile,
		DisableInstanceDiscovery: c.private,
	})
}

func (c *chain) managed(ctx context.Context) (azcore.TokenCredential, error) {
	source, err := managedidentity.GetSource()
	if err != nil {
		return nil, err
	}
	if source == managedidentity.DefaultToIMDS && !c.metadataAnswers(ctx) {
		return nil, unset("no metadata service answers: this is no Azure machine")
	}
	opt := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: c.cfg.Options}
	opt.Retry = policy.RetryOptions{} // the metadata service has a retry schedule of its own
	if id := c.cfg.Environment.ClientID; id != "" {
		opt.ID = azidentity.ClientID(id)
	}
	return azidentity.NewManagedIdentityCredential(opt)
}

// The instance metadata service of an Azure machine, and how long it may take to show
// that it is there. Elsewhere the address leads nowhere and a connection would hang.
const (
	metadataURL  = "http://169.254.169.254/metadata/identity/oauth2/token"
	metadataWait = time.Second
)

// metadataAnswers asks without the header that the service demands: any answer will do.
func (c *chain) metadataAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, metadataWait)
	defer cancel()
	req, err := runtime.NewRequest(ctx, http.MethodGet, metadataURL)
	if err != nil {
		return false
	}
	opt := c.cfg.Options
	opt.Retry.MaxRetries = -1
	resp, err := runtime.NewPipeline("atg", "v1", runtime.PipelineOptions{}, &opt).Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}

// interactive asks a person to sign in.
func (c *chain) interactive() link {
	l := link{name: "interactive", tenant: c.tenant}
	switch {
	case !c.cfg.AllowInteractive:
		l.make = func(context.Context) (azcore.TokenCredential, error) {
			return nil, unset(first(c.cfg.Refused, "not allowed"))
		}
	case c.cfg.DevicePrompt != nil:
		l.name = "device code"
		l.make = func(context.Context) (azcore.TokenCredential, error) {
			return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
				ClientOptions: c.cfg.Options, TenantID: c.tenant, DisableInstanceDiscovery: c.private,
				UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
					c.cfg.DevicePrompt(m.Message)
					return nil
				},
			})
		}
	default:
		l.name = "browser"
		l.make = func(context.Context) (azcore.TokenCredential, error) {
			return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
				ClientOptions: c.cfg.Options, TenantID: c.tenant, DisableInstanceDiscovery: c.private,
			})
		}
	}
	return l
}

// isUnset tells whether err says no more than that a link is not configured, or in part.
func isUnset(err error) bool {
	var u unset
	var p partial
	return errors.As(err, &u) || errors.As(err, &p)
}

// isAbsent tells whether nobody has set the link up. Of a developer tool that is not
// installed azidentity says so in words alone.
func isAbsent(err error) bool {
	var u unset
	return errors.As(err, &u) || strings.Contains(err.Error(), "executable not found on path")
}
