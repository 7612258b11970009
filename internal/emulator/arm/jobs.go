package arm

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	operationTime = 30 * time.Second // after which an operation ends although nobody looks
	jobMemory     = time.Hour        // for which an ended operation can still be asked for
)

// jobs are the long-running operations. The zero value is ready.
type jobs struct {
	mu      sync.Mutex // guards what follows
	byID    map[string]*job
	running map[string][]*job // by the key of the resource
	fails   map[string]*wire.Error
}

// job is one long-running operation.
type job struct {
	id, method string
	sub        *subscription
	tenantID   string
	key        string
	path       string // of its status, or of its result if it has no status
	version    string
	started    time.Time
	result     func() (*reply, *wire.Error) // what Location answers with in the end
	finish     func(failure *wire.Error) *wire.Error

	mu      sync.Mutex // guards what follows
	left    int        // looks that still find it running
	doomed  *wire.Error
	ended   time.Time // zero while it runs
	failure *wire.Error
}

// start begins an operation on a resource. finish does the rest of the work, once, when
// the operation ends; it is told of a failure that was asked for and tells its own.
func (j *jobs) start(q *request, key string, finish func(*wire.Error) *wire.Error) *job {
	now := q.store.opt.Clock()
	n := &job{
		id: uuid.NewString(), method: q.method, sub: q.sub, tenantID: q.caller.TenantID, key: key, version: q.version,
		started: now, left: q.store.opt.Polls, finish: finish,
	}
	n.path = statusPath(q, n.id)
	j.mu.Lock()
	if j.byID == nil {
		j.byID, j.running = map[string]*job{}, map[string][]*job{}
	}
	n.doomed = j.fails[q.method+key]
	delete(j.fails, q.method+key)
	j.forget(now)
	j.byID[n.id] = n
	j.running[key] = append(j.running[key], n)
	j.mu.Unlock()
	if n.left <= 0 {
		n.end(now)
		j.settle(n)
	}
	return n
}

// forget drops operations that ended long ago. The caller holds mu.
func (j *jobs) forget(now time.Time) {
	for id, n := range j.byID {
		if now.Sub(n.started) > jobMemory+operationTime {
			delete(j.byID, id)
			j.running[n.key] = slices.DeleteFunc(j.running[n.key], func(o *job) bool { return o == n })
		}
	}
}

func (j *jobs) failNext(method, key string, failure *wire.Error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fails == nil {
		j.fails = map[string]*wire.Error{}
	}
	j.fails[method+key] = failure
}

// look is a look at a resource: each operation on it comes one step nearer to its end.
func (j *jobs) look(key string, now time.Time) {
	for _, n := range j.of(key) {
		n.look(now)
		j.settle(n)
	}
}

func (j *jobs) of(key string) []*job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.running[key])
}

// settle takes an ended operation from the running ones.
func (j *jobs) settle(n *job) {
	if ended, _ := n.outcome(); ended.IsZero() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(j.running[n.key]), func(o *job) bool { return o == n })
	if j.running[n.key] = rest; len(rest) == 0 {
		delete(j.running, n.key)
	}
}

// finishOverdue ends the operations that have had their time.
func (j *jobs) finishOverdue(now time.Time) {
	var due []*job
	j.mu.Lock()
	for _, list := range j.running {
		for _, n := range list {
			if now.Sub(n.started) >= operationTime {
				due = append(due, n)
			}
		}
	}
	j.mu.Unlock()
	for _, n := range due {
		n.end(now)
		j.settle(n)
	}
}

// look counts one look, and ends the operation if it was the last.
func (n *job) look(now time.Time) {
	n.mu.Lock()
	running := n.left > 0
	if running {
		n.left--
	}
	n.mu.Unlock()
	if !running {
		n.end(now)
	}
}

// end finishes the operation unless that was done.
func (n *job) end(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ended.IsZero() {
		return
	}
	n.failure = n.finish(n.doomed)
	n.ended = now
}

// outcome tells when the operation ended (zero: it has not) and how.
func (n *job) outcome() (ended time.Time, failure *wire.Error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended, n.failure
}

// statusPath is where an operation's status lies. Operations on resource groups have no
// status but only a result, as in Azure.
func statusPath(q *request, id string) string {
	if q.id.Namespace == "" {
		return q.id.SubscriptionID() + "/operationresults/" + id
	}
	location := q.store.locationOf(q)
	if location == "*" {
		location = "global"
	}
	return q.id.SubscriptionID() + "/providers/" + q.id.Namespace + "/locations/" + cloud.Normal(location) + "/operationStatuses/" + id
}

// asyncHeaders tell a client how to follow an operation.
func (s *Store) asyncHeaders(q *request, n *job) map[string]string {
	h := s.retryHeaders()
	version := url.Values{"api-version": {n.version}}
	if strings.Contains(n.path, "/operationStatuses/") {
		h["Azure-AsyncOperation"] = q.url(n.path, version)
	}
	h["Location"] = q.url(n.resultPath(), version)
	return h
}

func (n *job) resultPath() string {
	return strings.Replace(n.path, "/operationStatuses/", "/operationResults/", 1)
}

// retryHeaders: Retry-After has whole seconds; the header with milliseconds, which
// Azure's clients prefer, is added where seconds are too coarse.
func (s *Store) retryHeaders() map[string]string {
	d := s.opt.RetryAfter
	h := map[string]string{"Retry-After": strconv.Itoa(int(math.Ceil(d.Seconds())))}
	if d%time.Second != 0 {
		h["X-Ms-Retry-After-Ms"] = strconv.FormatInt(d.Milliseconds(), 10)
	}
	return h
}

// jobStatus answers for the status or the result of an operation; found is false if the
// path is neither.
func (s *Store) jobStatus(q *request) (a *reply, refusal *wire.Error, found bool) {
	if q.method != http.MethodGet {
		return nil, nil, false
	}
	segs := strings.Split(q.id.String(), "/")
	what := strings.ToLower(segs[max(0, len(segs)-2)])
	if what != "operationstatuses" && what != "operationresults" {
		return nil, nil, false
	}
	s.jobs.mu.Lock()
	n := s.jobs.byID[strings.ToLower(segs[len(segs)-1])]
	s.jobs.mu.Unlock()
	if n == nil || n.sub != q.sub || !strings.EqualFold(n.tenantID, q.caller.TenantID) {
		return nil, nil, false
	}
	n.look(s.opt.Clock())
	s.jobs.settle(n)
	if what == "operationstatuses" {
		return s.status(n), nil, true
	}
	a, refusal = s.outcome(q, n)
	return a, refusal, true
}

// status is the document behind Azure-AsyncOperation.
func (s *Store) status(n *job) *reply {
	const layout = "2006-01-02T15:04:05.0000000Z"
	ended, failure := n.outcome()
	doc := map[string]any{"id": n.path, "name": n.id, "status": "InProgress", "startTime": n.started.UTC().Format(layout)}
	if ended.IsZero() {
		return &reply{status: http.StatusOK, header: s.retryHeaders(), body: doc}
	}
	doc["endTime"] = ended.UTC().Format(layout)
	doc["status"] = stateSucceeded
	if failure != nil {
		doc["status"] = stateFailed
		doc["error"] = failure
	}
	return &reply{status: http.StatusOK, body: doc}
}

// outcome is what Location answers with: 202 while the operation runs, then its result.
func (s *Store) outcome(q *request, n *job) (*reply, *wire.Error) {
	ended, failure := n.outcome()
	if ended.IsZero() {
		h := s.retryHeaders()
		h["Location"] = q.url(n.resultPath(), url.Values{"api-version": {n.version}})
		return &reply{status: http.StatusAccepted, header: h}, nil
	}
	if failure != nil {
		return nil, failure
	}
	return n.result()
}
