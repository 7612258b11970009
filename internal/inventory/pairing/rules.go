package pairing

import (
	"strings"

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

// byUpstreamName proposes the targets with a name that Azure Tenant Grapher gives to
// copies of the source.
func (p *pairing) byUpstreamName(s int32) []int32 {
	key := nameKey(p.sources.ids[s])
	names := upstreamNames(p.sources.list[s], p.subscriptions())
	out := make([]int32, 0, len(names))
	for _, name := range names {
		out = append(out, p.targets.names.find(typeKey(key)+name)...)
	}
	return out
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
