package inventory

import (
	"fmt"
	"strings"
)

// Kind is a kind of place where resources are known.
type Kind string

// The kinds of places.
const (
	ARM       Kind = "arm"     // Azure Resource Manager, live
	Graph     Kind = "graph"   // Azure Resource Graph: few requests where a tenant is large
	File      Kind = "file"    // a JSON file
	Terraform Kind = "tfstate" // a Terraform state
	Neo4j     Kind = "neo4j"   // the graph of Azure Tenant Grapher
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{ARM, Graph, File, Terraform, Neo4j} }

// Place is where the resources of a side are read. Path is the path of a file or folder,
// or the address of a Neo4j server; "" where the kind has none or it is said elsewhere.
type Place struct {
	Kind Kind
	Path string
}

// String is the form that ParsePlace reads.
func (p Place) String() string {
	if p.Path == "" {
		return string(p.Kind)
	}
	return string(p.Kind) + ":" + p.Path
}

// ParsePlace reads KIND, KIND:PATH or the bare path of a file: a Terraform state if its
// name ends in ".tfstate", a JSON file otherwise. "" is ARM.
func ParsePlace(text string) (Place, error) {
	if text == "" {
		return Place{Kind: ARM}, nil
	}
	kind, path, colon := strings.Cut(text, ":")
	for _, k := range Kinds() {
		if kind == string(k) {
			return checked(Place{k, path}, colon)
		}
	}
	if colon && len(kind) > 1 && !strings.ContainsAny(kind, `/\.`) { // one letter is a drive
		return Place{}, fmt.Errorf("there is no inventory of kind %q; there are: %s", kind, kindList())
	}
	if strings.HasSuffix(strings.ToLower(text), ".tfstate") {
		return Place{Terraform, text}, nil
	}
	return Place{File, text}, nil
}

// checked refuses a place that has a path too many or too few.
func checked(p Place, colon bool) (Place, error) {
	switch p.Kind {
	case File, Terraform:
		if p.Path == "" {
			return p, fmt.Errorf("the inventory %s wants a path: %s:PATH", p.Kind, p.Kind)
		}
	case ARM, Graph:
		if colon {
			return p, fmt.Errorf("the inventory %s takes no path", p.Kind)
		}
	case Neo4j: // the address may be said elsewhere
	}
	return p, nil
}

func kindList() string {
	var words []string
	for _, k := range Kinds() {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
