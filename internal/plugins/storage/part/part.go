// Package part is what the services of a storage account have in common towards the
// plugin: each is a Part, and package storage puts the parts together.
package part

import (
	"context"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Part replicates one service of a storage account. It is stateless and safe for
// concurrent use, and what it returns is what the plugin returns: the contract of
// plugin.Plugin, Comparer and Declarer holds for it.
type Part interface {
	// About describes the part. It does no I/O and always returns the same.
	About() About

	// Discover yields the part's items under l, parents before children. It returns false
	// if the stream has to end: yield returned false, or the context ended (whose error it
	// has yielded). A part whose service the account lacks is not asked.
	Discover(ctx context.Context, l Listing, yield func(plugin.Item, error) bool) bool

	// Replicate copies an item of one of the part's kinds, as plugin.Plugin says.
	Replicate(ctx context.Context, j Job) (plugin.Outcome, error)

	// Compare compares one, as plugin.Comparer says.
	Compare(ctx context.Context, j Job) (plugin.Comparison, error)

	// Declare describes one, as plugin.Declarer says. A kind that has no form as code
	// gives no block and no error.
	Declare(ctx context.Context, j Job) ([]iac.Block, error)
}

// Batcher is a Part that takes several items of a kind at once, where ItemKind.Batch of
// the kind says so: the contract of plugin.BatchReplicator holds for it.
type Batcher interface {
	ReplicateBatch(ctx context.Context, js []Job) ([]plugin.Outcome, error)
}

// About is what a part says of itself.
type About struct {
	Name     string          // short: a value of the setting "parts"; unique among parts
	Service  account.Service // which the account must have; "": every account
	Items    []plugin.ItemKind
	Settings []plugin.Setting // of this part alone
	Limits   []plugin.Limit
	Cannot   []string
	// Permissions are what the part needs beyond what other parts need.
	Permissions func(plugin.Mode) []plugin.Permission
	// PerSecond is how many items the service takes in a second, for estimates.
	PerSecond int64
}

// Listing is what Discover works at.
type Listing struct {
	Source *account.Account
	Target *account.Account // nil where only the source is looked at, or where the target lacks the service
	Mode   plugin.Mode
	// After is a cursor of this part; "" to start at the front.
	After   string
	Setting func(name string) string // the value given or the default
}

// Fail wraps what the SDK returned while listing.
func (l Listing) Fail(op string, err error, actions ...string) error {
	return wrap(op, plugin.Source, l.Source.ID, "", err, actions)
}

// Job is a task with what it needs at hand.
type Job struct {
	plugin.Task
	From, To *account.Account
	Setting  func(name string) string // the value given or the default
}

// On returns the account of a side.
func (j Job) On(side plugin.Side) *account.Account {
	if side == plugin.Target {
		return j.To
	}
	return j.From
}

// Fail wraps what the SDK returned: what could not be done, at which side. actions are the
// rights that the operation needs: Storage does not name the one that is missing.
func (j Job) Fail(op string, side plugin.Side, err error, actions ...string) error {
	return wrap(op, side, j.On(side).ID, string(j.Item.Key), err, actions)
}

// Problem is an error that no service reported.
func (j Job) Problem(op string, side plugin.Side, kind errs.Kind, err error) *errs.Error {
	return &errs.Error{Op: op, Kind: kind, Side: string(side), Resource: j.On(side).ID, Item: string(j.Item.Key), Err: err}
}

// hints are for refusals by code
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
var hints = map[string]string{
	"AuthorizationFailure":               "the network may refuse this address: allow it in the account's firewall, or run from an allowed network",
	"KeyBasedAuthenticationNotPermitted": "use --set storage.sign-in=entra",
}

func wrap(op string, side plugin.Side, resource, item string, err error, actions []string) error {
	out := classify.Error(op, side, resource, item, err)
	e := errs.Find(out)
	if e == nil || e.Kind != errs.PermissionDenied {
		return out
	}
	named := *e
	if named.Action == "" {
		named.Action = strings.Join(actions, ", ")
	}
	if named.Hint == "" {
		named.Hint = hints[named.Code]
	}
	return &named
}

// Verdict turns what differs into a comparison of two things whose content was looked at.
func Verdict(fields []string) plugin.Comparison {
	if len(fields) > 0 {
		return plugin.Comparison{State: plugin.Different, Fields: fields}
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}
}

// SameMetadata compares metadata: names without regard to case, as the service does.
func SameMetadata(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	lower := make(map[string]string, len(b))
	for k, v := range b {
		lower[strings.ToLower(k)] = v
	}
	for k, v := range a {
		if w, ok := lower[strings.ToLower(k)]; !ok || v != w {
			return false
		}
	}
	return true
}

// NotCarried is the warning about what a copy leaves behind; none if that is nothing.
func NotCarried(lost ...[]string) []string {
	all := slices.Concat(lost...)
	if len(all) == 0 {
		return nil
	}
	return []string{"Not carried over: " + strings.Join(all, "; ") + "."}
}

// Skipped is the outcome of an item that cannot be copied, and why.
func Skipped(reason string) (plugin.Outcome, error) {
	return plugin.Outcome{Status: plugin.Skipped, Reason: reason}, nil
}

// Cannot is the comparison of an item that cannot be copied or compared, and why.
func Cannot(reason string) (plugin.Comparison, error) {
	return plugin.Comparison{State: plugin.Cannot, Reason: reason}, nil
}
