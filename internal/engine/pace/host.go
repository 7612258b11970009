package pace

import (
	"sync"
	"time"
)

// host is what is known of one host.
type host struct {
	name string
	most float64 // requests at once, at most

	mu      sync.Mutex // guards all below, and the rules
	rules   []*rule
	atWork  int
	limit   float64       // requests at once, for now; at least 1
	slowed  time.Time     // when limit was last halved
	paused  time.Time     // no request before then
	changed chan struct{} // closed when a place was freed; made by the first who waits
}

func newHost(name string, opt Options) *host {
	h := &host{name: name, most: float64(opt.PerHost), limit: float64(opt.PerHost)}
	for _, l := range opt.Limits {
		if matches(l.Host, name) {
			h.rules = append(h.rules, &rule{limit: l})
		}
	}
	return h
}

// rulesFor returns the rules that count a request.
func (h *host) rulesFor(method, urlPath string) []*rule {
	var out []*rule
	for _, r := range h.rules { // set once, in newHost
		if counts(r.limit, method, urlPath) {
			out = append(out, r)
		}
	}
	return out
}

// try takes a place for a request. If there is none, it returns a channel that is closed
// when one may be free, and after which time it is worth another look; 0: not before.
func (h *host) try(now time.Time, rules []*rule) (wait time.Duration, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	free := h.atWork < int(h.limit)
	if left := h.paused.Sub(now); left > 0 {
		free, wait = false, left
	}
	for _, r := range rules {
		ok, after := r.free(now)
		free, wait = free && ok, max(wait, after)
	}
	if free {
		h.atWork++
		for _, r := range rules {
			r.atWork++
		}
		return 0, nil
	}
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return wait, h.changed
}

// pauseLeft is how long the host is still paused.
func (h *host) pauseLeft(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.paused.Sub(now)
}

// leave gives a place back and learns from the answer. sent is when the place was taken.
// It tells whether the host asked to slow down, and what came of it.
func (h *host) leave(now, sent time.Time, rules []*rule, a Answer) (slowed bool, pause time.Duration, atOnce int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.atWork--
	for _, r := range rules {
		r.leave(now, a.Sent)
	}
	switch {
	case a.Throttled:
		h.slowDown(now, sent, a.RetryAfter)
	case a.Sent:
		h.limit = min(h.most, h.limit+1/h.limit)
	}
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
	return a.Throttled, max(0, h.paused.Sub(now)), int(h.limit)
}

// slowDown halves the requests at once, but only once for all that were at work when the
// host first complained: they all tell of the same jam.
func (h *host) slowDown(now, sent time.Time, pause time.Duration) {
	if sent.After(h.slowed) {
		h.limit = max(1, h.limit/2)
		h.slowed = now
	}
	if until := now.Add(pause); until.After(h.paused) {
		h.paused = until
	}
}
