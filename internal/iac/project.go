package iac

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// Place is a resource that things are declared for, or that they come from.
type Place struct {
	ID             string // resource ID
	Name           string
	Type           string // "Microsoft.KeyVault/vaults"
	TenantID       string
	SubscriptionID string
	ResourceGroup  string
}

// Item is what one item of a resource declares.
type Item struct {
	Key    string // unique within the resource
	Parent string // key of the item that must exist first; "" for none
	Blocks []decl.Block
}

// Unit is what is declared for one target resource.
type Unit struct {
	Source, Target Place
	Items          []Item
}

// Project is a directory of code.
type Project struct {
	Format  decl.Format
	Units   []Unit
	Imports bool // Terraform: an import block for each thing that has an import ID
	// Undeclared says what the code lacks, one sentence each; it goes into the README.
	Undeclared []string
}

// File is one file of a project. Path is relative, with slashes.
type File struct {
	Path    string
	Content []byte
}

// Summary counts what a project declares.
type Summary struct {
	Resources  int      // resources of the format; things without a type in it are not counted
	Imports    int      // import blocks
	Parameters []string // names of the parameters that must be given, in the order of the files
	Secrets    int      // how many of them are secrets
}

// Files composes the project's files, in an order that does not change. Units are put in
// the order of their targets' IDs, items in that of their keys, parents first, so that the
// order in which they were found does not show.
func (p Project) Files() ([]File, Summary, error) {
	p.Units = sorted(p.Units)
	entries, all, err := entriesOf(p.Units...)
	if err != nil {
		return nil, Summary{}, err
	}
	sum := p.summary(entries, all)
	var files []File
	switch p.Format {
	case decl.Terraform:
		files, err = p.terraformFiles(entries, all)
	case decl.Bicep, decl.ARM:
		files, err = p.templateFiles(entries, all)
	default:
		err = fmt.Errorf("unknown format %q", p.Format)
	}
	return files, sum, err
}

func (p Project) summary(entries []*entry, ps *params) Summary {
	var sum Summary
	used := map[string]bool{}
	for _, e := range entries {
		if !p.Has(e.Block) {
			continue
		}
		sum.Resources++
		if p.Format == decl.Terraform && p.Imports && e.TF.ImportID != "" {
			sum.Imports++
		}
		for _, name := range e.params {
			used[name] = true
		}
	}
	for _, param := range ps.all {
		if used[param.Name] {
			sum.Parameters = append(sum.Parameters, param.Name)
			if param.Sensitive {
				sum.Secrets++
			}
		}
	}
	return sum
}

// Has tells whether the format has a type for the thing.
func (p Project) Has(b decl.Block) bool {
	if p.Format == decl.Terraform {
		return b.TF != nil
	}
	return b.ARM != nil
}

// paramsOf returns those parameters that the entries of a file refer to, if the format has
// a type for them.
func (p Project) paramsOf(entries []*entry, all []decl.Param) []decl.Param {
	used := map[string]bool{}
	for _, e := range entries {
		if p.Has(e.Block) {
			for _, name := range e.params {
				used[name] = true
			}
		}
	}
	var out []decl.Param
	for _, param := range all {
		if used[param.Name] {
			out = append(out, param)
		}
	}
	return out
}

func sorted(units []Unit) []Unit {
	units = slices.Clone(units)
	slices.SortStableFunc(units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Target.ID), strings.ToLower(b.Target.ID)), cmp.Compare(strings.ToLower(a.Source.ID), strings.ToLower(b.Source.ID)))
	})
	for i := range units {
		units[i].Items = parentsFirst(units[i].Items)
	}
	return units
}

// parentsFirst sorts items by key, each behind its parent.
func parentsFirst(items []Item) []Item {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.Key, b.Key) })
	at := map[string]int{}
	for i, it := range items {
		at[it.Key] = i
	}
	var out []Item
	done := make([]bool, len(items))
	var put func(i int)
	put = func(i int) {
		if done[i] {
			return
		}
		done[i] = true // before the parent, so that a circle ends
		if parent, ok := at[items[i].Parent]; ok && items[i].Parent != "" {
			put(parent)
		}
		out = append(out, items[i])
	}
	for i := range items {
		put(i)
	}
	return out
}

// fileNames gives out file names that differ on every file system.
type fileNames map[string]bool

// give returns a name without suffix like wish: lower-case letters, digits, "-" and "_".
func (n fileNames) give(wish string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, strings.ToLower(wish))
	if name = strings.Trim(name, "_"); name == "" || special(name) {
		name += "_x"
	}
	unique := name
	for i := 2; n[unique]; i++ {
		unique = fmt.Sprintf("%s-%d", name, i)
	}
	n[unique] = true
	return unique
}

// special tells names that mean something else: Terraform merges NAME_override.tf into
// other files, and Windows has devices of these names.
func special(name string) bool {
	return name == "override" || strings.HasSuffix(name, "_override") || slices.Contains([]string{"con", "nul", "aux", "prn"}, name)
}
