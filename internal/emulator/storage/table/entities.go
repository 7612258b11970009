package table

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// write is one change to an entity as a request, or a part of a batch, has it.
type write struct {
	table  string
	change entity.Change
	header http.Header
}

// readWrite reads Insert, Update, Merge, Insert Or Replace, Insert Or Merge and Delete
// Entity.
func readWrite(m string, t target, h http.Header, body []byte) (write, *wire.Error) {
	w := write{table: t.name, header: h, change: entity.Change{PartitionKey: t.pk, RowKey: t.rk, IfMatch: h.Get("If-Match")}}
	switch m {
	case http.MethodPost:
		w.change.Kind = entity.Insert
	case http.MethodPut:
		w.change.Kind = entity.Replace
	case "MERGE", http.MethodPatch:
		w.change.Kind = entity.Merge
	case http.MethodDelete:
		w.change.Kind = entity.Delete
	default:
		return w, fault.Method()
	}
	if err := w.conditions(); err != nil {
		return w, err
	}
	if w.change.Kind == entity.Delete {
		return w, nil
	}
	return w, w.properties(body)
}

// conditions checks If-Match and If-None-Match, which writes may not have.
func (w *write) conditions() *wire.Error {
	if w.header.Get("If-None-Match") != "" {
		return fault.Input("If-None-Match HTTP header cannot be specified for " + strings.ToUpper(kinds[w.change.Kind]) + " operations.")
	}
	switch tag := w.change.IfMatch; {
	case tag == "" && w.change.Kind == entity.Delete:
		return fault.MissingHeader()
	case tag == "" || tag == "*":
		return nil
	case !strings.HasPrefix(tag, `W/"`) || !strings.HasSuffix(tag, `"`) || len(tag) < 4:
		return fault.ETag(tag)
	case w.change.Kind == entity.Insert:
		return fault.Input("If-Match or If-None-Match headers cannot be specified if the target type does not have etag properties defined.")
	}
	return nil
}

var kinds = map[entity.Kind]string{entity.Insert: "post", entity.Replace: "put", entity.Merge: "merge", entity.Delete: "delete"}

func (w *write) properties(body []byte) *wire.Error {
	if err := jsonBody(w.header); err != nil {
		return err
	}
	d, err := entity.Decode(body)
	if err != nil {
		return err
	}
	w.change.Properties = d.Properties
	if w.change.Kind != entity.Insert {
		return nil // the keys are those of the address
	}
	if d.PartitionKey == nil || d.RowKey == nil {
		return fault.NeedValue()
	}
	w.change.PartitionKey, w.change.RowKey = *d.PartitionKey, *d.RowKey
	return nil
}

// allowed asks for each right that the change needs: an upsert may insert and may update.
func (x *call) allowed(w write) *wire.Error {
	ask := func(letters string, names ...string) *wire.Error {
		return x.on(w.table, letters, "o", w.change.PartitionKey, w.change.RowKey, names...)
	}
	switch {
	case w.change.Kind == entity.Delete:
		return ask("d", "tables/entities/delete")
	case w.change.Kind == entity.Insert:
		return ask("a", "tables/entities/write", "tables/entities/add/action")
	case w.change.IfMatch == "":
		if err := ask("a", "tables/entities/write", "tables/entities/add/action"); err != nil {
			return err
		}
	}
	return ask("u", "tables/entities/write", "tables/entities/update/action")
}

// writeEntity does one change.
func (x *call) writeEntity(w write) (*result, *wire.Error) {
	if err := x.allowed(w); err != nil {
		return nil, err
	}
	out, _, err := x.apply(w.table, w.change)
	if err != nil {
		return nil, err
	}
	return x.written(w, out[0])
}

// perPartition is how many entities a second a partition is made for.
const perPartition = 2000

// apply does changes to one partition of a table, all or none.
func (x *call) apply(name string, changes ...entity.Change) ([]*entity.Entity, int, *wire.Error) {
	if x.server.opt.Limits {
		thing := strings.ToLower(x.Account.ID+"/"+name+"/") + changes[0].PartitionKey
		if err := x.server.meter.Admit(x.Now, thing, len(changes), perPartition); err != nil {
			return nil, 0, err
		}
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	t := x.account.find(name)
	if t == nil {
		return nil, 0, fault.TableNotFound()
	}
	return t.rows.Apply(x.Now, changes...)
}

// written answers a change; e is nil for a deletion.
func (x *call) written(w write, e *entity.Entity) (*result, *wire.Error) {
	if w.change.Kind != entity.Insert {
		r := newResult(http.StatusNoContent)
		if e != nil {
			r.header["ETag"] = []string{e.ETag()}
		}
		return r, nil
	}
	r, err := x.created(address(w.table, e), w.header, func(l level) []byte {
		return x.appendEntity(nil, view{level: l, table: w.table, metadata: x.base() + "$metadata#" + w.table + "/@Element"}, e)
	})
	if err != nil {
		return nil, err
	}
	r.header["ETag"] = []string{e.ETag()}
	return r, nil
}

// getEntity answers a query for one entity.
func (x *call) getEntity(t target) (*result, *wire.Error) {
	if err := x.on(t.name, "r", "o", t.pk, t.rk, "tables/entities/read"); err != nil {
		return nil, err
	}
	l, err := levelOf(x.query.Get("$format"), x.R.Header.Get("Accept"))
	if err != nil {
		return nil, err
	}
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	tab := x.account.find(t.name)
	if tab == nil {
		return nil, fault.TableNotFound()
	}
	e := tab.rows.Get(t.pk, t.rk)
	if e == nil {
		return nil, fault.NotFound()
	}
	v := view{level: l, table: tab.name, metadata: x.base() + "$metadata#" + tab.name + "/@Element", only: x.selected()}
	r := newResult(http.StatusOK).json(l, x.appendEntity(nil, v, e))
	r.header["ETag"] = []string{e.ETag()}
	return r, nil
}
