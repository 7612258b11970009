// Package engine plans, runs and verifies the replication of pairs of resources. It
// knows the plugin contract and nothing of any Azure service; it prints nothing.
//
// This package holds what every engine shares: the input of a run and its report.
// Package engine/local runs it in this process.
package engine

import (
	"context"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Pair is a source resource, the target resource that stands for it, and the plugin
// that knows their type. Both endpoints are hydrated.
type Pair struct {
	Plugin         plugin.Plugin
	Source, Target plugin.Endpoint
	Rule           string // the pairing rule that made it
}

// Unpaired is a source resource for which no target was found.
type Unpaired struct {
	Resource plugin.Resource `json:"-"`
	ID       string          `json:"source"`
	Type     string          `json:"type"`
	Reason   string          `json:"reason"`
	Near     []string        `json:"near,omitempty"` // IDs of targets that nearly matched
}

// Options steer a run.
type Options struct {
	Run         string // run ID
	Command     string // "plan", "apply", "verify", "demo"
	Version     string // of this program
	Mode        plugin.Mode
	Overwrite   bool
	Settings    map[string]plugin.Settings // by plugin name
	Workers     int                        // items at work at once, over all resources; default 16
	PerHost     int                        // items at work at once on one target resource; default 16
	ItemTimeout time.Duration              // for one attempt at one item; default 10 minutes
	Retry       retry.Policy               // of items; requests are retried below, in the HTTP pipeline
	Emit        event.Sink                 // may be nil
	Now         func() time.Time           // default time.Now
	Sleep       func(context.Context, time.Duration) error
}

// Runner runs the stages of a run over pairs. A Runner keeps no state between calls.
// Each method returns an error only if the stage could not be carried out at all;
// failures of single items and resources stand in the report.
type Runner interface {
	// Plan compares every item and writes nothing.
	Plan(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
	// Apply replicates every item and then verifies every item.
	Apply(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
	// Verify compares every item and reports fidelity.
	Verify(ctx context.Context, pairs []Pair, opt Options) (*Report, error)
}
