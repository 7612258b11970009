package deployment

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// whatIf serves POST whatIf: the changes that the deployment would make. A template that
// is not valid is refused at once; what fails later is told in the result.
func (s *Service) whatIf(q Request) (Reply, *wire.Error) {
	r, refused := s.prepare(q)
	if refused != nil {
		return Reply{}, refused
	}
	return Reply{Status: http.StatusAccepted, Later: func() (Reply, *wire.Error) {
		changes, refused := s.changes(r)
		if refused != nil {
			return Reply{Status: http.StatusOK, Body: map[string]any{"status": failed, "error": refused}}, nil
		}
		return Reply{Status: http.StatusOK, Body: map[string]any{
			"status": succeeded, "properties": map[string]any{"correlationId": r.correlation, "changes": changes},
		}}, nil
	}}, nil
}

// changes compares what a deployment would write with what is there.
func (s *Service) changes(r *record) ([]any, *wire.Error) {
	out := []any{}
	if refused := s.predict(r, r, &out); refused != nil {
		return nil, refused
	}
	grouped := strings.Contains(strings.ToLower(r.scope), "/resourcegroups/")
	if !grouped {
		return out, nil
	}
	kind := "Ignore"
	if r.content.mode == complete {
		kind = "Delete"
	}
	left, refused := s.strangers(r)
	if refused != nil {
		return nil, refused
	}
	for _, res := range left {
		id, _ := res["id"].(string)
		typ, _ := res["type"].(string)
		change := map[string]any{"resourceId": id, "changeType": kind}
		if r.full() {
			change["before"] = res
			res["apiVersion"] = s.ctl.Newest(typ)
		}
		out = append(out, change)
	}
	return out, nil
}

// full tells whether resources are shown and compared, or only named.
func (r *record) full() bool { return !strings.EqualFold(r.content.format, "ResourceIdOnly") }

// predict adds the changes of a deployment and of those nested in it.
func (s *Service) predict(root, r *record, out *[]any) *wire.Error {
	for _, res := range r.plan.Resources {
		if !deployed(res) {
			continue
		}
		if !res.Nested() {
			change, refused := s.change(root, r, res)
			if refused != nil {
				return refused
			}
			*out = append(*out, change)
			continue
		}
		child, refused, known := s.previewNested(r, res)
		if refused != nil {
			return refused
		}
		if !known {
			*out = append(*out, map[string]any{
				"resourceId": res.ID, "changeType": "Unsupported",
				"unsupportedReason": "Changes to the resources of the nested deployment cannot be determined because its parameters or its scope are known only when it is deployed.",
			})
			continue
		}
		if refused := s.predict(root, child, out); refused != nil {
			return refused
		}
	}
	return nil
}

// change is what a deployment would do to one resource.
func (s *Service) change(root, r *record, res *template.Resource) (map[string]any, *wire.Error) {
	after, err := r.plan.Preview(res)
	if err != nil {
		return nil, wireError(err)
	}
	after["id"], after["type"], after["name"], after["apiVersion"] = res.ID, res.Type, lastOf(res.Name), res.APIVersion
	out := map[string]any{"resourceId": res.ID, "changeType": "Create"}
	if res.Symbol != "" {
		out["symbolicName"] = res.Symbol
	}
	a, refused := s.ctl.Do(Call{Caller: r.caller, Method: http.MethodGet, Path: res.ID, Version: res.APIVersion})
	if refused != nil && refused.Status != http.StatusNotFound {
		return nil, refused
	}
	if refused != nil {
		if root.full() {
			out["after"] = after
		}
		return out, nil
	}
	out["changeType"] = "Deploy"
	if !root.full() {
		return out, nil
	}
	before, _ := function.Normal(a.Body).(map[string]any)
	before["apiVersion"] = res.APIVersion
	delete(before, "systemData")
	out["resourceId"] = before["id"]
	delta := differences(before, after)
	out["before"], out["after"], out["changeType"] = before, overlay(before, after), "NoChange"
	if len(delta) > 0 {
		out["changeType"], out["delta"] = "Modify", delta
	}
	return out, nil
}
