package engine

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Report makes the report of what was counted so far. finished is the time of the end.
func (t *Tally) Report(finished time.Time) *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &Report{
		Schema: ReportSchema, Run: t.summary(finished), Unpaired: t.opt.Unpaired,
		Unproven: t.listed(unproven), Different: t.listed(different),
		Missing: t.listed(missing), Warnings: t.listed(warnings),
		Failures: slices.Clone(t.failures), FailTotal: t.failTotal,
		Resources: resourcesOf(len(t.pairs), len(t.opt.Unpaired)),
	}
	r.Skipped = t.listed(skippedApply)
	if t.verified {
		r.Skipped = t.listed(skipped)
	}
	t.sum(r)
	return r
}

func (t *Tally) summary(finished time.Time) RunSummary {
	s := RunSummary{
		ID: t.opt.Run, Command: t.opt.Command, Version: t.opt.Version, Mode: t.opt.Mode,
		Started: t.started.UTC(), Finished: finished.UTC(),
		Seconds: finished.Sub(t.started).Seconds(), Complete: t.canceled == nil, Resumed: t.resumed,
		Filter: t.opt.Filter.Rules(),
	}
	s.SourceTenant, s.TargetTenant = Tenants(t.pairs, t.opt)
	if t.canceled != nil {
		s.Canceled, s.CanceledBy = true, t.canceled.Error()
	}
	for i := range t.each {
		if t.each[i].partial || t.each[i].skipped != "" {
			s.Complete = false
		}
	}
	return s
}

// Tenants returns the source and target tenant of a run: those of opt, or else those of
// the first pair.
func Tenants(pairs []Pair, opt Options) (source, target string) {
	source, target = opt.SourceTenant, opt.TargetTenant
	if len(pairs) > 0 {
		source = cmp.Or(source, pairs[0].Source.Resource.TenantID)
		target = cmp.Or(target, pairs[0].Target.Resource.TenantID)
	}
	return source, target
}

func resourcesOf(paired, unpaired int) Resources {
	c := countOf(int64(paired+unpaired), int64(paired))
	return Resources{Source: c.Items, Paired: c.Verified, Percent: c.Percent}
}

// listed returns the groups of a list, the largest first.
func (t *Tally) listed(l list) []Group {
	out := []Group{}
	for key, g := range t.groups {
		if key.list == l {
			c := *g
			c.Examples = slices.Clone(g.Examples)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// sum fills the numbers of r: by pair, by type, by kind and over all.
func (t *Tally) sum(r *Report) {
	r.Pairs = make([]PairReport, 0, len(t.pairs))
	r.Outcomes, r.Plan = map[plugin.Status]int64{}, map[plugin.State]int64{}
	r.Fidelity.ByType, r.Fidelity.ByKind = map[string]Count{}, map[string]map[string]Count{}
	for i := range t.each {
		r.LeftOut += t.each[i].leftOut
		p, typ := &t.each[i], t.pairs[i].Plugin.Info().Type
		if r.Fidelity.ByKind[typ] == nil {
			r.Fidelity.ByKind[typ] = map[string]Count{}
		}
		pr := PairReport{
			Source: t.pairs[i].Source.Resource.ID, Target: t.pairs[i].Target.Resource.ID, Type: typ,
			Rule: t.pairs[i].Rule, Outcomes: maps.Clone(p.outcomes), Plan: maps.Clone(p.plan),
			Paths: maps.Clone(p.paths), Bytes: p.bytes, LeftOut: p.leftOut, Skipped: p.skipped, Error: p.problem, Fidelity: countOf(0, 0),
		}
		for name, k := range p.kinds {
			c := countOf(k.items(), k.verified)
			pr.Fidelity = pr.Fidelity.plus(c)
			r.Fidelity.ByKind[typ][name] = r.Fidelity.ByKind[typ][name].plus(c)
		}
		r.Fidelity.ByType[typ] = r.Fidelity.ByType[typ].plus(pr.Fidelity)
		r.Fidelity.Count = r.Fidelity.plus(pr.Fidelity)
		addAll(r.Outcomes, p.outcomes)
		addAll(r.Plan, p.plan)
		r.Pairs = append(r.Pairs, pr)
	}
	r.Fidelity.Count = countOf(r.Fidelity.Items, r.Fidelity.Verified)
}

func addAll[K comparable](to, from map[K]int64) {
	for k, n := range from {
		to[k] += n
	}
}

// plus adds two counts.
func (c Count) plus(o Count) Count { return countOf(c.Items+o.Items, c.Verified+o.Verified) }

// countOf computes the percentage, in integers so that 100 means every single item.
func countOf(items, verified int64) Count {
	if items == 0 {
		return Count{Percent: 100}
	}
	return Count{Items: items, Verified: verified, Percent: float64(verified*10_000/items) / 100}
}
