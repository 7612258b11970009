package rbac

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// AzureRBAC is what decides about access unless a plugin names something else.
const AzureRBAC = "Azure RBAC"

// parallel is how many resources are looked at together.
const parallel = 8

// Subject is one end of a pair: a resource, read in full, with the plugin that will work
// on it.
type Subject struct {
	Side     plugin.Side
	Plugin   plugin.Plugin
	Mode     plugin.Mode
	Settings plugin.Settings // of the plugin
	Endpoint plugin.Endpoint
}

// Checker checks resources and remembers what Azure said about each. It is safe for
// concurrent use.
type Checker struct {
	mu      sync.Mutex // guards the maps
	callers map[plugin.Side]*once[plugin.Caller]
	scopes  map[string]*once[*granted] // by side and resource ID
	roles   map[catalog.Operation]*once[string]
}

// NewChecker returns a Checker that remembers nothing yet.
func NewChecker() *Checker {
	return &Checker{callers: map[plugin.Side]*once[plugin.Caller]{}, scopes: map[string]*once[*granted]{}, roles: map[catalog.Operation]*once[string]{}}
}

// once is a value that is fetched by the first who asks for it.
type once[T any] struct {
	do    sync.Once
	value T
	err   error
}

func (o *once[T]) get(fetch func() (T, error)) (T, error) {
	o.do.Do(func() { o.value, o.err = fetch() })
	return o.value, o.err
}

// Check tells of each subject what its side's principal holds there, in the order given.
// It reads only, several subjects at a time, and each resource once however often it is
// among them. It fails if ctx ends or if a side cannot be signed in to; whatever else it
// cannot find out is Unknown in the report.
func (c *Checker) Check(ctx context.Context, subjects []Subject) (*Report, error) {
	report := &Report{Resources: make([]Resource, len(subjects))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, s := range subjects {
		group.Go(func() error {
			var err error
			report.Resources[i], err = c.checkOne(ctx, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	report.count()
	return report, nil
}

// Caller returns whom a side signs in as.
func (c *Checker) Caller(ctx context.Context, side plugin.Side, e plugin.Endpoint) (plugin.Caller, error) {
	return lookUp(&c.mu, c.callers, side).get(func() (plugin.Caller, error) { return CallerOf(ctx, side, e) })
}

func lookUp[K comparable, T any](mu *sync.Mutex, in map[K]*once[T], key K) *once[T] {
	mu.Lock()
	defer mu.Unlock()
	if in[key] == nil {
		in[key] = &once[T]{}
	}
	return in[key]
}

func (c *Checker) checkOne(ctx context.Context, s Subject) (Resource, error) {
	info, res := s.Plugin.Info(), s.Endpoint.Resource
	out := Resource{
		Side: s.Side, ID: res.ID, Name: res.Name, Type: res.Type, Plugin: info.Name, Mode: s.Mode, By: AzureRBAC,
		Rights: rightsOf(s), Network: NetworkOf(res),
	}
	who, err := c.Caller(ctx, s.Side, s.Endpoint)
	if err != nil {
		return out, err
	}
	out.Principal = who.ObjectID
	access, err := AccessOf(ctx, s, who)
	switch {
	case fatal(err):
		return out, err
	case err != nil:
		out.all(Unknown, err.Error())
		return out, nil
	case access.By != "":
		out.By = access.By
		out.fromPlugin(access)
		return out, nil
	}
	return out, c.byRole(ctx, s, who, &out)
}

// AccessOf asks the subject's plugin what decides about access at its resource. By is ""
// where Azure RBAC does.
func AccessOf(ctx context.Context, s Subject, who plugin.Caller) (plugin.Access, error) {
	checker, ok := s.Plugin.(plugin.AccessChecker)
	if !ok {
		return plugin.Access{}, nil
	}
	return checker.CheckAccess(ctx, s.Endpoint, who, s.Side, s.Mode)
}

// rightsOf lists what the subject's plugin declares for the side, one operation each, with
// nothing known about it.
func rightsOf(s Subject) []Right {
	out := []Right{}
	for _, perm := range plugin.PermissionsOf(s.Plugin, s.Mode, s.Settings) {
		if perm.Side != s.Side {
			continue
		}
		for _, op := range catalog.OperationsOf(s.Side, []plugin.Permission{perm}) {
			out = append(out, Right{Action: op.Name, Data: op.Data, Reason: perm.Reason, State: Unknown})
		}
	}
	return out
}

// all sets every right to one state.
func (r *Resource) all(state State, why string) {
	for i := range r.Rights {
		r.Rights[i].State, r.Rights[i].Why = state, why
	}
}

// fromPlugin takes over what the plugin found out.
func (r *Resource) fromPlugin(a plugin.Access) {
	missing, unknown := catalog.OperationsOf(r.Side, a.Missing), catalog.OperationsOf(r.Side, a.Unknown)
	for i, right := range r.Rights {
		op := right.operation()
		switch {
		case contains(missing, op):
			r.Rights[i].State, r.Rights[i].Why = Missing, "the "+a.By+" do not give it"
		case contains(unknown, op):
			r.Rights[i].State, r.Rights[i].Why = Unknown, a.Why
		default:
			r.Rights[i].State = Held
		}
	}
}

func contains(list []catalog.Operation, op catalog.Operation) bool {
	for _, o := range list {
		if o.Data == op.Data && strings.EqualFold(o.Name, op.Name) {
			return true
		}
	}
	return false
}

func (r Right) operation() catalog.Operation { return catalog.Operation{Name: r.Action, Data: r.Data} }

// byRole judges the rights by what Azure says of the caller's roles.
func (c *Checker) byRole(ctx context.Context, s Subject, who plugin.Caller, out *Resource) error {
	at, err := newScope(s.Side, s.Endpoint)
	if err != nil {
		out.all(Unknown, err.Error())
		return nil
	}
	key := string(s.Side) + strings.ToLower(s.Endpoint.Resource.ID)
	g, err := lookUp(&c.mu, c.scopes, key).get(func() (*granted, error) { return at.read(ctx) })
	switch {
	case fatal(err):
		return err
	case err != nil:
		out.all(Unknown, reasonOf(err))
		return nil
	}
	for i := range out.Rights {
		right := &out.Rights[i]
		right.State, right.Why = g.judge(right.operation(), who)
		if right.State == Missing {
			right.Role = c.roleFor(right.operation())
		}
	}
	return c.byCondition(ctx, at, who, out)
}

// byCondition makes unknown what is held through a role whose assignment has a condition.
func (c *Checker) byCondition(ctx context.Context, at *scope, who plugin.Caller, out *Resource) error {
	var roles *once[assigned]
	for i := range out.Rights {
		right := &out.Rights[i]
		if right.State != Held || !canBeConditional(right.operation()) {
			continue
		}
		if roles == nil {
			roles = &once[assigned]{}
		}
		got, err := roles.get(func() (assigned, error) { return at.assignments(ctx, who.ObjectID) })
		switch {
		case fatal(err):
			return err
		case err != nil:
			right.State, right.Why = Unknown, "whether a condition limits it cannot be told: "+reasonOf(err)
		case got.limits(right.operation()):
			right.State, right.Why = Unknown, "a role grants it under a condition, which Azure judges at the attempt"
		}
	}
	return nil
}

// roleFor names the built-in role that gives one operation and as little else as can be;
// "" if none does.
func (c *Checker) roleFor(op catalog.Operation) string {
	name, _ := lookUp(&c.mu, c.roles, op).get(func() (string, error) {
		if best := catalog.Least([]catalog.Operation{op}, catalog.Fewest); len(best.Roles) == 1 {
			return best.Roles[0].Name, nil
		}
		return "", nil
	})
	return name
}

// Needs lists what a side needs at a resource of a plugin's type: to read the resource
// itself, and where Azure RBAC decides about the data too, what the plugin declares.
func Needs(p plugin.Plugin, side plugin.Side, mode plugin.Mode, settings plugin.Settings, by string) []catalog.Operation {
	out := []catalog.Operation{{Name: p.Info().Type + "/read"}}
	if by != "" && by != AzureRBAC {
		return out
	}
	for _, op := range catalog.OperationsOf(side, plugin.PermissionsOf(p, mode, settings)) {
		if !contains(out, op) {
			out = append(out, op)
		}
	}
	return out
}
