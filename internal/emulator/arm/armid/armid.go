// Package armid reads ARM paths: subscriptions, resource groups, resources of any depth
// and extension resources, as well as the collections and actions around them.
package armid

import "strings"

const (
	subscriptions  = "subscriptions"
	resourceGroups = "resourceGroups"
	providers      = "providers"
)

// ID is an ARM path in parts. Names keep the casing they were written in; the fixed
// words (subscriptions, resourceGroups, providers) always have Azure's own.
type ID struct {
	Subscription string   // "" at tenant level
	Group        string   // "" outside a resource group
	Scope        string   // what carries the last provider part: "", a subscription, a group or a resource
	Namespace    string   // "Microsoft.KeyVault"; "" if the path has no provider part
	Types        []string // "vaults", "secrets"
	Names        []string // one less than Types for a collection or an action
	Rest         []string // a path without provider part: what follows the subscription or group
}

// Parse reads a path. Empty segments do not count, as in ARM. Every path has an ID; what
// it means is for the caller to find out.
func Parse(path string) ID {
	segs := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	var id ID
	rest := segs
	if len(rest) > 1 && strings.EqualFold(rest[0], subscriptions) {
		id.Subscription, rest = rest[1], rest[2:]
		if len(rest) > 1 && strings.EqualFold(rest[0], resourceGroups) {
			id.Group, rest = rest[1], rest[2:]
		}
	}
	i := lastProviders(rest)
	if i < 0 || i == len(rest)-1 {
		id.Rest = rest
		return id
	}
	id.Scope = Parse(strings.Join(segs[:len(segs)-len(rest)+i], "/")).String()
	id.Namespace = rest[i+1]
	for k, s := range rest[i+2:] {
		if k%2 == 0 {
			id.Types = append(id.Types, s)
		} else {
			id.Names = append(id.Names, s)
		}
	}
	return id
}

// lastProviders finds where the last provider part begins; -1 if there is none. Only a
// "providers" that stands where a type may stand counts: a resource may have that name.
func lastProviders(segs []string) int {
	found := -1
	for i := 0; i < len(segs); {
		if strings.EqualFold(segs[i], providers) {
			found = i
			i += 2 // the word and the namespace
			continue
		}
		i += 2 // a type and a name
	}
	return found
}

// String writes the canonical path: "" for the tenant's root, no slash at the end.
func (id ID) String() string {
	var b strings.Builder
	if id.Namespace != "" {
		b.WriteString(id.Scope + "/" + providers + "/" + id.Namespace)
		for i, t := range id.Types {
			b.WriteString("/" + t)
			if i < len(id.Names) {
				b.WriteString("/" + id.Names[i])
			}
		}
		return b.String()
	}
	b.WriteString(id.GroupID())
	for _, s := range id.Rest {
		b.WriteString("/" + s)
	}
	return b.String()
}

// Key is the path to compare and to look up by.
func (id ID) Key() string { return Key(id.String()) }

// Key folds any path for comparison: lower case, no empty segments, "" for the root.
func Key(path string) string {
	if strings.HasSuffix(path, "/") || strings.Contains(path, "//") || !strings.HasPrefix(path, "/") {
		segs := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
		if len(segs) == 0 {
			return ""
		}
		path = "/" + strings.Join(segs, "/")
	}
	return strings.ToLower(path)
}

// SubscriptionID is the path of the subscription; "" if there is none.
func (id ID) SubscriptionID() string {
	if id.Subscription == "" {
		return ""
	}
	return "/" + subscriptions + "/" + id.Subscription
}

// GroupID is the path of the resource group, of the subscription outside a group, and ""
// outside a subscription.
func (id ID) GroupID() string {
	if id.Group == "" {
		return id.SubscriptionID()
	}
	return id.SubscriptionID() + "/" + resourceGroups + "/" + id.Group
}

// Type is the full resource type: "Microsoft.KeyVault/vaults/secrets"; the namespace
// alone if the path ends there, "" without a provider part.
func (id ID) Type() string {
	if id.Namespace == "" || len(id.Types) == 0 {
		return id.Namespace
	}
	return id.Namespace + "/" + id.TypeName()
}

// TypeName is the type without its namespace: "vaults/secrets".
func (id ID) TypeName() string { return strings.Join(id.Types, "/") }

// Name is the last name: of the resource, of the group, of the subscription.
func (id ID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.Group != "":
		return id.Group
	}
	return id.Subscription
}

// IsResource tells a resource from a collection, an action or a path without provider
// part.
func (id ID) IsResource() bool { return len(id.Types) > 0 && len(id.Types) == len(id.Names) }

// IsGroup tells whether the path is a resource group's own.
func (id ID) IsGroup() bool { return id.Namespace == "" && id.Group != "" && len(id.Rest) == 0 }

// IsSubscription tells whether the path is a subscription's own.
func (id ID) IsSubscription() bool {
	return id.Namespace == "" && id.Subscription != "" && id.Group == "" && len(id.Rest) == 0
}

// Is compares the full type without regard to case.
func (id ID) Is(typ string) bool { return strings.EqualFold(id.Type(), typ) }

// Parent is the resource that a nested resource, a collection or an action belongs to;
// for those of a top-level type it is the scope's path. ok tells whether that is a
// resource of the same provider part.
func (id ID) Parent() (parent ID, ok bool) {
	if len(id.Types) < 2 {
		return Parse(id.Scope), false
	}
	id.Types = id.Types[:len(id.Types)-1]
	id.Names = id.Names[:min(len(id.Types), len(id.Names))]
	return id, true
}

// WithName makes a collection's path the path of one of its resources.
func (id ID) WithName(name string) ID {
	id.Names = append(append([]string{}, id.Names...), name)
	return id
}

// Under tells whether the path with key is scope's own or lies under it. Both are keys;
// "" is the root of everything.
func Under(key, scope string) bool {
	return strings.HasPrefix(key, scope) && (len(key) == len(scope) || scope == "" || key[len(scope)] == '/')
}
