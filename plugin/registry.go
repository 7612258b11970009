package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Registry finds the plugin for a resource. It is built once and then only read.
type Registry struct {
	plugins []Plugin // in the order in which their resource types are to be done
}

// NewRegistry checks the plugins and orders them by After. It fails if a plugin is for
// another contract, if two claim the same type and kind, or if After has a cycle.
func NewRegistry(ps ...Plugin) (*Registry, error) {
	claims, names := map[string]string{}, map[string]bool{}
	for _, p := range ps {
		info := p.Info()
		if err := checkInfo(info); err != nil {
			return nil, err
		}
		if names[info.Name] {
			return nil, fmt.Errorf("two plugins have the name %q", info.Name)
		}
		names[info.Name] = true
		for _, claim := range claimsOf(info) {
			if other, taken := claims[claim]; taken {
				return nil, fmt.Errorf("plugins %q and %q both claim %s", other, info.Name, claim)
			}
			claims[claim] = info.Name
		}
	}
	ordered, err := order(ps)
	if err != nil {
		return nil, err
	}
	return &Registry{plugins: ordered}, nil
}

func checkInfo(info Info) error {
	switch {
	case info.Name == "" || info.Type == "" || info.Version == "":
		return fmt.Errorf("plugin %q: name, version and type must be set", info.Name)
	case info.Contract != ContractVersion:
		return fmt.Errorf("plugin %q is for contract %d; this program has contract %d", info.Name, info.Contract, ContractVersion)
	case len(info.Modes) == 0:
		return fmt.Errorf("plugin %q supports no mode", info.Name)
	}
	return nil
}

// claimsOf returns "type" or "type kind" for each kind, in lower case.
func claimsOf(info Info) []string {
	typ := strings.ToLower(info.Type)
	if len(info.Kinds) == 0 {
		return []string{typ}
	}
	var out []string
	for _, k := range info.Kinds {
		out = append(out, typ+" "+strings.ToLower(k))
	}
	return out
}

// order sorts plugins so that each comes after those whose types it names in After.
// Among equals the order given is kept.
func order(ps []Plugin) ([]Plugin, error) {
	const (
		open = iota + 1
		done
	)
	state := map[string]int{} // by plugin name
	var out []Plugin
	var visit func(p Plugin, path []string) error
	visit = func(p Plugin, path []string) error {
		info := p.Info()
		path = append(path, info.Name)
		switch state[info.Name] {
		case done:
			return nil
		case open:
			return fmt.Errorf("plugins wait for each other: %s", strings.Join(path, " after "))
		}
		state[info.Name] = open
		for _, typ := range info.After {
			for _, q := range ps {
				if strings.EqualFold(q.Info().Type, typ) {
					if err := visit(q, path); err != nil {
						return err
					}
				}
			}
		}
		state[info.Name] = done
		out = append(out, p)
		return nil
	}
	for _, p := range ps {
		if err := visit(p, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// All returns the plugins in the order in which their resource types are to be done.
func (r *Registry) All() []Plugin { return slices.Clone(r.plugins) }

// Rank returns the place of a resource type and kind in the order of work, and -1 if
// no plugin claims it.
func (r *Registry) Rank(typ, kind string) int {
	p := r.For(typ, kind)
	if p == nil {
		return -1
	}
	return slices.IndexFunc(r.plugins, func(q Plugin) bool { return q.Info().Name == p.Info().Name })
}

// Named returns the plugin with the given name, or nil.
func (r *Registry) Named(name string) Plugin {
	for _, p := range r.plugins {
		if strings.EqualFold(p.Info().Name, name) {
			return p
		}
	}
	return nil
}

// For returns the plugin that claims an ARM type and kind, or nil. A claim of a kind
// wins over a claim of the whole type. Case does not matter.
func (r *Registry) For(typ, kind string) Plugin {
	var rest Plugin
	tokens := strings.Split(strings.ToLower(kind), ",")
	for _, p := range r.plugins {
		info := p.Info()
		if !strings.EqualFold(info.Type, typ) {
			continue
		}
		if len(info.Kinds) == 0 {
			rest = p
		}
		for _, k := range info.Kinds {
			if slices.Contains(tokens, strings.ToLower(k)) {
				return p
			}
		}
	}
	return rest
}

// Types returns the resource types that some plugin claims, sorted, each once.
func (r *Registry) Types() []string {
	var out []string
	for _, p := range r.plugins {
		out = append(out, p.Info().Type)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(out, strings.EqualFold)
}

// Capabilities says which optional interfaces a plugin has.
type Capabilities struct {
	Compare  bool `json:"compare"`
	Declare  bool `json:"declare"`
	Estimate bool `json:"estimate"`
	Undo     bool `json:"undo"`
	Batch    bool `json:"batch"`
	Access   bool `json:"access"`
}

// CapabilitiesOf looks for the optional interfaces of p.
func CapabilitiesOf(p Plugin) Capabilities {
	var c Capabilities
	_, c.Compare = p.(Comparer)
	_, c.Declare = p.(Declarer)
	_, c.Estimate = p.(Estimator)
	_, c.Undo = p.(Undoer)
	_, c.Batch = p.(BatchReplicator)
	_, c.Access = p.(AccessChecker)
	return c
}
