package plugintest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Subject is a plugin and what the suite must know of its service to judge it without
// asking it. Plugin, Resource, Seed, Host, ReadsValue and Expect are required.
type Subject struct {
	Plugin plugin.Plugin

	// Service makes the plugin's emulated service, where the emulator has none built in.
	// What it makes must be a wire.DataPlane too.
	Service func(emulator.Kit) wire.Service

	// Resource returns the body of the ARM PUT that creates the resource of one side:
	// location, tags, kind, sku, properties.
	Resource func(side plugin.Side, tenantID string) map[string]any

	// Host returns the data-plane host of the resource with a name, in lower case.
	Host func(name string) string

	// Seed returns content for a source, in the format of the emulator's service: at least
	// one object of every item kind and of every case the plugin treats on its own, and
	// about n of the commonest. Every secret value contains canary.
	Seed func(r *rand.Rand, n int, canary string) json.RawMessage

	// Bulk returns content that holds exactly n items, cheaply: n is 200,000. Nil: the
	// bounded-memory check is skipped.
	Bulk func(n int) json.RawMessage

	// Change returns content that, seeded into a resource without o, makes it hold something
	// else under o's key. Nil, or a nil result: there is nothing else of o's kind.
	Change func(o wire.Object) json.RawMessage

	// Key returns the key of the item that stands for an object of the source, and "" for
	// an object that no item stands for. Several objects may share an item. Nil: the
	// object's own key.
	Key func(o wire.Object) plugin.Key

	// Content tells whether an object is content, of which template mode makes no item. Nil:
	// template mode yields the same items as replication.
	Content func(o wire.Object) bool

	// Expect judges the target of a finished run: one sentence for each problem.
	Expect func(Site) []string

	// ReadsValue tells whether a logged request asks for content.
	ReadsValue func(wire.Request) bool

	// Writes tells whether a logged request asks for a change. Nil: its method does.
	// A service with reads by POST needs it.
	Writes func(wire.Request) bool

	// Variants are the ways to run the plugin. The first is that of every check; those of
	// whole runs and of permissions try each. Nil: the default settings only.
	Variants []Variant

	// Operations lists the provider's operations, "Microsoft.KeyVault/vaults/read", from a
	// source that is not the plugin. Nil: Permissions/Known is skipped.
	Operations []string

	// Waive names checks that the plugin cannot pass, each with the reason.
	Waive map[string]string
}

// Variant is a way to run a plugin.
type Variant struct {
	Settings plugin.Settings

	// Before returns what lies in a target before the first run: soft-deleted names, for
	// example. Nil, or a nil result: nothing.
	Before func(r *rand.Rand, n int) json.RawMessage

	// Beyond returns the permissions that these settings need and that the plugin does not
	// declare, because most runs do without. They must be needed, too. Nil: none.
	Beyond func(plugin.Mode) []plugin.Permission
}

// Site is a finished run as the emulator knows it. The lists are sorted by key.
type Site struct {
	Mode      plugin.Mode
	Settings  plugin.Settings
	Overwrite bool
	Source    []wire.Object
	Before    []wire.Object // what the target held when the run began
	Target    []wire.Object
	Outcomes  map[plugin.Key]plugin.Outcome
}

// ByKey returns objects by their own keys.
func ByKey(objects []wire.Object) map[string]wire.Object {
	m := make(map[string]wire.Object, len(objects))
	for _, o := range objects {
		m[o.Key] = o
	}
	return m
}

// Differences says how got differs from want in the named fields, or in all fields that
// either has if none is named; the values themselves are not shown.
func Differences(want, got wire.Object, fields ...string) []string {
	if len(fields) == 0 {
		all := maps.Clone(want.Fields)
		maps.Copy(all, got.Fields)
		fields = slices.Sorted(maps.Keys(all))
	}
	var out []string
	for _, f := range fields {
		if want.Fields[f] != got.Fields[f] {
			out = append(out, fmt.Sprintf("%s: field %s is not what it should be", got.Key, f))
		}
	}
	return out
}

// Problems says what is missing or wrong in s, one sentence each.
func (s Subject) Problems() []string {
	var out []string
	for name, missing := range map[string]bool{
		"Plugin": s.Plugin == nil, "Resource": s.Resource == nil, "Host": s.Host == nil,
		"Seed": s.Seed == nil, "ReadsValue": s.ReadsValue == nil, "Expect": s.Expect == nil,
	} {
		if missing {
			out = append(out, "Subject."+name+" is not set")
		}
	}
	known := map[string]bool{}
	for _, c := range Checks() {
		known[c.Name] = true
	}
	for name, reason := range s.Waive {
		if !known[name] {
			out = append(out, fmt.Sprintf("there is no check %q to waive", name))
		}
		if strings.TrimSpace(reason) == "" {
			out = append(out, fmt.Sprintf("check %q is waived without a reason", name))
		}
	}
	slices.Sort(out)
	return out
}

// key returns the key of the item that stands for o, or "".
func (s Subject) key(o wire.Object) plugin.Key {
	if s.Key != nil {
		return s.Key(o)
	}
	return plugin.Key(o.Key)
}

// keys returns the keys that Discover must find in a mode, sorted, each once.
func (s Subject) keys(objects []wire.Object, mode plugin.Mode) []plugin.Key {
	var keys []plugin.Key
	for _, o := range objects {
		if mode == plugin.Template && s.Content != nil && s.Content(o) {
			continue
		}
		if k := s.key(o); k != "" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// longMode is the mode in which a listing is long: template mode, unless it leaves content
// out.
func (s Subject) longMode() plugin.Mode {
	if s.Content != nil {
		return plugin.Replication
	}
	return plugin.Template
}

// writes tells whether a request changes something; sign-in requests never do.
func (s Subject) writes(r wire.Request) bool {
	if strings.HasPrefix(r.Host, "login.") {
		return false
	}
	if s.Writes != nil {
		return s.Writes(r)
	}
	return r.Write()
}

// variants returns every way to run the plugin; the first is that of every check.
func (s Subject) variants() []Variant {
	if len(s.Variants) == 0 {
		return []Variant{{}}
	}
	return s.Variants
}

// secretKind tells whether items of a kind hold secrets.
func (s Subject) secretKind(kind string) bool {
	return slices.ContainsFunc(s.Plugin.Info().Items, func(k plugin.ItemKind) bool { return k.Name == kind && k.Secret })
}
