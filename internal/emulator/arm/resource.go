package arm

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	stateSucceeded = "Succeeded"
	stateFailed    = "Failed"
	stateDeleting  = "Deleting"
)

// creating is the provisioningState on the way to Succeeded of types that have a word of
// their own for it. A Provider may set another in Put.
var creating = map[string]string{"microsoft.keyvault/vaults": "RegisteringDns"}

// resource serves the paths of resources, their collections and their actions.
func (s *Store) resource(q *request) (*reply, *wire.Error) {
	if e := q.authorize(actionOf(q.method, q.id.Type()), q.scope()); e != nil {
		return nil, e
	}
	if q.id.Group != "" && s.res.Get(armid.Key(q.id.GroupID())) == nil {
		return nil, errGroupNotFound(q.id.Group)
	}
	if a, e, found := s.operate(q); found {
		return a, e
	}
	switch {
	case q.method == http.MethodPost:
		return s.action(q)
	case q.id.Subscription == "":
		return noRoute(q)
	case q.id.IsResource():
		return s.item(q)
	case q.method == http.MethodGet:
		return s.listType(q)
	}
	return nil, errMethod(q.method)
}

// item serves the path of one resource.
func (s *Store) item(q *request) (*reply, *wire.Error) {
	switch q.method {
	case http.MethodGet:
		return s.getResource(q)
	case http.MethodHead:
		return s.headResource(q)
	case http.MethodPut, http.MethodPatch:
		return s.writeResource(q)
	case http.MethodDelete:
		return s.deleteResource(q)
	}
	return nil, errMethod(q.method)
}

// scope is where a request needs its role: at the resource, at the resource of a nested
// collection or action, at the group or subscription of a top-level collection.
func (q *request) scope() string {
	if q.id.IsResource() {
		return q.id.String()
	}
	parent, _ := q.id.Parent()
	return parent.String()
}

func (s *Store) getResource(q *request) (*reply, *wire.Error) {
	s.jobs.look(q.id.Key(), s.opt.Clock())
	e := s.res.Get(q.id.Key())
	if e == nil {
		return nil, errResourceNotFound(q.id)
	}
	return ok(e.Res.Body)
}

func (s *Store) headResource(q *request) (*reply, *wire.Error) {
	s.jobs.look(q.id.Key(), s.opt.Clock())
	if s.res.Get(q.id.Key()) == nil {
		return nil, errResourceNotFound(q.id)
	}
	return &reply{status: q.op.Pick(http.StatusNoContent, http.StatusOK)}, nil
}

// write is a PUT or PATCH of a resource.
type write struct {
	id     armid.ID
	body   map[string]any
	patch  bool
	caller *wire.Claims // nil when seeding
	async  bool         // leave the provisioningState on its way
}

func (s *Store) writeResource(q *request) (*reply, *wire.Error) {
	body, e := q.object()
	if e != nil {
		return nil, e
	}
	async := q.longRunning()
	entry, created, e := s.write(write{id: q.id, body: body, patch: q.method == http.MethodPatch, caller: &q.caller, async: async})
	if e != nil {
		return nil, e
	}
	status := q.op.Pick(http.StatusOK)
	if created {
		status = q.op.Pick(http.StatusCreated, http.StatusOK)
	}
	if !async {
		return &reply{status: status, body: entry.Res.Body}, nil
	}
	job := s.jobs.start(q, entry.Key, func(failure *wire.Error) *wire.Error {
		state := stateSucceeded
		if failure != nil {
			state = stateFailed
		}
		s.setState(entry.Key, state)
		return failure
	})
	job.result = func() (*reply, *wire.Error) { return s.getResult(entry.ID) }
	if now := s.res.Get(entry.Key); now != nil {
		entry = now
	}
	return &reply{status: status, header: s.asyncHeaders(q, job), body: entry.Res.Body}, nil
}

// getResult is what an operation's Location answers with once it has succeeded.
func (s *Store) getResult(id armid.ID) (*reply, *wire.Error) {
	e := s.res.Get(id.Key())
	if e == nil {
		return &reply{status: http.StatusNoContent}, nil
	}
	return ok(e.Res.Body)
}

// write creates or changes a resource; created tells which. Writes of one resource go one
// after another.
func (s *Store) write(w write) (entry *tree.Entry, created bool, refusal *wire.Error) {
	w.id = s.casing(w.id)
	key := w.id.Key()
	defer s.writing.lock(key)()
	old := s.res.Get(key)
	if refusal = s.writable(w, old); refusal != nil {
		return nil, false, refusal
	}
	res := s.next(w, old)
	transit := provisioning(w, old == nil)
	if p := s.provider(res.Type); p != nil {
		var before *wire.Resource
		if old != nil {
			c := clone(old.Res)
			before = &c
		}
		if refusal = p.Put(&res, before); refusal != nil {
			return nil, false, refusal
		}
		if own, _ := properties(res.Body)["provisioningState"].(string); own != "" && own != stateSucceeded {
			transit = own
		}
	}
	seal(&res, w.id)
	properties(res.Body)["provisioningState"] = stateSucceeded
	if w.async {
		properties(res.Body)["provisioningState"] = transit
	}
	entry = &tree.Entry{ID: w.id, Key: key, Tracked: tracked(w.id, res.Body), Res: res}
	if !s.res.Put(entry, mustExist(w.id)...) {
		return nil, false, s.orphaned(w.id, res)
	}
	return entry, old == nil, nil
}

// provisioning is the state of a resource on its way.
func provisioning(w write, created bool) string {
	if !created {
		return "Updating"
	}
	if own := creating[strings.ToLower(w.id.Type())]; own != "" {
		return own
	}
	return "Creating"
}

// orphaned takes back a resource whose group or parent went while it was written.
func (s *Store) orphaned(id armid.ID, res wire.Resource) *wire.Error {
	if p := s.provider(res.Type); p != nil {
		if e := p.Delete(clone(res)); e != nil {
			return e
		}
	}
	return errGroupNotFound(id.Group)
}

// mustExist lists the keys without which a resource cannot be stored.
func mustExist(id armid.ID) []string {
	var out []string
	if id.Group != "" {
		out = append(out, armid.Key(id.GroupID()))
	}
	if parent, nested := id.Parent(); nested || parent.IsResource() {
		out = append(out, parent.Key())
	}
	return out
}

// writable checks the body and everything around the resource: group, parent, registration, location.
func (s *Store) writable(w write, old *tree.Entry) *wire.Error {
	id := w.id
	if e := wellFormed(w.body); e != nil {
		return e
	}
	if w.patch && old == nil {
		return errResourceNotFound(id)
	}
	if id.Group != "" {
		group := s.res.Get(armid.Key(id.GroupID()))
		if group == nil {
			return errGroupNotFound(id.Group)
		}
		if state(group) == stateDeleting {
			return errGroupBeingDeleted(group.Res.Name)
		}
	}
	if parent, nested := id.Parent(); (nested || parent.IsResource()) && s.res.Get(parent.Key()) == nil {
		return errParentNotFound("write", id, parent)
	}
	if sub := s.subscription(id.Subscription); sub.registration(id.Namespace) == notRegistered {
		return errNotRegistered(id.Namespace)
	}
	return s.checkLocation(w, old)
}

// checkLocation: a top-level resource in a group has a known location and keeps it.
func (s *Store) checkLocation(w write, old *tree.Entry) *wire.Error {
	given, has := w.body["location"].(string)
	if has && given != "" && !cloud.Known(given) {
		return errUnknownLocation(given, w.id.Type())
	}
	if old != nil {
		if was, _ := old.Res.Body["location"].(string); has && was != "" && cloud.Normal(given) != was {
			return errResourceLocation(w.id, given, was)
		}
		return nil
	}
	if given == "" && topLevel(w.id) && s.provider(w.id.Type()) != nil {
		return errLocationRequired()
	}
	return nil
}

// topLevel tells whether a resource lies directly in a resource group. A lock does not: it
// belongs to what it locks.
func topLevel(id armid.ID) bool {
	return !isLock(id) && id.Group != "" && len(id.Types) == 1 && armid.Parse(id.Scope).IsGroup()
}

// next is the resource as the request wants it.
func (s *Store) next(w write, old *tree.Entry) wire.Resource {
	body := cloneMap(w.body)
	var before map[string]any
	if old != nil {
		before = old.Res.Body
		if w.patch {
			body = merge(before, body)
		} else if _, ok := body["location"]; !ok && before["location"] != nil {
			body["location"] = before["location"]
		}
	}
	if l, ok := body["location"].(string); ok {
		body["location"] = cloud.Normal(l)
	}
	if w.caller != nil {
		body["systemData"] = systemData(*w.caller, before, s.opt.Clock())
	}
	res := wire.Resource{ID: w.id.String(), TenantID: s.TenantOf(w.id.String()), Type: w.id.Type(), Name: w.id.Name(), Body: body}
	seal(&res, w.id)
	delete(properties(body), "provisioningState")
	return res
}

// seal puts what ARM itself decides into the body.
func seal(res *wire.Resource, id armid.ID) {
	if res.Body == nil {
		res.Body = map[string]any{}
	}
	res.ID, res.Type, res.Name = id.String(), id.Type(), id.Name()
	res.Body["id"], res.Body["type"], res.Body["name"] = res.ID, res.Type, res.Name
	properties(res.Body)
}

// tracked tells whether a resource stands in the list of all resources: top-level
// resources do, nested ones if they have a location, extension resources do not.
func tracked(id armid.ID, body map[string]any) bool {
	scope := armid.Parse(id.Scope)
	if scope.Namespace != "" || strings.EqualFold(id.Namespace, "Microsoft.Authorization") || strings.EqualFold(id.Namespace, "Microsoft.Resources") {
		return false
	}
	_, located := body["location"].(string)
	return len(id.Types) == 1 || located
}

func (s *Store) setState(key, to string) {
	s.res.Update(key, func(e *tree.Entry) {
		body := maps.Clone(e.Res.Body)
		props := maps.Clone(properties(body))
		props["provisioningState"] = to
		body["properties"] = props
		e.Res.Body = body
	})
}

func state(e *tree.Entry) string {
	props, _ := e.Res.Body["properties"].(map[string]any)
	st, _ := props["provisioningState"].(string)
	return st
}

// keyLocks serialises the writers of one key without holding up those of others.
type keyLocks struct {
	mu   sync.Mutex // guards held
	held map[string]*keyLock
}

type keyLock struct {
	sync.Mutex
	waiting int
}

// lock returns the function that unlocks.
func (k *keyLocks) lock(key string) func() {
	k.mu.Lock()
	if k.held == nil {
		k.held = map[string]*keyLock{}
	}
	l := k.held[key]
	if l == nil {
		l = &keyLock{}
		k.held[key] = l
	}
	l.waiting++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.waiting--; l.waiting == 0 {
			delete(k.held, key)
		}
	}
}
