package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// row is one operation of the table.
type row struct {
	method, path, version, name string
	codes                       []string
}

// statusNames maps the identifiers net/http has for the codes the SDK accepts.
var statusNames = map[string]int{
	"StatusOK": http.StatusOK, "StatusCreated": http.StatusCreated, "StatusAccepted": http.StatusAccepted,
	"StatusNoContent": http.StatusNoContent, "StatusNotFound": http.StatusNotFound, "StatusConflict": http.StatusConflict,
}

// oneSegment lists the parameters that the SDK does not escape and that hold no slash
// all the same. Every other unescaped parameter may span segments.
var oneSegment = []string{"{resourceProviderNamespace}", "{resourceType}"}

// module is what scan has found so far in one module.
type module struct {
	pkg     string
	consts  map[string]string   // string constants: api-versions
	request map[string]*row     // "VaultsClient.getCreateRequest" → what it sends
	name    map[string]string   // same key → "VaultsClient.Get"
	codes   map[string][]string // same key → accepted codes
}

// scan reads the generated clients in dir and returns their operations.
func scan(dir string) ([]row, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	m := &module{consts: map[string]string{}, request: map[string]*row{}, name: map[string]string{}, codes: map[string][]string{}}
	fset := token.NewFileSet()
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, f, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		m.pkg = file.Name.Name
		m.file(file)
	}
	return m.rows()
}

func (m *module) file(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			m.constants(d)
		case *ast.FuncDecl:
			if d.Recv != nil && d.Body != nil {
				m.method(receiver(d), d)
			}
		}
	}
}

func (m *module) constants(d *ast.GenDecl) {
	for _, s := range d.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for i, n := range v.Names {
			if i < len(v.Values) {
				if text, ok := literal(v.Values[i]); ok {
					m.consts[n.Name] = text
				}
			}
		}
	}
}

// method reads either a request builder or a method that calls one.
func (m *module) method(recv string, d *ast.FuncDecl) {
	if strings.HasSuffix(d.Name.Name, "CreateRequest") {
		m.request[recv+"."+d.Name.Name] = builder(d.Body)
		return
	}
	name := recv + "." + d.Name.Name // unless the method gives its API's name
	var builders, codes []string
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, ok := literal(n); ok && strings.HasPrefix(s, recv+".") {
				name = s
			}
		case *ast.SelectorExpr:
			if strings.HasSuffix(n.Sel.Name, "CreateRequest") {
				builders = append(builders, n.Sel.Name)
			}
			if c, ok := statusNames[n.Sel.Name]; ok {
				codes = append(codes, strconv.Itoa(c))
			}
		}
		return true
	})
	for _, b := range builders {
		m.name[recv+"."+b] = name
		m.codes[recv+"."+b] = codes
	}
}

// builder reads the method, the path template and the api-version that a request
// builder sends.
func builder(body *ast.BlockStmt) *row {
	o := &row{}
	var spans []string
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if id, ok := n.Lhs[0].(*ast.Ident); ok && id.Name == "urlPath" && n.Tok == token.DEFINE {
				o.path, _ = literal(n.Rhs[0])
			}
		case *ast.SelectorExpr:
			if verb, ok := strings.CutPrefix(n.Sel.Name, "Method"); ok {
				o.method = strings.ToUpper(verb)
			}
		case *ast.CallExpr:
			o.call(n, &spans)
		}
		return true
	})
	for _, s := range spans {
		o.path = strings.Replace(o.path, s, "{+"+s[1:], 1)
	}
	return o
}

// call notes the api-version of reqQP.Set("api-version", v) and each path parameter
// that strings.ReplaceAll puts in without escaping it.
func (o *row) call(c *ast.CallExpr, spans *[]string) {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	switch {
	case f.Sel.Name == "Set" && len(c.Args) == 2:
		if k, _ := literal(c.Args[0]); k == "api-version" {
			o.version = version(c.Args[1])
		}
	case f.Sel.Name == "ReplaceAll" && len(c.Args) == 3:
		param, ok := literal(c.Args[1])
		_, escaped := c.Args[2].(*ast.CallExpr)
		if ok && strings.HasPrefix(param, "{") && !escaped && !slices.Contains(oneSegment, param) {
			*spans = append(*spans, param)
		}
	}
}

// version gives the api-version's text, "$name" for an identifier that is still to be
// looked up, or "" if the expression is neither.
func version(e ast.Expr) string {
	if s, ok := literal(e); ok {
		return s
	}
	if id, ok := e.(*ast.Ident); ok {
		return "$" + id.Name
	}
	return ""
}

// rows resolves names and api-versions. An api-version that the caller passes as an
// argument is "*".
func (m *module) rows() ([]row, error) {
	out := make([]row, 0, len(m.request))
	for key, o := range m.request {
		if m.name[key] == "" || o.method == "" || o.path == "" {
			return nil, fmt.Errorf("%s: cannot be read: %+v", key, *o)
		}
		if name, ok := strings.CutPrefix(o.version, "$"); ok {
			if o.version = m.consts[name]; o.version == "" {
				o.version = "*"
			}
		}
		o.name = m.pkg + "." + m.name[key]
		o.codes = m.codes[key]
		if len(o.codes) == 0 { // a pager: its fetcher accepts 200 alone
			o.codes = []string{strconv.Itoa(http.StatusOK)}
		}
		out = append(out, *o)
	}
	return out, nil
}

// render sorts the operations and writes them as tab-separated lines.
func render(all []row) []byte {
	slices.SortFunc(all, func(a, b row) int {
		return strings.Compare(a.path+"\t"+a.method+"\t"+a.name, b.path+"\t"+b.method+"\t"+b.name)
	})
	var buf bytes.Buffer
	buf.WriteString("# Code generated by optable/gen from the Azure SDK for Go; DO NOT EDIT.\n")
	for _, o := range all {
		codes := strings.Join(slices.Compact(slices.Sorted(slices.Values(o.codes))), ",")
		fmt.Fprintf(&buf, "%s\t%s\t%s\t%s\t%s\n", o.method, o.path, o.version, o.name, codes)
	}
	return buf.Bytes()
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}
