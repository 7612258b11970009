package auth

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Config is what is known about one side's identity before the chain is tried.
type Config struct {
	Side plugin.Side
	// TenantID is the tenant in which this side's resources are: an ID or a domain. If it is
	// empty, that of the first principal that names one is used, and at last that of the token.
	TenantID string
	// Flags is the service principal that the command line names for this side. Where it
	// is set the chain ends with it: a named identity is never swapped for another one.
	Flags Principal
	// Shared is the service principal that the command line names for the other side and
	// that serves this side too where this side's own variables name none.
	Shared Principal
	// Environment is what FromEnvironment read for this side.
	Environment Environment
	// AllowInteractive permits a sign-in by browser when everything else failed.
	AllowInteractive bool
	// DevicePrompt makes the interactive sign-in use a device code: it is given the
	// message with the address and the code to show. It matters only with AllowInteractive.
	DevicePrompt func(message string)
	// Refused says why nobody can be asked to sign in, where AllowInteractive is not set:
	// "standard input is no terminal". It stands among the links as the last one's answer.
	Refused string
	// Options is the HTTP pipeline of the side; its Cloud says where to sign in.
	Options policy.ClientOptions
}

// Principal is a service principal as somebody named it. The zero Principal names nothing.
type Principal struct {
	Origin              string // where it comes from: "--sp-*", "AZURE_DATAPLANE_*"
	TenantID            string // "": that of the side
	ClientID            string
	ClientSecret        secret.Value
	CertificatePath     string // PEM or PKCS #12 file with the private key
	CertificatePassword secret.Value
}

// named tells whether anything but a tenant is set.
func (p Principal) named() bool {
	return p.ClientID != "" || !p.ClientSecret.Empty() || p.CertificatePath != ""
}

// Attempt is one link of the chain and how it went.
type Attempt struct {
	Link string `json:"link"` // "--sp-*", "AZURE_*", "Azure CLI"
	Won  bool   `json:"won"`
	Said string `json:"said"` // why it did not win, in one line; of the winner, who it is
	// Absent says that nobody has set this link up: there was nothing that could go wrong.
	Absent bool `json:"absent,omitempty"`
}

// Result is a side's credential. It holds no token and no secret.
type Result struct {
	Side       plugin.Side            `json:"side"`
	Credential azcore.TokenCredential `json:"-"`
	Link       string                 `json:"link"`                // the link that won
	TenantID   string                 `json:"tenantId"`            // the tenant's ID, as the token says
	Principal  string                 `json:"principal,omitempty"` // user name, else application name, else application ID
	AppID      string                 `json:"appId,omitempty"`
	ObjectID   string                 `json:"objectId,omitempty"`
	Expires    time.Time              `json:"expires"`  // of the first token; later ones are fetched as needed
	Attempts   []Attempt              `json:"attempts"` // in the order of the chain, the winner last
}

// Resolve tries the links of the chain in order, each by asking for a token for Resource
// Manager, and returns the first credential that gets one of the right tenant. If none does
// it returns an *errs.Error of kind Unauthenticated that holds what each link said; flags
// that are incomplete and a certificate file that cannot be read are of kind Invalid.
func Resolve(ctx context.Context, cfg Config) (*Result, error) {
	cfg.TenantID = first(cfg.TenantID, cfg.Flags.TenantID)
	cfg.Flags.Origin = first(cfg.Flags.Origin, "flags")
	cfg.Shared.Origin = first(cfg.Shared.Origin, "flags of the other side")
	c := &chain{cfg: cfg}
	return c.resolve(ctx)
}
