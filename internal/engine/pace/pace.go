package pace

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The defaults of Options: requests at once over all hosts and to one host, and the longest pause that is waited for.
const (
	DefaultGlobal   = 128
	DefaultPerHost  = 32
	defaultMaxPause = time.Minute
)

// Options say how fast a Limiter may go.
type Options struct {
	Global  int            // requests at once over all hosts; default 128
	PerHost int            // requests at once to one host, to begin with and at most; default 32
	Limits  []plugin.Limit // known limits of the services
	// MaxPause is the longest pause of a host that a request waits for; default 1 minute.
	// A longer one fails the request with kind Throttled, so that whoever sent it can do
	// something else meanwhile.
	MaxPause time.Duration
	// Slowed is told that a host asked to slow down: how long it is paused, and how many
	// requests it now gets at once. It may be nil; it must be quick and safe for
	// concurrent use.
	Slowed func(side plugin.Side, host string, pause time.Duration, atOnce int)
}

// Limiter paces requests by side and host. It is safe for concurrent use.
type Limiter struct {
	opt    Options
	global *semaphore.Weighted

	mu    sync.Mutex // guards hosts
	hosts map[key]*host
}

type key struct {
	side plugin.Side
	host string
}

// New returns a Limiter. It fails if a limit is not one: see plugin.Limit.
func New(opt Options) (*Limiter, error) {
	if opt.Global <= 0 {
		opt.Global = DefaultGlobal
	}
	if opt.PerHost <= 0 {
		opt.PerHost = DefaultPerHost
	}
	if opt.MaxPause <= 0 {
		opt.MaxPause = defaultMaxPause
	}
	for _, l := range opt.Limits {
		if err := check(l); err != nil {
			return nil, fmt.Errorf("limit %q: %w", l.Name, err)
		}
	}
	return &Limiter{opt: opt, global: semaphore.NewWeighted(int64(opt.Global)), hosts: map[key]*host{}}, nil
}

// LimitsOf returns the limits that the plugins of a registry declare.
func LimitsOf(r *plugin.Registry) []plugin.Limit {
	var out []plugin.Limit
	for _, p := range r.All() {
		out = append(out, p.Info().Limits...)
	}
	return out
}

// Answer is how a request went, as far as pace is concerned.
type Answer struct {
	Throttled  bool          // the host asked to slow down
	RetryAfter time.Duration // for how long; 0 if it did not say
	Sent       bool          // the host got the request, so it counts against the limits
}

// Wait returns when a request may be sent. The caller must then call done, once, when
// the answer is there. It fails with the cause of ctx's end, or with an *errs.Error of
// kind Throttled if the host is paused for longer than Options.MaxPause.
func (l *Limiter) Wait(ctx context.Context, side plugin.Side, method, hostName, urlPath string) (done func(Answer), err error) {
	h := l.host(side, hostName)
	rules := h.rulesFor(method, urlPath)
	resume, err := l.enter(ctx, h, rules)
	if err != nil {
		return nil, err
	}
	sent := time.Now()
	if err := l.start(ctx, resume); err != nil {
		h.leave(sent, sent, rules, Answer{})
		return nil, err
	}
	return func(a Answer) {
		l.global.Release(1)
		if slowed, pause, atOnce := h.leave(time.Now(), sent, rules, a); slowed && l.opt.Slowed != nil {
			l.opt.Slowed(side, h.name, pause, atOnce)
		}
	}, nil
}

// enter waits for a place at a host. While it waits, the worker that ctx carries is free:
// resume takes it back.
func (l *Limiter) enter(ctx context.Context, h *host, rules []*rule) (resume func() error, err error) {
	resume = func() error { return nil }
	for waiting := false; ; waiting = true {
		now := time.Now()
		wait, changed := h.try(now, rules)
		if changed == nil {
			return resume, nil
		}
		if pause := h.pauseLeft(now); pause > l.opt.MaxPause {
			if err := resume(); err != nil {
				return nil, err
			}
			return nil, tooLong(h.name, pause)
		}
		if !waiting {
			resume = leaveSlot(ctx)
		}
		if err := waitFor(ctx, wait, changed); err != nil {
			return nil, err
		}
	}
}

// start takes the worker back and waits for a place among all hosts.
func (l *Limiter) start(ctx context.Context, resume func() error) error {
	if err := resume(); err != nil {
		return err
	}
	if l.global.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// waitFor waits until d is over (0: for ever), changed is closed or ctx ends.
func waitFor(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// pauseError tells azcore's retry policy, by its NonRetriable method, to hand the error up.
type pauseError struct{ cause *errs.Error }

// Error implements error.
func (e pauseError) Error() string { return e.cause.Error() }

// Unwrap makes the *errs.Error reachable.
func (e pauseError) Unwrap() error { return e.cause }

// NonRetriable marks the error for azcore.
func (pauseError) NonRetriable() {}

func tooLong(hostName string, pause time.Duration) error {
	return pauseError{&errs.Error{
		Op: "send a request to " + hostName, Kind: errs.Throttled, Code: "HostPaused", RetryAfter: pause,
		Err: fmt.Errorf("the host asked for a pause that lasts %s more", pause.Round(time.Second)),
	}}
}

// host returns the state of a host, which is made when it is first asked for.
func (l *Limiter) host(side plugin.Side, name string) *host {
	k := key{side, strings.ToLower(name)}
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.hosts[k]
	if h == nil {
		h = newHost(k.host, l.opt)
		l.hosts[k] = h
	}
	return h
}
