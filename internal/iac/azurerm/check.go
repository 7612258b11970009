package azurerm

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// meta are the arguments and blocks that Terraform itself takes in every resource.
var meta = map[string]bool{"provider": true, "depends_on": true, "count": true, "for_each": true, "lifecycle": true}

// Check holds Terraform code against the schema. files are contents by name; together they
// are one module. It returns every finding, in the order of files and lines: code that does
// not parse, resource types, arguments and blocks that the provider does not have, arguments
// that are missing, given twice, read-only or of another type, blocks that stand too often or too rarely,
// variables that nobody declares, and imports to nowhere. What only a request to Azure
// can tell, and what the provider checks beyond its schema, it does not see.
func Check(files map[string][]byte) []error {
	s, err := load()
	if err != nil {
		return []error{err}
	}
	c := &checker{schema: s, variables: map[string]cty.Value{}, resources: map[string]bool{}}
	var bodies []*hclsyntax.Body
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file, diags := hclsyntax.ParseConfig(files[name], name, hcl.InitialPos)
		for _, d := range diags {
			c.found = append(c.found, d)
		}
		if file != nil {
			bodies = append(bodies, file.Body.(*hclsyntax.Body))
		}
	}
	for _, body := range bodies {
		c.collect(body)
	}
	for _, body := range bodies {
		c.module(body)
	}
	return c.found
}

// checker collects findings in one module.
type checker struct {
	schema    schema
	variables map[string]cty.Value
	resources map[string]bool // "type.name"
	found     []error
}

func (c *checker) complain(at hcl.Range, format string, args ...any) {
	c.found = append(c.found, fmt.Errorf("%s:%d: %s", at.Filename, at.Start.Line, fmt.Sprintf(format, args...)))
}

// collect notes what the module declares.
func (c *checker) collect(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch {
		case b.Type == "variable" && len(b.Labels) == 1:
			if _, twice := c.variables[b.Labels[0]]; twice {
				c.complain(b.DefRange(), "the variable %q is declared twice", b.Labels[0])
			}
			c.variables[b.Labels[0]] = cty.UnknownVal(cty.String)
		case b.Type == "resource" && len(b.Labels) == 2:
			address := b.Labels[0] + "." + b.Labels[1]
			if c.resources[address] {
				c.complain(b.DefRange(), "the resource %s is declared twice", address)
			}
			c.resources[address] = true
		}
	}
}

func (c *checker) module(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch b.Type {
		case "resource":
			c.resource(b)
		case "import":
			c.imports(b)
		}
	}
}

func (c *checker) resource(b *hclsyntax.Block) {
	if len(b.Labels) != 2 {
		c.complain(b.DefRange(), "a resource has a type and a name")
		return
	}
	known := c.schema.resources[b.Labels[0]]
	if known == nil {
		c.complain(b.DefRange(), "the schema extract has no resource type %q", b.Labels[0])
		return
	}
	c.body(b.Labels[0], b.Body, *known, true)
}

// body holds a body against its schema; path says where it is.
func (c *checker) body(path string, body *hclsyntax.Body, known Block, top bool) {
	for _, name := range inOrder(body) {
		attr := body.Attributes[name]
		a, ok := known.Attributes[name]
		switch {
		case top && meta[name]:
		case !ok:
			c.complain(attr.NameRange, "%s has no argument %q", path, name)
		case !a.settable():
			c.complain(attr.NameRange, "%s.%s is read-only", path, name)
		default:
			c.value(path+"."+name, attr, a)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known.Attributes)) {
		if known.Attributes[name].Required && body.Attributes[name] == nil {
			c.complain(body.MissingItemRange(), "%s lacks the argument %q", path, name)
		}
	}
	c.blocks(path, body, known, top)
}

// inOrder lists a body's attributes as they stand in the file.
func inOrder(body *hclsyntax.Body) []string {
	return slices.SortedFunc(maps.Keys(body.Attributes), func(a, b string) int {
		return body.Attributes[a].NameRange.Start.Byte - body.Attributes[b].NameRange.Start.Byte
	})
}

// value converts an argument to the type that the provider wants.
func (c *checker) value(path string, attr *hclsyntax.Attribute, a Attribute) {
	want, err := a.cty()
	if err != nil {
		c.complain(attr.NameRange, "%s: the schema extract: %v", path, err)
		return
	}
	got, diags := attr.Expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"var": cty.ObjectVal(c.variables)}})
	if diags.HasErrors() {
		c.complain(attr.NameRange, "%s: %s", path, diags[0].Detail)
		return
	}
	if _, err := convert.Convert(got, want); err != nil {
		c.complain(attr.NameRange, "%s: %v", path, err)
	}
}

// blocks counts nested blocks and looks into them.
func (c *checker) blocks(path string, body *hclsyntax.Body, known Block, top bool) {
	count := map[string]int{}
	for _, b := range body.Blocks {
		nested, ok := known.Blocks[b.Type]
		switch {
		case top && meta[b.Type]:
			continue
		case !ok:
			c.complain(b.DefRange(), "%s has no block %q", path, b.Type)
			continue
		}
		if count[b.Type]++; nested.Max > 0 && count[b.Type] == nested.Max+1 {
			c.complain(b.DefRange(), "%s takes at most %d blocks %q", path, nested.Max, b.Type)
		}
		c.body(path+"."+b.Type, b.Body, nested.Block, false)
	}
	for _, name := range slices.Sorted(maps.Keys(known.Blocks)) {
		if least := known.Blocks[name].Min; count[name] < least {
			c.complain(body.MissingItemRange(), "%s lacks the block %q", path, name)
		}
	}
}

// imports looks at an import block: it leads to a resource of the module.
func (c *checker) imports(b *hclsyntax.Block) {
	to, id := b.Body.Attributes["to"], b.Body.Attributes["id"]
	if to == nil || id == nil {
		c.complain(b.DefRange(), "an import needs to and id")
		return
	}
	address, diags := hcl.AbsTraversalForExpr(to.Expr)
	if diags.HasErrors() || len(address) != 2 {
		c.complain(to.NameRange, "the import leads to no resource")
		return
	}
	attr, _ := address[1].(hcl.TraverseAttr)
	if name := address.RootName() + "." + attr.Name; !c.resources[name] {
		c.complain(to.NameRange, "the import leads to %s, which is not declared", name)
	}
	if v, diags := id.Expr.Value(nil); diags.HasErrors() || v.Type() != cty.String || v.AsString() == "" {
		c.complain(id.NameRange, "the import has no ID")
	}
}
