package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Identity is how one side signs in.
type Identity struct {
	Side   plugin.Side
	Result *auth.Result // nil if no link of the chain won
	// Attempts are the links of the chain and what each said, the winner last.
	Attempts []auth.Attempt
	// Subscriptions are those that the principal sees, if that was asked for.
	Subscriptions []arm.Subscription
	// Err says why nobody is signed in, or why nothing is seen.
	Err error
}

// Identify signs in on both sides and tells how, whether it works or not. With check it
// also asks Resource Manager which subscriptions the principals see; a principal that sees
// none is an error of kind PermissionDenied of its side. The error of Identify itself is
// about the cloud or the end of ctx. Nothing is read of any resource.
func Identify(ctx context.Context, opt Options, check bool) (cloud.Endpoints, []Identity, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	o := &opener{opt: opt}
	if err := o.prepare(ctx); err != nil {
		return cloud.Endpoints{}, nil, err
	}
	out := []Identity{
		o.source.identify(ctx, opt, opt.Target.Principal, check),
		o.target.identify(ctx, opt, opt.Source.Principal, check),
	}
	return cloud.Of(o.source.options.Cloud), out, context.Cause(ctx)
}

func (s *side) identify(ctx context.Context, opt Options, shared auth.Principal, check bool) Identity {
	id := Identity{Side: s.name}
	var chain *auth.ChainError
	if id.Result, id.Err = s.resolve(ctx, opt, shared); id.Err != nil {
		if errors.As(id.Err, &chain) {
			id.Attempts = chain.Attempts
		}
		return id
	}
	id.Attempts = id.Result.Attempts
	if check {
		id.Subscriptions, id.Err = s.visible(ctx)
	}
	return id
}

// visible are the subscriptions that the principal sees.
func (s *side) visible(ctx context.Context) ([]arm.Subscription, error) {
	var out []arm.Subscription
	for sub, err := range s.arm.Subscriptions(ctx) {
		if err != nil {
			return out, err
		}
		out = append(out, sub)
	}
	if len(out) == 0 {
		return nil, &errs.Error{
			Op: "see any subscription", Kind: errs.PermissionDenied, Side: string(s.name),
			Err:  fmt.Errorf("the principal holds no role in any subscription of tenant %s", s.tenant),
			Hint: "give it the role Reader: `az role assignment create --role Reader --assignee PRINCIPAL --scope /subscriptions/ID`",
		}
	}
	return out, nil
}

// prepare makes both sides ready to sign in: their cloud and the pipelines of their requests.
func (o *opener) prepare(ctx context.Context) error {
	client := o.opt.Transport
	if client == nil {
		client = &http.Client{Transport: pipeline.NewTransport(1)} // with the time limits of all other requests
	}
	config, _, err := cloud.Load(ctx, o.opt.Cloud, client)
	if err != nil {
		return err
	}
	limiter, err := o.limiter()
	if err != nil {
		return err
	}
	clientOptions := func(name plugin.Side) policy.ClientOptions {
		return pipeline.New(pipeline.Options{
			Side: name, Counter: &o.requests, Cloud: config, Version: o.opt.Version, Transport: o.opt.Transport,
			Workers: o.opt.Workers, Logger: o.opt.Logger, Policies: []policy.Policy{limiter.Policy(name)},
			Throttled: func(t pipeline.Throttle) { o.opt.Emit(event.Throttled{Host: t.Host, Wait: t.Wait}) },
		})
	}
	o.source = side{name: plugin.Source, said: o.opt.Source, options: clientOptions(plugin.Source), home: &home{}}
	o.target = side{name: plugin.Target, said: o.opt.Target, options: clientOptions(plugin.Target), home: &home{}}
	return nil
}

// resolve finds the credential of s. shared is what the command line names for the other
// side.
func (s *side) resolve(ctx context.Context, opt Options, shared auth.Principal) (*auth.Result, error) {
	env := auth.FromEnvironment(s.name, opt.Env)
	cfg := auth.Config{
		Side: s.name, TenantID: s.said.TenantID, Flags: s.said.Principal, Shared: shared,
		Environment: env, Options: s.options, Refused: opt.NoSignIn,
		AllowInteractive: opt.DevicePrompt != nil || opt.Browser, DevicePrompt: opt.DevicePrompt,
	}
	if opt.Browser {
		cfg.DevicePrompt = nil
	}
	got, err := auth.Resolve(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s.tenant, s.credential = got.TenantID, got.Credential
	if s.sub = s.said.SubscriptionID; s.sub == "" {
		s.sub = env.SubscriptionID
	}
	s.arm = arm.NewClient(s.name, s.tenant, s.credential, s.options)
	return got, nil
}

// signIn resolves the credential of s and refuses a subscription of another tenant.
func (s *side) signIn(ctx context.Context, opt Options, shared auth.Principal) error {
	if _, err := s.resolve(ctx, opt, shared); err != nil {
		return err
	}
	if s.sub == "" {
		return nil
	}
	return s.atHome(ctx, s.sub)
}

// home are the subscriptions that are known to be of the side's tenant. No request about a
// resource is made before its subscription is known: a resource that a file or a person
// names on the wrong side would else be asked for with the other tenant's token.
type home struct {
	mu     sync.Mutex
	known  map[string]bool
	listed bool
	away   map[string]string // subscriptions of other tenants that the principal sees all the same: their tenants
}

// know notes that the subscriptions of live resources are of the side's tenant.
func (h *home) know(resources []plugin.Resource) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range resources {
		h.add(r.SubscriptionID)
	}
}

func (h *home) add(sub string) {
	if h.known == nil {
		h.known = map[string]bool{}
	}
	h.known[strings.ToLower(sub)] = true
}

// owns returns nil if a resource's subscription is of the side's tenant.
func (s *side) owns(ctx context.Context, resourceID string) error {
	id, err := azarm.ParseResourceID(resourceID)
	if err != nil {
		return &errs.Error{Op: "read the resource", Kind: errs.Invalid, Side: string(s.name), Resource: resourceID, Err: err}
	}
	return s.atHome(ctx, id.SubscriptionID)
}

// atHome returns nil if sub is a subscription of the side's tenant that the principal
// sees. It asks Resource Manager once at most, for the list of subscriptions.
func (s *side) atHome(ctx context.Context, sub string) error {
	s.home.mu.Lock()
	defer s.home.mu.Unlock()
	key := strings.ToLower(sub)
	if s.home.known[key] {
		return nil
	}
	if err := s.list(ctx); err != nil {
		return err
	}
	e := &errs.Error{Op: "use subscription " + sub, Side: string(s.name)}
	switch away, seen := s.home.away[key]; {
	case s.home.known[key]:
		return nil
	case seen:
		e.Kind, e.Err = errs.Invalid, fmt.Errorf("it is of tenant %s; this side is tenant %s", away, s.tenant)
		e.Hint = fmt.Sprintf("--%[1]s-tenant-id and --%[1]s-subscription-id must belong together", s.name)
	default:
		e.Kind, e.Code = errs.NotFound, "SubscriptionNotFound" // as Resource Manager says to those who hold no role there
		if len(s.home.known)+len(s.home.away) == 0 {
			e.Kind = errs.PermissionDenied
		}
		e.Err = fmt.Errorf("the principal sees no such subscription in tenant %s", s.tenant)
		e.Hint = fmt.Sprintf("check --%[1]s-subscription-id and --%[1]s-tenant-id, and that the %[1]s principal holds a role there: `atg auth status --check` shows what it sees", s.name)
	}
	return e
}

// list fills home; its lock is held.
func (s *side) list(ctx context.Context) error {
	if s.home.listed {
		return nil
	}
	s.home.away = map[string]string{}
	for sub, err := range s.arm.Subscriptions(ctx) {
		switch {
		case err != nil:
			return err
		case strings.EqualFold(sub.TenantID, s.tenant):
			s.home.add(sub.ID)
		default:
			s.home.away[strings.ToLower(sub.ID)] = sub.TenantID
		}
	}
	s.home.listed = true
	return nil
}

// familiar notes what the inventories found in Azure itself, and holds the files with the
// resources' secrets against what they found.
func (o *opener) familiar(sources, targets []plugin.Resource, types []string) error {
	if o.source.live() {
		o.source.home.know(sources)
	}
	if o.target.live() {
		o.target.home.know(targets)
	}
	return errors.Join(o.opt.Source.Secrets.Check(sources, types), o.opt.Target.Secrets.Check(targets, types))
}
