package arm

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/deployment"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// deploymentPath reads a path of the deployments API. The SDK asks for operations at a
// resource group by a path without provider; ok is false for every other path.
func deploymentPath(id armid.ID) (scope, name string, rest []string, ok bool) {
	if id.Namespace == "" && id.Group != "" && len(id.Rest) >= 3 && strings.EqualFold(id.Rest[0], "deployments") {
		return id.GroupID(), id.Rest[1], id.Rest[2:], true
	}
	if !strings.EqualFold(id.Namespace, "Microsoft.Resources") || len(id.Types) == 0 || !strings.EqualFold(id.Types[0], "deployments") {
		return "", "", nil, false
	}
	segs := segments(id)
	if len(segs) == 1 {
		return id.Scope, "", nil, true
	}
	return id.Scope, segs[1], segs[2:], true
}

// deploymentStatus serves the status of a deployment, which no operation table lists;
// found is false for any other path.
func (s *Store) deploymentStatus(q *request) (a *reply, refusal *wire.Error, found bool) {
	_, _, rest, ok := deploymentPath(q.id)
	if !ok || len(rest) != 2 || !strings.EqualFold(rest[0], "operationStatuses") {
		return nil, nil, false
	}
	a, refusal = s.deployment(q)
	return a, refusal, true
}

// deployment serves the deployments API.
func (s *Store) deployment(q *request) (*reply, *wire.Error) {
	scope, name, rest, _ := deploymentPath(q.id)
	scope = s.casing(armid.Parse(scope)).String()
	at, typ := scope, template.NestedType
	if name != "" {
		at = deployment.ID(scope, name)
	}
	if len(rest) > 0 {
		typ += "/" + rest[0]
	}
	if e := q.authorize(actionOf(q.method, typ), at); e != nil {
		return nil, e
	}
	if id := armid.Parse(scope); id.Group != "" && s.res.Get(armid.Key(id.GroupID())) == nil {
		return nil, errGroupNotFound(id.Group)
	}
	r, e := s.deployments.Serve(deployment.Request{
		Caller: q.caller, Method: q.method, Scope: scope, Name: name, Rest: rest, Filter: q.query.Get("$filter"), Version: q.version,
		Body: q.raw, Retry: s.retryHeaders(),
		URL: func(path string) string { return q.url(path, url.Values{"api-version": {q.version}}) },
	})
	if e != nil {
		return nil, e
	}
	if r.Later != nil {
		return s.later(q, at, r), nil
	}
	if list, ok := r.Body.([]any); ok {
		return q.page(slices.Values(list))
	}
	return &reply{status: r.Status, header: r.Header, body: r.Body}, nil
}

// later answers with an operation that the client follows by its Location alone.
func (s *Store) later(q *request, at string, r deployment.Reply) *reply {
	var result deployment.Reply
	job := s.jobs.start(q, armid.Key(at), func(failure *wire.Error) *wire.Error {
		if failure != nil {
			return failure
		}
		var refused *wire.Error
		result, refused = r.Later()
		return refused
	})
	job.result = func() (*reply, *wire.Error) {
		return &reply{status: result.Status, header: result.Header, body: result.Body}, nil
	}
	header := s.asyncHeaders(q, job)
	delete(header, "Azure-AsyncOperation")
	return &reply{status: r.Status, header: header}
}

// calculateTemplateHash serves POST …/calculateTemplateHash.
func (s *Store) calculateTemplateHash(q *request) (*reply, *wire.Error) {
	body, e := q.object()
	if e != nil {
		return nil, e
	}
	minified, hash := deployment.Hash(body)
	return &reply{status: http.StatusOK, body: map[string]any{"minifiedTemplate": minified, "templateHash": hash}}, nil
}
