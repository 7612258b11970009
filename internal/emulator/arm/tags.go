package arm

import (
	"maps"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const typeTags = "Microsoft.Resources/tags"

// tagsRequest is the body of PUT (properties alone) and PATCH.
type tagsRequest struct {
	Operation  string `json:"operation"` // Merge, Replace or Delete
	Properties struct {
		Tags map[string]string `json:"tags"`
	} `json:"properties"`
}

// tags serves <resource or group>/providers/Microsoft.Resources/tags/default. Tags of
// subscriptions are not kept. The change is made at once, which the protocol allows.
func (s *Store) tags(q *request) (*reply, *wire.Error) {
	if e := q.authorize(actionOf(q.method, typeTags), q.id.String()); e != nil {
		return nil, e
	}
	scope := armid.Parse(q.id.Scope)
	if scope.IsSubscription() || scope.Subscription == "" {
		return nil, errNotImplemented(q.method, q.id.String())
	}
	key := scope.Key()
	e := s.res.Get(key)
	switch {
	case e == nil && scope.IsGroup():
		return nil, errGroupNotFound(scope.Group)
	case e == nil:
		return nil, errResourceNotFound(scope)
	case q.method == http.MethodGet:
		return ok(tagsBody(e))
	case q.method == http.MethodDelete:
		s.changeTags(key, func(map[string]string) map[string]string { return nil })
		return &reply{status: http.StatusOK}, nil
	}
	change, refusal := q.tagChange()
	if refusal != nil {
		return nil, refusal
	}
	if e = s.changeTags(key, change); e == nil {
		return nil, errResourceNotFound(scope)
	}
	return ok(tagsBody(e))
}

// tagChange reads what a PUT or PATCH makes of the tags there are.
func (q *request) tagChange() (func(map[string]string) map[string]string, *wire.Error) {
	var body tagsRequest
	if e := q.decode(&body); e != nil {
		return nil, e
	}
	given := body.Properties.Tags
	replace := func(map[string]string) map[string]string { return given }
	switch {
	case q.method == http.MethodPut || body.Operation == "Replace":
		return replace, nil
	case q.method == http.MethodPatch && body.Operation == "Merge":
		return func(old map[string]string) map[string]string {
			maps.Copy(old, given)
			return old
		}, nil
	case q.method == http.MethodPatch && body.Operation == "Delete":
		return func(old map[string]string) map[string]string {
			maps.DeleteFunc(old, func(k, v string) bool { w, ok := given[k]; return ok && (w == v || w == "") })
			return old
		}, nil
	}
	return nil, refusal(http.StatusBadRequest, "InvalidTagsPatchOperation", "The tags patch operation '%s' is invalid. Expected 'Merge', 'Replace' or 'Delete'.", body.Operation)
}

func (s *Store) changeTags(key string, change func(map[string]string) map[string]string) *tree.Entry {
	defer s.writing.lock(key)()
	return s.res.Update(key, func(e *tree.Entry) {
		body := maps.Clone(e.Res.Body)
		after := map[string]any{}
		for k, v := range change(tagsOf(body)) {
			after[k] = v
		}
		body["tags"] = after
		e.Res.Body = body
	})
}

func tagsBody(e *tree.Entry) map[string]any {
	return map[string]any{
		"id": e.Res.ID + "/providers/" + typeTags + "/default", "name": "default", "type": typeTags,
		"properties": map[string]any{"tags": tagsOf(e.Res.Body)},
	}
}
