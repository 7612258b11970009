package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The settings that hold for every part, and those of their values that the code asks for.
const (
	setParts  = "parts"
	setSignIn = "sign-in"

	allParts = "all"
	withKey  = "key"
)

// Plugin replicates storage accounts. Make one with New. It keeps nothing but clients,
// keys and signatures, so that a million items do not cost a million of them.
type Plugin struct {
	cache account.Cache
	parts []part.Part
	info  plugin.Info
	by    map[string]part.Part // by item kind
}

var (
	_ plugin.Plugin          = (*Plugin)(nil)
	_ plugin.BatchReplicator = (*Plugin)(nil)
	_ plugin.Comparer        = (*Plugin)(nil)
	_ plugin.Declarer        = (*Plugin)(nil)
	_ plugin.Estimator       = (*Plugin)(nil)
	_ plugin.Narrower        = (*Plugin)(nil)
)

// New returns a plugin for storage accounts.
func New() *Plugin {
	p := &Plugin{parts: parts(), by: map[string]part.Part{}}
	for _, x := range p.parts {
		for _, k := range x.About().Items {
			p.by[k.Name] = x
		}
	}
	p.info = p.describe()
	return p
}

// Info implements plugin.Plugin.
func (p *Plugin) Info() plugin.Info { return p.info }

func (p *Plugin) describe() plugin.Info {
	info := plugin.Info{
		Name: "storage", Title: "Storage account", Version: "1.0.0", Contract: plugin.ContractVersion,
		Type:    "Microsoft.Storage/storageAccounts",
		Modes:   plugin.Modes(),
		PerItem: time.Second / 500,
		Settings: []plugin.Setting{
			{
				Name: setParts, Default: allParts,
				Help: "which services to work at: all, or some of " + p.names() + ", separated by commas",
			},
			{
				Name: setSignIn, Default: "entra", Values: []string{"entra", withKey},
				Help: "how to sign in to an account's services; key: with the account's key, which needs the right listKeys/action unless a key is given",
			},
		},
		Cannot: []string{
			"The account itself, its keys, network rules, encryption, role assignments and private endpoints belong to the control plane.",
		},
	}
	for _, x := range p.parts {
		about := x.About()
		info.Items = append(info.Items, about.Items...)
		info.Settings = append(info.Settings, about.Settings...)
		info.Limits = append(info.Limits, about.Limits...)
		info.Cannot = append(info.Cannot, about.Cannot...)
	}
	return info
}

// names lists the parts, separated by commas.
func (p *Plugin) names() string {
	out := ""
	for _, x := range p.parts {
		if out != "" {
			out += ","
		}
		out += x.About().Name
	}
	return out
}

// Permissions implements plugin.Plugin: what the parts need, each right once.
func (p *Plugin) Permissions(mode plugin.Mode) []plugin.Permission {
	return permissions(p.parts, mode)
}

// PermissionsWith implements plugin.Narrower: what the chosen parts need. A setting that
// cannot be read narrows nothing; the run refuses it.
func (p *Plugin) PermissionsWith(mode plugin.Mode, s plugin.Settings) []plugin.Permission {
	chosen, err := p.chosen(p.info.Setting(s, setParts))
	if err != nil {
		chosen = p.parts
	}
	return permissions(chosen, mode)
}

func permissions(parts []part.Part, mode plugin.Mode) []plugin.Permission {
	var out []plugin.Permission
	for _, x := range parts {
		for _, perm := range x.About().Permissions(mode) {
			known := slices.ContainsFunc(out, func(o plugin.Permission) bool {
				return o.Side == perm.Side && slices.Equal(o.Actions, perm.Actions) && slices.Equal(o.DataActions, perm.DataActions)
			})
			if !known {
				out = append(out, perm)
			}
		}
	}
	return out
}

// Replicate implements plugin.Plugin.
func (p *Plugin) Replicate(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
	x, j, err := p.job(t)
	if err != nil {
		return plugin.Outcome{}, err
	}
	return x.Replicate(ctx, j)
}

// ReplicateBatch implements plugin.BatchReplicator. The items of a part that takes none at
// once are left to Replicate.
func (p *Plugin) ReplicateBatch(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
	if len(ts) == 0 {
		return nil, nil
	}
	x, first, err := p.job(ts[0])
	if err != nil {
		return nil, err
	}
	b, ok := x.(part.Batcher)
	if !ok {
		return make([]plugin.Outcome, len(ts)), nil
	}
	js := make([]part.Job, len(ts))
	for i, t := range ts {
		js[i] = first
		js[i].Task = t
	}
	return b.ReplicateBatch(ctx, js)
}

// Compare implements plugin.Comparer.
func (p *Plugin) Compare(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
	x, j, err := p.job(t)
	if err != nil {
		return plugin.Comparison{}, err
	}
	return x.Compare(ctx, j)
}

// Declare implements plugin.Declarer.
func (p *Plugin) Declare(ctx context.Context, t plugin.Task) ([]iac.Block, error) {
	x, j, err := p.job(t)
	if err != nil {
		return nil, err
	}
	return x.Declare(ctx, j)
}

// job finds the part of a task's item and both accounts.
func (p *Plugin) job(t plugin.Task) (part.Part, part.Job, error) {
	j := part.Job{Task: t}
	x, ok := p.by[t.Item.Kind]
	if !ok {
		return nil, j, &errs.Error{
			Op: "start", Kind: errs.Unsupported, Resource: t.Source.Resource.ID, Item: string(t.Item.Key),
			Err: fmt.Errorf("items of kind %q are not known", t.Item.Kind),
		}
	}
	j.Setting = p.setting(t.Settings)
	useKey := j.Setting(setSignIn) == withKey
	var err error
	if j.From, err = p.cache.For(t.Source, useKey); err != nil {
		return nil, j, classify.Error("reach the account", plugin.Source, t.Source.Resource.ID, string(t.Item.Key), err)
	}
	if j.To, err = p.cache.For(t.Target, useKey); err != nil {
		return nil, j, classify.Error("reach the account", plugin.Target, t.Target.Resource.ID, string(t.Item.Key), err)
	}
	return x, j, nil
}

// setting returns what reads the plugin's settings.
func (p *Plugin) setting(given plugin.Settings) func(string) string {
	return func(name string) string { return p.info.Setting(given, name) }
}
