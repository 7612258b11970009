package lease_test

import (
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	id    = "11111111-1111-4111-8111-111111111111"
	other = "22222222-2222-4222-8222-222222222222"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func code(e *wire.Error) string {
	if e == nil {
		return ""
	}
	return e.Code
}

// TestOutcomes follows the table "Outcomes of lease operations on blobs by lease state" of
// Microsoft's Lease Blob.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	leased := lease.Lease{ID: id, Duration: 30 * time.Second, Since: now}
	states := map[string]lease.Lease{
		lease.Available: {},
		lease.Leased:    leased,
		lease.Expired:   {ID: id, Duration: time.Second, Since: now.Add(-time.Minute)},
		lease.Breaking:  {ID: id, Duration: lease.Infinite, Since: now, BreakAt: now.Add(time.Minute)},
		lease.Broken:    {ID: id, Duration: lease.Infinite, Since: now, BreakAt: now.Add(-time.Minute)},
	}
	operations := map[string]func(lease.Lease, string) *wire.Error{
		"acquire": func(l lease.Lease, id string) *wire.Error { _, e := l.Acquire(id, time.Minute, now); return e },
		"renew":   func(l lease.Lease, id string) *wire.Error { _, e := l.Renew(id, now); return e },
		"change": func(l lease.Lease, id string) *wire.Error {
			_, e := l.Change(id, "33333333-3333-4333-8333-333333333333", now)
			return e
		},
		"release": func(l lease.Lease, id string) *wire.Error { _, e := l.Release(id); return e },
		"break":   func(l lease.Lease, _ string) *wire.Error { _, _, e := l.Break(-1, now); return e },
		"write":   func(l lease.Lease, id string) *wire.Error { return l.CheckWrite(id, "Blob", now) },
		"plain":   func(l lease.Lease, _ string) *wire.Error { return l.CheckWrite("", "Blob", now) },
	}
	for _, c := range []struct{ state, operation, mine, theirs string }{
		{lease.Available, "acquire", "", ""},
		{lease.Available, "renew", "LeaseIdMismatchWithLeaseOperation", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Available, "change", "LeaseNotPresentWithLeaseOperation", "LeaseNotPresentWithLeaseOperation"},
		{lease.Available, "release", "LeaseIdMismatchWithLeaseOperation", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Available, "break", "LeaseNotPresentWithLeaseOperation", "LeaseNotPresentWithLeaseOperation"},
		{lease.Available, "write", "LeaseNotPresentWithBlobOperation", "LeaseNotPresentWithBlobOperation"},
		{lease.Available, "plain", "", ""},
		{lease.Leased, "acquire", "", "LeaseAlreadyPresent"},
		{lease.Leased, "renew", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Leased, "change", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Leased, "release", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Leased, "break", "", ""},
		{lease.Leased, "write", "", "LeaseIdMismatchWithBlobOperation"},
		{lease.Leased, "plain", "LeaseIdMissing", "LeaseIdMissing"},
		{lease.Expired, "acquire", "", ""},
		{lease.Expired, "renew", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Expired, "change", "LeaseNotPresentWithLeaseOperation", "LeaseNotPresentWithLeaseOperation"},
		{lease.Expired, "release", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Expired, "break", "", ""},
		{lease.Expired, "write", "LeaseLost", "LeaseIdMismatchWithBlobOperation"},
		{lease.Expired, "plain", "", ""},
		{lease.Breaking, "acquire", "LeaseIsBreakingAndCannotBeAcquired", "LeaseAlreadyPresent"},
		{lease.Breaking, "renew", "LeaseIsBrokenAndCannotBeRenewed", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Breaking, "change", "LeaseIsBreakingAndCannotBeChanged", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Breaking, "release", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Breaking, "break", "", ""},
		{lease.Breaking, "write", "", "LeaseIdMismatchWithBlobOperation"},
		{lease.Breaking, "plain", "LeaseIdMissing", "LeaseIdMissing"},
		{lease.Broken, "acquire", "", ""},
		{lease.Broken, "renew", "LeaseIsBrokenAndCannotBeRenewed", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Broken, "release", "", "LeaseIdMismatchWithLeaseOperation"},
		{lease.Broken, "break", "", ""},
		{lease.Broken, "write", "LeaseLost", "LeaseIdMismatchWithBlobOperation"},
		{lease.Broken, "plain", "", ""},
	} {
		l := states[c.state]
		if got := l.State(now); got != c.state {
			t.Fatalf("state %s, want %s", got, c.state)
		}
		if got := code(operations[c.operation](l, id)); got != c.mine {
			t.Errorf("%s, %s with its own ID: %q, want %q", c.state, c.operation, got, c.mine)
		}
		if got := code(operations[c.operation](l, other)); got != c.theirs {
			t.Errorf("%s, %s with another ID: %q, want %q", c.state, c.operation, got, c.theirs)
		}
	}
	if leased.Status(now) != "locked" || leased.DurationText(now) != "fixed" || (lease.Lease{}).Status(now) != "unlocked" || (lease.Lease{}).DurationText(now) != "" {
		t.Error("status or duration")
	}
	if d := (lease.Lease{ID: id, Duration: lease.Infinite}).DurationText(now); d != "infinite" {
		t.Error(d)
	}
}

// TestWritten: a write ends what is broken or has expired, and nothing else.
func TestWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		l    lease.Lease
		want string
	}{
		{lease.Lease{}, lease.Available},
		{lease.Lease{ID: id, Duration: lease.Infinite, Since: now}, lease.Leased},
		{lease.Lease{ID: id, Duration: time.Minute, Since: now.Add(-time.Hour)}, lease.Available},
		{lease.Lease{ID: id, Duration: lease.Infinite, Since: now, BreakAt: now}, lease.Available},
		{lease.Lease{ID: id, Duration: lease.Infinite, Since: now, BreakAt: now.Add(time.Second)}, lease.Breaking},
	} {
		if got := c.l.Written(now).State(now); got != c.want {
			t.Errorf("%s after a write: %s, want %s", c.l.State(now), got, c.want)
		}
	}
}

// TestBreakPeriod: the shorter of the period and of what is left counts.
func TestBreakPeriod(t *testing.T) {
	t.Parallel()
	fixed := lease.Lease{ID: id, Duration: 30 * time.Second, Since: now}
	endless := lease.Lease{ID: id, Duration: lease.Infinite, Since: now}
	breaking := lease.Lease{ID: id, Duration: lease.Infinite, Since: now, BreakAt: now.Add(20 * time.Second)}
	for _, c := range []struct {
		name   string
		l      lease.Lease
		period time.Duration
		want   time.Duration
	}{
		{"fixed, no period", fixed, -1, 30 * time.Second},
		{"fixed, shorter", fixed, 10 * time.Second, 10 * time.Second},
		{"fixed, longer", fixed, time.Minute, 30 * time.Second},
		{"endless, no period", endless, -1, 0},
		{"endless, a minute", endless, time.Minute, time.Minute},
		{"breaking, shorter", breaking, time.Second, time.Second},
		{"breaking, longer", breaking, time.Minute, 20 * time.Second},
	} {
		if _, left, err := c.l.Break(c.period, now); err != nil || left != c.want {
			t.Errorf("%s: %v, want %v: %v", c.name, left, c.want, err)
		}
	}
}
