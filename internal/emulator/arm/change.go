package arm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// deleteResource deletes a resource and what lies under it.
func (s *Store) deleteResource(q *request) (*reply, *wire.Error) {
	key := q.id.Key()
	entry := s.res.Get(key)
	if entry == nil {
		return &reply{status: http.StatusNoContent}, nil
	}
	if !q.longRunning() {
		if e := s.remove(key); e != nil {
			return nil, e
		}
		return &reply{status: q.op.Pick(http.StatusOK, http.StatusNoContent)}, nil
	}
	before := state(entry)
	s.setState(key, stateDeleting)
	job := s.jobs.start(q, key, func(failure *wire.Error) *wire.Error {
		if failure == nil {
			failure = s.remove(key)
		}
		if failure != nil {
			s.setState(key, before)
		}
		return failure
	})
	job.result = func() (*reply, *wire.Error) { return &reply{status: http.StatusNoContent}, nil }
	return &reply{status: q.op.Pick(http.StatusAccepted, http.StatusOK), header: s.asyncHeaders(q, job)}, nil
}

// remove takes a resource out of the store, its provider first: a refusal leaves it. What
// lies under it follows; nothing new can come there once it is gone.
func (s *Store) remove(key string) *wire.Error {
	if refusal := s.removeOne(key); refusal != nil {
		return refusal
	}
	for left := s.res.Subtree(key); len(left) > 0; left = s.res.Subtree(key) {
		for _, e := range left {
			if refusal := s.removeOne(e.Key); refusal != nil {
				return refusal
			}
		}
	}
	s.roles.DropScope(key)
	s.deployments.Drop(s.TenantOf(key), key)
	return nil
}

func (s *Store) removeOne(key string) *wire.Error {
	defer s.writing.lock(key)()
	e := s.res.Get(key)
	if e == nil {
		return nil
	}
	if p := s.provider(e.Res.Type); p != nil {
		if refusal := p.Delete(clone(e.Res)); refusal != nil {
			return refusal
		}
	}
	s.res.Delete(key)
	return nil
}

// action serves POST <resource>/<name>.
func (s *Store) action(q *request) (*reply, *wire.Error) {
	target, nested := q.id.Parent()
	if !nested || !target.IsResource() {
		return noRoute(q)
	}
	e := s.res.Get(target.Key())
	if e == nil {
		return nil, errResourceNotFound(target)
	}
	p := s.provider(e.Res.Type)
	if p == nil {
		return nil, errNotImplemented(q.method, q.id.String())
	}
	answer, found, refusal := p.Action(clone(e.Res), q.id.Types[len(q.id.Types)-1], q.raw)
	switch {
	case refusal != nil:
		return nil, refusal
	case !found:
		return nil, errNotImplemented(q.method, q.id.String())
	}
	return s.done(q, target.Key(), 0, answer)
}

// done answers a POST whose work is done: at once, or by the asynchronous protocol if
// that is what the operation's client expects.
func (s *Store) done(q *request, key string, status int, answer any) (*reply, *wire.Error) {
	plain := &reply{status: status, body: answer}
	if status == 0 {
		plain.status = q.op.Pick(http.StatusOK)
		if answer == nil {
			plain.status = q.op.Pick(http.StatusOK, http.StatusNoContent)
		}
	}
	if !q.longRunning() || q.method != http.MethodPost {
		return plain, nil
	}
	job := s.jobs.start(q, key, func(failure *wire.Error) *wire.Error { return failure })
	job.result = func() (*reply, *wire.Error) { return &reply{status: http.StatusOK, body: answer}, nil }
	return &reply{status: q.op.Pick(http.StatusAccepted, http.StatusOK), header: s.asyncHeaders(q, job)}, nil
}

// operate asks the operators of the path's namespace; found is false if none has the
// operation.
func (s *Store) operate(q *request) (a *reply, refusal *wire.Error, found bool) {
	if s.provider(q.id.Type()) != nil {
		return nil, nil, false
	}
	for _, p := range s.registered() {
		op, isOperator := p.(wire.Operator)
		namespace, name, _ := strings.Cut(p.Type(), "/")
		if !isOperator || !strings.EqualFold(namespace, q.id.Namespace) {
			continue
		}
		call, mine, refusal := s.callFor(q, name)
		if refusal != nil {
			return nil, refusal, true
		}
		if !mine {
			continue
		}
		answer, found, refusal := op.Operate(call)
		if !found {
			continue
		}
		if refusal != nil {
			return nil, refusal, true
		}
		a, refusal = s.answered(q, call, answer)
		return a, refusal, true
	}
	return nil, nil, false
}

// callFor makes the call of a request for a provider of a type ("vaults"); mine is false
// if the request is a plain one for a resource, a collection or an action of the type.
func (s *Store) callFor(q *request, typ string) (call wire.Call, mine bool, refusal *wire.Error) {
	call = wire.Call{Caller: q.caller, Method: q.method, Subscription: q.id.Subscription, Body: q.raw}
	depth := strings.Count(typ, "/") + 1
	under := len(q.id.Types) >= depth && strings.EqualFold(strings.Join(q.id.Types[:depth], "/"), typ)
	segs := segments(q.id)
	switch {
	case !under:
		call.Rest = segs
		return call, true, nil
	case len(segs) <= 2*depth:
		return call, false, nil
	}
	call.Rest = segs[2*depth:]
	owner := q.id
	owner.Types, owner.Names = q.id.Types[:depth], q.id.Names[:depth]
	e := s.res.Get(owner.Key())
	if e == nil {
		return call, false, errResourceNotFound(owner)
	}
	res := clone(e.Res)
	call.Resource = &res
	if q.method == http.MethodPost && len(call.Rest) == 1 {
		return call, false, nil // Provider.Action's
	}
	return call, true, nil
}

// segments lists what follows the namespace.
func segments(id armid.ID) []string {
	var out []string
	for i, t := range id.Types {
		out = append(out, t)
		if i < len(id.Names) {
			out = append(out, id.Names[i])
		}
	}
	return out
}

// answered turns an operator's answer into a reply and stores what it changed.
func (s *Store) answered(q *request, call wire.Call, a wire.Answer) (*reply, *wire.Error) {
	key := q.id.Key()
	if call.Resource != nil && a.Resource != nil {
		key = armid.Key(call.Resource.ID)
		s.res.Update(key, func(e *tree.Entry) {
			body := cloneMap(a.Resource.Body)
			e.Res.Body = body
			seal(&e.Res, e.ID)
		})
	}
	if list, ok := a.Body.([]any); ok {
		return q.page(slices.Values(list))
	}
	return s.done(q, key, a.Status, a.Body)
}
