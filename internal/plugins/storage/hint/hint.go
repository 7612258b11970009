// Package hint notes, in an item's reference, what stood at the target while the source
// was listed. It spares an item that is the same the requests of its own. A hint may be
// old: a write is never made because of one, only on the condition that it still holds.
package hint

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

// State is what a listing shows of a thing at the target.
type State string

// The states.
const (
	Absent State = "n" // nothing of that name
	Same   State = "=" // equal by content
	Other  State = "x" // something else
)

// freshness is how long a hint is taken for true where it spares a look. A listing runs
// ahead of the work by less.
const freshness = 15 * time.Minute

// Hint is one note. It is short, because it stands in every item.
type Hint struct {
	To string `json:"i"` // which target
	At int64  `json:"t"` // when, in Unix milliseconds
	Is State  `json:"s"`
}

// New makes a hint of what is seen now.
func New(to *account.Account, is State, now time.Time) *Hint {
	return &Hint{To: nameOf(to), At: now.UnixMilli(), Is: is}
}

// For returns what is known of an account: h's state if h is about it and young, and
// otherwise "". That something is absent counts only while this program has written
// nothing to the account.
func (h *Hint) For(to *account.Account, now time.Time) State {
	if h == nil || h.To != nameOf(to) {
		return ""
	}
	at := time.UnixMilli(h.At)
	age := now.Sub(at)
	if age < 0 || age >= freshness || h.Is == Absent && !to.Untouched(at) {
		return ""
	}
	return h.Is
}

// Absent tells whether a listing, however old, showed nothing at an account. That is enough
// for a write that happens only if there still is nothing, and for nothing else.
func (h *Hint) Absent(to *account.Account) bool {
	return h != nil && h.Is == Absent && h.To == nameOf(to)
}

func nameOf(a *account.Account) string {
	sum := sha256.Sum256([]byte(strings.ToLower(a.ID)))
	return hex.EncodeToString(sum[:4])
}
