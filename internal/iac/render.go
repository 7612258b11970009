// Package iac writes neutral declarations as Terraform, Bicep or ARM JSON: one file
// (Render), or a whole directory for the resources of a tenant (Project).
//
// The output is deterministic: the same blocks give the same bytes. Names are made legal
// and unique for each language; a secret is always a sensitive parameter, because a
// declaration cannot hold one. Things that a language has no type for leave their note.
package iac

import (
	"fmt"
	"io"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// Options steer the rendering. The zero Options is valid.
type Options struct {
	// Imports adds an import block for each thing that has an import ID (Terraform only).
	Imports bool
}

// Render writes blocks to w as one file of the given format. It fails if a block refers
// to a parameter that it does not declare, if a value is of a type that declarations do
// not have, or if w fails; nothing is written before the whole file is composed.
func Render(w io.Writer, format decl.Format, blocks []decl.Block, opt Options) error {
	entries, all, err := entriesOf(Unit{Items: []Item{{Blocks: blocks}}})
	if err != nil {
		return err
	}
	var out []byte
	switch format {
	case decl.Terraform:
		out, err = terraform(entries, all, opt)
	case decl.Bicep:
		out, err = bicep(entries, all)
	case decl.ARM:
		out, err = arm(entries, all)
	default:
		err = fmt.Errorf("unknown format %q", format)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// entry is a block with what its file knows of it.
type entry struct {
	decl.Block
	params   scoped
	unit     int
	wish     string   // the symbolic name to come close to
	symbol   string   // its Terraform name, unique within the resource type
	provider string   // alias of its Terraform provider; "" for the default one
	after    []*entry // what must exist before it
}

// entriesOf names the things of units and their parameters. Each file that is made of some
// of the entries needs the parameters that those refer to. The target's name is a part of
// every name: Terraform knows a thing by its name, which must not change when another
// resource comes along.
func entriesOf(units ...Unit) ([]*entry, *params, error) {
	var out []*entry
	ps := newParams()
	taken := map[string]names{} // Terraform names are unique within a resource type
	for i, u := range units {
		byItem := map[string][]*entry{}
		first := len(out)
		prefix := ""
		if u.Target.Name != "" {
			prefix = u.Target.Name + "_"
		}
		ps.given = map[decl.Param]string{} // what two resources wish for alike is not the same
		for _, it := range u.Items {
			for _, b := range it.Blocks {
				e := &entry{Block: b, unit: i, wish: prefix + b.Name}
				var err error
				if e.params, err = ps.add(b, prefix); err != nil {
					return nil, nil, err
				}
				if b.TF != nil {
					if taken[b.TF.Type] == nil {
						taken[b.TF.Type] = names{}
					}
					e.symbol = taken[b.TF.Type].give(e.wish)
				}
				byItem[it.Key] = append(byItem[it.Key], e)
				out = append(out, e)
			}
		}
		order(out[first:], u.Items, byItem)
	}
	return out, ps, nil
}

// order notes what each entry has to wait for.
func order(entries []*entry, items []Item, byItem map[string][]*entry) {
	at := 0
	for _, it := range items {
		for range it.Blocks {
			e := entries[at]
			at++
			for _, key := range append([]string{it.Parent}, e.After...) {
				if key != it.Key {
					e.after = append(e.after, byItem[key]...)
				}
			}
		}
	}
}

// scoped are the parameters as one block sees them: wished name → given name.
type scoped map[string]string

// resolve returns the name under which a parameter was declared.
func (s scoped) resolve(ref decl.Ref) (string, error) {
	if name, ok := s[string(ref)]; ok {
		return name, nil
	}
	return "", fmt.Errorf("parameter %q is not declared by the block that refers to it", ref)
}

// params are parameters of one or of several files.
type params struct {
	all   []decl.Param          // under their given names, in order of first use
	given map[decl.Param]string // of one unit
	taken names
}

func newParams() *params { return &params{given: map[decl.Param]string{}, taken: names{}} }

// add gives the parameters of a block legal, unique names. Blocks of one unit that wish
// for the same parameter in every respect share it.
func (ps *params) add(b decl.Block, prefix string) (scoped, error) {
	own := scoped{}
	for _, p := range b.Params {
		if _, twice := own[p.Name]; twice {
			return nil, fmt.Errorf("block %q declares parameter %q twice", b.Name, p.Name)
		}
		name, known := ps.given[p]
		if !known {
			name = ps.taken.give(prefix + p.Name)
			ps.given[p] = name
			ps.all = append(ps.all, decl.Param{Name: name, Description: p.Description, Sensitive: p.Sensitive})
		}
		own[p.Name] = name
	}
	return own, nil
}
