// Package lease is the lease of a container, a blob, a share or a file: who alone may
// write it, and for how long (Azure: Lease Blob, Lease Container).
package lease

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Infinite is the duration of a lease without an end.
const Infinite = time.Duration(-1)

// The states of a lease, as x-ms-lease-state has them.
const (
	Available = "available"
	Leased    = "leased"
	Expired   = "expired"
	Breaking  = "breaking"
	Broken    = "broken"
)

// Lease is the lease of one thing. The zero value is available.
type Lease struct {
	ID       string
	Duration time.Duration // Infinite or so long from Since on
	Since    time.Time
	BreakAt  time.Time // zero: nobody broke it
}

// State is the lease's state at a time.
func (l Lease) State(now time.Time) string {
	switch {
	case l.ID == "":
		return Available
	case !l.BreakAt.IsZero() && now.Before(l.BreakAt):
		return Breaking
	case !l.BreakAt.IsZero():
		return Broken
	case l.Duration != Infinite && !now.Before(l.Since.Add(l.Duration)):
		return Expired
	}
	return Leased
}

// Locked tells whether a writer must name the lease.
func (l Lease) Locked(now time.Time) bool {
	s := l.State(now)
	return s == Leased || s == Breaking
}

// Status is "locked" or "unlocked", as x-ms-lease-status has it.
func (l Lease) Status(now time.Time) string {
	if l.Locked(now) {
		return "locked"
	}
	return "unlocked"
}

// DurationText is "infinite" or "fixed" of a lease in force, and "" of others.
func (l Lease) DurationText(now time.Time) string {
	switch {
	case l.State(now) != Leased:
		return ""
	case l.Duration == Infinite:
		return "infinite"
	}
	return "fixed"
}

// Acquire takes the lease, or changes how long it lasts if id holds it.
func (l Lease) Acquire(id string, d time.Duration, now time.Time) (Lease, *wire.Error) {
	switch l.State(now) {
	case Leased:
		if !same(l.ID, id) {
			return l, operation("LeaseAlreadyPresent", "There is already a lease present.")
		}
	case Breaking:
		if !same(l.ID, id) {
			return l, operation("LeaseAlreadyPresent", "There is already a lease present.")
		}
		return l, operation("LeaseIsBreakingAndCannotBeAcquired", "The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken.")
	}
	return Lease{ID: id, Duration: d, Since: now}, nil
}

// Renew starts the lease's time anew.
func (l Lease) Renew(id string, now time.Time) (Lease, *wire.Error) {
	switch {
	case !same(l.ID, id): // also of a lease that was released (Azure: Lease Blob, changes of 2012-02-12)
		return l, mismatch()
	case !l.BreakAt.IsZero():
		return l, operation("LeaseIsBrokenAndCannotBeRenewed", "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.")
	}
	l.Since = now
	return l, nil
}

// Change gives the lease another ID.
func (l Lease) Change(id, proposed string, now time.Time) (Lease, *wire.Error) {
	switch state := l.State(now); {
	case state == Available || state == Expired || state == Broken:
		return l, notPresent()
	case state == Breaking && same(l.ID, id):
		return l, operation("LeaseIsBreakingAndCannotBeChanged", "The lease ID matched, but the lease is currently in breaking state and cannot be changed.")
	case !same(l.ID, id) && !same(l.ID, proposed):
		return l, mismatch()
	}
	l.ID = proposed
	return l, nil
}

// Release gives the lease back.
func (l Lease) Release(id string) (Lease, *wire.Error) {
	if !same(l.ID, id) {
		return l, mismatch()
	}
	return Lease{}, nil
}

// Break ends the lease after a period, or after what is left of it if that is shorter;
// period < 0 means what is left. It returns how long the lease remains in force.
func (l Lease) Break(period time.Duration, now time.Time) (Lease, time.Duration, *wire.Error) {
	switch l.State(now) {
	case Available:
		return l, 0, notPresent()
	case Broken, Expired:
		l.BreakAt = now
		return l, 0, nil
	}
	left := l.left(now)
	if period >= 0 && (left < 0 || period < left) {
		left = period
	}
	left = max(left, 0)
	l.BreakAt = now.Add(left)
	return l, left, nil
}

// Written is the lease after a write that named none: what was broken or has expired is
// gone, and cannot be renewed (Azure: Lease Blob, outcomes of use attempts).
func (l Lease) Written(now time.Time) Lease {
	if s := l.State(now); s == Broken || s == Expired {
		return Lease{}
	}
	return l
}

// left is how long the lease remains in force; < 0 without end.
func (l Lease) left(now time.Time) time.Duration {
	switch {
	case !l.BreakAt.IsZero():
		return max(l.BreakAt.Sub(now), 0)
	case l.Duration == Infinite:
		return Infinite
	}
	return max(l.Since.Add(l.Duration).Sub(now), 0)
}

// CheckWrite refuses a write that the lease does not let through; id is the one that the
// request names, "" for none. Noun is "Blob", "Container", "File" or "Share".
func (l Lease) CheckWrite(id, noun string, now time.Time) *wire.Error {
	if l.Locked(now) && id == "" {
		return failed("LeaseIdMissing", "There is currently a lease on the "+strings.ToLower(noun)+" and no lease ID was specified in the request.")
	}
	return l.CheckRead(id, noun, now)
}

// CheckRead refuses a request that names a lease which is not in force.
func (l Lease) CheckRead(id, noun string, now time.Time) *wire.Error {
	if id == "" {
		return nil
	}
	thing := strings.ToLower(noun)
	switch state := l.State(now); {
	case state == Available:
		return failed("LeaseNotPresentWith"+noun+"Operation", "There is currently no lease on the "+thing+".")
	case !same(l.ID, id):
		return failed("LeaseIdMismatchWith"+noun+"Operation", "The lease ID specified did not match the lease ID for the "+thing+".")
	case state == Expired || state == Broken:
		return failed("LeaseLost", "A lease ID was specified, but the lease for the "+thing+" has expired.")
	}
	return nil
}

func same(a, b string) bool { return strings.EqualFold(a, b) }

func failed(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusPreconditionFailed, Code: code, Message: message}
}

func operation(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: code, Message: message}
}

func notPresent() *wire.Error {
	return operation("LeaseNotPresentWithLeaseOperation", "There is currently no lease on the blob.")
}

func mismatch() *wire.Error {
	return operation("LeaseIdMismatchWithLeaseOperation", "The lease ID specified did not match the lease ID for the blob.")
}
