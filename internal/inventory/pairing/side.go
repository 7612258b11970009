package pairing

import (
	"iter"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// side is the resources of one tenant with the indexes over them. The keys of the indexes
// are parts of the IDs in lower case and share their memory.
type side struct {
	list  []plugin.Resource
	ids   []string // in lower case; "" for a resource that is left out
	byID  map[string]int32
	paths index // resource group and everything behind it
	names index // type and name, with those of the parents

	byName *index // own name; made when a mapping asks for it
}

// newSide takes the resources that keep accepts (nil: all), each ID once.
func newSide(list []plugin.Resource, keep func(plugin.Resource) bool) *side {
	s := &side{list: list, ids: make([]string, len(list)), byID: make(map[string]int32, len(list))}
	for n, r := range list {
		id := strings.ToLower(strings.TrimSuffix(r.ID, "/"))
		if _, twice := s.byID[id]; twice || keep != nil && !keep(r) {
			continue
		}
		s.ids[n], s.byID[id] = id, int32(n)
	}
	return s
}

// index fills paths and names.
func (s *side) index() {
	s.paths, s.names = newIndex(len(s.list)), newIndex(len(s.list))
	for i := range s.each() {
		s.paths.add(pathKey(s.ids[i]), i)
		s.names.add(nameKey(s.ids[i]), i)
	}
}

// each yields the places of the resources that are not left out.
func (s *side) each() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, id := range s.ids {
			if id != "" && !yield(int32(i)) {
				return
			}
		}
	}
}

// pathKey is "group/providers/microsoft.keyvault/vaults/name".
func pathKey(id string) string {
	_, path, _ := strings.Cut(id, "/resourcegroups/")
	return path
}

// nameKey is "microsoft.keyvault/vaults/name", with the names of the parents of a child.
func nameKey(id string) string {
	const mark = "/providers/"
	return id[strings.LastIndex(id, mark)+len(mark):]
}

// typeKey is the part of a nameKey up to the name of the resource itself, which ends it.
func typeKey(name string) string { return name[:strings.LastIndexByte(name, '/')+1] }

// index finds the places of resources by a key. Places with one key form a chain.
type index struct {
	head map[string]int32
	next []int32
}

func newIndex(n int) index { return index{make(map[string]int32, n), filled(n)} }

func (x index) add(key string, i int32) {
	if key == "" {
		return
	}
	if first, ok := x.head[key]; ok {
		x.next[i] = first
	}
	x.head[key] = i
}

// find returns the places with a key, in the order of the list.
func (x index) find(key string) []int32 {
	i, ok := x.head[key]
	if !ok {
		return nil
	}
	var out []int32
	for ; i != none; i = x.next[i] {
		out = append(out, i)
	}
	slices.Reverse(out)
	return out
}
