package iac

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// tfFile composes a file of pieces with an empty line between them.
type tfFile struct{ bytes.Buffer }

func (f *tfFile) add(piece *hclwrite.File) {
	if f.Len() > 0 {
		f.WriteByte('\n')
	}
	f.Write(hclwrite.Format(piece.Bytes()))
}

// terraform writes variables, then the resources in their order.
func terraform(entries []*entry, ps *params, opt Options) ([]byte, error) {
	var f tfFile
	for _, p := range ps.all {
		f.add(variable(p))
	}
	err := f.resources(entries, opt)
	return f.Bytes(), err
}

// resources writes entries with their import blocks.
func (f *tfFile) resources(entries []*entry, opt Options) error {
	for _, e := range entries {
		if e.TF == nil {
			if e.Note != "" {
				f.add(annotated(e.Note))
			}
			continue
		}
		res, err := tfResource(e)
		if err != nil {
			return fmt.Errorf("block %q: %w", e.Name, err)
		}
		f.add(res)
		if opt.Imports && e.TF.ImportID != "" {
			f.add(tfImport(e))
		}
	}
	return nil
}

// annotated returns a file that begins with a comment.
func annotated(text string) *hclwrite.File {
	file := hclwrite.NewEmptyFile()
	for _, line := range commentLines(text) {
		line = strings.TrimSpace("# " + line)
		file.Body().AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte(line + "\n")}})
	}
	return file
}

func variable(p decl.Param) *hclwrite.File {
	file := hclwrite.NewEmptyFile()
	v := file.Body().AppendNewBlock("variable", []string{p.Name}).Body()
	if p.Description != "" {
		v.SetAttributeValue("description", cty.StringVal(p.Description))
	}
	v.SetAttributeRaw("type", hclwrite.TokensForIdentifier("string"))
	if p.Sensitive {
		v.SetAttributeValue("sensitive", cty.True)
	}
	return file
}

func tfResource(e *entry) (*hclwrite.File, error) {
	if !hclsyntax.ValidIdentifier(e.TF.Type) {
		return nil, fmt.Errorf("%q is no resource type", e.TF.Type)
	}
	file := annotated(e.Note)
	res := file.Body().AppendNewBlock("resource", []string{e.TF.Type, e.symbol}).Body()
	if e.provider != "" {
		res.SetAttributeTraversal("provider", traversal("azurerm", e.provider))
		res.AppendNewline()
	}
	if err := tfBody(res, e.TF.Attrs, e.params); err != nil {
		return nil, err
	}
	if waits := tfWaits(e); len(waits) > 0 {
		res.AppendNewline()
		res.SetAttributeRaw("depends_on", hclwrite.TokensForTuple(waits))
	}
	if len(e.TF.IgnoreChanges) == 0 {
		return file, nil
	}
	var ignored []hclwrite.Tokens
	for _, attr := range e.TF.IgnoreChanges {
		ignored = append(ignored, hclwrite.TokensForIdentifier(attr))
	}
	res.AppendNewline()
	res.AppendNewBlock("lifecycle", nil).Body().SetAttributeRaw("ignore_changes", hclwrite.TokensForTuple(ignored))
	return file, nil
}

// tfWaits are the addresses of what e must come after.
func tfWaits(e *entry) []hclwrite.Tokens {
	var out []hclwrite.Tokens
	seen := map[*entry]bool{}
	for _, before := range e.after {
		if before.TF != nil && !seen[before] {
			seen[before] = true
			out = append(out, hclwrite.TokensForTraversal(traversal(before.TF.Type, before.symbol)))
		}
	}
	return out
}

func tfImport(e *entry) *hclwrite.File {
	file := hclwrite.NewEmptyFile()
	imp := file.Body().AppendNewBlock("import", nil).Body()
	imp.SetAttributeTraversal("to", traversal(e.TF.Type, e.symbol))
	imp.SetAttributeValue("id", cty.StringVal(e.TF.ImportID))
	return file
}

// traversal is "root.attr".
func traversal(root, attr string) hcl.Traversal {
	return hcl.Traversal{hcl.TraverseRoot{Name: root}, hcl.TraverseAttr{Name: attr}}
}

// tfBody writes attributes, and nested blocks each after an empty line, as terraform
// fmt and the provider's documentation have them.
func tfBody(body *hclwrite.Body, attrs decl.Object, ps scoped) error {
	for i, a := range attrs {
		if !hclsyntax.ValidIdentifier(a.Name) {
			return fmt.Errorf("%q is no attribute name", a.Name)
		}
		if nested, ok := a.Value.(decl.Nested); ok {
			if i > 0 {
				body.AppendNewline()
			}
			if err := tfBody(body.AppendNewBlock(a.Name, nil).Body(), decl.Object(nested), ps); err != nil {
				return err
			}
			continue
		}
		tokens, err := tfValue(a.Value, ps)
		if err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		body.SetAttributeRaw(a.Name, tokens)
	}
	return nil
}

func tfValue(value any, ps scoped) (hclwrite.Tokens, error) {
	switch v := value.(type) {
	case string:
		return hclwrite.TokensForValue(cty.StringVal(v)), nil
	case bool:
		return hclwrite.TokensForValue(cty.BoolVal(v)), nil
	case int:
		return hclwrite.TokensForValue(cty.NumberIntVal(int64(v))), nil
	case int64:
		return hclwrite.TokensForValue(cty.NumberIntVal(v)), nil
	case []string:
		return tfList(anys(v), ps)
	case []any:
		return tfList(v, ps)
	case decl.Object:
		return tfMap(v, ps)
	case decl.Ref:
		name, err := ps.resolve(v)
		if err != nil {
			return nil, err
		}
		return hclwrite.TokensForTraversal(traversal("var", name)), nil
	default:
		return nil, fmt.Errorf("a value of type %T cannot be declared", value)
	}
}

func tfList(list []any, ps scoped) (hclwrite.Tokens, error) {
	var elems []hclwrite.Tokens
	for _, v := range list {
		t, err := tfValue(v, ps)
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
	}
	return hclwrite.TokensForTuple(elems), nil
}

func tfMap(obj decl.Object, ps scoped) (hclwrite.Tokens, error) {
	var attrs []hclwrite.ObjectAttrTokens
	for _, a := range obj {
		t, err := tfValue(a.Value, ps)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", a.Name, err)
		}
		key := hclwrite.TokensForValue(cty.StringVal(a.Name))
		if isIdentifier(a.Name) && !reserved[a.Name] {
			key = hclwrite.TokensForIdentifier(a.Name)
		}
		attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: key, Value: t})
	}
	return hclwrite.TokensForObject(attrs), nil
}

// anys returns the strings as values.
func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
