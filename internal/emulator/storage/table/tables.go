package table

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/filter"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// letters are the permissions that a table SAS may have.
const letters = "raud"

// base is the address of the account's tables, as answers name it.
func (x *call) base() string { return "https://" + x.R.Host + "/" }

// createTable answers Create Table.
func (x *call) createTable() (*result, *wire.Error) {
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	if err := jsonBody(x.R.Header); err != nil {
		return nil, err
	}
	var in struct{ TableName *string }
	if json.Unmarshal(body, &in) != nil {
		return nil, fault.Input("")
	}
	if in.TableName == nil {
		return nil, fault.NeedValue()
	}
	name := *in.TableName
	if err := x.on(name, "cw", "c", "", "", "tables/write"); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	if err := x.account.create(name); err != nil {
		return nil, err
	}
	return x.created("Tables('"+name+"')", x.R.Header, func(l level) []byte {
		return x.appendTable(nil, l, name, x.base()+"$metadata#Tables/@Element")
	})
}

// created answers an insertion: with the new object, or without if the client prefers that.
func (x *call) created(path string, h http.Header, body func(level) []byte) (*result, *wire.Error) {
	if h.Get("Prefer") == "return-no-content" {
		r := newResult(http.StatusNoContent)
		r.header.Set("Preference-Applied", "return-no-content")
		r.header.Set("Location", x.base()+path)
		r.header.Set("Dataserviceid", x.base()+path)
		return r, nil
	}
	l, err := levelOf(x.query.Get("$format"), h.Get("Accept"))
	if err != nil {
		return nil, err
	}
	r := newResult(http.StatusCreated).json(l, body(l))
	if h.Get("Prefer") != "" {
		r.header.Set("Preference-Applied", "return-content")
	}
	r.header.Set("Location", x.base()+path)
	return r, nil
}

// appendTable writes a table as an object of a level. metadata is "" within a list.
func (x *call) appendTable(dst []byte, l level, name, metadata string) []byte {
	w := object{dst: dst}
	if metadata != "" && l > noMetadata {
		w.text("odata.metadata", metadata)
	}
	if l == full {
		w.text("odata.type", x.Account.Name+".Tables")
		w.text("odata.id", x.base()+"Tables('"+name+"')")
		w.text("odata.editLink", "Tables('"+name+"')")
	}
	w.text("TableName", name)
	return w.end()
}

// listTables answers Query Tables: pages of at most 1,000, or $top.
func (x *call) listTables() (*result, *wire.Error) {
	if err := x.service("rl", "tables/read"); err != nil {
		return nil, err
	}
	l, err := levelOf(x.query.Get("$format"), x.R.Header.Get("Accept"))
	if err != nil {
		return nil, err
	}
	keep, top, err := x.options()
	if err != nil {
		return nil, err
	}
	from, err := decodeToken(x.query.Get("NextTableName"))
	if err != nil {
		return nil, err
	}
	list := feed{level: l, metadata: x.base() + "$metadata#Tables"}
	next := ""
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	for _, t := range x.account.sorted() {
		if strings.ToLower(t.name) < from || !filter.Match(keep, tableProperty(t.name)) {
			continue
		}
		if list.n == top {
			next = strings.ToLower(t.name)
			break
		}
		list.add(x.appendTable(nil, l, t.name, ""))
	}
	r := newResult(http.StatusOK).json(l, list.end())
	if next != "" {
		r.header.Set("X-Ms-Continuation-Nexttablename", encodeToken(next))
	}
	return r, nil
}

func tableProperty(name string) filter.Lookup {
	return func(p string) (edm.Value, bool) { return edm.Text(name), p == "TableName" }
}

// getTable answers a read of one entry of Tables.
func (x *call) getTable(name string) (*result, *wire.Error) {
	if err := x.on(name, "rl", "c", "", "", "tables/read"); err != nil {
		return nil, err
	}
	l, err := levelOf(x.query.Get("$format"), x.R.Header.Get("Accept"))
	if err != nil {
		return nil, err
	}
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	t := x.account.find(name)
	if t == nil {
		return nil, fault.NotFound()
	}
	return newResult(http.StatusOK).json(l, x.appendTable(nil, l, t.name, x.base()+"$metadata#Tables/@Element")), nil
}

// deleteTable answers Delete Table. The name is free at once; Azure takes a while.
func (x *call) deleteTable(name string) (*result, *wire.Error) {
	if err := x.on(name, "d", "c", "", "", "tables/delete"); err != nil {
		return nil, err
	}
	if err := x.server.Delete(x.Account.ID, name); err != nil {
		return nil, err
	}
	return newResult(http.StatusNoContent), nil
}

// serveACL answers Get Table ACL and Set Table ACL, which no SAS allows.
func (x *call) serveACL(m string, t target) (*result, *wire.Error) {
	switch m {
	case http.MethodGet, http.MethodHead:
		if err := x.on(t.name, "", "c", "", "", "tables/getAcl/action"); err != nil {
			return nil, err
		}
		ps, ok := x.server.Policies(x.Account.ID, t.name)
		if !ok {
			return nil, fault.TableNotFound()
		}
		return xmlResult(http.StatusOK, acl.Format(ps))
	case http.MethodPut:
		if err := x.on(t.name, "", "c", "", "", "tables/setAcl/action"); err != nil {
			return nil, err
		}
		body, err := x.body()
		if err != nil {
			return nil, err
		}
		ps, err := acl.Parse(body, letters)
		if err != nil {
			return nil, err
		}
		return newResult(http.StatusNoContent), x.server.SetPolicies(x.Account.ID, t.name, ps)
	}
	return nil, fault.Method()
}

// serveService answers Get and Set Table Service Properties and Get Table Service Stats.
func (x *call) serveService(m string) (*result, *wire.Error) {
	if x.query.Get("restype") != "service" {
		return nil, fault.NotFound()
	}
	switch comp := x.query.Get("comp"); {
	case comp == "properties" && m == http.MethodGet:
		if err := x.service("r", "read"); err != nil {
			return nil, err
		}
		x.account.mu.RLock()
		defer x.account.mu.RUnlock()
		return xmlResult(http.StatusOK, x.account.settings)
	case comp == "properties" && m == http.MethodPut:
		return x.setSettings()
	case comp == "stats" && m == http.MethodGet:
		if err := x.service("r", "read"); err != nil {
			return nil, err
		}
		stats, err := settings.ReadStats(x.R.Host, x.Now)
		if err != nil {
			return nil, err
		}
		return xmlResult(http.StatusOK, stats)
	}
	return nil, fault.Method()
}

func (x *call) setSettings() (*result, *wire.Error) {
	if err := x.service("w", "write"); err != nil {
		return nil, err
	}
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	in, err := settings.Parse(body)
	if err != nil {
		return nil, err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	x.account.settings.Apply(in)
	return newResult(http.StatusAccepted), nil
}

// jsonBody refuses bodies that are not said to be JSON.
func jsonBody(h http.Header) *wire.Error {
	if strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "application/json") {
		return nil
	}
	return fault.Atom()
}

// selected says which properties an answer has; nil for all.
func (x *call) selected() []string {
	s := strings.TrimSpace(x.query.Get("$select"))
	if s == "" {
		return nil
	}
	var names []string
	for n := range strings.SplitSeq(s, ",") {
		n = strings.TrimSpace(n)
		if n == "*" {
			return nil
		}
		names = append(names, n)
	}
	return names
}
