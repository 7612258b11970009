package keyvault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The kinds of item, as they stand in Item.Kind.
const (
	kindSecret      = "secret"
	kindKey         = "key"
	kindCertificate = "certificate"
	kindIssuer      = "issuer"
	kindContacts    = "contacts"
)

// The settings and those of their values that the code asks for.
const (
	setVersions = "versions"
	setDisabled = "disabled"
	setDeleted  = "deleted"
	setKinds    = "kinds"

	allVersions    = "all"
	readDisabled   = "read"
	recoverDeleted = "recover"
	allKinds       = "all"
)

// settings are what a user can set.
var settings = []plugin.Setting{
	{
		Name: setVersions, Default: "latest", Values: []string{"latest", allVersions},
		Help: "which versions of secrets and certificates replication copies; all: every enabled version, oldest first",
	},
	{
		Name: setDisabled, Default: "report", Values: []string{"report", readDisabled},
		Help: "what replication does with disabled secrets and certificates; read CHANGES THE SOURCE: it enables the object for a moment, reads it and disables it again, which needs the right secrets/update/action or certificates/update/action there",
	},
	{
		Name: setDeleted, Default: "report", Values: []string{"report", recoverDeleted},
		Help: "what to do where a soft-deleted object holds the name at the target; recover: recover it and bring it up to date, which needs the rights recover/action and update/action of secrets, keys and certificates there; template mode keeps its values",
	},
	{
		Name: setKinds, Default: allKinds,
		Help: "which kinds of object to work at: all, or some of secret,key,certificate,issuer,contacts, separated by commas",
	},
}

// Plugin replicates Key Vaults. Make one with New. It keeps nothing but SDK clients, so
// that 10,000 items do not cost 10,000 sign-ins.
type Plugin struct {
	cache vault.Cache
	sleep func(context.Context, time.Duration) error
}

var (
	_ plugin.Plugin    = (*Plugin)(nil)
	_ plugin.Comparer  = (*Plugin)(nil)
	_ plugin.Declarer  = (*Plugin)(nil)
	_ plugin.Estimator = (*Plugin)(nil)
)

// New returns a plugin for Key Vaults.
func New() *Plugin { return NewWaiting(sleep) }

// NewWaiting returns a plugin that waits for the service by calling sleep, which returns
// early with the error of a context that ends. A service whose clock runs faster than the
// true one, as the conformance suite's does, needs no true waits.
func NewWaiting(sleep func(context.Context, time.Duration) error) *Plugin {
	return &Plugin{sleep: sleep}
}

// sleep waits for d or the end of ctx, whose error it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Info implements plugin.Plugin.
func (*Plugin) Info() plugin.Info {
	return plugin.Info{
		Name: "keyvault", Title: "Key Vault", Version: "1.0.0", Contract: plugin.ContractVersion,
		Type:  "Microsoft.KeyVault/vaults",
		Modes: plugin.Modes(),
		Items: []plugin.ItemKind{
			{Name: kindSecret, Plural: "secrets", Secret: true},
			{Name: kindKey, Plural: "keys", Secret: true},
			{Name: kindCertificate, Plural: "certificates", Secret: true},
			{Name: kindIssuer, Plural: "certificate issuers"},
			{Name: kindContacts, Plural: "certificate contacts"},
		},
		PerItem:  time.Second / writesPerSecond,
		Settings: slices.Clone(settings),
		Limits:   limits(),
		Cannot:   cannot(),
	}
}

// limits are those of one vault:
// https://learn.microsoft.com/azure/key-vault/general/service-limits. HSM keys have 10 in
// the time of 20, and reads of large keys weigh more: there throttling has to tell.
func limits() []plugin.Limit {
	const (
		host   = "*.vault.*"
		source = "https://learn.microsoft.com/azure/key-vault/general/service-limits"
		window = 10 * time.Second
	)
	return []plugin.Limit{
		{
			Name: "secrets written, certificates and keys imported", Host: host, Count: 10 * writesPerSecond, Per: window, Source: source,
			Requests: []string{"PUT /secrets/*", "POST /certificates/*/import", "PUT /keys/*"},
		},
		{
			Name: "keys created", Host: host, Count: 10 * keyCreatesPerSecond, Per: window, Source: source,
			Requests: []string{"POST /keys/*/create"},
		},
		{Name: "transactions", Host: host, Count: 4000, Per: window, Source: source},
	}
}

// cannot says what is left behind, for people.
func cannot() []string {
	return []string{
		"Key material never leaves Azure: a key is created anew in the same shape, and what was encrypted or signed with the old one still needs the old one.",
		"A certificate whose private key is not exportable is reported and not copied; template mode issues a new one from its policy.",
		"Key Vault does not give out disabled secrets: they are reported, unless the setting disabled=read lets the source be changed for a moment.",
		"The credentials of certificate issuers are write-only: issuers are created without them, and certificates of such an issuer do not renew until somebody enters them.",
		"Soft-deleted objects of the source are not copied, and older versions only with versions=all; versions of keys never are.",
		"Version IDs and times of creation and change are the service's own: references that name a version (…/secrets/NAME/VERSION) find nothing at the target.",
		"A version's expiry date can be changed but not removed, and template mode never replaces a secret that is there already.",
		"Certificates of a CA issuer are imported as they are; template mode requests new ones only if the issuer exists at the target with credentials, and skips those whose issuer is Unknown, since somebody must sign their requests by hand.",
		"Definitions of managed storage accounts are not copied; Azure has retired them.",
		"Access policies, role assignments, network rules and other settings of the vault itself belong to the control plane.",
	}
}

// job is a task with everything that it needs at hand.
type job struct {
	plugin.Task
	ref      ref
	src, dst *vault.Clients
	mark     mark // what an earlier attempt left
	sleep    func(context.Context, time.Duration) error
}

// kind is what a kind of item can do.
type kind struct {
	replicate func(*job, context.Context) (plugin.Outcome, error)
	compare   func(*job, context.Context) (plugin.Comparison, error)
	declare   func(*job, context.Context) ([]iac.Block, error)
}

var kinds = map[string]kind{
	kindSecret:      {(*job).secret, (*job).compareSecret, (*job).declareSecret},
	kindKey:         {(*job).key, (*job).compareKey, (*job).declareKey},
	kindCertificate: {(*job).certificate, (*job).compareCertificate, (*job).declareCertificate},
	kindIssuer:      {(*job).issuer, (*job).compareIssuer, (*job).declareIssuer},
	kindContacts:    {(*job).contacts, (*job).compareContacts, (*job).declareContacts},
}

// Replicate implements plugin.Plugin.
func (p *Plugin) Replicate(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
	j, k, err := p.job(t)
	if err != nil {
		return plugin.Outcome{}, err
	}
	return k.replicate(j, ctx)
}

// Compare implements plugin.Comparer.
func (p *Plugin) Compare(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
	j, k, err := p.job(t)
	if err != nil {
		return plugin.Comparison{}, err
	}
	return k.compare(j, ctx)
}

// Declare implements plugin.Declarer. Secrets are parameters; nothing secret is read.
func (p *Plugin) Declare(ctx context.Context, t plugin.Task) ([]iac.Block, error) {
	j, k, err := p.job(t)
	if err != nil {
		return nil, err
	}
	return k.declare(j, ctx)
}

func (p *Plugin) job(t plugin.Task) (*job, kind, error) {
	j := &job{Task: t, sleep: p.sleep}
	k, ok := kinds[t.Item.Kind]
	if !ok {
		return nil, kind{}, j.problem("start", "", errs.Unsupported, fmt.Errorf("items of kind %q are not known", t.Item.Kind))
	}
	var err error
	if j.ref, err = plugin.Decode[ref](t.Item); err != nil || j.ref.Name == "" {
		return nil, kind{}, j.problem("start", "", errs.Invalid, fmt.Errorf("its reference was not made by this version: plan again"))
	}
	if j.mark, err = readMark(t.Checkpoint); err != nil {
		return nil, kind{}, j.problem("resume", "", errs.Invalid, err)
	}
	if j.src, err = p.cache.For(t.Source); err != nil {
		return nil, kind{}, j.fail("reach the vault", plugin.Source, err)
	}
	if j.dst, err = p.cache.For(t.Target); err != nil {
		return nil, kind{}, j.fail("reach the vault", plugin.Target, err)
	}
	return j, k, nil
}

// setting returns the value of one of this plugin's settings.
func (j *job) setting(name string) string { return settingOf(j.Settings, name) }

func settingOf(given plugin.Settings, name string) string {
	return plugin.Info{Settings: settings}.Setting(given, name)
}

// may tells whether what differs at the target may be replaced. force is set where the
// user asked for it in another way, or where the difference is this program's own doing.
func (j *job) may(force bool) bool { return force || j.Overwrite }

// right is a data action of Microsoft.KeyVault/vaults and what it is for. The names are
// those of https://learn.microsoft.com/azure/role-based-access-control/permissions/security.
type right struct {
	action string
	reason string
}

// atSource and atTarget are what both modes need.
var (
	atSource = []right{
		{"secrets/readMetadata/action", "list the secrets and their properties"},
		{"keys/read", "list the keys and read their shape"},
		{"keyrotationpolicies/read", "read the keys' rotation policies"},
		{"certificates/read", "list the certificates and read their policies"},
		{"certificatecas/read", "read the certificate issuers"},
		{"certificatecontacts/write", "read the certificate contacts: Azure has no right that only reads them"},
	}
	atTarget = []right{
		{"secrets/readMetadata/action", "see which versions of a secret are there"},
		{"secrets/setSecret/action", "write secrets"},
		{"keys/read", "see which keys are there"},
		{"keys/create/action", "create keys"},
		{"keyrotationpolicies/read", "see the rotation policies that are there"},
		{"keyrotationpolicies/write", "set the keys' rotation policies"},
		{"certificates/read", "see which certificates are there"},
		{"certificatecas/read", "see which issuers are there"},
		{"certificatecas/write", "create certificate issuers"},
		{"certificatecontacts/write", "read and set the certificate contacts"},
	}
)

// Permissions implements plugin.Plugin. What only Overwrite or a setting needs is not
// among them: the rights to update objects in place and to recover deleted ones. Whoever
// lacks one of those gets an error that names it.
func (*Plugin) Permissions(mode plugin.Mode) []plugin.Permission {
	var out []plugin.Permission
	add := func(side plugin.Side, rights ...right) {
		for _, r := range rights {
			out = append(out, plugin.Permission{Side: side, DataActions: []string{"Microsoft.KeyVault/vaults/" + r.action}, Reason: r.reason})
		}
	}
	add(plugin.Source, atSource...)
	if mode == plugin.Replication {
		add(plugin.Source, right{"secrets/getSecret/action", "read the values of secrets and the private keys of certificates"})
	}
	add(plugin.Target, atTarget...)
	if mode == plugin.Replication {
		add(plugin.Target,
			right{"secrets/getSecret/action", "compare the values of secrets, so that nothing is written twice"},
			right{"certificates/import/action", "import certificates with their private keys"})
	} else {
		add(plugin.Target, right{"certificates/create/action", "issue certificates anew from their policies"})
	}
	return out
}
