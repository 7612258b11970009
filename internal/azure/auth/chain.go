package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
)

const opSignIn = "sign in"

// link is one way to get a credential.
type link struct {
	name   string
	tenant string // where it signs in; "" if nobody said
	last   bool   // the chain ends with it, whether it works or not
	tool   bool   // a developer tool's: it keeps no tokens for us
	local  bool   // the machine answers, not the sign-in service
	make   maker
}

// maker makes a credential. An error of type unset says that the link is not configured.
type maker func(ctx context.Context) (azcore.TokenCredential, error)

// chain is one resolution.
type chain struct {
	cfg      Config
	scope    string
	tenant   string // of the side: an ID, a domain, or "" if nobody said
	private  bool   // Entra ID's public service does not know the sign-in service, and need not be reachable
	attempts []Attempt
	causes   []error // of the attempts that are configured
	reached  bool    // the sign-in service answered one of them
	silent   bool    // it did not answer another one
}

// unset is the reason of a link that is not configured. It is not a failure.
type unset string

func (u unset) Error() string { return string(u) }

// partial is the reason of a link that is configured in part, or for another tenant: no
// failure either, but likely to be what a person has overlooked.
type partial string

func (p partial) Error() string { return string(p) }

func (c *chain) resolve(ctx context.Context) (*Result, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	for _, l := range c.links() {
		res, err := c.try(ctx, l)
		if err == nil {
			return res, nil
		}
		if ctx.Err() != nil {
			return nil, &errs.Error{Op: opSignIn, Side: string(c.cfg.Side), Err: ctx.Err()}
		}
		if errs.KindOf(err) == errs.Invalid {
			return nil, err
		}
		c.note(l, err)
		if l.last {
			break
		}
	}
	return nil, c.failure()
}

// prepare fixes tenant and scope.
func (c *chain) prepare() error {
	arm, ok := c.cfg.Options.Cloud.Services[azcloud.ResourceManager]
	if !ok {
		config, _, err := cloud.Resolve(cloud.Public)
		if err != nil {
			return err
		}
		c.cfg.Options.Cloud, arm = config, config.Services[azcloud.ResourceManager]
	}
	c.scope = arm.Audience + "/.default"
	c.private = !cloud.Known(c.cfg.Options.Cloud.ActiveDirectoryAuthorityHost)
	c.tenant = first(c.cfg.TenantID, c.cfg.Environment.TenantID, c.cfg.Shared.TenantID)
	if !validTenant(c.tenant) {
		return c.invalid(fmt.Errorf("%q is not a tenant ID", c.tenant), "give the tenant's ID (a GUID) or one of its domains")
	}
	return nil
}

// try makes the link's credential and proves it with a token for Resource Manager. CAE is
// asked for as the SDK's clients do, so that they find this token in the cache.
func (c *chain) try(ctx context.Context, l link) (*Result, error) {
	inner, err := l.make(ctx)
	if err != nil {
		return nil, err
	}
	token, err := inner.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}, EnableCAE: true})
	if err != nil {
		return nil, err
	}
	who := claimsOf(token.Token)
	if isGUID(l.tenant) && who.TenantID != "" && !strings.EqualFold(who.TenantID, l.tenant) {
		return nil, fmt.Errorf("it gave a token of tenant %s; this side is tenant %s", who.TenantID, l.tenant)
	}
	tenant := first(who.TenantID, l.tenant)
	cred := &credential{side: c.cfg.Side, link: l.name, tenant: tenant, inner: inner, tool: l.tool}
	app := first(who.AppID, who.AuthorizedP)
	name := first(who.UPN, who.UniqueName, who.AppName, app)
	return &Result{
		Side: c.cfg.Side, Credential: cred, Link: l.name, TenantID: tenant,
		Principal: name, AppID: app, ObjectID: who.ObjectID, Expires: token.ExpiresOn,
		Attempts: append(c.attempts, Attempt{Link: l.name, Won: true, Said: first(name, "signed in")}),
	}, nil
}

func (c *chain) note(l link, err error) {
	c.attempts = append(c.attempts, Attempt{Link: l.name, Said: oneLine(err), Absent: isAbsent(err)})
	if !isUnset(err) && !isAbsent(err) {
		c.causes = append(c.causes, err)
		if !l.tool && !l.local { // a tool does not say which of the two it was
			no := kindOf(err, false) == errs.Unavailable
			c.silent, c.reached = c.silent || no, c.reached || !no
		}
	}
}

// failure is the error of a chain in which no link worked.
func (c *chain) failure() error {
	e := &errs.Error{
		Op: opSignIn, Kind: errs.Unauthenticated, Side: string(c.cfg.Side),
		Err: &ChainError{Tenant: c.tenant, Attempts: c.attempts, causes: c.causes},
	}
	for _, cause := range c.causes {
		e.Code = first(e.Code, codeOf(cause))
	}
	e.Hint = c.hint(e.Code)
	if c.silent && !c.reached {
		e.Kind, e.Hint = errs.Unavailable, hintUnreachable
	}
	return e
}

func (c *chain) invalid(err error, hint string) error {
	return &errs.Error{Op: opSignIn, Kind: errs.Invalid, Side: string(c.cfg.Side), Hint: hint, Err: err}
}
