// Package plugin is the contract between the engine and the code that knows the data
// plane of one Azure resource type. A Plugin is stateless and safe for concurrent use:
// everything it needs arrives in its arguments.
package plugin

import (
	"context"
	"iter"

	"github.com/azure-tenant-grapher/atg/iac"
)

// ContractVersion is the version of this package's contract. The registry refuses a
// plugin that was written for another one.
const ContractVersion = 1

// Plugin replicates the data plane of one Azure resource type.
type Plugin interface {
	// Info describes the plugin. It does no I/O and always returns the same value.
	Info() Info

	// Permissions lists what the principal must hold, on each side, for mode.
	// The list is minimal: the conformance suite fails if an entry is not needed.
	Permissions(mode Mode) []Permission

	// Discover streams the items under src: parents before children, each Key once,
	// never a secret value. A yielded error covers one page or subtree; the stream
	// goes on if it can. Discovery is complete if and only if no error was yielded.
	Discover(ctx context.Context, src Endpoint, opt DiscoverOptions) iter.Seq2[Item, error]

	// Replicate makes t.Item exist on t.Target. It is idempotent: if the target already
	// matches it writes nothing and reports Unchanged. If the target holds something
	// else under that name it writes only if t.Overwrite is set, and otherwise returns
	// an *errs.Error of kind Conflict. It may be called again after a crash, with the
	// last saved checkpoint. A thing that cannot be copied is Skipped with a reason.
	Replicate(ctx context.Context, t Task) (Outcome, error)
}

// The optional interfaces below are looked for once, when a plugin is registered.
// Never wrap a Plugin: the wrapper would hide them.

// Comparer reads both sides of an item and says whether they are the same. It drives
// plan, verify and the resume of items in doubt. It writes nothing and keeps nothing.
type Comparer interface {
	Compare(ctx context.Context, t Task) (Comparison, error)
}

// Declarer describes an item as infrastructure code, with parameters for secrets.
type Declarer interface {
	Declare(ctx context.Context, t Task) ([]iac.Block, error)
}

// Estimator foretells the work under src without reading its content.
type Estimator interface {
	Estimate(ctx context.Context, src Endpoint, mode Mode) (Estimate, error)
}

// Undoer removes from the target what Replicate made.
type Undoer interface {
	Undo(ctx context.Context, t Task) error
}

// BatchReplicator replicates several items of one resource in fewer requests. The engine
// calls it for kinds whose ItemKind.Batch allows it, with no more items than that. The
// tasks are of one pair, one kind and one parent, differ in what belongs to the item, and
// name each item once. None was begun by an earlier part of the run.
//
// The outcomes stand in the order of the tasks. Each says what Replicate would have said;
// one without a status leaves its item to Replicate, and an error leaves all items to it.
// A call is therefore all or nothing, or idempotent: whatever of it has happened, Replicate
// must come to the same end behind it. There is no need to try again in here, nor to find
// out which item is at fault.
type BatchReplicator interface {
	ReplicateBatch(ctx context.Context, ts []Task) ([]Outcome, error)
}

// Narrower lists the permissions for a run with settings that leave some of the work out:
// what Permissions(mode) lists, or a part of it.
type Narrower interface {
	PermissionsWith(mode Mode, s Settings) []Permission
}

// PermissionsOf lists what the principal must hold on each side for a run of p in a mode,
// with settings.
func PermissionsOf(p Plugin, mode Mode, s Settings) []Permission {
	if n, ok := p.(Narrower); ok {
		return n.PermissionsWith(mode, s)
	}
	return p.Permissions(mode)
}

// AccessChecker tells what a caller may do where Azure RBAC is not the whole truth about
// access. It judges what Permissions(mode) lists for the side by what the endpoint's
// resource says of itself, and writes nothing.
type AccessChecker interface {
	CheckAccess(ctx context.Context, e Endpoint, who Caller, side Side, mode Mode) (Access, error)
}
