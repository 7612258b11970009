package plugintest

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

// pureChecks look at what a plugin says of itself; they start nothing.
func pureChecks() []Check {
	return []Check{
		{Name: "Info", Claim: "name, version, type, modes, item kinds and settings are valid and always the same", run: checkInfo},
		{Name: "Permissions/Declared", Claim: "each permission has a side, a reason and named actions, without wildcards", run: checkDeclared},
		{Name: "Permissions/Known", Claim: "each action is an operation of the provider", run: checkKnown},
		{Name: "Permissions/TemplateSubset", Claim: "template mode needs nothing that replication does not need", run: checkTemplateSubset},
	}
}

var (
	shortName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	version   = regexp.MustCompile(`^\d+\.\d+\.\d+`)
	armType   = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*(/[A-Za-z0-9]+)+$`)
)

func checkInfo(t *trial) {
	info := t.subject.Plugin.Info()
	if _, err := plugin.NewRegistry(t.subject.Plugin); err != nil {
		t.errorf("the registry refuses it: %v", err)
	}
	if !reflect.DeepEqual(info, t.subject.Plugin.Info()) {
		t.errorf("two calls of Info differ")
	}
	t.matches("Name", info.Name, shortName)
	t.matches("Version", info.Version, version)
	t.matches("Type", info.Type, armType)
	if info.Title == "" {
		t.errorf("Title is empty")
	}
	seen := map[plugin.Mode]bool{}
	for _, m := range info.Modes {
		if !slices.Contains(plugin.Modes(), m) || seen[m] {
			t.errorf("mode %q is unknown or named twice", m)
		}
		seen[m] = true
	}
	t.checkItemKinds(info)
	t.checkSettings(info)
	for _, s := range info.Cannot {
		if strings.TrimSpace(s) == "" {
			t.errorf("Cannot has an empty sentence")
		}
	}
}

func (t *trial) checkItemKinds(info plugin.Info) {
	if len(info.Items) == 0 {
		t.errorf("Items names no kind")
	}
	seen := map[string]bool{}
	_, batches := t.subject.Plugin.(plugin.BatchReplicator)
	for _, k := range info.Items {
		t.matches("item kind", k.Name, shortName)
		if k.Batch < 0 || k.Batch > 0 && !batches {
			t.errorf("item kind %q: batches of %d, and no ReplicateBatch that takes them", k.Name, k.Batch)
		}
		if k.Plural == "" || seen[k.Name] {
			t.errorf("item kind %q has no plural or is named twice", k.Name)
		}
		seen[k.Name] = true
	}
}

func (t *trial) checkSettings(info plugin.Info) {
	seen := map[string]bool{}
	for _, s := range info.Settings {
		t.matches("setting", s.Name, shortName)
		if s.Help == "" || seen[s.Name] {
			t.errorf("setting %q has no help or is named twice", s.Name)
		}
		if len(s.Values) > 0 && !slices.Contains(s.Values, s.Default) {
			t.errorf("setting %q: the default %q is not a legal value", s.Name, s.Default)
		}
		seen[s.Name] = true
	}
}

func (t *trial) matches(what, got string, re *regexp.Regexp) {
	if !re.MatchString(got) {
		t.errorf("%s %q does not match %s", what, got, re)
	}
}

func checkDeclared(t *trial) {
	for _, mode := range t.subject.Plugin.Info().Modes {
		perms := t.subject.Plugin.Permissions(mode)
		if len(perms) == 0 {
			t.errorf("%s mode declares no permission: nothing can be done without one", mode)
		}
		for _, p := range perms {
			if p.Side != plugin.Source && p.Side != plugin.Target {
				t.errorf("%s mode: side %q", mode, p.Side)
			}
			if strings.TrimSpace(p.Reason) == "" {
				t.errorf("%s mode: %v has no reason", mode, actionsOf(p))
			}
			if len(actionsOf(p)) == 0 {
				t.errorf("%s mode: the permission to %q names no action", mode, p.Reason)
			}
			for _, a := range actionsOf(p) {
				if strings.Contains(a, "*") || strings.Count(a, "/") < 2 {
					t.errorf("%s mode: %q is not the name of one operation", mode, a)
				}
			}
		}
	}
}

func checkKnown(t *trial) {
	if len(t.subject.Operations) == 0 {
		t.skipf("the subject has no list of the provider's operations")
	}
	known := map[string]bool{}
	for _, op := range t.subject.Operations {
		known[strings.ToLower(op)] = true
	}
	for _, mode := range t.subject.Plugin.Info().Modes {
		for _, p := range t.subject.Plugin.Permissions(mode) {
			for _, a := range actionsOf(p) {
				if !known[strings.ToLower(a)] {
					t.errorf("%s mode: the provider has no operation %q", mode, a)
				}
			}
		}
	}
}

func checkTemplateSubset(t *trial) {
	info := t.subject.Plugin.Info()
	if !info.Supports(plugin.Template) || !info.Supports(plugin.Replication) {
		t.skipf("the plugin has one mode only")
	}
	full := rightsOf(t.subject.Plugin.Permissions(plugin.Replication))
	for _, r := range rightsOf(t.subject.Plugin.Permissions(plugin.Template)) {
		if !slices.Contains(full, r) {
			t.errorf("template mode needs %s at the %s, replication does not", r.action, r.side)
		}
	}
}

// right is one action on one side.
type right struct {
	side   plugin.Side
	action string // in lower case
	data   bool
}

// rightsOf takes permissions apart; each right comes once.
func rightsOf(ps []plugin.Permission) []right {
	var out []right
	add := func(r right) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, p := range ps {
		for _, a := range p.Actions {
			add(right{p.Side, strings.ToLower(a), false})
		}
		for _, a := range p.DataActions {
			add(right{p.Side, strings.ToLower(a), true})
		}
	}
	return out
}

func actionsOf(p plugin.Permission) []string { return slices.Concat(p.Actions, p.DataActions) }

// permissionChecks grant principals exactly what a plugin declares, and less.
func permissionChecks() []Check {
	return []Check{
		{Name: "Permissions/Enough", Claim: "the declared permissions are enough for everything the plugin does", run: checkEnough},
		{Name: "Permissions/Minimal", Claim: "without any one declared permission a run is denied, and the error names it", run: checkMinimal},
	}
}

// grant returns the rights of one side among all but the one left out.
func grant(all []right, s plugin.Side, without right) *lab.Rights {
	out := &lab.Rights{}
	for _, r := range all {
		switch {
		case r.side != s || r == without:
		case r.data:
			out.DataActions = append(out.DataActions, r.action)
		default:
			out.Actions = append(out.Actions, r.action)
		}
	}
	return out
}

// rightsUnder returns what a variant needs: what the plugin declares, and what the subject
// says that the variant's settings need beyond it.
func (t *trial) rightsUnder(v Variant, mode plugin.Mode) []right {
	all := slices.Clone(t.subject.Plugin.Permissions(mode))
	if v.Beyond != nil {
		all = append(all, v.Beyond(mode)...)
	}
	return rightsOf(all)
}

func checkEnough(t *trial) {
	b := t.newBench(few)
	for _, v := range t.subject.variants() {
		t.eachMode(func(mode plugin.Mode) {
			all := t.rightsUnder(v, mode)
			p := b.pairWith(v, grant(all, plugin.Source, right{}), grant(all, plugin.Target, right{}), retries)
			r := run{mode: mode, variant: v}
			y := p.replicate(t.ctx, r)
			p.judge(what(r), r, y)
			for _, it := range y.items {
				for _, err := range p.exercise(t.ctx, it, r, nil) {
					t.errorf("%s: %s: %v", what(r), it.Key, err)
				}
			}
			if _, err := p.estimate(t.ctx, mode); err != nil {
				t.errorf("%s: Estimate: %v", what(r), err)
			}
			t.checkAccess(p, mode)
		})
	}
}

// checkAccess asks a plugin that checks access itself; nothing may be missing.
func (t *trial) checkAccess(p *pair, mode plugin.Mode) {
	c, ok := t.subject.Plugin.(plugin.AccessChecker)
	if !ok {
		return
	}
	for s, e := range map[plugin.Side]plugin.Endpoint{plugin.Source: p.from.Endpoint, plugin.Target: p.to.Endpoint} {
		got, err := c.CheckAccess(t.ctx, e, lab.Caller(e.Credential), s, mode)
		if err != nil {
			t.errorf("%s mode: CheckAccess at the %s: %v", mode, s, err)
		}
		for _, m := range got.Missing {
			t.errorf("%s mode: CheckAccess misses %v at the %s, which is granted", mode, actionsOf(m), s)
		}
	}
}

// checkMinimal takes each right away: a declared one must be missed under some variant,
// one that a variant needs beyond them under that variant.
func checkMinimal(t *trial) {
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		all := t.subject.variants()
		for _, v := range all {
			if t.missed(b, mode, v, right{}) {
				t.skipf("%s mode is denied with all that it declares: see Permissions/Enough", mode)
			}
		}
		declared := rightsOf(t.subject.Plugin.Permissions(mode))
		for _, without := range declared {
			if !slices.ContainsFunc(all, func(v Variant) bool { return t.missed(b, mode, v, without) }) {
				t.errorf("%s mode: a run does everything without %s at the %s", mode, without.action, without.side)
			}
		}
		for _, v := range all {
			for _, without := range t.rightsUnder(v, mode)[len(declared):] {
				if !t.missed(b, mode, v, without) {
					t.errorf("%s: a run does everything without %s at the %s", what(run{mode: mode, variant: v}), without.action, without.side)
				}
			}
		}
	})
}

// missed tells whether a run is denied for want of one right (the zero right: with all of
// them). The denial must name it.
func (t *trial) missed(b *bench, mode plugin.Mode, v Variant, without right) bool {
	all := t.rightsUnder(v, mode)
	p := b.pairWith(v, grant(all, plugin.Source, without), grant(all, plugin.Target, without), 0)
	denied := p.denial(t.ctx, run{mode: mode, variant: v})
	if denied != nil && without.action != "" && !names(denied, without.action) {
		t.errorf("%s mode: without %s at the %s the run is denied, but the error does not name it: %v", mode, without.action, without.side, denied)
	}
	return denied != nil
}

// denial runs everything, onto an empty and then onto a filled target, and returns the
// first error of kind PermissionDenied.
func (p *pair) denial(ctx context.Context, r run) error {
	items, failed := p.discover(ctx, r)
	if _, err := p.estimate(ctx, r.mode); err != nil {
		failed = append(failed, err)
	}
	if denied := deniedAmong(failed); denied != nil {
		return denied
	}
	for range 2 {
		for _, it := range items {
			if denied := deniedAmong(p.exercise(ctx, it, r, nil)); denied != nil {
				return denied
			}
		}
		for _, it := range items {
			if _, err := p.replicateItem(ctx, it, r); errs.KindOf(err) == errs.PermissionDenied {
				return err
			}
		}
	}
	return nil
}

func deniedAmong(failed []error) error {
	for _, err := range failed {
		if errs.KindOf(err) == errs.PermissionDenied {
			return err
		}
	}
	return nil
}

// names tells whether an error says which action is missing.
func names(err error, action string) bool {
	text := fmt.Sprint(err)
	for e := errs.Find(err); e != nil; e = errs.Find(e.Err) {
		text += " " + e.Action
	}
	return strings.Contains(strings.ToLower(text), action)
}
