package table

import (
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
)

// view is how an entity is shown.
type view struct {
	level    level
	table    string
	metadata string   // the odata.metadata of an entity alone; "" within a list
	only     []string // the properties that are asked for; nil: all
}

// address is the path of an entity.
func address(table string, e *entity.Entity) string {
	esc := func(s string) string { return url.PathEscape(strings.ReplaceAll(s, "'", "''")) }
	return table + "(PartitionKey='" + esc(e.PartitionKey) + "',RowKey='" + esc(e.RowKey) + "')"
}

// appendEntity writes an entity as JSON to dst.
func (x *call) appendEntity(dst []byte, v view, e *entity.Entity) []byte {
	w := object{dst: dst}
	if v.level > noMetadata && v.metadata != "" {
		w.text("odata.metadata", v.metadata)
	}
	if v.level == full {
		w.text("odata.type", x.Account.Name+"."+v.table)
		w.text("odata.id", x.base()+address(v.table, e))
	}
	if v.level > noMetadata {
		w.text("odata.etag", e.ETag())
	}
	if v.level == full {
		w.text("odata.editLink", address(v.table, e))
	}
	if v.only != nil {
		for _, name := range v.only {
			w.property(v.level, e, name)
		}
		return w.end()
	}
	for _, name := range []string{"PartitionKey", "RowKey", "Timestamp"} {
		w.property(v.level, e, name)
	}
	for _, p := range e.Properties {
		w.value(v.level, p.Name, p.Value)
	}
	return w.end()
}

// object builds one JSON object.
type object struct {
	dst []byte
	n   int
}

func (o *object) name(s string) {
	sep := byte(',')
	if o.n == 0 {
		sep = '{'
	}
	o.n++
	o.dst = append(edm.AppendString(append(o.dst, sep), s), ':')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.dst = edm.AppendString(o.dst, value)
}

// property writes a property by name; one that the entity lacks is null.
func (o *object) property(l level, e *entity.Entity, name string) {
	v, ok := e.Get(name)
	if !ok {
		o.name(name)
		o.dst = append(o.dst, "null"...)
		return
	}
	o.value(l, name, v)
}

// value writes a property with its type where the level asks for it. Minimal metadata
// says nothing of the Timestamp, which is known.
func (o *object) value(l level, name string, v edm.Value) {
	if v.Annotated() && (l == full || l == minimal && name != "Timestamp") {
		o.text(name+"@odata.type", v.Type().Name())
	}
	o.name(name)
	o.dst = v.AppendJSON(o.dst)
}

func (o *object) end() []byte {
	if o.n == 0 {
		o.dst = append(o.dst, '{')
	}
	return append(o.dst, '}')
}

// feed builds the JSON of a list.
type feed struct {
	level    level
	metadata string
	items    []byte
	n        int
}

func (f *feed) add(item []byte) {
	if f.n > 0 {
		f.items = append(f.items, ',')
	}
	f.items = append(f.items, item...)
	f.n++
}

func (f *feed) end() []byte {
	w := object{}
	if f.level > noMetadata {
		w.text("odata.metadata", f.metadata)
	}
	w.name("value")
	w.dst = append(append(append(w.dst, '['), f.items...), ']')
	return w.end()
}
