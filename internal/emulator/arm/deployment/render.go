package deployment

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// body is a deployment as GET answers it.
func (r *record) body() map[string]any {
	out := map[string]any{"id": r.id, "name": r.name, "type": template.NestedType, "properties": r.properties()}
	if r.content.location != "" {
		out["location"] = r.content.location
	}
	if len(r.content.tags) > 0 {
		out["tags"] = r.content.tags
	}
	return out
}

func (r *record) properties() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	until := r.ended
	if until.IsZero() {
		until = r.started
	}
	out := map[string]any{
		"templateHash": hash(r.content.text), "mode": r.content.mode, "provisioningState": r.state,
		"parameters": shown(r.plan.Parameters), "correlationId": r.correlation,
		"timestamp": stamp(until), "duration": duration(until.Sub(r.started)),
		"providers": providers(r.plan), "dependencies": dependencies(r.plan),
	}
	if r.content.debug != "" {
		out["debugSetting"] = map[string]any{"detailLevel": r.content.debug}
	}
	if r.failure != nil {
		out["error"] = r.failure
	}
	if r.state == succeeded {
		out["outputs"] = shown(r.outputs)
		out["outputResources"] = made(r.ops)
	}
	return out
}

// shown lists parameters or outputs with their values, but for the secure ones.
func shown(values map[string]template.Value) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		entry := map[string]any{"type": v.Type}
		if !v.Secure() {
			entry["value"] = v.Value
		}
		out[name] = entry
	}
	return out
}

// duration writes a time span as ISO 8601 does.
func duration(d time.Duration) string {
	text := "PT"
	if h := int(d.Hours()); h > 0 {
		text += fmt.Sprintf("%dH", h)
	}
	if m := int(d.Minutes()) % 60; m > 0 {
		text += fmt.Sprintf("%dM", m)
	}
	seconds := (d % time.Minute).Seconds()
	if seconds == 0 && text == "PT" {
		return "PT0S"
	}
	if seconds == 0 {
		return text
	}
	return text + fmt.Sprintf("%.7gS", seconds)
}

// made lists what a deployment has written, the resources of nested ones included.
func made(ops []*operation) []any {
	out := []any{}
	for _, op := range ops {
		op.mu.Lock()
		child, state := op.child, op.state
		op.mu.Unlock()
		switch {
		case op.kind != "Create" || state != succeeded:
		case child != nil:
			out = append(out, made(child.operations())...)
		default:
			out = append(out, map[string]any{"id": op.target})
		}
	}
	return out
}

// providers lists the types that a template deploys, with their locations.
func providers(p *template.Plan) []any {
	var namespaces []string
	types := map[string][]any{}
	seen := map[string]bool{}
	for _, res := range p.Resources {
		namespace, typ, _ := strings.Cut(res.Type, "/")
		if !deployed(res) || seen[strings.ToLower(res.Type)] {
			continue
		}
		seen[strings.ToLower(res.Type)] = true
		if types[namespace] == nil {
			namespaces = append(namespaces, namespace)
		}
		locations := []any{nil}
		if body, err := p.Preview(res); err == nil && body["location"] != nil {
			locations = []any{body["location"]}
		}
		types[namespace] = append(types[namespace], map[string]any{"resourceType": typ, "locations": locations})
	}
	out := []any{}
	for _, n := range namespaces {
		out = append(out, map[string]any{"namespace": n, "resourceTypes": types[n]})
	}
	return out
}

// dependencies lists which resource waits for which.
func dependencies(p *template.Plan) []any {
	out := []any{}
	for _, res := range p.Resources {
		on := []any{}
		for _, o := range res.DependsOn {
			if deployed(o) {
				on = append(on, reference(o))
			}
		}
		if deployed(res) && len(on) > 0 {
			entry := reference(res)
			entry["dependsOn"] = on
			out = append(out, entry)
		}
	}
	return out
}

func reference(res *template.Resource) map[string]any {
	return map[string]any{"id": res.ID, "resourceType": res.Type, "resourceName": res.Name}
}

// listOperations serves the operations of a deployment, or one of them.
func (s *Service) listOperations(q Request, r *record) (Reply, *wire.Error) {
	ops := r.operations()
	if len(q.Rest) > 1 {
		i := slices.IndexFunc(ops, func(op *operation) bool { return op.id == q.Rest[1] })
		if i < 0 {
			return Reply{}, errOperationNotFound(q.Rest[1])
		}
		return Reply{Status: http.StatusOK, Body: ops[i].body(r)}, nil
	}
	out := []any{}
	for _, op := range ops {
		out = append(out, op.body(r))
	}
	return Reply{Status: http.StatusOK, Body: out}, nil
}

// body is an operation as the API shows it.
func (o *operation) body(r *record) map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	until := o.ended
	if until.IsZero() {
		until = o.started
	}
	props := map[string]any{
		"provisioningOperation": o.kind, "provisioningState": o.state, "timestamp": stamp(until),
		"duration": duration(until.Sub(o.started)), "trackingId": r.correlation,
	}
	if o.status != 0 {
		props["statusCode"] = strings.ReplaceAll(http.StatusText(o.status), " ", "")
	}
	if o.failure != nil {
		props["statusMessage"] = map[string]any{"status": failed, "error": o.failure}
	}
	if o.target != "" {
		props["targetResource"] = map[string]any{"id": o.target, "resourceType": o.typ, "resourceName": o.name}
	}
	if o.request != nil && strings.Contains(r.content.debug, "requestContent") {
		props["request"] = map[string]any{"content": o.request}
	}
	if o.response != nil && strings.Contains(r.content.debug, "responseContent") {
		props["response"] = map[string]any{"content": o.response}
	}
	return map[string]any{"id": r.id + "/operations/" + o.id, "operationId": o.id, "properties": props}
}
