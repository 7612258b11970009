package deployment

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// States of a deployment and of its operations.
const (
	accepted  = "Accepted"
	running   = "Running"
	succeeded = "Succeeded"
	failed    = "Failed"
	canceled  = "Canceled"
)

// record is one deployment.
type record struct {
	id, scope, name string
	caller          wire.Claims
	content         *content
	plan            *template.Plan
	correlation     string
	statusID        string
	started         time.Time

	stepping sync.Mutex // held by the one who takes a step

	mu      sync.Mutex // guards what follows
	state   string
	failure *wire.Error
	outputs map[string]template.Value
	ended   time.Time
	ops     []*operation
	cleaned bool // Complete mode has chosen what to delete
}

func newRecord(c wire.Claims, scope, name string, content *content, plan *template.Plan, now time.Time) *record {
	return &record{
		id: ID(scope, name), scope: scope, name: name, caller: c, content: content, plan: plan,
		correlation: uuid.NewString(), statusID: serial(), started: now, state: accepted,
	}
}

// ID is the ID of a deployment at a scope.
func ID(scope, name string) string {
	return scope + "/providers/" + template.NestedType + "/" + name
}

// serial is the number of an operation in the form that Azure gives them.
func serial() string {
	raw := uuid.New()
	return fmt.Sprintf("08584%015d", binary.BigEndian.Uint64(raw[:8])%1e15)
}

func (r *record) current() (state string, failure *wire.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.failure
}

func (r *record) over() bool {
	state, _ := r.current()
	return ended(state)
}

func ended(state string) bool { return state == succeeded || state == failed || state == canceled }

// end closes the deployment, unless that was done.
func (r *record) end(state string, failure *wire.Error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ended(r.state) {
		return
	}
	r.state, r.failure, r.ended = state, failure, now
}

func (r *record) operations() []*operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*operation{}, r.ops...)
}

func (r *record) add(op *operation) *operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
	return op
}

// operation is one thing that a deployment does.
type operation struct {
	id       string
	kind     string // Create, Delete, EvaluateDeploymentOutput
	target   string // ID of the resource; "" if it has none
	typ      string
	name     string
	resource *template.Resource // nil but for Create
	child    *record            // a nested deployment
	version  string
	started  time.Time
	request  any
	follow   string // URL of the status of its asynchronous operation

	mu       sync.Mutex // guards what follows
	state    string
	status   int // HTTP status that the resource provider answered
	failure  *wire.Error
	response any
	ended    time.Time
}

func (o *operation) current() (state string, failure *wire.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state, o.failure
}

func (o *operation) end(state string, status int, failure *wire.Error, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if ended(o.state) {
		return
	}
	o.state, o.failure, o.ended = state, failure, now
	if status != 0 {
		o.status = status
	}
}

// registry holds the deployments of all tenants. The zero value is empty.
type registry struct {
	mu  sync.Mutex // guards all
	all map[string]*record
}

func key(c wire.Claims, scope, name string) string {
	return strings.ToLower(c.TenantID + "|" + ID(scope, name))
}

func (g *registry) get(c wire.Claims, scope, name string) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all[key(c, scope, name)]
}

// put stores a deployment unless one of its name is under way.
func (g *registry) put(r *record) (before *record, refused *wire.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := key(r.caller, r.scope, r.name)
	before = g.all[k]
	switch {
	case before != nil && !before.over():
		return before, errActive(r.id)
	case before != nil && before.content.location != r.content.location:
		return before, errLocation(r.name, r.content.location, before.content.location)
	}
	if g.all == nil {
		g.all = map[string]*record{}
	}
	g.all[k] = r
	return before, nil
}

func (g *registry) remove(r *record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if k := key(r.caller, r.scope, r.name); g.all[k] == r {
		delete(g.all, k)
	}
}

// some lists the deployments that keep says.
func (g *registry) some(keep func(*record) bool) []*record {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []*record
	for _, r := range g.all {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

// object decodes any JSON value into an object; nil if it is none.
func object(v any) map[string]any {
	if m, ok := v.(map[string]any); ok {
		return m
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}
