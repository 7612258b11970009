package optable

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed ops.tsv
var embedded string

// anyVersion stands for an api-version that the caller passes as an argument.
const anyVersion = "*"

// Op is one operation: a method on a path template. Where several SDK clients have the
// same method and path, Op is all of them.
type Op struct {
	Method   string
	Path     string   // the first client's template
	Names    []string // "armkeyvault.VaultsClient.Get"
	Versions []string // sorted; empty: any
	Codes    []int    // status codes the clients accept, sorted
	LRO      bool     // long-running: the SDK's method is a Begin…
	Generic  bool     // fits every resource type: a parameter stands for the namespace
}

// Knows tells whether the operation has the api-version.
func (o *Op) Knows(version string) bool {
	return len(o.Versions) == 0 || slices.ContainsFunc(o.Versions, func(v string) bool { return strings.EqualFold(v, version) })
}

// Pick returns the first of the wanted status codes that the operation's clients accept,
// and the first of all if they accept none of them. A nil Op accepts every code.
func (o *Op) Pick(wanted ...int) int {
	if o != nil {
		for _, w := range wanted {
			if slices.Contains(o.Codes, w) {
				return w
			}
		}
	}
	return wanted[0]
}

// Type is a resource type as far as the table shows it.
type Type struct {
	Namespace string   // "Microsoft.KeyVault"
	Name      string   // "vaults/secrets"
	Versions  []string // sorted, newest first
	Methods   []string // methods that some path of the type has, HEAD wherever GET
}

// Table is a set of operations. It is immutable and safe for concurrent use.
type Table struct {
	root  *node
	types map[string]map[string]*Type // lower-case namespace → lower-case type
	size  int
}

// Load returns the generated table. It is parsed on the first call, in a few
// milliseconds.
func Load() (*Table, error) { return load() }

var load = sync.OnceValues(func() (*Table, error) { return Parse(strings.NewReader(embedded)) })

// Parse reads a table in the format of the package comment. The error names the line.
func Parse(r io.Reader) (*Table, error) {
	t := &Table{root: &node{}, types: map[string]map[string]*Type{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		op, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("operation table, line %d: %w", n, err)
		}
		t.add(op)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("operation table: %w", err)
	}
	for _, ns := range t.types {
		for _, typ := range ns {
			slices.Sort(typ.Versions)
			slices.Reverse(typ.Versions)
		}
	}
	return t, nil
}

func parseLine(line string) (*Op, error) {
	f := strings.Split(line, "\t")
	if len(f) != 5 || !strings.HasPrefix(f[1], "/") {
		return nil, fmt.Errorf("want method, path, api-version, name and codes, not %q", line)
	}
	op := &Op{Method: f[0], Path: f[1], Names: []string{f[3]}, LRO: strings.Contains(f[3], ".Begin")}
	if f[2] != anyVersion {
		op.Versions = []string{f[2]}
	}
	for c := range strings.SplitSeq(f[4], ",") {
		code, err := strconv.Atoi(c)
		if err != nil {
			return nil, fmt.Errorf("status code %q is no number", c)
		}
		op.Codes = append(op.Codes, code)
	}
	slices.Sort(op.Codes)
	return op, nil
}

func (t *Table) add(op *Op) {
	segs := split(op.Path)
	op.Generic = generic(segs)
	n := t.root
	for _, s := range segs {
		n = n.child(s)
	}
	t.size++
	t.note(op, segs)
	if old := n.ops[op.Method]; old != nil {
		old.merge(op)
		return
	}
	if n.ops == nil {
		n.ops = map[string]*Op{}
	}
	n.ops[op.Method] = op
}

// merge folds another client's operation on the same method and path into o.
func (o *Op) merge(other *Op) {
	o.Names = append(o.Names, other.Names...)
	o.LRO = o.LRO || other.LRO
	if len(o.Versions) == 0 || len(other.Versions) == 0 {
		o.Versions = nil
	} else {
		o.Versions = slices.Compact(slices.Sorted(slices.Values(append(o.Versions, other.Versions...))))
	}
	o.Codes = slices.Compact(slices.Sorted(slices.Values(append(o.Codes, other.Codes...))))
}

// note records the resource type of a path that names its namespace.
func (t *Table) note(op *Op, segs []string) {
	ns := namespace(segs)
	if ns == "" {
		return
	}
	name := typeName(op.Method, segs)
	if name == "" {
		return
	}
	key := strings.ToLower(ns)
	if t.types[key] == nil {
		t.types[key] = map[string]*Type{}
	}
	typ := t.types[key][strings.ToLower(name)]
	if typ == nil {
		typ = &Type{Namespace: ns, Name: name}
		t.types[key][strings.ToLower(name)] = typ
	}
	for _, v := range op.Versions {
		if !slices.Contains(typ.Versions, v) {
			typ.Versions = append(typ.Versions, v)
		}
	}
	methods := []string{op.Method}
	if op.Method == http.MethodGet {
		methods = append(methods, http.MethodHead)
	}
	for _, m := range methods {
		if !slices.Contains(typ.Methods, m) {
			typ.Methods = append(typ.Methods, m)
		}
	}
}

// generic tells a template for resources of every type from one for a type of its own
// and from one of ARM's own paths (/subscriptions, …/locations).
func generic(segs []string) bool {
	if namespace(segs) != "" {
		return false
	}
	return !slices.ContainsFunc(segs, func(s string) bool { return !param(s) }) ||
		slices.ContainsFunc(segs[:len(segs)-1], func(s string) bool { return strings.EqualFold(s, "providers") })
}

// namespace is the literal segment behind the last "providers", or "".
func namespace(segs []string) string {
	for i := len(segs) - 2; i >= 0; i-- {
		if strings.EqualFold(segs[i], "providers") {
			if param(segs[i+1]) {
				return ""
			}
			return segs[i+1]
		}
	}
	return ""
}

// typeName joins the literal segments behind the namespace: types and names alternate.
// The action at the end of a POST on an item is not part of the type.
func typeName(method string, segs []string) string {
	i := len(segs) - 1
	for ; i >= 0 && !strings.EqualFold(segs[i], "providers"); i-- {
	}
	var types []string
	rest := segs[i+2:]
	for k := 0; k < len(rest); k += 2 {
		types = append(types, rest[k])
	}
	if method == http.MethodPost && len(types) > 1 && len(rest)%2 == 1 {
		types = types[:len(types)-1]
	}
	return strings.Join(types, "/")
}

func param(seg string) bool { return strings.HasPrefix(seg, "{") }

// split cuts a path into its segments and drops the empty ones: an empty parameter
// leaves two slashes behind, which ARM reads as one.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
