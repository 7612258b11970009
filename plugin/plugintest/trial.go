package plugintest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// maxMessages bounds what one check reports: a broken plugin fails at every item.
const maxMessages = 12

// trial is one check at work. Its methods are safe for concurrent use, but for fatalf
// and skipf, which end the goroutine of the check.
type trial struct {
	ctx     context.Context
	cancel  context.CancelFunc
	subject Subject
	seed    uint64

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

func (t *trial) hasFailed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
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
