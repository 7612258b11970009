package journal

import (
	"encoding/json"
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Run is what a journal says about its run as a whole.
type Run struct {
	ID           string                     `json:"id"`
	Command      string                     `json:"command"`
	Version      string                     `json:"version"` // of the program that began it
	Mode         plugin.Mode                `json:"mode"`
	Overwrite    bool                       `json:"overwrite,omitempty"`
	Settings     map[string]plugin.Settings `json:"settings,omitempty"` // by plugin name
	SourceTenant string                     `json:"sourceTenant"`
	TargetTenant string                     `json:"targetTenant"`
	Started      time.Time                  `json:"started"`
	Updated      time.Time                  `json:"updated"`          // when its state last changed
	Status       Status                     `json:"status"`           // how it ended, if it did
	Report       json.RawMessage            `json:"report,omitempty"` // the last report, as the engine wrote it
	// Spec is what the caller needs to continue the run, in a form of its own. It must
	// not hold a secret.
	Spec json.RawMessage `json:"spec,omitempty"`
}

// Status is how a run ended.
type Status string

// The statuses of a run.
const (
	Unfinished Status = "unfinished" // it is at work, or its process died
	Finished   Status = "finished"   // nothing failed
	Partial    Status = "partial"    // some items failed, or some resources could not be listed
	Canceled   Status = "canceled"   // it was stopped; it can be resumed
)

// Pair is a pair of resources of a run, as it is stored.
type Pair struct {
	Source        string `json:"source"` // resource ID
	Target        string `json:"target"`
	Type          string `json:"type"`
	Plugin        string `json:"plugin"`
	PluginVersion string `json:"pluginVersion"`
	Rule          string `json:"rule"`
	// Cursor is where listing can go on: behind the last item that had a cursor.
	Cursor string `json:"cursor,omitempty"`
	// Listed says that the source was listed to its end, without a gap.
	Listed bool `json:"listed"`
}

// State is how far an item came: Pending, Started or one of plugin.Statuses.
type State string

// The states that are no outcome.
const (
	Pending State = "pending" // discovered
	Started State = "started" // an attempt began and its end is not recorded: it is in doubt
)

// numbers are the states as they are stored. They never change.
var numbers = map[State]int{
	Pending: 0, Started: 1,
	State(plugin.Created): 2, State(plugin.Updated): 3, State(plugin.Unchanged): 4, State(plugin.Skipped): 5, State(plugin.Failed): 6,
}

// names is the reverse of numbers.
var names = func() map[int]State {
	out := map[int]State{}
	for s, n := range numbers {
		out[n] = s
	}
	return out
}()

// Ref names an item in a journal: its pair and its place among the items of that pair.
type Ref struct {
	Pair int
	Seq  int64
}

// Item is an item as it is stored.
type Item struct {
	Ref
	plugin.Item
	State      State
	Attempts   int    // so far
	Checkpoint []byte // the last one saved, or nil
}

// Ending is how an attempt at an item ended, or how the item did.
type Ending struct {
	From     State  // what is recorded so far
	To       State  // Started: it will be tried again
	Attempts int    // so far
	Reason   string // why it was skipped
	Warnings []string
	Bytes    int64
	Err      error // of the last attempt; nil if it did not fail
}

// Verdict is why an item is not proven equal.
type Verdict struct {
	Pair   int          `json:"pair"`
	Key    plugin.Key   `json:"item"`
	Kind   string       `json:"kind"`
	State  plugin.State `json:"state"` // Same: it is there, but not provably equal
	Fields []string     `json:"fields,omitempty"`
	Reason string       `json:"reason,omitempty"`
}

// Count is a number of items of one kind and state in one pair.
type Count struct {
	Pair  int
	Kind  string
	State State
	Items int64
	Bytes int64
}

// Failure is the last error of an item, in full.
type Failure struct {
	Source    string        `json:"source"` // resource IDs
	Target    string        `json:"target"`
	Item      plugin.Key    `json:"item"`
	Kind      string        `json:"kind"`
	Phase     string        `json:"phase"` // "apply" or "verify"
	State     State         `json:"state"`
	Attempts  int           `json:"attempts"`
	Time      time.Time     `json:"time"`
	ErrorKind string        `json:"errorKind"`
	Message   string        `json:"message"`
	Side      string        `json:"side,omitempty"`
	Code      string        `json:"code,omitempty"`
	Status    int           `json:"status,omitempty"` // HTTP status
	RequestID string        `json:"requestId,omitempty"`
	Action    string        `json:"missingAction,omitempty"`
	Hint      string        `json:"hint,omitempty"`
	Wait      time.Duration `json:"retryAfter,omitempty"`
}

// Warning is something that could not be carried over with an item.
type Warning struct {
	Pair int        `json:"pair"`
	Key  plugin.Key `json:"item"`
	Kind string     `json:"kind"`
	Text string     `json:"text"`
}
