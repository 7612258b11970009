// Package event holds the typed facts that a run emits. The engine makes them, the
// view shows them; neither knows the other.
package event

import (
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Event is one of the types of this package.
type Event interface {
	// Type is the event's name in machine output: "item-done".
	Type() string
}

// Sink takes events. It must be safe for concurrent use and must not block for long.
type Sink func(Event)

// Phase is a stage of a run.
type Phase string

// The phases, in order. A run has some of them.
const (
	Inventory Phase = "inventory"
	Pairing   Phase = "pairing"
	Planning  Phase = "plan"
	Applying  Phase = "apply"
	Verifying Phase = "verify"
)

// RunStarted opens every run.
type RunStarted struct {
	Run          string      `json:"run"`
	Command      string      `json:"command"` // "plan", "apply", "verify", "demo"
	Mode         plugin.Mode `json:"mode"`
	SourceTenant string      `json:"sourceTenant"`
	TargetTenant string      `json:"targetTenant"`
	Time         time.Time   `json:"time"`
}

// PhaseStarted says that a stage begins.
type PhaseStarted struct {
	Phase Phase `json:"phase"`
}

// Paired says which target a source resource was given, and by which rule.
type Paired struct {
	Source string `json:"source"` // resource ID
	Target string `json:"target"`
	Rule   string `json:"rule"`
}

// Unpaired says that a source resource has no target.
type Unpaired struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
}

// ResourceStarted says that work on one pair begins in a phase.
type ResourceStarted struct {
	Phase  Phase  `json:"phase"`
	Plugin string `json:"plugin"`
	Source string `json:"source"`
	Target string `json:"target"`
}

// ResourceDone says that work on one pair ended in a phase. Err is set where a whole
// page or the resource itself could not be read.
type ResourceDone struct {
	Phase  Phase  `json:"phase"`
	Source string `json:"source"`
	Items  int64  `json:"items"`
	Err    error  `json:"-"`
}

// ResourceSkipped says that a pair is not worked on at all.
type ResourceSkipped struct {
	Phase  Phase  `json:"phase"`
	Source string `json:"source"`
	Target string `json:"target"`
	Reason string `json:"reason"`
}

// ItemPlanned says what would be done with an item. Err is set if it could not be
// compared at all.
type ItemPlanned struct {
	Resource string       `json:"resource"` // source resource ID
	Item     plugin.Key   `json:"item"`
	Kind     string       `json:"kind"`
	State    plugin.State `json:"state"`
	Fields   []string     `json:"fields,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Err      error        `json:"-"`
}

// ItemStarted says that a worker took an item.
type ItemStarted struct {
	Resource string     `json:"resource"`
	Item     plugin.Key `json:"item"`
	Kind     string     `json:"kind"`
}

// ItemProgress says how much of a large item was moved so far. It comes at most a few
// times a second for each item, and never for small ones.
type ItemProgress struct {
	Resource string     `json:"resource"`
	Item     plugin.Key `json:"item"`
	Bytes    int64      `json:"bytes"`
	Size     int64      `json:"size"` // -1 unknown
}

// ItemDone says how an item ended. Err is set if and only if Status is Failed.
type ItemDone struct {
	Resource string        `json:"resource"`
	Item     plugin.Key    `json:"item"`
	Kind     string        `json:"kind"`
	Status   plugin.Status `json:"status"`
	Reason   string        `json:"reason,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
	Bytes    int64         `json:"bytes,omitempty"`
	Duration time.Duration `json:"duration"`
	Err      error         `json:"-"`
}

// ItemVerified says how an item compared after the work. Err is set if it could not be
// compared at all.
type ItemVerified struct {
	Resource string       `json:"resource"`
	Item     plugin.Key   `json:"item"`
	Kind     string       `json:"kind"`
	State    plugin.State `json:"state"`
	Proven   bool         `json:"proven"`
	Fields   []string     `json:"fields,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Err      error        `json:"-"`
}

// Retrying says that an item failed in a passing way and will be tried again.
type Retrying struct {
	Resource string        `json:"resource"`
	Item     plugin.Key    `json:"item"`
	Attempt  int           `json:"attempt"`
	Wait     time.Duration `json:"wait"`
	Requeued bool          `json:"requeued,omitempty"` // it is tried once more after all others, not after Wait
	Err      error         `json:"-"`
}

// Throttled says that a host asked for a pause.
type Throttled struct {
	Host string        `json:"host"`
	Wait time.Duration `json:"wait"`
}

// RunFinished closes every run.
type RunFinished struct {
	Run  string    `json:"run"`
	Time time.Time `json:"time"`
}

// Type implements Event.
func (RunStarted) Type() string { return "run-started" }

// Type implements Event.
func (PhaseStarted) Type() string { return "phase-started" }

// Type implements Event.
func (Paired) Type() string { return "paired" }

// Type implements Event.
func (Unpaired) Type() string { return "unpaired" }

// Type implements Event.
func (ResourceStarted) Type() string { return "resource-started" }

// Type implements Event.
func (ResourceDone) Type() string { return "resource-done" }

// Type implements Event.
func (ResourceSkipped) Type() string { return "resource-skipped" }

// Type implements Event.
func (ItemProgress) Type() string { return "item-progress" }

// Type implements Event.
func (ItemPlanned) Type() string { return "item-planned" }

// Type implements Event.
func (ItemStarted) Type() string { return "item-started" }

// Type implements Event.
func (ItemDone) Type() string { return "item-done" }

// Type implements Event.
func (ItemVerified) Type() string { return "item-verified" }

// Type implements Event.
func (Retrying) Type() string { return "retrying" }

// Type implements Event.
func (Throttled) Type() string { return "throttled" }

// Type implements Event.
func (RunFinished) Type() string { return "run-finished" }
