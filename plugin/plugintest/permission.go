package plugintest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

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

func checkEnough(t *trial) {
	b := t.newBench(few)
	for _, settings := range t.subject.variants() {
		t.eachMode(func(mode plugin.Mode) {
			all := rightsOf(t.subject.Plugin.Permissions(mode))
			p := b.pairWith(grant(all, plugin.Source, right{}), grant(all, plugin.Target, right{}), retries)
			r := run{mode: mode, settings: settings}
			y := p.replicate(t.ctx, r)
			p.judge(what(r), r, y)
			for _, it := range y.items {
				for _, err := range p.exercise(t.ctx, it, r, nil) {
					t.errorf("%s: %s: %v", what(r), it.Key, err)
				}
			}
			if _, _, err := p.estimate(t.ctx, mode); err != nil {
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
		missing, err := c.CheckAccess(t.ctx, e, s, mode)
		if err != nil {
			t.errorf("%s mode: CheckAccess at the %s: %v", mode, s, err)
		}
		for _, m := range missing {
			t.errorf("%s mode: CheckAccess misses %v at the %s, which is granted", mode, actionsOf(m), s)
		}
	}
}

func checkMinimal(t *trial) {
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		all := rightsOf(t.subject.Plugin.Permissions(mode))
		if t.needed(b, mode, all, right{}) {
			t.skipf("%s mode is denied with all that it declares: see Permissions/Enough", mode)
		}
		for _, without := range all {
			if !t.needed(b, mode, all, without) {
				t.errorf("%s mode: a run does everything without %s at the %s", mode, without.action, without.side)
			}
		}
	})
}

// needed tells whether under some settings a run is denied for want of one right (the
// zero right: with all of them). The first step that is denied must name it.
func (t *trial) needed(b *bench, mode plugin.Mode, all []right, without right) bool {
	for _, settings := range t.subject.variants() {
		p := b.pairWith(grant(all, plugin.Source, without), grant(all, plugin.Target, without), 0)
		denied := p.denials(t.ctx, run{mode: mode, settings: settings})
		if len(denied) == 0 {
			continue
		}
		if without.action != "" && !slices.ContainsFunc(denied, func(err error) bool { return names(err, without.action) }) {
			t.errorf("%s mode: without %s at the %s the run is denied, but no error names it: %v", mode, without.action, without.side, denied[0])
		}
		return true
	}
	return false
}

// denials runs everything, onto an empty and then onto a filled target, until a step is
// denied. It returns that step's errors of kind PermissionDenied.
func (p *pair) denials(ctx context.Context, r run) []error {
	items, failed := p.discover(ctx, r)
	if _, _, err := p.estimate(ctx, r.mode); err != nil {
		failed = append(failed, err)
	}
	for range 2 {
		if denied := deniedAmong(failed); len(denied) > 0 {
			return denied
		}
		for _, it := range items {
			failed = append(failed, p.exercise(ctx, it, r, nil)...)
		}
		if denied := deniedAmong(failed); len(denied) > 0 {
			return denied
		}
		y := p.replicateItems(ctx, items, r)
		for _, k := range sorted(y.failed) {
			failed = append(failed, y.failed[k])
		}
	}
	return deniedAmong(failed)
}

func deniedAmong(failed []error) []error {
	var out []error
	for _, err := range failed {
		if errs.KindOf(err) == errs.PermissionDenied {
			out = append(out, err)
		}
	}
	return out
}

// names tells whether an error says which action is missing.
func names(err error, action string) bool {
	text := fmt.Sprint(err)
	for e := errs.Find(err); e != nil; e = errs.Find(e.Err) {
		text += " " + e.Action
	}
	return strings.Contains(strings.ToLower(text), action)
}
