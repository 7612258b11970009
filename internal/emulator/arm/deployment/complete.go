package deployment

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// clean begins the deletion of what the resource group has and the template has not, as
// the mode Complete asks for.
func (s *Service) clean(r *record) *wire.Error {
	left, refused := s.strangers(r)
	if refused != nil {
		return refused
	}
	for _, res := range left {
		id, _ := res["id"].(string)
		typ, _ := res["type"].(string)
		name, _ := res["name"].(string)
		op := r.add(&operation{id: serial(), kind: "Delete", target: id, typ: typ, name: name, version: s.ctl.Newest(typ), started: s.opt.Clock(), state: running})
		a, refused := s.ctl.Do(Call{Caller: r.caller, Method: http.MethodDelete, Path: id, Version: op.version})
		s.answered(op, a, refused)
	}
	return nil
}

// strangers lists the resources of a deployment's resource group that it does not write.
func (s *Service) strangers(r *record) ([]map[string]any, *wire.Error) {
	mine := map[string]bool{}
	s.claim(r, mine)
	var out []map[string]any
	path, version := r.scope+"/resources", s.ctl.Newest("Microsoft.Resources/resourceGroups")
	for path != "" {
		a, refused := s.ctl.Do(Call{Caller: r.caller, Method: http.MethodGet, Path: path, Version: version})
		if refused != nil {
			return nil, refused
		}
		list, _ := a.Body["value"].([]any)
		for _, e := range list {
			res, _ := e.(map[string]any)
			if id, _ := res["id"].(string); !mine[strings.ToLower(id)] {
				out = append(out, res)
			}
		}
		path = ""
		if next, _ := a.Body["nextLink"].(string); next != "" {
			if u, err := url.Parse(next); err == nil {
				path = u.RequestURI()
			}
		}
	}
	return out, nil
}

// claim notes the IDs that a deployment writes, those of nested ones included.
func (s *Service) claim(r *record, mine map[string]bool) {
	for _, res := range r.plan.Resources {
		if !deployed(res) {
			continue
		}
		mine[strings.ToLower(res.ID)] = true
		if !res.Nested() {
			continue
		}
		if child, refused, known := s.previewNested(r, res); known && refused == nil {
			s.claim(child, mine)
		}
	}
	for _, op := range r.operations() {
		if op.child != nil {
			s.claim(op.child, mine)
		}
	}
}
