// Package settings replicates what is set for a storage account's services as a whole and
// belongs to its data rather than to its deployment: CORS rules, the static website and
// the lifecycle management policy.
//
// They are singletons: every account has them, empty if nobody set them. What is empty at
// the source is no item; what is empty at the target is missing there.
package settings

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The kinds of item, as they stand in Item.Kind.
const (
	kindCORS      = "cors-rules"
	kindWebsite   = "static-website"
	kindLifecycle = "lifecycle-policy"
)

// setting is one thing that can be set. Its value is JSON as the service has it, nil if it
// is not set.
type setting struct {
	key     plugin.Key
	kind    string
	service account.Service // that the account must have; "": any
	read    func(ctx context.Context, a *account.Account) (any, error)
	write   func(ctx context.Context, a *account.Account, value any) error
	reads   string // the rights that the two need
	writes  string
	declare func(res plugin.Resource, value any) iac.Block
}

const provider = "Microsoft.Storage/storageAccounts/"

// all are the settings in the order in which they are copied.
func all() []setting {
	out := []setting{
		{
			key: "website", kind: kindWebsite, service: account.Blob, read: readWebsite, write: writeWebsite,
			reads: provider + "blobServices/read", writes: provider + "blobServices/write", declare: declareWebsite,
		},
		{
			key: "lifecycle", kind: kindLifecycle, service: account.Blob, read: readLifecycle, write: writeLifecycle,
			reads: provider + "managementPolicies/read", writes: provider + "managementPolicies/write", declare: declareLifecycle,
		},
	}
	for _, s := range []account.Service{account.Blob, account.File, account.Queue, account.Table} {
		name := string(s) + "Services"
		out = append(out, setting{
			key: plugin.Key("cors/" + s), kind: kindCORS, service: s, read: corsOf(name), write: setCORS(name),
			reads: provider + name + "/read", writes: provider + name + "/write", declare: declareCORS(name),
		})
	}
	return out
}

// Part is the settings of an account's services. Make one with New.
type Part struct{ all []setting }

var _ part.Part = (*Part)(nil)

// New returns the settings of an account's services.
func New() *Part { return &Part{all()} }

// About implements part.Part.
func (p *Part) About() part.About {
	return part.About{
		Name: "settings", PerSecond: 2,
		Items: []plugin.ItemKind{
			{Name: kindWebsite, Plural: "static websites"},
			{Name: kindLifecycle, Plural: "lifecycle policies"},
			{Name: kindCORS, Plural: "sets of CORS rules"},
		},
		Cannot: []string{
			"Versioning, soft delete, change feed, replication, inventory and other switches of an account's services belong to the control plane.",
		},
		Permissions: p.permissions,
	}
}

func (p *Part) permissions(plugin.Mode) []plugin.Permission {
	var out []plugin.Permission
	seen := map[string]bool{}
	add := func(side plugin.Side, action, reason string) {
		if id := string(side) + action; !seen[id] {
			seen[id] = true
			out = append(out, plugin.Permission{Side: side, Actions: []string{action}, Reason: reason})
		}
	}
	for _, s := range p.all {
		add(plugin.Source, s.reads, "read "+s.says())
		add(plugin.Target, s.reads, "see "+s.says()+" that the target has")
		add(plugin.Target, s.writes, "set "+s.says())
	}
	return out
}

// says names a setting in a sentence.
func (s setting) says() string {
	switch s.kind {
	case kindWebsite:
		return "the static website"
	case kindLifecycle:
		return "the lifecycle management policy"
	default:
		return "the CORS rules of the " + string(s.service) + " service"
	}
}

// Discover implements part.Part. A cursor is the key of the item that came last.
func (p *Part) Discover(ctx context.Context, l part.Listing, yield func(plugin.Item, error) bool) bool {
	passed := l.After == ""
	for _, s := range p.all {
		if !passed {
			passed = string(s.key) == l.After
			continue
		}
		if !l.Source.Has(s.service) {
			continue
		}
		value, err := s.read(ctx, l.Source)
		if err != nil {
			if !yield(plugin.Item{}, l.Fail("read "+s.says(), err, s.reads)) || ctx.Err() != nil {
				return false
			}
			continue
		}
		if value != nil && !yield(plugin.Item{Key: s.key, Kind: s.kind, Cursor: string(s.key), Ref: plugin.Encode(struct{}{})}, nil) {
			return false
		}
	}
	return true
}

// find returns the setting of a job, and what both sides have.
func (p *Part) find(ctx context.Context, j part.Job) (s setting, src, dst any, err error) {
	for _, known := range p.all {
		if known.key == j.Item.Key {
			s = known
		}
	}
	if s.read == nil {
		return s, nil, nil, j.Problem("start", "", errs.Invalid, fmt.Errorf("there is no setting %s", j.Item.Key))
	}
	if src, err = s.read(ctx, j.From); err != nil {
		return s, nil, nil, j.Fail("read "+s.says(), plugin.Source, err, s.reads)
	}
	if src == nil {
		return s, nil, nil, j.Problem("copy", plugin.Source, errs.NotFound, errors.New("it was removed after it was listed"))
	}
	if j.To.Has(s.service) {
		if dst, err = s.read(ctx, j.To); err != nil {
			return s, src, nil, j.Fail("read "+s.says(), plugin.Target, err, s.reads)
		}
	}
	return s, src, dst, nil
}

// lacks says that the target has no such service.
func (s setting) lacks() string {
	return "the target's kind of account has no " + string(s.service) + " service"
}

// Replicate implements part.Part.
func (p *Part) Replicate(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	s, src, dst, err := p.find(ctx, j)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case !j.To.Has(s.service):
		return part.Skipped(s.lacks())
	case reflect.DeepEqual(src, dst):
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case dst != nil && !j.Overwrite:
		return plugin.Outcome{}, j.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target has other %s", strings.TrimPrefix(s.says(), "the ")))
	}
	j.To.Wrote()
	if err := s.write(ctx, j.To, src); err != nil {
		return plugin.Outcome{}, j.Fail("set "+s.says(), plugin.Target, err, s.writes)
	}
	if dst != nil {
		return plugin.Outcome{Status: plugin.Updated}, nil
	}
	return plugin.Outcome{Status: plugin.Created}, nil
}

// Compare implements part.Part.
func (p *Part) Compare(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	s, src, dst, err := p.find(ctx, j)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case !j.To.Has(s.service):
		return part.Cannot(s.lacks())
	case dst == nil:
		return plugin.Comparison{State: plugin.Missing}, nil
	case !reflect.DeepEqual(src, dst):
		return part.Verdict([]string{"rules"}), nil
	}
	return part.Verdict(nil), nil
}

// Declare implements part.Part.
func (p *Part) Declare(ctx context.Context, j part.Job) ([]iac.Block, error) {
	s, src, _, err := p.find(ctx, j)
	if err != nil || !j.To.Has(s.service) {
		return nil, err
	}
	return []iac.Block{s.declare(j.Target.Resource, src)}, nil
}

// missing tells whether Resource Manager answered that a thing is not there.
func missing(err error) bool {
	e := errs.Find(classify.Error("read", plugin.Source, "", "", err))
	return e != nil && e.Status == http.StatusNotFound
}
