package session

import (
	"context"
	"fmt"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// callsPerItem is how many requests the copy of one item takes where nobody knows better:
// a read at the source, a look at the target and a write.
const callsPerItem = 3

// measured is what a plan measured: its requests, and how long they took.
type measured struct {
	requests int64
	took     time.Duration
}

// estimate foretells what the apply of a plan would take. What every item of a resource
// would take comes from its plugin and is reduced to the share that is to be written.
func (s *Session) estimate(ctx context.Context, r *engine.Report, plan measured) *engine.Estimate {
	est := &engine.Estimate{Exact: true}
	var longest time.Duration
	for i, p := range s.pairs {
		items := r.Pairs[i].Plan[plugin.Missing]
		if s.engine.Overwrite {
			items += r.Pairs[i].Plan[plugin.Different]
		}
		if items == 0 {
			continue
		}
		whole := s.foretell(ctx, p, est)
		share := min(1, float64(items)/float64(max(whole.Items, 1)))
		est.Items += items
		est.Bytes += int64(float64(whole.Bytes) * share)
		est.Calls += items * callsPerItem
		if d := time.Duration(float64(whole.Duration) * share); d > longest {
			longest, est.Limit = d, p.Source.Resource.Name
		}
	}
	s.addTime(est, longest, plan)
	return est
}

// foretell asks the plugin of a pair what all of its items would take.
func (s *Session) foretell(ctx context.Context, p engine.Pair, est *engine.Estimate) plugin.Estimate {
	info := p.Plugin.Info()
	e, ok := p.Plugin.(plugin.Estimator)
	if !ok {
		est.Exact = false
		basis(est, "%s: %s an item, its plugin's guess", info.Title, info.PerItem)
		return plugin.Estimate{Items: 1, Duration: info.PerItem}
	}
	whole, err := e.Estimate(ctx, p.Source, s.engine.Mode)
	if err != nil {
		est.Exact = false
		basis(est, "%s could not be estimated: %s", p.Source.Resource.Name, errs.KindOf(err))
		return plugin.Estimate{}
	}
	est.Exact = est.Exact && whole.Exact
	if !s.opt.Unpaced {
		for _, l := range info.Limits {
			basis(est, "%s: at most %d %s in %s, for each host (%s)", info.Title, l.Count, l.Name, l.Per, l.Source)
		}
	}
	return whole
}

// addTime adds the requests of the items that are only looked at and of the comparison at
// the end, and the time: what the limits cost, or what the requests cost at the pace of
// the plan, whichever is longer.
func (s *Session) addTime(est *engine.Estimate, limit time.Duration, plan measured) {
	est.Calls += plan.requests // the comparison at the end looks at every item, as the plan did
	if plan.requests > 0 && plan.took > 0 {
		perSecond := float64(plan.requests) / plan.took.Seconds()
		est.Seconds = float64(est.Calls) / perSecond
		basis(est, "%d requests for an item that is written and, for the comparison at the end, the %d of this plan, at its pace of %.0f a second", callsPerItem, plan.requests, perSecond)
	}
	if s.opt.Unpaced || limit.Seconds() <= est.Seconds {
		est.Limit = ""
		return
	}
	est.Seconds = limit.Seconds()
}

// basis adds a sentence, once.
func basis(est *engine.Estimate, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	for _, b := range est.Basis {
		if b == line {
			return
		}
	}
	est.Basis = append(est.Basis, line)
}
