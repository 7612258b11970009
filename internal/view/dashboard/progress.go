package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// window is how far back a rate looks, in seconds.
const window = 15

// rate counts events of the last seconds. Its size does not depend on their number. The
// zero value is ready.
type rate struct {
	slots [window]int64 // by second of the Unix time, modulo window
	last  int64         // the newest second in slots
	since time.Time     // when counting began, after nothing came for a whole window
}

// add counts n events at now. A now that lies before an earlier one counts as that one.
func (r *rate) add(now time.Time, n int64) {
	if r.advance(now.Unix()) {
		r.since = now
	}
	r.slots[r.last%window] += n
}

// advance empties the slots that fell out of the window at second at. It tells whether
// none was left.
func (r *rate) advance(at int64) (empty bool) {
	if at-r.last >= window {
		*r = rate{last: at}
		return true
	}
	for r.last < at {
		r.last++
		r.slots[r.last%window] = 0
	}
	return false
}

// perSecond returns how many events came per second over the window, or since counting
// began if that is shorter.
func (r *rate) perSecond(now time.Time) float64 {
	at := now.Unix()
	if at-r.last >= window {
		return 0
	}
	var sum int64
	for second := max(at-window+1, r.last-window+1); second <= r.last; second++ {
		sum += r.slots[second%window]
	}
	whole := time.Duration(window-1)*time.Second + time.Duration(now.Nanosecond())
	span := min(whole, now.Sub(r.since))
	return float64(sum) / max(span, time.Second).Seconds()
}

// progress is how far the phase at hand is.
type progress struct {
	ended, total int64 // items
	exact        bool  // total is not going to grow
	over, all    int64 // resources
}

func (f *frame) progress() progress {
	p := progress{exact: true}
	for _, r := range f.order {
		n, exact := r.total()
		p.total += n
		p.ended += r.sum.items()
		p.exact = p.exact && exact
		p.all++
		if r.standing == done || r.standing == leftOut {
			p.over++
		}
	}
	return p
}

// share is the part that is done, of items if their number is known, else of resources. It
// is -1 if neither says anything.
func (p progress) share() float64 {
	switch {
	case p.exact && p.total > 0:
		return float64(p.ended) / float64(p.total)
	case p.exact && p.all > 0 && p.over == p.all:
		return 1
	case p.all > 1:
		return float64(p.over) / float64(p.all)
	default:
		return -1
	}
}

// figures are counts, rates and the time that is left: as many as fit behind scope.
func (f *frame) figures(p progress, scope string) string {
	of := ""
	if !p.exact {
		of = "≥ "
	}
	parts := []string{number(p.ended) + " of " + of + plural(p.total, "item")}
	if p.total == 0 && !p.exact {
		parts[0] = "no items so far"
	}
	perSecond := f.itemRate.perSecond(f.now)
	if perSecond > 0 {
		parts = append(parts, pace(perSecond))
	}
	if left := p.total - p.ended; left > 0 && perSecond > 0 && (p.exact || f.foretold()) {
		parts = append(parts, of+lasting(time.Duration(math.Ceil(float64(left)/perSecond))*time.Second)+" left")
	}
	if p.all > 1 {
		parts = append(parts, number(p.over)+" of "+plural(p.all, "resource"))
	}
	if speed := f.byteRate.perSecond(f.now); speed >= 1 {
		parts = append(parts, volume(int64(speed))+"/s")
	}
	text := scope + parts[0]
	for _, part := range parts[1:] {
		if columns(text+" · "+part) <= f.width-2 {
			text += " · " + part
		}
	}
	return text
}

// foretold tells whether an earlier phase says how much at least is still to come.
func (f *frame) foretold() bool {
	return slices.ContainsFunc(f.order, func(r *resource) bool {
		return r.standing != done && r.expect > r.sum.items()+r.open
	})
}

// percent is a share, rounded down: it is 100% at the end only.
func percent(share float64) string { return fmt.Sprintf("%3d%%", int(share*100)) }

// bar draws a share in n columns; a negative share, of which nothing is known, is dotted.
func (f *frame) bar(share float64, n int) string {
	if n <= 0 {
		return ""
	}
	if share < 0 {
		return f.ink.dim(strings.Repeat("┄", n))
	}
	full := min(int(share*float64(n)), n)
	return f.ink.cyan(strings.Repeat("█", full)) + f.ink.dim(strings.Repeat("░", n-full))
}
