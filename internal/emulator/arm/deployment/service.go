package deployment

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Service serves the deployments API. It is safe for concurrent use.
type Service struct {
	ctl Control
	opt Options
	all registry
}

// New returns a Service without deployments.
func New(ctl Control, opt Options) *Service { return &Service{ctl: ctl, opt: opt} }

// Serve answers a request. The caller has the right to it.
func (s *Service) Serve(q Request) (Reply, *wire.Error) {
	if q.Name == "" {
		if q.Method != http.MethodGet {
			return Reply{}, errMethod(q.Method)
		}
		return s.list(q)
	}
	if len(q.Rest) == 0 {
		return s.item(q)
	}
	switch verb := strings.ToLower(q.Rest[0]); {
	case q.Method == http.MethodPost && len(q.Rest) == 1 && verb == "validate":
		return s.validate(q)
	case q.Method == http.MethodPost && len(q.Rest) == 1 && verb == "whatif":
		return s.whatIf(q)
	}
	r := s.all.get(q.Caller, q.Scope, q.Name)
	if r == nil {
		return Reply{}, errNotFound(q.Name)
	}
	return s.part(q, r)
}

// errMethod: ARM's code for a method that a type does not have is not documented.
func errMethod(method string) *wire.Error {
	return refusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "The requested resource does not support http method '%s'.", method)
}

// part serves what lies under a deployment.
func (s *Service) part(q Request, r *record) (Reply, *wire.Error) {
	verb := strings.ToLower(q.Rest[0])
	switch {
	case q.Method == http.MethodPost && len(q.Rest) == 1 && verb == "cancel":
		return s.cancel(r)
	case q.Method == http.MethodPost && len(q.Rest) == 1 && verb == "exporttemplate":
		return Reply{Status: http.StatusOK, Body: map[string]any{"template": r.content.text}}, nil
	case q.Method != http.MethodGet:
		return Reply{}, errMethod(q.Method)
	case verb == "operationstatuses" && len(q.Rest) == 2:
		return s.status(q, r)
	case verb == "operations":
		s.step(r)
		return s.listOperations(q, r)
	}
	return Reply{}, refusal(http.StatusNotFound, "NotFound", "No HTTP resource was found that matches the request for '%s'.", strings.Join(q.Rest, "/"))
}

// item serves one deployment.
func (s *Service) item(q Request) (Reply, *wire.Error) {
	if q.Method == http.MethodPut {
		return s.create(q)
	}
	r := s.all.get(q.Caller, q.Scope, q.Name)
	switch {
	case r == nil && q.Method == http.MethodHead:
		return Reply{Status: http.StatusNotFound}, nil
	case r == nil && q.Method == http.MethodDelete:
		return Reply{Status: http.StatusNoContent}, nil
	case r == nil:
		return Reply{}, errNotFound(q.Name)
	case q.Method == http.MethodHead:
		return Reply{Status: http.StatusNoContent}, nil
	case q.Method == http.MethodGet:
		s.step(r)
		return Reply{Status: http.StatusOK, Body: r.body()}, nil
	case q.Method == http.MethodDelete:
		return s.remove(r)
	}
	return Reply{}, errMethod(q.Method)
}

// create serves PUT: the deployment begins.
func (s *Service) create(q Request) (Reply, *wire.Error) {
	r, refused := s.prepare(q)
	if refused != nil {
		return Reply{}, refused
	}
	before, refused := s.all.put(r)
	if refused != nil {
		return Reply{}, refused
	}
	reply := Reply{Status: http.StatusCreated, Header: map[string]string{"Azure-AsyncOperation": q.URL(r.id + "/operationStatuses/" + r.statusID)}, Body: r.body()}
	for k, v := range q.Retry {
		reply.Header[k] = v
	}
	if before != nil {
		reply.Status = http.StatusOK
	}
	if s.opt.Polls == 0 {
		s.run(r)
	}
	return reply, nil
}

// prepare reads and checks a deployment without beginning it.
func (s *Service) prepare(q Request) (*record, *wire.Error) {
	place, refused := s.ctl.Place(q.Caller, q.Scope)
	if refused != nil {
		return nil, refused
	}
	c, refused := readContent(q.Body, s.secretsOf(q.Caller))
	if refused != nil {
		return nil, refused
	}
	grouped := place.ResourceGroup != nil
	switch {
	case !grouped && c.location == "":
		return nil, errLocationRequired()
	case !grouped && c.mode == complete:
		// The wording could not be confirmed.
		return nil, refusal(http.StatusBadRequest, "InvalidDeploymentMode", "The deployment mode 'Complete' is only supported for deployments to a resource group.")
	}
	plan, err := s.expand(c, q.Name, place)
	if err != nil {
		return nil, wireError(err)
	}
	r := newRecord(q.Caller, q.Scope, q.Name, c, plan, s.opt.Clock())
	return r, s.preflight(r, 0)
}

// expand works out what a template deploys at a place.
func (s *Service) expand(c *content, name string, place template.Place) (*template.Plan, error) {
	place.Now, place.NewGUID = s.opt.Clock(), uuid.NewString
	place.Deployment = map[string]any{
		"name": name,
		"properties": map[string]any{
			"template":     map[string]any{"contentVersion": c.template.ContentVersion()},
			"templateHash": hash(c.text), "mode": c.mode, "provisioningState": accepted,
		},
	}
	if c.location != "" {
		place.Deployment["location"] = c.location
	}
	return c.template.Expand(template.Inputs{Parameters: c.parameters, Place: place})
}

// status serves the document behind Azure-AsyncOperation.
func (s *Service) status(q Request, r *record) (Reply, *wire.Error) {
	if q.Rest[1] != r.statusID {
		return Reply{}, errOperationNotFound(q.Rest[1])
	}
	s.step(r)
	state, failure := r.current()
	doc := map[string]any{"status": state}
	if failure != nil {
		doc["error"] = failure
	}
	reply := Reply{Status: http.StatusOK, Body: doc}
	if !ended(state) {
		reply.Header = q.Retry
	}
	return reply, nil
}

// cancel stops what has not begun. What is under way at a resource provider goes on there.
func (s *Service) cancel(r *record) (Reply, *wire.Error) {
	if state, _ := r.current(); ended(state) {
		return Reply{}, errNotCancellable(r.name, state)
	}
	s.stop(r)
	return Reply{Status: http.StatusNoContent}, nil
}

func (s *Service) stop(r *record) {
	r.end(canceled, refusal(http.StatusConflict, "DeploymentCanceled", "The deployment '%s' was canceled.", r.name), s.opt.Clock())
	for _, op := range r.operations() {
		op.mu.Lock()
		child := op.child
		op.mu.Unlock()
		if child != nil {
			s.stop(child)
		}
		op.end(canceled, 0, nil, s.opt.Clock())
	}
}

// remove serves DELETE: the record goes, what was deployed stays.
func (s *Service) remove(r *record) (Reply, *wire.Error) {
	if !r.over() {
		return Reply{}, errActive(r.id)
	}
	return Reply{Status: http.StatusAccepted, Later: func() (Reply, *wire.Error) {
		s.all.remove(r)
		return Reply{Status: http.StatusNoContent}, nil
	}}, nil
}

// list serves the deployments of a scope, the newest first.
func (s *Service) list(q Request) (Reply, *wire.Error) {
	state, refused := stateFilter(q.Filter)
	if refused != nil {
		return Reply{}, refused
	}
	found := s.all.some(func(r *record) bool {
		return strings.EqualFold(r.scope, q.Scope) && strings.EqualFold(r.caller.TenantID, q.Caller.TenantID)
	})
	slices.SortFunc(found, func(a, b *record) int {
		if c := b.started.Compare(a.started); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	out := []any{}
	for _, r := range found {
		if has, _ := r.current(); state == "" || strings.EqualFold(has, state) {
			out = append(out, r.body())
		}
	}
	return Reply{Status: http.StatusOK, Body: out}, nil
}

// stateFilter reads the one filter there is: provisioningState eq '{state}'.
func stateFilter(filter string) (string, *wire.Error) {
	f := strings.Fields(filter)
	if len(f) == 0 {
		return "", nil
	}
	if len(f) != 3 || !strings.EqualFold(f[0], "provisioningState") || !strings.EqualFold(f[1], "eq") {
		return "", refusal(http.StatusBadRequest, "InvalidFilterInQueryString", "Invalid $filter '%s' specified in the query string.", filter)
	}
	return strings.Trim(f[2], "'"), nil
}

// Advance takes the deployments that have had their time to their end, so that they also
// end for a client that never looks.
func (s *Service) Advance(before time.Time) {
	for _, r := range s.all.some(func(r *record) bool { return !r.started.After(before) && !r.over() }) {
		s.run(r)
	}
}

// Drop forgets the deployments at a scope that is gone.
func (s *Service) Drop(tenantID, scope string) {
	for _, r := range s.all.some(func(r *record) bool {
		return strings.EqualFold(r.scope, scope) && strings.EqualFold(r.caller.TenantID, tenantID)
	}) {
		s.stop(r)
		s.all.remove(r)
	}
}
