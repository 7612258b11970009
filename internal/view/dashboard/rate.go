package dashboard

import "time"

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
