// Package rate counts requests a second against the scalability targets of storage
// services (Azure: Scalability and performance targets for Table, Queue and File
// Storage), which answer 503 ServerBusy beyond them.
package rate

import (
	"net/http"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Meter counts what happens to each of many things in the current second. The zero value
// is ready.
type Meter struct {
	mu     sync.Mutex
	second int64
	counts map[string]int
}

// Admit counts n for a thing, or returns ServerBusy if more than most would then have
// happened to it in this second.
func (m *Meter) Admit(now time.Time, thing string, n, most int) *wire.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := now.Unix(); s != m.second || m.counts == nil {
		m.second, m.counts = s, map[string]int{}
	}
	if m.counts[thing]+n > most {
		return &wire.Error{Status: http.StatusServiceUnavailable, Code: "ServerBusy", Message: "The server is busy."}
	}
	m.counts[thing] += n
	return nil
}
