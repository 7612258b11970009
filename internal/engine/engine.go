// Package engine plans, runs and verifies the replication of pairs of resources. It
// knows the plugin contract and nothing of any Azure service; it prints nothing.
//
// This package holds what every engine shares: the input of a run and its report.
// Package engine/local runs it in this process.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Pair is a source resource, the target resource that stands for it, and the plugin
// that knows their type. Both endpoints are hydrated.
type Pair struct {
	Plugin         plugin.Plugin
	Source, Target plugin.Endpoint
	Rule           string // the pairing rule that made it
	// Future says that the target is not there yet: only a plan can be made, and every item
	// is missing. The target is then known by its ID alone.
	Future bool
}

// Unpaired is a source resource for which no target was found.
type Unpaired struct {
	Resource plugin.Resource `json:"-"`
	ID       string          `json:"source"`
	Type     string          `json:"type"`
	Reason   string          `json:"reason"`
	Near     []string        `json:"near,omitempty"` // IDs of targets that nearly matched
}

// Options steer a run. The zero value of each field that has a default means that
// default; see WithDefaults.
type Options struct {
	Run          string // run ID
	Command      string // "plan", "apply", "verify", "demo"
	Version      string // of this program
	SourceTenant string // tenant IDs, for the report; default: those of the first pair
	TargetTenant string
	Mode         plugin.Mode
	Overwrite    bool
	Settings     map[string]plugin.Settings // by plugin name
	Filter       *filter.Filter             // which items are worked on; nil: all
	Unpaired     []Unpaired                 // goes into the report
	Workers      int                        // items at work at once, over all resources; default 16
	PerHost      int                        // items at work at once on one target resource; default 16
	BytesAtWork  int64                      // sum of the sizes of the items at work; default 256 MiB; a larger item runs alone
	ItemTimeout  time.Duration              // for one attempt at one item in which nothing moves; default 10 minutes
	Grace        time.Duration              // how long items at work may go on after ctx ended; default 30 seconds
	Abort        <-chan struct{}            // closed: items at work are cut at once, without grace; may be nil
	Retry        retry.Policy               // of items; requests are retried below, in the HTTP pipeline
	Emit         event.Sink                 // may be nil
	// Journal keeps the record of an Apply, and lets a later one go on with it; nil keeps
	// none. If it cannot be written any more, Apply stops as if it were canceled and
	// returns the reason beside the report.
	Journal *journal.Journal
	// Part says that the call is one stage of a run which the caller opens and closes:
	// RunStarted and RunFinished are then the caller's to emit.
	Part  bool
	Now   func() time.Time // default time.Now
	Sleep func(context.Context, time.Duration) error
}

// WithDefaults returns o with every unset field that has a default filled in.
func (o Options) WithDefaults() Options {
	o.Workers = cmp.Or(max(o.Workers, 0), 16)
	o.PerHost = cmp.Or(max(o.PerHost, 0), 16)
	o.BytesAtWork = cmp.Or(max(o.BytesAtWork, 0), 256<<20)
	o.ItemTimeout = cmp.Or(o.ItemTimeout, 10*time.Minute)
	o.Grace = cmp.Or(o.Grace, 30*time.Second)
	o.Mode = cmp.Or(o.Mode, plugin.Template)
	if o.Retry.Attempts < 1 {
		o.Retry = retry.Default()
	}
	if o.Emit == nil {
		o.Emit = func(event.Event) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o
}

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Check refuses pairs that no engine may run: one without a plugin, and any whose target
// is the source of a pair, because a source is only ever read. The error is Invalid.
func Check(pairs []Pair, opt Options) error {
	const op = "start the run"
	if !slices.Contains(plugin.Modes(), opt.Mode) {
		return &errs.Error{Op: op, Kind: errs.Invalid, Err: fmt.Errorf("there is no mode %q", opt.Mode)}
	}
	sources := map[string]bool{}
	for _, p := range pairs {
		sources[strings.ToLower(p.Source.Resource.ID)] = true
	}
	for _, p := range pairs {
		if p.Plugin == nil {
			return &errs.Error{
				Op: op, Kind: errs.Invalid, Resource: p.Source.Resource.ID,
				Err: fmt.Errorf("no plugin for type %q", p.Source.Resource.Type),
			}
		}
		if sources[strings.ToLower(p.Target.Resource.ID)] {
			return &errs.Error{
				Op: op, Kind: errs.Invalid, Resource: p.Target.Resource.ID, Side: string(plugin.Target),
				Err: errors.New("it is the target of one pair and the source of one; a source is never written"),
			}
		}
	}
	return nil
}

// Runner runs the stages of a run over pairs. A Runner keeps no state between calls.
// Each method returns an error only if the stage could not be carried out at all;
// failures of single items and resources stand in the report, and so does the end of
// ctx: no new item is then taken, and those at work may finish within Options.Grace.
type Runner interface {
	// Plan compares every item and writes nothing.
	Plan(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
	// Apply replicates every item and then verifies every item.
	Apply(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
	// Verify compares every item and reports fidelity.
	Verify(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
}
