package deployment

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxSteps ends a deployment whose resources never come to an end.
const maxSteps = 100_000

// run takes a deployment to its end.
func (s *Service) run(r *record) {
	for range maxSteps {
		if r.over() || !s.step(r) {
			return
		}
	}
}

// step takes a deployment one step further: it looks at what is under way, starts what can
// be started and closes the deployment when nothing is left. A step that is being taken by
// somebody else is not waited for: false.
func (s *Service) step(r *record) bool {
	if !r.stepping.TryLock() {
		return false
	}
	defer r.stepping.Unlock()
	if r.over() {
		return true
	}
	r.mu.Lock()
	r.state = running
	r.mu.Unlock()
	busy := false
	for _, op := range r.operations() {
		if state, _ := op.current(); !ended(state) {
			s.follow(r, op)
		}
		if state, _ := op.current(); !ended(state) {
			busy = true
		}
	}
	for s.startReady(r) { // what ended at once may let others begin
	}
	for _, op := range r.operations() {
		state, _ := op.current()
		busy = busy || !ended(state)
	}
	if !busy {
		s.close(r)
	}
	return true
}

// startReady starts the resources whose dependencies are done and tells whether there was
// any.
func (s *Service) startReady(r *record) bool {
	started := map[*template.Resource]*operation{}
	for _, op := range r.operations() {
		if op.resource != nil {
			started[op.resource] = op
		}
	}
	begun := false
	for _, res := range r.plan.Resources {
		if started[res] != nil || !deployed(res) || r.over() {
			continue
		}
		if ready(res, started) {
			started[res] = s.start(r, res)
			begun = true
		}
	}
	return begun
}

// deployed tells whether a resource is one that the deployment writes.
func deployed(res *template.Resource) bool { return res.Condition && !res.Existing }

// ready tells whether all that a resource waits for has succeeded.
func ready(res *template.Resource, started map[*template.Resource]*operation) bool {
	for _, o := range res.DependsOn {
		if !deployed(o) {
			continue
		}
		op := started[o]
		if op == nil {
			return false
		}
		if state, _ := op.current(); state != succeeded {
			return false
		}
	}
	return true
}

// start begins the deployment of one resource.
func (s *Service) start(r *record, res *template.Resource) *operation {
	op := r.add(&operation{
		id: serial(), kind: "Create", target: res.ID, typ: res.Type, name: lastOf(res.Name), resource: res,
		version: res.APIVersion, started: s.opt.Clock(), state: running,
	})
	body, err := r.plan.Body(res, runtime{s, r})
	if err != nil {
		s.fail(op, wireError(err))
		return op
	}
	op.request = body
	if res.Nested() {
		s.startNested(r, op, body)
		return op
	}
	call := Call{Caller: r.caller, Method: http.MethodPut, Path: res.ID, Version: res.APIVersion, Body: body}
	a, refused := s.ctl.Do(call)
	if refused != nil && refused.Code == "MissingSubscriptionRegistration" && s.register(r.caller, res) {
		a, refused = s.ctl.Do(call)
	}
	s.answered(op, a, refused)
	return op
}

// register registers the resource provider of a resource, which a deployment does if the
// caller may.
func (s *Service) register(c wire.Claims, res *template.Resource) bool {
	_, rest, _ := strings.Cut(res.ID, "/subscriptions/")
	sub, _, _ := strings.Cut(rest, "/")
	namespace, _, _ := strings.Cut(res.Type, "/")
	_, refused := s.ctl.Do(Call{
		Caller: c, Method: http.MethodPost, Path: "/subscriptions/" + sub + "/providers/" + namespace + "/register",
		Version: s.ctl.Newest("Microsoft.Resources/deployments"),
	})
	return refused == nil
}

func (s *Service) fail(op *operation, refused *wire.Error) {
	status := refused.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	op.end(failed, status, refused, s.opt.Clock())
}

// answered notes what a resource provider answered to a PUT or DELETE.
func (s *Service) answered(op *operation, a Answer, refused *wire.Error) {
	if refused != nil {
		s.fail(op, refused)
		return
	}
	op.mu.Lock()
	op.status, op.response = a.Status, a.Body
	op.mu.Unlock()
	op.follow = a.Header["Azure-AsyncOperation"]
	if op.follow == "" {
		op.follow = a.Header["Location"]
	}
	if state := stateOf(a.Body); op.follow == "" || (a.Status == http.StatusOK && ended(state)) {
		op.end(succeeded, a.Status, nil, s.opt.Clock())
	}
}

// stateOf is the provisioningState of a resource; Succeeded if it has none.
func stateOf(body map[string]any) string {
	props, _ := body["properties"].(map[string]any)
	if state, ok := props["provisioningState"].(string); ok {
		return state
	}
	return succeeded
}

// follow looks at an operation that is under way.
func (s *Service) follow(r *record, op *operation) {
	if op.child != nil {
		s.followNested(op)
		return
	}
	a, refused := s.ctl.Do(Call{Caller: r.caller, Method: http.MethodGet, Path: op.follow, Version: op.version})
	status, _ := a.Body["status"].(string)
	switch {
	case refused != nil:
		s.fail(op, refused)
	case a.Status == http.StatusAccepted || status == "InProgress" || status == running || status == accepted:
	case status == failed || status == canceled:
		s.fail(op, asyncFailure(a.Body))
	default:
		op.end(succeeded, http.StatusOK, nil, s.opt.Clock())
	}
}

// asyncFailure is the error that the status of an asynchronous operation tells.
func asyncFailure(status map[string]any) *wire.Error {
	e := object(status["error"])
	code, _ := e["code"].(string)
	message, _ := e["message"].(string)
	return &wire.Error{
		Status: http.StatusConflict, Code: "ResourceDeploymentFailure",
		Message: "The resource write operation failed to complete successfully, because it reached terminal provisioning state 'Failed'.",
		Details: []*wire.Error{{Code: code, Message: message}},
	}
}

// close ends a deployment in which nothing is under way and nothing more can start.
func (s *Service) close(r *record) {
	var details []*wire.Error
	for _, op := range r.operations() {
		if state, failure := op.current(); state == failed && failure != nil {
			inner := *failure
			inner.Target = op.target
			details = append(details, &inner)
		}
	}
	if len(details) > 0 {
		r.end(failed, errFailed(r.id, details), s.opt.Clock())
		return
	}
	if r.content.mode == complete && !r.cleaned {
		r.cleaned = true
		if refused := s.clean(r); refused != nil {
			r.end(failed, refused, s.opt.Clock())
		}
		return // the deletions are operations, too
	}
	op := r.add(&operation{id: serial(), kind: "EvaluateDeploymentOutput", started: s.opt.Clock(), state: running})
	outputs, err := r.plan.Outputs(r.content.template, runtime{s, r})
	if err != nil {
		s.fail(op, wireError(err))
		r.end(failed, wireError(err), s.opt.Clock())
		return
	}
	r.mu.Lock()
	r.outputs = outputs
	r.mu.Unlock()
	op.end(succeeded, http.StatusOK, nil, s.opt.Clock())
	r.end(succeeded, nil, s.opt.Clock())
}

func lastOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
