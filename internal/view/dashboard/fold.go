package dashboard

import (
	"maps"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// stopRequested says that the run was asked to stop. The engine has no event for it: the
// one who asked knows.
type stopRequested struct{}

// Type implements event.Event.
func (stopRequested) Type() string { return "stop-requested" }

// fold takes one event that came at now into the state. Unknown events change nothing.
func (s *state) fold(e event.Event, now time.Time) {
	if s.began.IsZero() {
		s.began = now
	}
	switch e := e.(type) {
	case event.RunStarted:
		s.run, s.command, s.mode = printable(e.Run), printable(e.Command), e.Mode
		s.source, s.target = printable(e.SourceTenant), printable(e.TargetTenant)
	case event.PhaseStarted:
		s.begin(event.Phase(printable(string(e.Phase))), now)
	case event.Throttled:
		s.throttle(e, now)
	case event.RunFinished:
		s.stage().ended, s.ended = now, now
	case stopRequested:
		s.stopping = true
	case event.DeployStarted, event.DeployStep, event.DeployPlanned, event.DeployResource, event.DeployFinished:
		s.foldDeploy(e, now)
	default:
		if !s.foldResource(e, now) {
			s.foldItem(e, now)
		}
	}
}

// foldResource takes the events about pairs. It returns false for any other.
func (s *state) foldResource(e event.Event, now time.Time) bool {
	switch e := e.(type) {
	case event.Paired:
		s.resource(e.Source).target = nameOf(e.Target)
		s.stage().pairs++
	case event.Unpaired:
		s.stage().unpaired++
	case event.ResourceStarted:
		r := s.resource(e.Source)
		r.target, r.standing, r.touched = nameOf(e.Target), working, now
	case event.ResourceDone:
		r := s.resource(e.Source)
		r.standing, r.found, r.open, r.touched = done, e.Items, 0, now
		if s.stopping && r.sum.items() != r.expect {
			r.standing = cutOff
		}
		if e.Err != nil {
			r.broken = true
			s.stage().broken++
			s.fail(now, "failed "+r.source+": "+s.explain(e.Err))
		}
	case event.ResourceSkipped:
		r := s.resource(e.Source)
		r.target, r.standing, r.reason = nameOf(e.Target), leftOut, printable(e.Reason)
	default:
		return false
	}
	return true
}

// foldItem takes the events about items.
func (s *state) foldItem(e event.Event, now time.Time) {
	switch e := e.(type) {
	case event.ItemStarted:
		r := s.touch(e.Resource, now)
		r.open++
	case event.ItemProgress:
		s.move(moved{e.Resource, e.Item}, e.Bytes, now)
	case event.Retrying:
		s.stage().retries++
		delete(s.moving, moved{e.Resource, e.Item})
	case event.ItemPlanned:
		s.count(e.Resource, compared(e.State, false, e.Err), now)
		s.failItem("not compared", e.Resource, e.Item, e.Err, now)
	case event.ItemDone:
		r := s.touch(e.Resource, now)
		r.open = max(r.open-1, 0)
		s.arrive(moved{e.Resource, e.Item}, e.Bytes, now)
		s.count(e.Resource, ended(e.Status, e.Err), now)
		s.failItem("failed", e.Resource, e.Item, e.Err, now)
	case event.ItemVerified:
		s.count(e.Resource, compared(e.State, e.Proven, e.Err), now)
		s.failItem("not compared", e.Resource, e.Item, e.Err, now)
	}
}

// begin ends the phase at hand and opens another one. What a phase found is what the
// next one may expect.
func (s *state) begin(p event.Phase, now time.Time) {
	wrote := false
	if n := len(s.stages); n > 0 {
		s.stages[n-1].ended = now
		wrote = s.stages[n-1].phase == event.Applying
	}
	s.stages = append(s.stages, &stage{phase: p, began: now})
	s.itemRate, s.byteRate = rate{}, rate{}
	clear(s.moving)
	for _, r := range s.order {
		if r.standing == done {
			r.expect = -1
			if !r.broken && !s.resumed {
				r.expect = r.found
			}
		}
		if wrote {
			r.applied, r.wrote = r.sum, true
		}
		r.standing, r.reason, r.broken, r.open, r.found = waiting, "", false, 0, 0
		r.sum, r.rate = tally{}, rate{}
	}
}

func (s *state) touch(id string, now time.Time) *resource {
	r := s.resource(id)
	r.touched = now
	if r.standing == waiting {
		r.standing = working
	}
	return r
}

func (s *state) count(id string, o outcome, now time.Time) {
	r := s.touch(id, now)
	r.sum[o]++
	r.rate.add(now, 1)
	s.stage().sum[o]++
	s.itemRate.add(now, 1)
}

// compared is the outcome of a comparison.
func compared(st plugin.State, isProven bool, err error) outcome {
	switch {
	case err != nil:
		return failed
	case st == plugin.Missing:
		return missing
	case st == plugin.Different:
		return different
	case st == plugin.Same && isProven:
		return proven
	case st == plugin.Same:
		return same
	default:
		return cannot
	}
}

// ended is the outcome of the work on an item.
func ended(st plugin.Status, err error) outcome {
	switch {
	case err != nil || st == plugin.Failed:
		return failed
	case st == plugin.Created:
		return created
	case st == plugin.Updated:
		return updated
	case st == plugin.Unchanged:
		return unchanged
	default:
		return skipped
	}
}

// move notes how many bytes of an item have been moved so far.
func (s *state) move(k moved, bytes int64, now time.Time) {
	before, known := s.moving[k]
	if !known && len(s.moving) >= maxMoving {
		return
	}
	s.moving[k] = bytes
	s.carry(bytes-before, now)
}

// arrive notes how many bytes an item had in all.
func (s *state) arrive(k moved, bytes int64, now time.Time) {
	before := s.moving[k]
	delete(s.moving, k)
	s.carry(bytes-before, now)
}

func (s *state) carry(bytes int64, now time.Time) {
	if bytes > 0 {
		s.stage().bytes += bytes
		s.byteRate.add(now, bytes)
	}
}

// throttle notes until when a host wants to be left alone.
func (s *state) throttle(e event.Throttled, now time.Time) {
	host := printable(e.Host)
	p := s.hosts[host]
	if p == nil {
		if len(s.hosts) >= maxHosts {
			maps.DeleteFunc(s.hosts, func(_ string, p *pause) bool { return !p.until.After(now) })
		}
		if len(s.hosts) >= maxHosts {
			return
		}
		p = &pause{}
		s.hosts[host] = p
	}
	p.times++
	if until := now.Add(e.Wait); until.After(p.until) {
		p.until = until
	}
}

func (s *state) failItem(what, id string, item plugin.Key, err error, now time.Time) {
	if err != nil {
		s.fail(now, what+" "+nameOf(id)+" "+string(item)+": "+s.explain(err))
	}
}

// fail notes a failure. The oldest one that the live area shows makes room for it.
func (s *state) fail(now time.Time, text string) {
	s.recent = append(s.recent, failure{now, printable(text)})
	if n := len(s.recent) - maxRecent; n > 0 {
		s.spilled = append(s.spilled, s.recent[:n]...)
		s.recent = slices.Delete(s.recent, 0, n)
	}
}

// spill empties the list of failures that the live area has no room for; all: of those
// too that it shows.
func (s *state) spill(all bool) []failure {
	out := s.spilled
	s.spilled = nil
	if all {
		out, s.recent = append(out, s.recent...), nil
	}
	return out
}
