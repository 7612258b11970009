package table

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// mostBody is how large a request may be: the limit of a batch.
const mostBody = 4 << 20

// call is one request.
type call struct {
	*kit.Call
	server  *Server
	account *account
	query   url.Values
}

// target is what a path names: "", "Tables", "Tables('t')", "t", "t()",
// "t(PartitionKey='p',RowKey='r')" or "$batch".
type target struct {
	name   string // before the parenthesis
	parens bool
	table  string // of Tables('t')
	keyed  bool   // partition and row are there
	pk, rk string
}

// parseTarget reads a path. Keys may come in either order; apostrophes in them are doubled.
func parseTarget(path string) (target, *wire.Error) {
	name, args, ok := strings.Cut(strings.TrimSuffix(path, "/"), "(")
	t := target{name: name, parens: ok}
	if !ok {
		return t, nil
	}
	args, closed := strings.CutSuffix(args, ")")
	if !closed {
		return t, fault.Input("")
	}
	if args == "" {
		return t, nil
	}
	values, ok := parseArgs(args)
	if !ok {
		return t, fault.Input("")
	}
	if single, ok := values[""]; ok && strings.EqualFold(name, "Tables") && len(values) == 1 {
		t.table = single
		return t, nil
	}
	var okP, okR bool
	t.pk, okP = values["PartitionKey"]
	t.rk, okR = values["RowKey"]
	t.keyed = okP && okR && len(values) == 2
	if !t.keyed {
		return t, fault.Input("")
	}
	return t, nil
}

// parseArgs reads "A='…',B='…'" or "'…'".
func parseArgs(s string) (map[string]string, bool) {
	out := map[string]string{}
	for {
		name, rest, ok := strings.Cut(s, "'")
		name = strings.TrimSpace(name)
		if !ok || name != "" && !strings.HasSuffix(name, "=") {
			return nil, false
		}
		value, rest, ok := quoted(rest)
		if !ok {
			return nil, false
		}
		out[strings.TrimSuffix(name, "=")] = value
		if rest == "" {
			return out, true
		}
		if s, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, false
		}
	}
}

func quoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, "'") {
			return b.String(), s, true
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

// method is the request's, or the one that a POST stands for.
func method(m string, h http.Header) string {
	if over := h.Get("X-Http-Method"); m == http.MethodPost && over != "" {
		return strings.ToUpper(over)
	}
	return m
}

func (x *call) serve() (*result, *wire.Error) {
	t, err := parseTarget(x.Path)
	if err != nil {
		return nil, err
	}
	m := method(x.R.Method, x.R.Header)
	switch {
	case t.name == "":
		return x.serveService(m)
	case t.name == "$batch" && m == http.MethodPost:
		return x.batch()
	case strings.EqualFold(t.name, "Tables"):
		return x.serveTables(m, t)
	case x.query.Get("comp") == "acl":
		return x.serveACL(m, t)
	}
	return x.serveEntities(m, t)
}

func (x *call) serveTables(m string, t target) (*result, *wire.Error) {
	switch {
	case m == http.MethodGet && t.table == "":
		return x.listTables()
	case m == http.MethodGet:
		return x.getTable(t.table)
	case m == http.MethodPost && t.table == "":
		return x.createTable()
	case m == http.MethodDelete && t.table != "":
		return x.deleteTable(t.table)
	}
	return nil, fault.Method()
}

func (x *call) serveEntities(m string, t target) (*result, *wire.Error) {
	switch {
	case m == http.MethodGet && t.keyed:
		return x.getEntity(t)
	case m == http.MethodGet:
		return x.queryEntities(t.name)
	case m == http.MethodPost && t.keyed, m != http.MethodPost && !t.keyed:
		return nil, fault.Method()
	}
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	w, err := readWrite(m, t, x.R.Header, body)
	if err != nil {
		return nil, err
	}
	return x.writeEntity(w)
}

// body reads the request's body.
func (x *call) body() ([]byte, *wire.Error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, x.R.Body, mostBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fault.BodyTooLarge()
	case err != nil:
		return nil, fault.Input("")
	}
	return data, nil
}

// actions are the prefix of the data actions of tables.
const actions = "Microsoft.Storage/storageAccounts/tableServices/"

// service checks what an operation of the whole service needs.
func (x *call) service(letters string, names ...string) *wire.Error {
	return x.Grant.Check(kit.Need{Actions: prefixed(names), Letters: letters, Type: "s"})
}

// on checks what an operation on a table needs; typ is "c" or "o".
func (x *call) on(name, letters, typ, pk, rk string, names ...string) *wire.Error {
	return x.Grant.Check(kit.Need{
		Actions: prefixed(names), Scope: "/tableServices/default/tables/" + name,
		Letters: letters, Type: typ, Container: name, Partition: pk, Row: rk,
	})
}

func prefixed(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, actions+n)
	}
	return out
}
