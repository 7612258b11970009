package pairing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
)

// maxErrors is the number of mistakes of a mapping that are told at once.
const maxErrors = 10

// applyMapping pairs what the mapping names, and tells all mistakes in it together.
func (p *pairing) applyMapping() error {
	if p.opt.Mapping == nil {
		return nil
	}
	var wrong []string
	sourceLine, targetLine := map[int32]int{}, map[int32]int{}
	for _, m := range p.opt.Mapping.pairs {
		s, t, err := p.resolve(m)
		if err == nil && sourceLine[s] > 0 {
			err = fmt.Errorf("the source %s is in line %d already", m.source, sourceLine[s])
		}
		if err == nil && targetLine[t] > 0 {
			err = fmt.Errorf("the target %s is in line %d already", m.target, targetLine[t])
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("line %d: %v", m.line, err))
			continue
		}
		sourceLine[s], targetLine[t] = m.line, m.line
		p.give(s, t, RuleMapping)
	}
	if len(wrong) == 0 {
		return nil
	}
	if more := len(wrong) - maxErrors; more > 0 {
		wrong = append(wrong[:maxErrors], fmt.Sprintf("and %d more", more))
	}
	return &errs.Error{
		Op: "use the mapping " + p.opt.Mapping.path, Kind: errs.Invalid, Err: errors.New(strings.Join(wrong, "; ")),
		Hint: "name resources that are in the two inventories; give the ID where a name stands for several",
	}
}

// resolve finds the two resources of an entry.
func (p *pairing) resolve(m mapped) (s, t int32, err error) {
	if s, err = p.sources.named(m.source, ""); err != nil {
		return none, none, fmt.Errorf("source: %w", err)
	}
	typ := p.sources.list[s].Type
	if t, err = p.targets.named(m.target, typ); err != nil {
		return none, none, fmt.Errorf("target: %w", err)
	}
	switch {
	case p.sources.ids[s] == p.targets.ids[t]:
		return none, none, fmt.Errorf("source and target are the same resource: %s", m.source)
	case !p.fits(s, t):
		return none, none, fmt.Errorf("%s is %s, but %s is %s", m.source, described(p.sources, s), m.target, described(p.targets, t))
	}
	return s, t, nil
}

func described(x *side, i int32) string {
	r := x.list[i]
	return strings.TrimSpace(r.Type + " " + r.Kind)
}

// named finds a resource by its ID or its name. A type, where given, narrows the names.
func (x *side) named(text, typ string) (int32, error) {
	if strings.HasPrefix(text, "/") {
		if i, ok := x.byID[strings.ToLower(strings.TrimSuffix(text, "/"))]; ok {
			return i, nil
		}
		return none, fmt.Errorf("%s is not in the inventory, or no plugin handles its type", text)
	}
	found := x.withName(text, typ)
	switch len(found) {
	case 0:
		return none, fmt.Errorf("no resource in the inventory has the name %q", text)
	case 1:
		return found[0], nil
	}
	return none, fmt.Errorf("%d resources have the name %q, as %s and %s: give the ID", len(found), text, x.list[found[0]].ID, x.list[found[1]].ID)
}

// withName returns the resources with a name, be it their own or, of children, the one with
// those of their parents: "server/database".
func (x *side) withName(name, typ string) []int32 {
	if x.byName == nil {
		byName := newIndex(len(x.list))
		for i := range x.each() {
			byName.add(ownName(x.ids[i]), i)
		}
		x.byName = &byName
	}
	name = strings.ToLower(name)
	var out []int32
	for _, i := range x.byName.find(ownName(name)) {
		if typ != "" && !strings.EqualFold(typ, x.list[i].Type) {
			continue
		}
		if name == ownName(x.ids[i]) || name == fullName(x.ids[i]) {
			out = append(out, i)
		}
	}
	return out
}

// ownName returns what stands behind the last slash.
func ownName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// fullName returns the names of a resource and its parents, joined by slashes.
func fullName(id string) string {
	segments := strings.Split(nameKey(id), "/") // namespace, type, name, type, name, …
	var names []string
	for i := 2; i < len(segments); i += 2 {
		names = append(names, segments[i])
	}
	return strings.Join(names, "/")
}
