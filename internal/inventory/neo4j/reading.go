package neo4j

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// reading turns the nodes of one call of Find into resources.
type reading struct {
	scope   Scope
	wanted  []string // types in lower case; none: all
	asked   []string // the same with their parents, whose links count too
	yield   func(plugin.Resource, error) bool
	seen    map[string]struct{} // resource IDs in lower case, of wanted types
	outside int                 // nodes of wanted types beyond the scope
	links   inventory.Links
	tags    map[string]map[string]string // by their JSON: many resources have the same ones
}

// maxTags bounds the tags that are kept to be shared.
const maxTags = 10_000

// shared returns the tags of a node, the same map for the same tags.
func (r *reading) shared(text string) map[string]string {
	if known, ok := r.tags[text]; ok {
		return known
	}
	tags := tagsOf(text)
	if len(r.tags) < maxTags {
		r.tags[text] = tags
	}
	return tags
}

func newReading(scope Scope, types []string, yield func(plugin.Resource, error) bool) *reading {
	r := &reading{
		scope: scope, asked: []string{}, yield: yield, seen: map[string]struct{}{}, tags: map[string]map[string]string{},
		links: inventory.Links{Sources: map[string]string{}, Aliases: map[string][]string{}},
	}
	for _, t := range types {
		t = strings.ToLower(t)
		r.wanted = append(r.wanted, t)
		for ; strings.Contains(t, "/"); t = t[:strings.LastIndexByte(t, '/')] {
			r.asked = append(r.asked, t)
		}
	}
	return r
}

// take yields the resources of a node that no other node has led to. It returns errStopped
// when the consumer has had enough.
func (r *reading) take(n node) error {
	ids := n.resources()
	if len(ids) == 0 {
		if !r.wants(n.typ) {
			return nil
		}
		return &refusal{
			errs.Invalid, fmt.Sprintf("the node %q of type %s leads to no resource of Azure: it has neither original_id nor SCAN_SOURCE_NODE", n.id, n.typ),
			"scan the tenant again, or delete the node",
		}
	}
	for _, id := range ids {
		if err := r.resource(n, id); err != nil {
			return err
		}
	}
	return nil
}

// resource yields the resource with the given ID, to which n leads, and keeps its links.
func (r *reading) resource(n node, id string) error {
	res, err := inventory.FromID(id)
	if err != nil {
		if !r.wants(n.typ) {
			return nil
		}
		return fmt.Errorf("the node %q: %w", n.id, err)
	}
	wanted := r.wants(res.Type)
	if !r.holds(n, res) {
		if wanted {
			r.outside++
		}
		return nil
	}
	key := strings.ToLower(id)
	r.link(n, key)
	if _, twice := r.seen[key]; twice || !wanted {
		return nil
	}
	r.seen[key] = struct{}{}
	res.TenantID, res.Location, res.Kind, res.SKU, res.Tags = r.scope.TenantID, n.location, n.kind, n.sku, r.shared(n.tags)
	if !r.yield(res, nil) {
		return errStopped
	}
	return nil
}

func (r *reading) wants(typ string) bool {
	return len(r.wanted) == 0 || slices.Contains(r.wanted, strings.ToLower(typ))
}

// holds tells whether the scope holds a resource. Some graphs name tenants by a domain,
// which cannot be compared with an ID.
func (r *reading) holds(n node, res plugin.Resource) bool {
	s := r.scope
	switch {
	case s.TenantID != "" && uuid.Validate(n.tenant) == nil && !strings.EqualFold(n.tenant, s.TenantID):
		return false
	case s.ResourceGroup != "" && !strings.EqualFold(res.ResourceGroup, s.ResourceGroup):
		return false
	}
	return len(s.Subscriptions) == 0 ||
		slices.ContainsFunc(s.Subscriptions, func(id string) bool { return strings.EqualFold(id, res.SubscriptionID) })
}

// link keeps what n says of the resource with the given ID, which is in lower case.
func (r *reading) link(n node, id string) {
	alias := n.abstracted
	if !azures(n.id) {
		alias = n.id
	}
	if alias != "" && !azures(alias) && !slices.Contains(r.links.Aliases[id], alias) {
		r.links.Aliases[id] = append(r.links.Aliases[id], alias)
	}
	if !azures(n.id) {
		return
	}
	for _, source := range append([]string{n.source, n.original}, n.replicated...) {
		if azures(source) && !strings.EqualFold(source, n.id) {
			r.links.Sources[id] = source
			return
		}
	}
}

// resources returns the IDs that Azure gave to what the node stands for: one, but of nodes
// without a tenant several where resources of one type and name are in several groups.
func (n node) resources() []string {
	if azures(n.id) {
		return []string{n.id}
	}
	var out []string
	for _, id := range append([]string{n.original}, n.scanned...) {
		if azures(id) && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, id) }) {
			out = append(out, id)
		}
	}
	return out
}

// azures tells whether an ID is one that Azure gave.
func azures(id string) bool { return strings.HasPrefix(id, "/") }
