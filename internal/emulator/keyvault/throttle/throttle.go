// Package throttle counts a vault's transactions against Azure Key Vault's service limits,
// in sliding windows of ten seconds on the emulator's clock.
//
// The numbers are those of Microsoft's page "Azure Key Vault service limits"
// (key-vault/general/service-limits). Key operations weigh more than others where the page
// gives them a lower limit, and the sum is limited: an operation whose own limit is 250
// counts as 16 of the 4,000.
package throttle

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Window is the length of time that all limits hold for.
const Window = 10 * time.Second

// Limits per vault and Window.
const (
	Transactions   = 4000 // all operations together
	Creations      = 300  // secret create, certificate import, key import, together
	SoftwareKeys   = 20   // creation of software-protected keys
	HSMKeys        = 10   // creation of HSM-protected keys
	weightRSA3072  = 4    // 1,000 operations with a software key
	weightRSA4096  = 8    // 500 operations with a software key
	weightHSM      = 2    // HSM keys have half the limit of software keys
	weightOrdinary = 1
)

// Class is what an operation counts as besides a transaction.
type Class int

// The classes of operations.
const (
	Ordinary Class = iota
	Creation
	SoftwareKey
	HSMKey
)

// Weight is how many transactions an operation with a key counts as.
func Weight(kty string, size int, hsm bool) int {
	w := weightOrdinary
	if len(kty) >= 3 && kty[:3] == "RSA" {
		switch {
		case size >= 4096:
			w = weightRSA4096
		case size >= 3072:
			w = weightRSA3072
		}
	}
	if hsm {
		w *= weightHSM
	}
	return w
}

// Meter counts one vault's operations. The zero value is ready.
type Meter struct {
	mu      sync.Mutex
	all     series
	classes [HSMKey + 1]series
}

// Admit counts an operation of a class that weighs so many transactions, or refuses it
// with Azure's 429. A refused operation is not counted.
func (m *Meter) Admit(now time.Time, class Class, weight int) *wire.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if wait := m.all.wait(now, weight, Transactions); wait > 0 {
		return refusal(wait)
	}
	if limit := limitOf(class); limit > 0 {
		if wait := m.classes[class].wait(now, 1, limit); wait > 0 {
			return refusal(wait)
		}
		m.classes[class].add(now, 1)
	}
	m.all.add(now, weight)
	return nil
}

func limitOf(c Class) int {
	switch c {
	case Creation:
		return Creations
	case SoftwareKey:
		return SoftwareKeys
	case HSMKey:
		return HSMKeys
	case Ordinary:
	}
	return 0
}

// refusal is worded as the service words it; Retry-After is in whole seconds.
func refusal(wait time.Duration) *wire.Error {
	secs := int((wait + time.Second - 1) / time.Second)
	return &wire.Error{
		Status:  http.StatusTooManyRequests,
		Code:    "Throttled",
		Message: "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
		Header:  map[string]string{"Retry-After": strconv.Itoa(secs)},
	}
}

// series is the operations of the last Window, oldest first.
type series struct {
	marks []mark
	sum   int
}

type mark struct {
	at     time.Time
	weight int
}

// wait is how long until weight more fit under limit; 0 if they fit now.
func (s *series) wait(now time.Time, weight, limit int) time.Duration {
	s.forget(now)
	over := s.sum + weight - limit
	for _, m := range s.marks {
		if over <= 0 {
			break
		}
		over -= m.weight
		if over <= 0 {
			return max(m.at.Add(Window).Sub(now), time.Nanosecond)
		}
	}
	return 0
}

func (s *series) add(now time.Time, weight int) {
	s.marks = append(s.marks, mark{now, weight})
	s.sum += weight
}

func (s *series) forget(now time.Time) {
	n := 0
	for n < len(s.marks) && now.Sub(s.marks[n].at) >= Window {
		s.sum -= s.marks[n].weight
		n++
	}
	s.marks = s.marks[n:]
}
