package front

import (
	"fmt"
	"math"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Kinds of wire.Fault. Every kind waits for the fault's Delay first.
const (
	KindStatus  = "status"  // answers with Status
	KindReset   = "reset"   // resets the connection; the service does not see the request
	KindLost    = "lost"    // lets the service work, then resets the connection
	KindCut     = "cut"     // lets the service work, then closes the connection after half of the answer's body
	KindSlow    = "slow"    // lets the service answer after Delay
	KindExpired = "expired" // lets the service refuse the token as expired; requests without a token pass
)

var kinds = []string{KindStatus, KindReset, KindLost, KindCut, KindSlow, KindExpired}

// FaultState is a scripted fault and what became of it.
type FaultState struct {
	wire.Fault
	Seen     int `json:"seen"`     // requests that matched
	Answered int `json:"answered"` // of those, how many it answered
}

// faults is a list of scripted failures.
type faults struct {
	mu   sync.Mutex // guards list
	list []*script
}

type script struct {
	FaultState
	where *regexp.Regexp // nil: every path
}

// AddFault puts a fault behind those already there. It refuses one that could never
// work: an unknown kind, a bad pattern, a missing status or delay.
func (f *Front) AddFault(fault wire.Fault) error {
	s := &script{FaultState: FaultState{Fault: fault}}
	if err := check(fault); err != nil {
		return fmt.Errorf("fault %q: %w", fault.Name, err)
	}
	if fault.Path != "" {
		where, err := regexp.Compile(fault.Path)
		if err != nil {
			return fmt.Errorf("fault %q: path: %w", fault.Name, err)
		}
		s.where = where
	}
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.list = append(f.faults.list, s)
	return nil
}

func check(f wire.Fault) error {
	_, pattern := path.Match(f.Host, "")
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("kind %q is none of %s", f.Kind, strings.Join(kinds, ", "))
	case pattern != nil:
		return fmt.Errorf("host pattern %q: %w", f.Host, pattern)
	case f.Kind == KindStatus && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d is no error status (400 to 599)", f.Status)
	case f.Kind == KindSlow && f.Delay <= 0:
		return fmt.Errorf("a slow fault needs a delay")
	case f.Skip < 0 || f.Count < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return fmt.Errorf("skip, count, delay and retryAfter must not be negative")
	}
	return nil
}

// ClearFaults removes all faults.
func (f *Front) ClearFaults() {
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.list = nil
}

// Faults returns all faults in order, those that are used up too.
func (f *Front) Faults() []FaultState {
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	out := make([]FaultState, 0, len(f.faults.list))
	for _, s := range f.faults.list {
		out = append(out, s.FaultState)
	}
	return out
}

// take returns the fault that answers a request, or nil.
func (l *faults) take(r *http.Request, host string, signIn bool) *wire.Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.list {
		if !s.matches(r, host, signIn) || (s.Count > 0 && s.Answered >= s.Count) {
			continue
		}
		s.Seen++
		if s.Seen <= s.Skip {
			continue
		}
		s.Answered++
		chosen := s.Fault
		return &chosen
	}
	return nil
}

func (s *script) matches(r *http.Request, host string, signIn bool) bool {
	if signIn && (s.Host == "" || s.Host == "*") {
		return false
	}
	if s.Host != "" {
		if ok, err := path.Match(strings.ToLower(s.Host), host); err != nil || !ok {
			return false
		}
	}
	if s.Kind == KindExpired && r.Header.Get("Authorization") == "" {
		return false
	}
	return (s.Method == "" || strings.EqualFold(s.Method, r.Method)) && (s.where == nil || s.where.MatchString(r.URL.Path))
}

// faultError is the answer of a status fault. Retry-After has whole seconds; for a part
// of a second x-ms-retry-after-ms says it exactly, as some Azure services do.
func faultError(f *wire.Fault) *wire.Error {
	e := &wire.Error{Status: f.Status, Code: f.Code, Message: "Scripted fault " + strconv.Quote(f.Name) + ".", Header: map[string]string{}}
	if e.Code == "" {
		e.Code = defaultCode(f.Status)
	}
	e.Header["X-Ms-Error-Code"] = e.Code
	if f.RetryAfter > 0 {
		e.Header["Retry-After"] = strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds())))
		if f.RetryAfter%time.Second != 0 {
			e.Header["X-Ms-Retry-After-Ms"] = strconv.FormatInt(f.RetryAfter.Milliseconds(), 10)
		}
	}
	return e
}

// defaultCode is the code that ARM gives with a status.
func defaultCode(status int) string {
	if text := http.StatusText(status); text != "" {
		return strings.NewReplacer(" ", "", "-", "", "'", "").Replace(text)
	}
	return "Error" + strconv.Itoa(status)
}
