package deployment

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// startNested begins a deployment that is a resource of another one.
func (s *Service) startNested(r *record, op *operation, body map[string]any) {
	child, refused := s.nested(r, op.resource, body, runtime{s, r})
	if refused == nil {
		_, refused = s.all.put(child)
	}
	if refused != nil {
		s.fail(op, refused)
		return
	}
	op.mu.Lock()
	op.child, op.status = child, http.StatusCreated
	op.mu.Unlock()
	s.followNested(op)
}

// nested prepares a nested deployment, without beginning it. rt may be nil.
func (s *Service) nested(r *record, res *template.Resource, body map[string]any, rt template.Runtime) (*record, *wire.Error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, errContent("%v", err)
	}
	scope := before(res.ID, "/providers/"+template.NestedType+"/")
	c, refused := readContent(raw, s.secretsOf(r.caller))
	if refused != nil {
		return nil, refused
	}
	const action = template.NestedType + "/write"
	if !s.ctl.Allowed(r.caller, res.ID, action) {
		return nil, errUnauthorized(r.caller, res.Name, res.Type, action, res.ID)
	}
	place, refused := s.ctl.Place(r.caller, scope)
	if refused != nil {
		return nil, refused
	}
	var plan *template.Plan
	if res.Outer() {
		plan, err = r.plan.ExpandOuter(res, c.template, scope, rt)
	} else {
		plan, err = s.expand(c, res.Name, place)
	}
	if err != nil {
		return nil, wireError(err)
	}
	child := newRecord(r.caller, scope, res.Name, c, plan, s.opt.Clock())
	child.correlation = r.correlation
	return child, nil
}

// before is what stands before the last occurrence of sep, without regard to case; all of
// s if there is none.
func before(s, sep string) string {
	if i := strings.LastIndex(strings.ToLower(s), strings.ToLower(sep)); i >= 0 {
		return s[:i]
	}
	return s
}

// followNested takes a nested deployment one step further.
func (s *Service) followNested(op *operation) {
	s.step(op.child)
	switch state, failure := op.child.current(); state {
	case succeeded:
		op.end(succeeded, http.StatusOK, nil, s.opt.Clock())
	case failed:
		s.fail(op, failure)
	case canceled:
		op.end(canceled, http.StatusConflict, nil, s.opt.Clock())
	}
}
