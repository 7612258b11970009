// Package session brings a run together: it signs in to both tenants, reads both
// inventories, pairs the resources, reads the whole of each from Resource Manager and
// hands the pairs to an engine. Plan, apply, verify and the demo all go this way.
//
// It decides nothing that a user may decide and shows nothing: input comes as Options,
// output as events and as the engine's report.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth/keyfile"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/internal/inventory/neo4j"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Side is what the user says about one side of a run.
type Side struct {
	TenantID       string         // ID or domain; "": that of the credential
	SubscriptionID string         // "": every subscription that the principal sees
	ResourceGroup  string         // "": all of them
	Inventory      string         // where its resources are read, as inventory.ParsePlace has it; "": Azure
	Principal      auth.Principal // service principal named for this side; zero for none
	Secrets        *keyfile.File  // connection strings and keys of single resources; nil for none
}

// Options say what a run works on and how.
type Options struct {
	Command   string // "plan", "apply", "verify", "demo": names the run in reports
	Version   string // of this program
	Mode      plugin.Mode
	Overwrite bool
	Types     []string                   // resource types; none: every type that a plugin claims
	Settings  map[string]plugin.Settings // by plugin name
	Filter    filter.Rules               // which resources and items; none: all
	Workers   int                        // 0: the engine's default
	Unpaced   bool                       // go faster than the services' documented limits until they throttle
	Mapping   string                     // mapping file; "" for none
	// SkipAccessCheck lets Plan and Apply go without a look at the permissions beforehand.
	SkipAccessCheck bool
	Cloud           string // "": public
	// Neo4j says where a side's graph is and who reads it, if its inventory is one.
	Neo4j  neo4j.Config
	Source Side
	Target Side
	// Connection is a run that Connect began; nil: Open begins one.
	Connection *Connection
	// Planned are target resources that are about to be deployed: they are paired as if they
	// were there, and only Plan can work on such pairs. NoTarget says that nothing else is
	// where the target resources would be looked for.
	Planned  []plugin.Resource
	NoTarget bool
	// Alone says that there is no target to sign in to: every source resource is paired with
	// itself at this place. Only Declare can work on such pairs. Nil: there is a target.
	Alone *Place

	// StateDir is the directory below which Apply keeps the journal of the run; "": none
	// is kept, and a run that is cut short has to start again.
	StateDir string
	Journal  journal.Options
	// Abort, once closed, cuts what is at work at once; may be nil.
	Abort <-chan struct{}

	Registry *plugin.Registry
	Env      func(string) (string, bool) // looks up environment variables
	// DevicePrompt shows the message of a sign-in by device code, which is tried last. Nil
	// forbids every interactive sign-in.
	DevicePrompt func(message string)
	// Browser makes the sign-in that is tried last use a browser instead.
	Browser bool
	// NoSignIn says why no interactive sign-in is allowed, for people; "" says no more.
	NoSignIn  string
	Transport policy.Transporter // nil: the network
	// Choose, if it is set, is asked for mode and types as soon as the source resources are
	// known, and before the run begins. Its error ends Open.
	Choose func(context.Context, Found) (Choice, error)
	Logger *slog.Logger // may be nil
	Emit   event.Sink   // may be nil; must be safe for concurrent use
}

// Session is an open run: signed in on both sides, with its pairs found. Close must be
// called at its end.
type Session struct {
	opt      Options
	runner   engine.Runner
	engine   engine.Options
	pairs    []engine.Pair
	unpaired []engine.Unpaired
	checker  *rbac.Checker
	access   *rbac.Report // of CheckAccess; nil before it

	journal   *journal.Journal // nil: none is open
	journaled bool
	past      *journal.Run // the run that Resume opened and Apply has not gone on with
	requests  *pipeline.Counter
	found     []string // by Open: IDs of all source resources, as idsOf returns them

	source, target *arm.Client
}

// Open signs in, reads both inventories and finds the pairs. It writes nothing to Azure.
// It fails if a side cannot be signed in to or listed, if an input file is wrong, if the
// source has no resource that a plugin knows, or if no pair can be read at all; a single
// resource that has no target or cannot be read is part of the report instead.
func Open(ctx context.Context, opt Options) (*Session, error) {
	o, s, err := begin(ctx, opt, NewRunID())
	if err != nil {
		return nil, err
	}
	if s.pairs, s.unpaired, err = o.pair(ctx); err != nil {
		return nil, err
	}
	s.engine.Unpaired, s.found = s.unpaired, o.found
	return s, nil
}

// begin signs in on both sides and opens the run towards those who take its events.
func begin(ctx context.Context, opt Options, run string) (*opener, *Session, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	if opt.StateDir != "" {
		if err := journal.Writable(opt.StateDir); err != nil {
			return nil, nil, err
		}
	}
	only, err := filter.Parse(opt.Filter, time.Now())
	if err != nil {
		return nil, nil, err
	}
	o := &opener{opt: opt, filter: only}
	if opt.Connection != nil {
		o, run = opt.Connection.opener(opt, only), opt.Connection.run
	} else if err := o.signIn(ctx); err != nil {
		return nil, nil, err
	}
	if opt.Choose != nil {
		if err := o.choose(ctx); err != nil {
			return nil, nil, err
		}
		opt = o.opt
	}
	s := &Session{opt: opt, runner: local.New(), checker: rbac.NewChecker(), source: o.source.arm, target: o.target.arm, requests: &o.requests}
	s.engine = engine.Options{
		Run: run, Command: opt.Command, Version: opt.Version,
		SourceTenant: o.source.tenant, TargetTenant: o.target.tenant,
		Mode: opt.Mode, Overwrite: opt.Overwrite, Settings: opt.Settings, Filter: only,
		Workers: opt.Workers, PerHost: opt.Workers,
		Abort: opt.Abort, Emit: opt.Emit, Part: true,
	}
	opt.Emit(event.RunStarted{
		Run: run, Command: opt.Command, Mode: opt.Mode,
		SourceTenant: o.source.tenant, TargetTenant: o.target.tenant, Time: time.Now().UTC(),
	})
	return o, s, nil
}

// Run is the run's ID.
func (s *Session) Run() string { return s.engine.Run }

// Plan looks at the permissions, whose report is Access then, compares every item and
// writes nothing. Missing permissions do not stop it. The report tells what Apply would
// take.
func (s *Session) Plan(ctx context.Context) (*engine.Report, error) {
	if !s.opt.SkipAccessCheck {
		if _, err := s.CheckAccess(ctx); err != nil {
			return nil, err
		}
	}
	opt := s.engine
	opt.Command = "plan"
	before, start := s.requests.Total().Requests, time.Now()
	r, err := s.runner.Plan(ctx, s.pairs, opt)
	if err == nil && !r.Run.Canceled {
		r.Estimate = s.estimate(ctx, r, measured{s.requests.Total().Requests - before, time.Since(start)})
	}
	return r, err
}

// Apply replicates every item, then compares every item. Where a permission is missing
// it writes nothing and returns the error of MayApply. With Options.StateDir it keeps a
// journal, or goes on with the one that Resume opened. If the journal fails, the error
// comes beside the report of what was done until then.
func (s *Session) Apply(ctx context.Context) (*engine.Report, error) {
	if s.opt.Alone != nil {
		return nil, &errs.Error{Op: "copy", Kind: errs.Invalid, Err: errors.New("the run has no target")}
	}
	if err := s.MayApply(ctx); err != nil {
		return nil, err
	}
	var err error
	opt := s.engine
	if opt.Journal, err = s.record(ctx); err != nil {
		return nil, err
	}
	s.journaled, s.past = opt.Journal != nil, nil
	r, err := s.runner.Apply(ctx, s.pairs, opt)
	return r, errors.Join(err, s.closeJournal())
}

// closeJournal writes what was recorded and lets others have the run.
func (s *Session) closeJournal() error {
	if s.journal == nil {
		return nil
	}
	err := s.journal.Close()
	s.journal = nil
	return err
}

// Verify compares every item.
func (s *Session) Verify(ctx context.Context) (*engine.Report, error) {
	return s.runner.Verify(ctx, s.pairs, s.engine)
}

// Close ends the run towards those who take its events. A journal that Resume opened and
// Apply has not gone on with is left as it was.
func (s *Session) Close() {
	if s.past != nil {
		_ = putBack(context.Background(), s.journal, *s.past) // nothing was recorded: there is nothing to lose
		s.journal, s.past = nil, nil
	}
	s.opt.Emit(event.RunFinished{Run: s.engine.Run, Time: time.Now().UTC()})
}

// runIDLetters has no letter that is easily taken for another (Crockford's base 32).
const runIDLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewRunID returns a random name for a run: 8 letters and digits, 40 bits.
func NewRunID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	for i := range b {
		b[i] = runIDLetters[b[i]%32]
	}
	return string(b)
}
