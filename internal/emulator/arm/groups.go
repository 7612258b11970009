package arm

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	typeGroup       = "Microsoft.Resources/resourceGroups"
	typeGroupAction = "Microsoft.Resources/subscriptions/resourceGroups"
)

// groupName is what Azure takes as a name: letters of any script, digits, ( ) - _ and
// periods inside.
var groupName = regexp.MustCompile(`^[\p{L}\p{N}()\-_.]{0,89}[\p{L}\p{N}()\-_]$`)

// group serves a resource group's own path.
func (s *Store) group(q *request) (*reply, *wire.Error) {
	if q.method == http.MethodPost {
		return noRoute(q)
	}
	if e := q.authorize(actionOf(q.method, typeGroupAction), q.id.String()); e != nil {
		return nil, e
	}
	if q.method == http.MethodGet || q.method == http.MethodHead {
		s.jobs.look(q.id.Key(), s.opt.Clock())
	}
	e := s.res.Get(q.id.Key())
	switch q.method {
	case http.MethodPut, http.MethodPatch:
		return s.putGroup(q)
	case http.MethodHead:
		if e == nil {
			return &reply{status: http.StatusNotFound}, nil
		}
		return &reply{status: http.StatusNoContent}, nil
	case http.MethodGet, http.MethodDelete:
		if e == nil {
			return nil, errGroupNotFound(q.id.Group)
		}
		if q.method == http.MethodDelete {
			return s.deleteGroup(q, e)
		}
		return ok(e.Res.Body)
	}
	return nil, errMethod(q.method)
}

func (s *Store) putGroup(q *request) (*reply, *wire.Error) {
	body, e := q.object()
	if e != nil {
		return nil, e
	}
	entry, created, e := s.writeGroup(write{id: q.id, body: body, patch: q.method == http.MethodPatch})
	if e != nil {
		return nil, e
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &reply{status: status, body: entry.Res.Body}, nil
}

// writeGroup creates a resource group, or changes its tags and managedBy.
func (s *Store) writeGroup(w write) (*tree.Entry, bool, *wire.Error) {
	w.id = s.casing(w.id)
	key := w.id.Key()
	defer s.writing.lock(key)()
	old := s.res.Get(key)
	if e := wellFormed(w.body); e != nil {
		return nil, false, e
	}
	if e := groupRefusal(w, old); e != nil {
		return nil, false, e
	}
	body := map[string]any{"location": w.body["location"]}
	if old != nil {
		body["location"] = old.Res.Body["location"]
	}
	for _, field := range []string{"tags", "managedBy"} {
		if v, ok := w.body[field]; ok && v != nil {
			body[field] = cloneValue(v)
		} else if w.patch && old != nil {
			setIf(body, field, old.Res.Body[field])
		}
	}
	body["location"] = cloud.Normal(body["location"].(string))
	res := wire.Resource{ID: w.id.String(), TenantID: s.TenantOf(w.id.String()), Type: typeGroup, Name: w.id.Group, Body: body}
	body["id"], body["name"], body["type"] = res.ID, res.Name, typeGroup
	properties(body)["provisioningState"] = stateSucceeded
	entry := &tree.Entry{ID: w.id, Key: key, Res: res}
	s.res.Put(entry)
	return entry, old == nil, nil
}

func groupRefusal(w write, old *tree.Entry) *wire.Error {
	location, _ := w.body["location"].(string)
	switch {
	case !groupName.MatchString(w.id.Group):
		// The code is not documented.
		return refusal(http.StatusBadRequest, "InvalidResourceGroupName", "The resource group name '%s' is invalid.", w.id.Group)
	case old == nil && w.patch:
		return errGroupNotFound(w.id.Group)
	case old != nil && state(old) == stateDeleting:
		return errGroupBeingDeleted(old.Res.Name)
	case old == nil && location == "":
		return errLocationRequired()
	case location != "" && !cloud.Known(location):
		return errUnknownGroupLocation(location)
	case old != nil && location != "" && cloud.Normal(location) != old.Res.Body["location"]:
		return errGroupLocation(location, old.Res.Body["location"].(string))
	}
	return nil
}

// deleteGroup begins the deletion of a group with all that is in it.
func (s *Store) deleteGroup(q *request, e *tree.Entry) (*reply, *wire.Error) {
	s.setState(e.Key, stateDeleting)
	job := s.jobs.start(q, e.Key, func(failure *wire.Error) *wire.Error {
		if failure == nil {
			failure = s.emptyGroup(e.Key)
		}
		if failure != nil {
			s.setState(e.Key, stateSucceeded)
			return failure
		}
		return s.remove(e.Key)
	})
	job.result = func() (*reply, *wire.Error) { return &reply{status: http.StatusOK}, nil }
	return &reply{status: http.StatusAccepted, header: s.asyncHeaders(q, job)}, nil
}

// emptyGroup removes the resources of a group and stops at the first that refuses to go.
func (s *Store) emptyGroup(key string) *wire.Error {
	for _, e := range s.res.Subtree(key) {
		if e.Key == key {
			continue
		}
		if refusal := s.removeOne(e.Key); refusal != nil {
			return refusal
		}
	}
	return nil
}

// listGroups lists the resource groups that the caller may read.
func (s *Store) listGroups(q *request) (*reply, *wire.Error) {
	action := typeGroupAction + "/read"
	if !s.roles.Sees(q.caller.TenantID, q.caller.ObjectID, q.id.SubscriptionID()) {
		return nil, errForbidden(q.caller, action, q.id.SubscriptionID())
	}
	match, e := resourceFilter(q.query.Get("$filter"))
	if e != nil {
		return nil, e
	}
	return s.list(q, listing{
		typ: typeGroup, under: armid.Key(q.id.SubscriptionID()),
		keep:   func(e *tree.Entry) bool { return match(e) && q.allowed(action, e.Res.ID, "") },
		render: func(e *tree.Entry) any { return e.Res.Body },
	})
}

// casing gives an ID the casing of what is stored already: of the resource itself, else
// of its parent or group, and of the type as the table or its provider writes it.
func (s *Store) casing(id armid.ID) armid.ID {
	if e := s.res.Get(id.Key()); e != nil {
		return e.ID
	}
	if sub := s.subscription(id.Subscription); sub != nil {
		id.Subscription = sub.id
	}
	if id.Group != "" {
		if e := s.res.Get(armid.Key(id.GroupID())); e != nil {
			id.Group = e.ID.Group
		}
	}
	if id.Namespace == "" {
		return id
	}
	id.Scope = s.casing(armid.Parse(id.Scope)).String()
	id.Namespace, id.Types = s.typeCasing(id.Namespace, id.Types)
	for n := min(len(id.Names), len(id.Types)-1); n > 0; n-- {
		parent := id
		parent.Types, parent.Names = id.Types[:n], id.Names[:n]
		if e := s.res.Get(parent.Key()); e != nil {
			id.Namespace = e.ID.Namespace
			id.Types = append(append([]string{}, e.ID.Types...), id.Types[n:]...)
			id.Names = append(append([]string{}, e.ID.Names...), id.Names[n:]...)
			break
		}
	}
	return id
}

// typeCasing writes a type as its provider or the operation table does.
func (s *Store) typeCasing(namespace string, types []string) (string, []string) {
	if len(types) == 0 {
		return namespace, nil
	}
	full := namespace + "/" + strings.Join(types, "/")
	for _, p := range s.registered() {
		if n := len(p.Type()); len(full) >= n && strings.EqualFold(full[:n], p.Type()) && (len(full) == n || full[n] == '/') {
			full = p.Type() + full[n:]
		}
	}
	namespace, rest, _ := strings.Cut(full, "/")
	types = strings.Split(rest, "/")
	for n := len(types); n > 0; n-- {
		if t, ok := s.ops.Type(namespace, strings.Join(types[:n], "/")); ok {
			return t.Namespace, append(strings.Split(t.Name, "/"), types[n:]...)
		}
	}
	return namespace, types
}

// adoptCasing gives a request's path the casing that the store has for it.
func (s *Store) adoptCasing(q *request) {
	if q.id.Subscription != "" && (q.id.Namespace == "" || len(q.id.Types) > 0) {
		q.id = s.casing(q.id)
	}
}

// canonicalScope is a scope as role assignments write it: "/" for the tenant's root.
func canonicalScope(scope string) string {
	if c := armid.Parse(scope).String(); c != "" {
		return c
	}
	return "/"
}
