package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// specSchema is the version of spec's JSON form.
const specSchema = 1

// spec is what a journal keeps of a run beside what the journal itself knows: enough to
// go on without an inventory. It is written in one record with the run, before the first
// write to Azure.
type spec struct {
	Schema   int               `json:"schema"`
	Cloud    string            `json:"cloud,omitempty"`
	Pairs    []pairRef         `json:"pairs"`
	Unpaired []engine.Unpaired `json:"unpaired,omitempty"`
	Filter   filter.Rules      `json:"filter,omitzero"`
}

// pairRef names a pair by the IDs of its ends.
type pairRef struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Rule   string `json:"rule"`
}

func pairRefs(pairs []engine.Pair) []pairRef {
	out := make([]pairRef, 0, len(pairs))
	for _, p := range pairs {
		out = append(out, pairRef{p.Source.Resource.ID, p.Target.Resource.ID, p.Rule})
	}
	return out
}

// matches is what hydrate takes.
func matches(refs []pairRef) []pairing.Match {
	out := make([]pairing.Match, 0, len(refs))
	for _, r := range refs {
		out = append(out, pairing.Match{Source: plugin.Resource{ID: r.Source}, Target: plugin.Resource{ID: r.Target}, Rule: r.Rule})
	}
	return out
}

// Journaled tells whether a journal of the run is on disk. Apply begins it.
func (s *Session) Journaled() bool { return s.journaled }

// record returns the journal of the run: the one that Resume opened, or else a new one.
// It is nil if the session keeps none.
func (s *Session) record(ctx context.Context) (*journal.Journal, error) {
	if s.journal != nil || s.opt.StateDir == "" {
		return s.journal, nil
	}
	e := s.engine
	doc, err := json.Marshal(spec{Schema: specSchema, Cloud: s.opt.Cloud, Pairs: pairRefs(s.pairs), Unpaired: s.unpaired, Filter: e.Filter.Rules()})
	if err != nil {
		return nil, &errs.Error{Op: "begin the run", Kind: errs.Internal, Err: err}
	}
	s.journal, err = journal.Begin(ctx, s.opt.StateDir, journal.Run{
		ID: e.Run, Command: e.Command, Version: e.Version, Mode: e.Mode, Overwrite: e.Overwrite, Settings: e.Settings,
		SourceTenant: e.SourceTenant, TargetTenant: e.TargetTenant, Started: time.Now().UTC(), Spec: doc,
	}, s.opt.Journal)
	return s.journal, err
}

// Finished is the error of Resume where nothing is left to do.
type Finished struct{ Run journal.Run }

// Error implements error.
func (f Finished) Error() string { return "run " + f.Run.ID + " is finished: nothing is left to do" }

// Resume opens a session that goes on with a run. Options say who signs in and how fast
// it goes; what is copied, and how, comes from the journal. It fails with Finished if the
// run is finished, with the errors of journal.Open if the journal cannot be had, and with
// kind Invalid if a side is of another tenant than the run or the mode is another one.
func Resume(ctx context.Context, id string, opt Options) (*Session, error) {
	run, err := viewed(ctx, opt.StateDir, id)
	if err != nil {
		return nil, err
	}
	if run.Status == journal.Finished {
		return nil, Finished{run}
	}
	var kept spec
	if err := json.Unmarshal(run.Spec, &kept); err != nil || kept.Schema != specSchema {
		return nil, refusal(run.ID, fmt.Errorf("its journal holds a description of the run that this version does not know (schema %d)", kept.Schema))
	}
	if opt, err = optionsOf(run, kept, opt); err != nil {
		return nil, err
	}
	j, err := journal.Open(ctx, opt.StateDir, id, opt.Journal)
	if err != nil {
		return nil, err
	}
	s, err := resume(ctx, run, kept, opt)
	if err != nil {
		return nil, errors.Join(err, putBack(ctx, j, run))
	}
	s.journal, s.journaled, s.past = j, true, &run
	return s, nil
}

func viewed(ctx context.Context, stateDir, id string) (journal.Run, error) {
	r, err := journal.View(ctx, stateDir, id)
	if err != nil {
		return journal.Run{}, err
	}
	run, err := r.Run(ctx)
	return run, errors.Join(err, r.Close())
}

// putBack closes a journal that was opened for nothing, in the state it was found in.
func putBack(ctx context.Context, j *journal.Journal, run journal.Run) error {
	if run.Status == journal.Unfinished {
		return j.Close()
	}
	return errors.Join(j.Finish(context.WithoutCancel(ctx), run.Status, run.Report), j.Close())
}

// optionsOf completes what the user says by what the run is.
func optionsOf(run journal.Run, kept spec, opt Options) (Options, error) {
	if opt.Mode != "" && opt.Mode != run.Mode {
		return opt, refusal(run.ID, fmt.Errorf("it was begun in %s mode, not %s", run.Mode, opt.Mode))
	}
	opt.Command, opt.Mode, opt.Overwrite, opt.Settings, opt.Cloud, opt.Filter = run.Command, run.Mode, run.Overwrite, run.Settings, kept.Cloud, kept.Filter
	err := errors.Join(
		expectTenant("run "+run.ID, plugin.Source, &opt.Source, run.SourceTenant, opt.Env),
		expectTenant("run "+run.ID, plugin.Target, &opt.Target, run.TargetTenant, opt.Env))
	return opt, err
}

// expectTenant makes a side sign in to the tenant that a run or a plan is of, and refuses
// another one that flags or environment name. what is that run or plan.
func expectTenant(what string, name plugin.Side, side *Side, tenant string, env func(string) (string, bool)) error {
	said := cmp.Or(side.TenantID, side.Principal.TenantID, auth.FromEnvironment(name, env).TenantID)
	if uuid.Validate(said) == nil && !strings.EqualFold(said, tenant) {
		return otherTenant(what, name, tenant, said)
	}
	side.TenantID = cmp.Or(side.TenantID, tenant)
	return nil
}

func otherTenant(what string, name plugin.Side, want, got string) error {
	return &errs.Error{
		Op: "go on with " + what, Kind: errs.Invalid, Side: string(name),
		Err:  fmt.Errorf("its %s tenant is %s; flags or environment name tenant %s", name, want, got),
		Hint: fmt.Sprintf("sign in to tenant %s: --%s-tenant-id and the environment say where (`atg help environment`)", want, name),
	}
}

func refusal(run string, why error) error {
	return &errs.Error{Op: "go on with the run", Kind: errs.Invalid, Resource: run, Err: why}
}

// resume signs in and reads the pairs of a run anew.
func resume(ctx context.Context, run journal.Run, kept spec, opt Options) (*Session, error) {
	opt.Choose = nil // it was chosen when the run began
	o, s, err := begin(ctx, opt, run.ID)
	if err != nil {
		return nil, err
	}
	if err := sameTenants("run "+run.ID, o, run.SourceTenant, run.TargetTenant); err != nil {
		return nil, err
	}
	if s.pairs, s.unpaired, err = o.hydrate(ctx, matches(kept.Pairs)); err != nil {
		return nil, err
	}
	s.unpaired = append(s.unpaired, kept.Unpaired...)
	s.engine.Unpaired = s.unpaired
	o.announce(s.pairs, s.unpaired)
	return s, nil
}

// sameTenants compares the tenants that were signed in to with those of a run or a plan.
func sameTenants(what string, o *opener, source, target string) error {
	if !strings.EqualFold(o.source.tenant, source) {
		return otherTenant(what, plugin.Source, source, o.source.tenant)
	}
	if !strings.EqualFold(o.target.tenant, target) {
		return otherTenant(what, plugin.Target, target, o.target.tenant)
	}
	return nil
}
