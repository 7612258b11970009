package plugintest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Check is one claim that the suite tests.
type Check struct {
	Name  string // stable, printed to users: "Discover/Resume"
	Claim string // what holds if it passes, in one clause
	// Alone says that the check measures or replaces something of the whole process (the
	// heap, the loggers): nothing else should run beside it.
	Alone bool
	run   func(*trial)
}

// Status is how a check ended.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped" // does not apply; the message says why
	Waived  Status = "waived"  // not run, for the reason that the Subject gives
)

// Result is how one check ended, in a form that machines can read.
type Result struct {
	Name     string        `json:"name"`
	Claim    string        `json:"claim"`
	Status   Status        `json:"status"`
	Duration time.Duration `json:"duration"` // nanoseconds
	Messages []string      `json:"messages,omitempty"`
}

// Report is the result of a run of the suite.
type Report struct {
	Plugin  string   `json:"plugin"`
	Version string   `json:"version"`
	Results []Result `json:"results"`
}

// OK tells whether no check failed.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Results, func(x Result) bool { return x.Status == Failed })
}

// Options steer a run of the suite. The zero value runs everything.
type Options struct {
	Only  func(name string) bool // which checks to run; nil: all
	Seed  uint64                 // other content for other seeds
	Bulk  int                    // items of the bounded-memory check; default 200,000
	Limit time.Duration          // for one check; its context ends then; default 10 minutes
	Grace time.Duration          // how long a check may take to end after that; default 10 seconds
	Done  func(Result)           // told of each check as it ends; may be nil
}

// Checks lists every check in the order in which Run runs them.
func Checks() []Check {
	var all []Check
	for _, part := range [][]Check{
		pureChecks(), permissionChecks(), discoverChecks(), streamChecks(), replicateChecks(), faultChecks(),
		raceChecks(), batchChecks(), compareChecks(), declareChecks(), secretChecks(),
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs the checks one after another. An incomplete Subject and a waiver that is
// wrong (no reason, no such check) are failures in the report, under "Subject".
// When ctx ends, the checks that are left fail with its error.
func Run(ctx context.Context, s Subject, opt Options) Report {
	var rep Report
	add := func(r Result) {
		rep.Results = append(rep.Results, r)
		if opt.Done != nil {
			opt.Done(r)
		}
	}
	if problems := s.Problems(); len(problems) > 0 {
		add(Result{Name: "Subject", Claim: subjectClaim, Status: Failed, Messages: problems})
		return rep
	}
	info := s.Plugin.Info()
	rep.Plugin, rep.Version = info.Name, info.Version
	for _, c := range Checks() {
		if opt.Only == nil || opt.Only(c.Name) {
			add(c.Run(ctx, s, opt))
		}
	}
	return rep
}

const subjectClaim = "the subject says all that the suite needs, and each waiver has a reason"

// Run runs one check. The Subject must have no Problems.
func (c Check) Run(ctx context.Context, s Subject, opt Options) Result {
	res := Result{Name: c.Name, Claim: c.Claim}
	if reason, ok := s.Waive[c.Name]; ok {
		res.Status, res.Messages = Waived, []string{reason}
		return res
	}
	if err := ctx.Err(); err != nil {
		res.Status, res.Messages = Failed, []string{"not run: " + err.Error()}
		return res
	}
	limit, grace := opt.Limit, opt.Grace
	if limit <= 0 {
		limit = 10 * time.Minute
	}
	if grace <= 0 {
		grace = 10 * time.Second
	}
	start := time.Now()
	t := newTrial(ctx, s, opt.Seed, limit)
	t.bulk = opt.Bulk
	if t.bulk <= 0 {
		t.bulk = bulkItems
	}
	finished := t.do(c.run, limit+grace)
	res.Duration = time.Since(start)
	res.Status, res.Messages = t.verdict()
	if !finished {
		res.Status = Failed
		res.Messages = append(res.Messages, fmt.Sprintf("still running %v after its context ended", grace))
	}
	return res
}

// maxMessages bounds what one check reports: a broken plugin fails at every item.
const maxMessages = 12

// trial is one check at work. Its methods are safe for concurrent use, but for fatalf
// and skipf, which end the goroutine of the check.
type trial struct {
	ctx     context.Context
	cancel  context.CancelFunc
	subject Subject
	seed    uint64
	bulk    int

	mu       sync.Mutex // guards what follows
	messages []string
	dropped  int
	failed   bool
	skipped  bool
	cleanups []func()
}

func newTrial(ctx context.Context, s Subject, seed uint64, limit time.Duration) *trial {
	ctx, cancel := context.WithTimeout(ctx, limit)
	return &trial{ctx: ctx, cancel: cancel, subject: s, seed: seed}
}

// do runs f in a goroutine of its own, so that a fatal failure, a panic or a plugin that
// never returns ends this check only. It reports whether f ended in time.
func (t *trial) do(f func(*trial), limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.clean()
		defer func() {
			if r := recover(); r != nil {
				t.errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		f(t)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func (t *trial) clean() {
	t.cancel()
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// cleanup has f called when the check ends, last given first.
func (t *trial) cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// errorf notes a failure and goes on.
func (t *trial) errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
	t.note(fmt.Sprintf(format, args...))
}

// logf notes a fact that a reader of the result should know.
func (t *trial) logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(fmt.Sprintf(format, args...))
}

// fatalf notes a failure and ends the check.
func (t *trial) fatalf(format string, args ...any) {
	t.errorf(format, args...)
	runtime.Goexit()
}

// skipf says why the check does not apply and ends it.
func (t *trial) skipf(format string, args ...any) {
	t.logf(format, args...)
	t.mu.Lock()
	t.skipped = true
	t.mu.Unlock()
	runtime.Goexit()
}

// must ends the check if the suite itself could not do something.
func (t *trial) must(err error, what string) {
	if err != nil {
		t.fatalf("the suite could not %s: %v", what, err)
	}
}

// note adds a message; mu is held.
func (t *trial) note(msg string) {
	if len(t.messages) >= maxMessages {
		t.dropped++
		return
	}
	t.messages = append(t.messages, msg)
}

func (t *trial) verdict() (Status, []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	msgs := append([]string(nil), t.messages...)
	if t.dropped > 0 {
		msgs = append(msgs, fmt.Sprintf("and %d more", t.dropped))
	}
	switch {
	case t.failed:
		return Failed, msgs
	case t.skipped:
		return Skipped, msgs
	default:
		return Passed, msgs
	}
}

// rand returns a new source of randomness, the same one at each call.
func (t *trial) rand() *rand.Rand { return rand.New(rand.NewPCG(t.seed, 0x6174672d74657374)) }
