package arm

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/optable"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/relaxed"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxBody is the size of a request body that ARM takes, 4 MiB.
const maxBody = 4 << 20

// request is what a handler gets: a caller that is known, of the right tenant, with a
// body that has been read.
type request struct {
	store   *Store
	http    *http.Request
	method  string
	id      armid.ID
	query   url.Values
	version string
	sub     *subscription // nil at tenant level
	caller  wire.Claims
	raw     json.RawMessage
	op      *optable.Op // nil if the table has none, which a loose store takes
}

// reply is what a handler answers with.
type reply struct {
	status int
	header map[string]string
	body   any // nil for none
}

func ok(body any) (*reply, *wire.Error) { return &reply{status: http.StatusOK, body: body}, nil }

type handler func(*request) (*reply, *wire.Error)

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, e := s.serve(w, r)
	if e != nil {
		wire.WriteError(w, e)
		return
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	wire.WriteJSON(w, a.status, a.body)
}

func (s *Store) serve(w http.ResponseWriter, r *http.Request) (*reply, *wire.Error) {
	if s.broken != nil {
		return nil, refusal(http.StatusInternalServerError, "InternalServerError", "%v", s.broken)
	}
	q := &request{store: s, http: r, method: r.Method, id: armid.Parse(r.URL.Path), query: r.URL.Query()}
	if q.version = q.query.Get("api-version"); q.version == "" {
		return nil, errMissingVersion()
	}
	if strings.EqualFold(armid.Key(r.URL.Path), "/metadata/endpoints") {
		if answer, known := cloud.Endpoints(q.version); known {
			return ok(answer)
		}
		return nil, errInvalidVersion(q.version, cloud.EndpointVersions)
	}
	if e := q.admit(w); e != nil {
		return nil, e
	}
	now := s.opt.Clock()
	s.jobs.finishOverdue(now)
	s.deployments.Advance(now.Add(-operationTime))
	return s.dispatch(q)
}

// dispatch answers a request whose caller is known.
func (s *Store) dispatch(q *request) (*reply, *wire.Error) {
	if a, e, found := s.jobStatus(q); found {
		return a, e
	}
	if a, e, found := s.deploymentStatus(q); found {
		return a, e
	}
	s.adoptCasing(q)
	q.op = s.ops.Find(q.method, q.http.URL.Path)
	if s.opt.Strict {
		if e := s.checkOperation(q); e != nil {
			return nil, e
		}
	}
	return s.route(q)(q)
}

// admit finds the subscription, checks the token and reads the body.
func (q *request) admit(w http.ResponseWriter) *wire.Error {
	if id := q.id.Subscription; id != "" {
		if _, err := uuid.Parse(id); err != nil {
			return errInvalidSubscription(id)
		}
		if q.sub = q.store.subscription(id); q.sub == nil {
			return errSubscriptionNotFound(id)
		}
	}
	var e *wire.Error
	if q.caller, e = q.store.authenticate(q.http, q.sub); e != nil {
		return e
	}
	return q.readBody(w)
}

func (q *request) readBody(w http.ResponseWriter) *wire.Error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, q.http.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refusal(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content size exceeds the maximum size of '4 MB'.")
	case err != nil:
		return errInvalidContent(err)
	case len(raw) == 0:
		return nil
	}
	standard, readable := relaxed.JSON(raw)
	if !readable {
		return errInvalidContent(errors.New("the body is not JSON"))
	}
	q.raw = standard
	return nil
}

// object reads the body as a JSON object. A request without one is refused.
func (q *request) object() (map[string]any, *wire.Error) {
	var body map[string]any
	if len(q.raw) == 0 {
		return nil, errInvalidContent(errors.New("the body is empty"))
	}
	if err := json.Unmarshal(q.raw, &body); err != nil || body == nil {
		return nil, errInvalidContent(errors.New("the body is not a JSON object"))
	}
	return body, nil
}

// decode reads the body into v.
func (q *request) decode(v any) *wire.Error {
	if len(q.raw) == 0 {
		return errInvalidContent(errors.New("the body is empty"))
	}
	if err := json.Unmarshal(q.raw, v); err != nil {
		return errInvalidContent(err)
	}
	return nil
}

// url makes an absolute URL on the host that the client called.
func (q *request) url(path string, query url.Values) string {
	return "https://" + q.http.Host + path + "?" + query.Encode()
}

// longRunning tells whether the operation's client follows the asynchronous protocol. What
// is known of a type only from the operations for any type is answered at once.
func (q *request) longRunning() bool { return q.op != nil && q.op.LRO && !q.op.Generic }

// route finds the handler of a path.
func (s *Store) route(q *request) handler {
	id := q.id
	if h := s.ownRoute(q); h != nil {
		return h
	}
	switch {
	case id.Namespace == "" && id.Subscription == "":
		return s.tenantRoute(q)
	case id.IsSubscription():
		return s.getSubscription
	case id.IsGroup():
		return s.group
	case id.Namespace == "":
		return s.collectionRoute(q)
	case len(id.Types) == 0:
		return s.getProvider
	case strings.EqualFold(id.Namespace, "Microsoft.Authorization"):
		if h := s.authorizationRoute(q); h != nil {
			return h
		}
	case id.Is(typeTags):
		return s.tags
	case isProviderOperation(id):
		return s.providerRoute(q)
	case id.Subscription == "" && strings.EqualFold(id.TypeName(), "operations"):
		return noRoute
	}
	return s.resource
}

// ownRoute serves what is neither resource nor container: deployments and Resource Graph;
// nil for any other path.
func (s *Store) ownRoute(q *request) handler {
	_, _, _, deploys := deploymentPath(q.id)
	switch {
	case deploys:
		return s.deployment
	case q.method == http.MethodPost && q.id.Is("Microsoft.Resources/calculateTemplateHash"):
		return s.calculateTemplateHash
	case q.method == http.MethodPost && q.id.Is(typeGraph) && q.id.Scope == "":
		return s.graph
	}
	return nil
}

// tenantRoute serves the paths above every subscription.
func (s *Store) tenantRoute(q *request) handler {
	if q.method == http.MethodGet && len(q.id.Rest) == 1 {
		switch strings.ToLower(q.id.Rest[0]) {
		case "subscriptions":
			return s.listSubscriptions
		case "tenants":
			return s.listTenants
		case "providers":
			return s.listProviders
		}
	}
	return noRoute
}

// collectionRoute serves what lies directly in a subscription or group and is no
// resource.
func (s *Store) collectionRoute(q *request) handler {
	rest := q.id.Rest
	if q.method == http.MethodGet && len(rest) == 1 {
		switch strings.ToLower(rest[0]) {
		case "resources":
			return s.listResources
		case "resourcegroups":
			if q.id.Group == "" {
				return s.listGroups
			}
		case "locations":
			return s.listLocations
		case "providers":
			return s.listProviders
		}
	}
	return noRoute
}

// noRoute tells an operation that Azure has from a path that leads nowhere.
func noRoute(q *request) (*reply, *wire.Error) {
	if q.op != nil && (!q.op.Generic || isProviderOperation(q.id)) {
		return nil, errNotImplemented(q.method, q.op.Path)
	}
	return nil, errNoRoute(q.method, q.http.URL.Path)
}

// checkOperation refuses what the operation table lacks. Types with a provider exist in
// any case.
func (s *Store) checkOperation(q *request) *wire.Error {
	if q.id.Namespace == "" || len(q.id.Types) == 0 || isProviderOperation(q.id) {
		return checkOwn(q)
	}
	if q.op != nil && !q.op.Generic && q.op.Knows(q.version) {
		return nil
	}
	typ, known := s.tableType(q)
	if !known {
		return s.unknownType(q)
	}
	if !slices.ContainsFunc(typ.Versions, func(v string) bool { return strings.EqualFold(v, q.version) }) {
		return errNoProviderFound(s.locationOf(q), q.version, typ.Name, typ.Versions)
	}
	if q.op == nil || !slices.Contains(typ.Methods, q.method) {
		return errMethod(q.method)
	}
	return nil
}

// checkOwn is checkOperation for ARM's own paths, which belong to no resource type.
func checkOwn(q *request) *wire.Error {
	if q.op == nil {
		return errNoRoute(q.method, q.http.URL.Path)
	}
	if !q.op.Knows(q.version) {
		return errInvalidVersion(q.version, q.op.Versions)
	}
	return nil
}

// unknownType refuses a type that neither the table nor a provider has.
func (s *Store) unknownType(q *request) *wire.Error {
	switch {
	case s.hasProvider(q.id):
		return nil
	case len(s.ops.Types(q.id.Namespace)) == 0:
		return errInvalidNamespace(q.id.Namespace)
	}
	return errInvalidType(q.id, q.version, s.versionsOf(q.id.Namespace))
}

// tableType is the type that a path is about, as the table knows it: of an action, the
// type of the item it acts on.
func (s *Store) tableType(q *request) (optable.Type, bool) {
	typ, known := s.ops.Type(q.id.Namespace, q.id.TypeName())
	if known || q.method != http.MethodPost || len(q.id.Types) < 2 {
		return typ, known
	}
	parent, _ := q.id.Parent()
	return s.ops.Type(q.id.Namespace, parent.TypeName())
}

// hasProvider tells whether a path belongs to a type with a provider, or is an operation
// of a namespace with one.
func (s *Store) hasProvider(id armid.ID) bool {
	return slices.ContainsFunc(s.registered(), func(p wire.Provider) bool {
		full := strings.ToLower(p.Type())
		mine := strings.ToLower(id.Type())
		namespace, _, _ := strings.Cut(full, "/")
		_, operator := p.(wire.Operator)
		return armid.Under(mine, full) || (operator && strings.EqualFold(namespace, id.Namespace))
	})
}

func (s *Store) versionsOf(namespace string) []string {
	var out []string
	for _, t := range s.ops.Types(namespace) {
		out = append(out, t.Versions...)
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// locationOf is the location that a request is about, as far as ARM can tell: that of the
// stored resource, that of the body, or any.
func (s *Store) locationOf(q *request) string {
	if e := s.res.Get(q.id.Key()); e != nil {
		if l, ok := e.Res.Body["location"].(string); ok {
			return l
		}
	}
	var body struct{ Location string }
	if json.Unmarshal(q.raw, &body) == nil && body.Location != "" {
		return body.Location
	}
	return "*"
}
