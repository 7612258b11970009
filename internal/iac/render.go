// Package iac writes neutral declarations as Terraform, Bicep or ARM JSON.
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
	ps, err := newParams(blocks)
	if err != nil {
		return err
	}
	var out []byte
	switch format {
	case decl.Terraform:
		out, err = terraform(blocks, ps, opt)
	case decl.Bicep:
		out, err = bicep(blocks, ps)
	case decl.ARM:
		out, err = arm(blocks, ps)
	default:
		err = fmt.Errorf("unknown format %q", format)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
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

// params are the parameters of a file.
type params struct {
	all     []decl.Param // under their given names, in order of first use
	byBlock []scoped
	taken   names
}

// newParams gives every parameter a legal, unique name. Blocks that wish for the same
// parameter in every respect share it.
func newParams(blocks []decl.Block) (*params, error) {
	ps := &params{taken: names{}}
	given := map[decl.Param]string{}
	for _, b := range blocks {
		own := scoped{}
		for _, p := range b.Params {
			if _, twice := own[p.Name]; twice {
				return nil, fmt.Errorf("block %q declares parameter %q twice", b.Name, p.Name)
			}
			name, known := given[p]
			if !known {
				name = ps.taken.give(p.Name)
				given[p] = name
				ps.all = append(ps.all, decl.Param{Name: name, Description: p.Description, Sensitive: p.Sensitive})
			}
			own[p.Name] = name
		}
		ps.byBlock = append(ps.byBlock, own)
	}
	return ps, nil
}
