package front

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// DefaultLogKeep is how many requests are kept if Options says nothing.
const DefaultLogKeep = 200_000

// requestLog keeps the last requests in a ring that grows up to its size, and writes
// all of them as JSON lines.
type requestLog struct {
	size int

	mu   sync.Mutex // guards what follows, and to
	to   io.Writer
	ring []wire.Request
	next int // where the oldest is, once the ring is full
	err  error
}

func newRequestLog(to io.Writer, keep int) *requestLog {
	if keep == 0 {
		keep = DefaultLogKeep
	}
	return &requestLog{to: to, size: max(keep, 0)}
}

func (l *requestLog) add(line wire.Request) {
	var text bytes.Buffer
	var err error
	if l.to != nil {
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false) // queries are full of ampersands
		err = enc.Encode(line)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil && err == nil && l.err == nil {
		_, err = l.to.Write(text.Bytes())
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("request log: %w", err)
	}
	switch {
	case len(l.ring) < l.size:
		l.ring = append(l.ring, line)
	case l.size > 0:
		l.ring[l.next] = line
		l.next = (l.next + 1) % l.size
	}
}

func (l *requestLog) all() []wire.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.ring[l.next:], l.ring[:l.next])
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next = nil, 0
}

func (l *requestLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// secretParameters are query parameters that open something: a SAS signature, a function
// key, OAuth's own.
var secretParameters = []string{"sig", "code", "client_secret", "client_assertion", "access_token", "subscription-key"}

// redact blanks the values of secretParameters in a raw query.
func redact(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		if ok && slices.Contains(secretParameters, strings.ToLower(name)) {
			pairs[i] = name + "=REDACTED"
		}
	}
	return strings.Join(pairs, "&")
}
