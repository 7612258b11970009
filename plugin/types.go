package plugin

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/secret"
)

// Mode is how much is copied.
type Mode string

// The modes.
const (
	Template    Mode = "template"    // structure only: names, shapes, settings; no content is read
	Replication Mode = "replication" // everything that can be copied
)

// Modes lists every mode, the default first.
func Modes() []Mode { return []Mode{Template, Replication} }

// Side is one of the two tenants of a run.
type Side string

// The sides.
const (
	Source Side = "source" // only ever read
	Target Side = "target"
)

// Info describes a plugin.
type Info struct {
	Name     string        // short, lower case, as users type it: "keyvault"
	Title    string        // as people say it: "Key Vault"
	Version  string        // semantic version of the plugin
	Contract int           // the ContractVersion it was written for
	Type     string        // ARM resource type: "Microsoft.KeyVault/vaults"
	Kinds    []string      // tokens of the ARM kind it claims ("functionapp" matches "functionapp,linux"); nil: all that no other plugin claims
	Modes    []Mode        // supported modes
	Items    []ItemKind    // the kinds of item it yields
	After    []string      // resource types that must be done first
	PerItem  time.Duration // guess of the time for one item, where there is no Estimator
	Settings []Setting     // what a user can set: --set NAME.SETTING=VALUE
	Cannot   []string      // what it does not copy, one sentence each, for people
	Limits   []Limit       // the service's own limits, which a run keeps to of itself
}

// Limit is a limit that the service puts on requests: at most Count of them in any span
// of Per, for each host. A run waits before it would go over, instead of being refused.
type Limit struct {
	Name     string        // what is counted, for people: "secret, certificate and key writes"
	Host     string        // hosts that have the limit, each for itself, as a path.Match pattern: "*.vault.*"
	Requests []string      // what counts: method, blank, path.Match pattern of the path: "PUT /secrets/*"; nil: every request
	Count    int           // at least 1
	Per      time.Duration // longer than 0
	Source   string        // the page that says so
}

// ItemKind is a kind of item that a plugin yields.
type ItemKind struct {
	Name   string // "secret"
	Plural string // "secrets"
	Secret bool   // its content is a secret: never shown, stored or hashed
	Holds  bool   // other items have it as their Parent: a container, a directory
	Batch  int    // the most of them that one ReplicateBatch takes; 0: none
}

// Setting is an option of one plugin.
type Setting struct {
	Name    string
	Default string
	Values  []string // legal values; nil: free text
	Flag    string   // a flag of its own, beside --set: "storage-copier"; "" for none; unique among plugins
	Help    string   // one sentence
}

// Settings holds the values of a plugin's settings. A nil Settings holds the defaults' absence:
// read it through Get of the Info that declares them.
type Settings map[string]string

// Setting returns the value of the named setting: the one given, else the default.
func (i Info) Setting(s Settings, name string) string {
	if v, ok := s[name]; ok {
		return v
	}
	for _, d := range i.Settings {
		if d.Name == name {
			return d.Default
		}
	}
	return ""
}

// Supports tells whether the plugin can run in mode.
func (i Info) Supports(mode Mode) bool { return slices.Contains(i.Modes, mode) }

// Permission is a right that the principal of one side must hold at the resource.
// Exactly one of Actions and DataActions is usually set.
type Permission struct {
	Side        Side     `json:"side"`
	Actions     []string `json:"actions,omitempty"`     // control plane operations
	DataActions []string `json:"dataActions,omitempty"` // data plane operations
	Reason      string   `json:"reason"`                // what it is for, in one clause
}

// Resource is an Azure resource as ARM describes it.
type Resource struct {
	ID             string            `json:"id"`
	Type           string            `json:"type"`
	Kind           string            `json:"kind,omitempty"`
	Name           string            `json:"name"`
	ResourceGroup  string            `json:"resourceGroup,omitempty"`
	SubscriptionID string            `json:"subscriptionId,omitempty"`
	TenantID       string            `json:"tenantId,omitempty"`
	Location       string            `json:"location,omitempty"`
	SKU            string            `json:"sku,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	// Properties is the resource's "properties" object, as ARM GET returned it;
	// nil if only a listing was read.
	Properties json.RawMessage `json:"properties,omitempty"`
}

// Endpoint is one side of a pair. A plugin passes Options to every SDK client it makes:
// transport, retry, throttling, redaction and request counting come in that way.
type Endpoint struct {
	Resource   Resource
	Credential azcore.TokenCredential
	Options    policy.ClientOptions
	// Secret returns a connection string or key that the user gave for this resource.
	// It may be nil.
	Secret func(name string) (secret.Value, bool)
}

// DiscoverOptions steer Discover.
type DiscoverOptions struct {
	Mode     Mode
	Settings Settings
	After    string // Cursor of the last item that was dealt with; "" to start at the front
	// Target is the other side of the pair; nil where only the source is looked at. A plugin
	// may list it alongside and note in Item.Ref what stands there, so that an item that is
	// the same costs no request of its own. What was noted is a hint that may be old: a write
	// is made conditional on it, never on trust.
	Target *Endpoint
}

// Key names an item within its resource. It is unique there and stable between runs.
type Key string

// Item is a name tag, not the thing: small, printable, storable. It stands for what
// the service writes atomically. No field may hold a secret.
type Item struct {
	Key    Key    `json:"key"`              // "secrets/db-password"
	Parent Key    `json:"parent,omitempty"` // replicated first; "" at the top
	Kind   string `json:"kind"`             // one of Info.Items
	Size   int64  `json:"size"`             // bytes to move; -1 unknown
	Rev    string `json:"rev,omitempty"`    // source revision, for conditional reads
	// Modified is when the source last changed; zero where the service does not tell.
	Modified time.Time         `json:"modified,omitzero"`
	Digest   string            `json:"digest,omitempty"` // comparable across tenants; "" if none or if the content is secret
	Attrs    map[string]string `json:"attrs,omitempty"`  // few, for people to read
	Ref      json.RawMessage   `json:"ref,omitempty"`    // how the plugin finds the thing again; opaque to all others
	Cursor   string            `json:"cursor,omitempty"` // Discover can restart after this item; "" where it cannot
}

// Task is one item to replicate or to compare.
type Task struct {
	Source, Target Endpoint
	Mode           Mode
	Item           Item
	Settings       Settings
	Overwrite      bool               // replace what differs at the target
	Checkpoint     []byte             // what Save got on an earlier attempt, or nil
	Save           func([]byte) error // persists a checkpoint; durable when it returns nil; may be nil
	Progress       func(bytes int64)  // bytes moved so far; cheap, never blocks; may be nil
	// Confined says that the run leaves out some items of the resource: what moves more than
	// the item at hand must not.
	Confined bool
}

// Status is how an item ended.
type Status string

// The statuses. Replicate returns the first four; Failed stands for its error.
const (
	Created   Status = "created"
	Updated   Status = "updated"
	Unchanged Status = "unchanged"
	Skipped   Status = "skipped"
	Failed    Status = "failed"
)

// Statuses lists every status in the order in which reports show them.
func Statuses() []Status { return []Status{Created, Updated, Unchanged, Skipped, Failed} }

// Outcome is what Replicate did.
type Outcome struct {
	Status   Status
	Reason   string   // why it was skipped, or what a reader must know; "" otherwise
	Bytes    int64    // content bytes written to the target
	Path     string   // by which of several paths it was copied, for people: "server to server"; "" where there is one, or nothing was copied
	Warnings []string // what could not be carried over, one sentence each
}

// State is how the target's side of an item relates to the source's.
type State string

// The states.
const (
	Missing   State = "missing"   // the target lacks it; Replicate would create it
	Same      State = "same"      // nothing to do
	Different State = "different" // Replicate would update it, given Overwrite
	Cannot    State = "cannot"    // it cannot be copied or cannot be compared; see Reason
)

// Comparison is the result of Compare.
type Comparison struct {
	State State
	// Proven says, of Same, that the content was read on both sides and is equal (in
	// template mode: the structure). Same without Proven is equal as far as Azure lets see.
	Proven bool
	Fields []string // what differs, for people: "value", "tags"; never the values of secrets
	Reason string   // why it is Cannot, or Same but not Proven
}

// Estimate foretells the work under one resource.
type Estimate struct {
	Items    int64
	Bytes    int64
	Duration time.Duration // at the service's own limits
	Exact    bool          // counted, not guessed
}

// Encode turns a plugin's own reference type into an Item.Ref.
// It panics if ref cannot be marshalled, which is a defect of the plugin.
func Encode(ref any) json.RawMessage {
	b, err := json.Marshal(ref)
	if err != nil {
		panic("plugin: reference cannot be encoded: " + err.Error())
	}
	return b
}

// Decode turns an Item.Ref back into the plugin's own reference type.
func Decode[T any](it Item) (T, error) {
	var ref T
	err := json.Unmarshal(it.Ref, &ref)
	return ref, err
}
