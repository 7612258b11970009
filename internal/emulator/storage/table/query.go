package table

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/filter"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// mostResults is how many tables or entities a page has.
const mostResults = 1000

// options reads $filter and $top.
func (x *call) options() (filter.Expr, int, *wire.Error) {
	top := mostResults
	if s := x.query.Get("$top"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostResults {
			return nil, 0, fault.Input("")
		}
		top = n
	}
	keep, err := filter.Parse(x.query.Get("$filter"))
	switch {
	case errors.Is(err, filter.ErrUnsupported):
		return nil, 0, fault.NotImplemented()
	case err != nil:
		return nil, 0, fault.Input("")
	}
	for _, o := range []string{"$skip", "$orderby", "$expand", "$inlinecount", "$count"} {
		if x.query.Has(o) {
			return nil, 0, fault.NotImplemented()
		}
	}
	return keep, top, nil
}

// position is where a page of entities begins.
type position struct{ pk, rk string }

func (x *call) position() (p position, err *wire.Error) {
	if p.pk, err = decodeToken(x.query.Get("NextPartitionKey")); err != nil {
		return p, err
	}
	p.rk, err = decodeToken(x.query.Get("NextRowKey"))
	return p, err
}

// queryEntities answers Query Entities.
func (x *call) queryEntities(name string) (*result, *wire.Error) {
	keep, top, err := x.options()
	if err != nil {
		return nil, err
	}
	keys := filter.Keys(keep)
	partition := ""
	if !keys.Open && keys.From == keys.To {
		partition = keys.From
	}
	if err := x.on(name, "r", "o", partition, "", "tables/entities/read"); err != nil {
		return nil, err
	}
	l, err := levelOf(x.query.Get("$format"), x.R.Header.Get("Accept"))
	if err != nil {
		return nil, err
	}
	from, err := x.position()
	if err != nil {
		return nil, err
	}
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	t := x.account.find(name)
	if t == nil {
		return nil, fault.TableNotFound()
	}
	v := view{level: l, table: t.name, only: x.selected()}
	if keys.From > from.pk {
		from = position{pk: keys.From}
	}
	return x.page(t, v, from, keys, keep, top), nil
}

// page renders up to top entities that match, and where to go on.
func (x *call) page(t *table, v view, from position, keys filter.Range, keep filter.Expr, top int) *result {
	metadata := x.base() + "$metadata#" + t.name
	if v.only != nil {
		metadata += "&$select=" + strings.Join(v.only, ",")
	}
	list := feed{level: v.level, metadata: metadata}
	var next *entity.Entity
	t.rows.Ascend(from.pk, from.rk, func(e *entity.Entity) bool {
		if !keys.Open && e.PartitionKey > keys.To {
			return false
		}
		if !filter.Match(keep, e.Get) {
			return true
		}
		if list.n == top {
			next = e
			return false
		}
		list.add(x.appendEntity(nil, v, e))
		return true
	})
	r := newResult(http.StatusOK).json(v.level, list.end())
	if next != nil {
		r.header.Set("X-Ms-Continuation-Nextpartitionkey", encodeToken(next.PartitionKey))
		r.header.Set("X-Ms-Continuation-Nextrowkey", encodeToken(next.RowKey))
	}
	return r
}

// encodeToken makes a continuation token in the service's form: version, length and
// base64 that needs no escaping in an address.
func encodeToken(s string) string {
	b := strings.ReplaceAll(base64.URLEncoding.EncodeToString([]byte(s)), "=", ".")
	return "1!" + strconv.Itoa(len(b)) + "!" + b
}

func decodeToken(s string) (string, *wire.Error) {
	if s == "" {
		return "", nil
	}
	_, text, ok := strings.Cut(strings.TrimPrefix(s, "1!"), "!")
	if !ok {
		return "", fault.Input("")
	}
	data, err := base64.URLEncoding.DecodeString(strings.ReplaceAll(text, ".", "="))
	if err != nil {
		return "", fault.Input("")
	}
	return string(data), nil
}
