package arm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// declaration is a resource as a template writes it down.
type declaration struct {
	Type      string          `json:"type"`
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	Tags      json.RawMessage `json:"tags"`
	Existing  bool            `json:"existing"`
	Copy      json.RawMessage `json:"copy"`
	Condition json.RawMessage `json:"condition"`
}

// declared lists what the template itself names, for a resource group that is not there
// yet and into which what-if cannot look: a name is known if it is written out, or if it
// is that of a parameter or variable with a plain value. The others stay expressions.
func (d *Driver) declared() []change.Change {
	var doc struct {
		Resources json.RawMessage `json:"resources"`
	}
	if json.Unmarshal(d.opt.Template.Text, &doc) != nil {
		return nil // it was parsed before
	}
	var out []change.Change
	for _, r := range declarations(doc.Resources) {
		if r.Existing || r.Type == "" || strings.EqualFold(r.Type, deploymentType) {
			continue
		}
		out = append(out, d.foretold(r))
	}
	return out
}

// declarations reads the resources of a template: a list, or an object by symbolic name.
func declarations(raw json.RawMessage) []declaration {
	var list []declaration
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var named map[string]declaration
	if json.Unmarshal(raw, &named) != nil {
		return nil
	}
	var names []string
	for name := range named {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		list = append(list, named[name])
	}
	return list
}

// foretold is the change that a declared resource stands for.
func (d *Driver) foretold(r declaration) change.Change {
	name, plain := d.plain(r.Name)
	out := change.Change{Action: change.Create, Name: r.Type + " " + name, Type: r.Type}
	switch {
	case len(r.Copy) > 0:
		out.Note = "it is declared in a loop: there may be several"
		return out
	case len(r.Condition) > 0:
		out.Note = "it is declared under a condition"
	}
	id := d.opt.Scope() + "/providers/" + path(r.Type, name)
	found, ok := resourceOf(id)
	if !plain || !ok {
		return out
	}
	var tags map[string]string
	_ = json.Unmarshal(r.Tags, &tags) // tags that are an expression are not known
	out.Name, out.Resource = id, plugin.Resource{
		ID: id, Type: found.Type, Kind: r.Kind, Name: found.Name, ResourceGroup: found.ResourceGroup, SubscriptionID: found.SubscriptionID,
		Location: d.opt.Location, Tags: tags,
	}
	return out
}

// path joins a type and a name of as many segments: "A.B/c/d" and "x/y" are "A.B/c/x/d/y".
func path(typ, name string) string {
	types, names := strings.Split(typ, "/"), strings.Split(name, "/")
	out := types[0]
	for i, t := range types[1:] {
		if i < len(names) {
			out += "/" + t + "/" + names[i]
		}
	}
	return out
}

// reference is an expression that is nothing but a parameter or a variable.
var reference = regexp.MustCompile(`^\[(parameters|variables)\('([^']+)'\)\]$`)

// plain resolves a name; false if it is an expression that only Azure can evaluate.
func (d *Driver) plain(name string) (string, bool) {
	m := reference.FindStringSubmatch(name)
	if m == nil {
		return name, !strings.HasPrefix(name, "[")
	}
	var doc struct {
		Parameters map[string]struct {
			Default json.RawMessage `json:"defaultValue"`
		} `json:"parameters"`
		Variables map[string]json.RawMessage `json:"variables"`
	}
	if json.Unmarshal(d.opt.Template.Text, &doc) != nil {
		return name, false
	}
	raw := doc.Variables[m[2]]
	if m[1] == "parameters" {
		raw = doc.Parameters[m[2]].Default
		if p := d.opt.Parameters[m[2]]; p != nil {
			raw, _ = json.Marshal(p.Value) // it was read from JSON
		}
	}
	var value string
	if json.Unmarshal(raw, &value) != nil || strings.HasPrefix(value, "[") {
		return name, false
	}
	return value, true
}

// shortCircuited takes what the template says in place of a nested deployment that
// what-if could not look into.
func (d *Driver) shortCircuited(out *change.Plan, why string) {
	out.Changes = append(out.Changes, d.declared()...)
	out.Notes = append(out.Notes, fmt.Sprintf("Azure cannot look into a resource group that is not there, so the resources are those that the template names: %s", why))
}
