package pairing

import (
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// byTag proposes the targets whose tag names the source.
func (p *pairing) byTag(s int32) []int32 {
	if p.tagged == nil {
		tagged := newIndex(len(p.targets.list))
		for t := range p.targets.each() {
			tagged.add(tagOf(p.targets.list[t]), t)
		}
		p.tagged = &tagged
	}
	return p.tagged.find(p.sources.ids[s])
}

// tagOf returns the source ID that a resource's tag names, in lower case, or "". Azure
// compares tag names without case.
func tagOf(r plugin.Resource) string {
	for name, value := range r.Tags {
		if strings.EqualFold(name, Tag) {
			return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(value), "/"))
		}
	}
	return ""
}

// tagNamesAnother tells whether t says that it stands for another source than s. A tag that
// the source carries too says nothing: it came along when the source's tags were copied.
func (p *pairing) tagNamesAnother(s, t int32) bool {
	tag := tagOf(p.targets.list[t])
	return tag != "" && tag != p.sources.ids[s] && tag != tagOf(p.sources.list[s])
}

// byPath proposes the targets with the source's resource group, type and name.
func (p *pairing) byPath(s int32) []int32 { return p.targets.paths.find(pathKey(p.sources.ids[s])) }

// byName proposes the targets with the source's type and name.
func (p *pairing) byName(s int32) []int32 { return p.targets.names.find(nameKey(p.sources.ids[s])) }

// byLink proposes the targets from which a graph leads to the source.
func (p *pairing) byLink(s int32) []int32 {
	if p.linked == nil {
		linked := newIndex(len(p.targets.list))
		for t := range p.targets.each() {
			linked.add(strings.ToLower(p.opt.Links.Sources[p.targets.ids[t]]), t)
		}
		p.linked = &linked
	}
	return p.linked.find(p.sources.ids[s])
}

// byAlias proposes the targets with a name that Azure Tenant Grapher makes of the source's
// node without a tenant, be it their own or that of their block in Terraform code: the
// latter stays where something has changed the former.
func (p *pairing) byAlias(s int32) []int32 {
	names := func(r plugin.Resource) []string {
		return aliasNames(r, p.opt.Links.Aliases[strings.ToLower(r.ID)], p.subscriptions())
	}
	if found := p.named(s, names); len(found) > 0 {
		return found
	}
	var out []int32
	for _, name := range append(slices.Clone(p.opt.Links.Aliases[p.sources.ids[s]]), names(p.sources.list[s])...) {
		for _, t := range p.blocks().find(blockKey(p.sources.list[s].Type, name)) {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// blocks are the targets by the names of their blocks.
func (p *pairing) blocks() *index {
	if p.byBlock == nil {
		blocks := newIndex(len(p.targets.list))
		if len(p.opt.Links.Blocks) > 0 {
			for t := range p.targets.each() {
				if name := p.opt.Links.Blocks[p.targets.ids[t]]; name != "" {
					blocks.add(blockKey(p.targets.list[t].Type, name), t)
				}
			}
		}
		p.byBlock = &blocks
	}
	return p.byBlock
}

// blockKey is a type and the name of a block: every character that Terraform does not
// take there is an underscore.
func blockKey(typ, name string) string {
	return strings.ToLower(typ) + "." + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name)
}

// byUpstreamName proposes the targets with a name that Azure Tenant Grapher gives to
// copies of the source.
func (p *pairing) byUpstreamName(s int32) []int32 {
	return p.named(s, func(r plugin.Resource) []string { return upstreamNames(r, p.subscriptions()) })
}

// named proposes the targets with one of the names that copies of the source may have. At
// least one name, of the source or a parent, is one that derive makes.
func (p *pairing) named(s int32, derive func(plugin.Resource) []string) []int32 {
	var out []int32
	for _, key := range copies(p.sources.list[s], derive) {
		for _, t := range p.targets.names.find(key) {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// copies returns the name keys of r's possible copies: all but the one of the name that r
// has itself.
func copies(r plugin.Resource, derive func(plugin.Resource) []string) []string {
	own := typeKey(nameKey(strings.ToLower(r.ID)))
	parent, isChild := parentOf(r)
	if !isChild {
		return joined([]string{own}, derive(r))
	}
	segment := own[strings.LastIndexByte(own[:len(own)-1], '/')+1:] // "databases/"
	var fronts []string
	for _, key := range copies(parent, derive) {
		fronts = append(fronts, key+"/"+segment)
	}
	derived := derive(r)
	out := joined(fronts, append([]string{strings.ToLower(r.Name)}, derived...))
	return append(out, joined([]string{own}, derived)...)
}

func joined(fronts, names []string) []string {
	var out []string
	for _, front := range fronts {
		for _, name := range names {
			out = append(out, front+strings.ToLower(name))
		}
	}
	return out
}

// parentOf returns the resource that r is part of, as its ID says.
func parentOf(r plugin.Resource) (plugin.Resource, bool) {
	if strings.Count(r.Type, "/") < 2 {
		return plugin.Resource{}, false
	}
	id := strings.TrimSuffix(r.ID, "/")
	for range 2 {
		id = id[:strings.LastIndexByte(id, '/')]
	}
	parent, err := inventory.FromID(id)
	return parent, err == nil
}

// subscriptions returns the subscriptions of the targets, each once.
func (p *pairing) subscriptions() []string {
	if p.subs == nil {
		seen := map[string]bool{}
		p.subs = []string{}
		for t := range p.targets.each() {
			if sub := p.targets.list[t].SubscriptionID; !seen[sub] {
				seen[sub] = true
				p.subs = append(p.subs, sub)
			}
		}
	}
	return p.subs
}
