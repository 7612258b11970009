package arm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/graphquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const typeGraph = "Microsoft.ResourceGraph/resources"

// maxGraphPage is the longest page of Resource Graph.
const maxGraphPage = 1000

// graphRequest is the body of a query.
type graphRequest struct {
	Query            string   `json:"query"`
	Subscriptions    []string `json:"subscriptions"`
	ManagementGroups []string `json:"managementGroups"`
	Options          struct {
		Top          *int   `json:"$top"`
		Skip         int    `json:"$skip"`
		SkipToken    string `json:"$skipToken"`
		ResultFormat string `json:"resultFormat"`
	} `json:"options"`
}

// graph serves POST /providers/Microsoft.ResourceGraph/resources: a query over what the
// caller may read in its subscriptions, or in those it names.
func (s *Store) graph(q *request) (*reply, *wire.Error) {
	var body graphRequest
	if e := q.decode(&body); e != nil {
		return nil, e
	}
	size, skip := maxGraphPage, body.Options.Skip
	if top := body.Options.Top; top != nil {
		size = *top
	}
	if size < 1 || size > maxGraphPage || skip < 0 {
		return nil, graphRefusal("InvalidPagingOptions", "The value of $top must lie between 1 and %d, and that of $skip must not be below zero.", maxGraphPage)
	}
	size = min(size, q.store.opt.PageSize)
	if body.Options.SkipToken != "" {
		at, ok := graphOffset(body.Options.SkipToken, body.Query)
		if !ok {
			return nil, graphRefusal("InvalidSkipToken", "The value of $skipToken is not valid for this query.")
		}
		skip = at
	}
	table, err := graphquery.Run(body.Query, s.graphSource(q, body))
	if err != nil {
		return nil, errGraphQuery(err)
	}
	return ok(graphAnswer(table, skip, size, body))
}

func graphAnswer(table graphquery.Table, skip, size int, body graphRequest) map[string]any {
	from := min(skip, len(table.Rows))
	page := table.Rows[from:min(from+size, len(table.Rows))]
	out := map[string]any{
		"totalRecords": len(table.Rows), "count": len(page), "facets": []any{}, "resultTruncated": "false", "data": objects(table.Columns, page),
	}
	if strings.EqualFold(body.Options.ResultFormat, "table") {
		out["data"] = asTable(table.Columns, page)
	}
	if next := from + len(page); next < len(table.Rows) {
		out["$skipToken"] = graphToken(next, body.Query)
	}
	return out
}

func objects(columns []string, rows []graphquery.Row) []any {
	out := make([]any, 0, len(rows))
	for _, r := range rows {
		o := make(map[string]any, len(columns))
		for _, c := range columns {
			o[c] = r[c]
		}
		out = append(out, o)
	}
	return out
}

// asTable is the result format "table": columns with their types, and rows of values.
func asTable(columns []string, rows []graphquery.Row) map[string]any {
	heads, lines := []any{}, []any{}
	for _, c := range columns {
		typ := "object"
		for _, r := range rows {
			if r[c] == nil {
				continue
			}
			switch r[c].(type) {
			case string:
				typ = "string"
			case float64:
				typ = "integer"
			case bool:
				typ = "boolean"
			}
			break
		}
		heads = append(heads, map[string]any{"name": c, "type": typ})
	}
	for _, r := range rows {
		line := make([]any, len(columns))
		for i, c := range columns {
			line[i] = r[c]
		}
		lines = append(lines, line)
	}
	return map[string]any{"columns": heads, "rows": lines}
}

// graphToken says where the next page of a query begins. A token opens no other query.
func graphToken(at int, query string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(at) + "|" + query))
}

func graphOffset(token, query string) (int, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	at, of, ok := strings.Cut(string(raw), "|")
	n, bad := strconv.Atoi(at)
	return n, err == nil && bad == nil && ok && of == query
}

// graphColumns are those of the table Resources; ResourceContainers has them too.
var graphColumns = []string{
	"id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
	"properties", "tags", "identity", "zones", "extendedLocation",
}

// graphSource gives the tables of a request.
func (s *Store) graphSource(q *request, body graphRequest) graphquery.Source {
	return func(name string) (graphquery.Table, bool) {
		var rows []graphquery.Row
		for _, sub := range s.graphScope(q, body) {
			switch name {
			case "resources":
				rows = append(rows, s.graphEntries(q, sub, tree.Tracked)...)
			case "resourcecontainers":
				rows = append(rows, graphSubscription(sub))
				rows = append(rows, s.graphEntries(q, sub, typeGroup)...)
			}
		}
		return graphquery.Table{Columns: graphColumns, Rows: rows}, name == "resources" || name == "resourcecontainers"
	}
}

// graphScope lists the subscriptions that a query covers: of those it names, or of all,
// the ones in which the caller has a role. Of management groups there is only the root.
func (s *Store) graphScope(q *request, body graphRequest) []*subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*subscription
	for _, sub := range s.subs {
		named := len(body.Subscriptions) == 0 || slices.ContainsFunc(body.Subscriptions, func(id string) bool { return strings.EqualFold(id, sub.id) })
		inGroup := len(body.ManagementGroups) == 0 || slices.ContainsFunc(body.ManagementGroups, func(id string) bool { return strings.EqualFold(id, sub.tenantID) })
		if named && inGroup && strings.EqualFold(sub.tenantID, q.caller.TenantID) && s.roles.Sees(q.caller.TenantID, q.caller.ObjectID, sub.path()) {
			out = append(out, sub)
		}
	}
	slices.SortFunc(out, func(a, b *subscription) int { return strings.Compare(a.id, b.id) })
	return out
}

// graphEntries lists a subscription's entries of a type that the caller may read.
func (s *Store) graphEntries(q *request, sub *subscription, typ string) []graphquery.Row {
	var out []graphquery.Row
	under, after := armid.Key(sub.path()), ""
	for {
		batch := s.res.Scan(sub.id, typ, under, after, maxGraphPage)
		for _, e := range batch {
			after = e.Key
			action := e.Res.Type + "/read"
			if typ == typeGroup {
				action = typeGroupAction + "/read"
			}
			if q.allowed(action, e.Res.ID, "") {
				out = append(out, graphRow(e))
			}
		}
		if len(batch) < maxGraphPage {
			return out
		}
	}
}

// graphRow is a resource as Resource Graph shows it: types and groups in lower case.
func graphRow(e *tree.Entry) graphquery.Row {
	row := graphquery.Row{}
	for _, c := range graphColumns {
		row[c] = e.Res.Body[c]
	}
	row["type"], row["tenantId"], row["subscriptionId"] = strings.ToLower(e.Res.Type), e.Res.TenantID, e.ID.Subscription
	if e.Res.Type == typeGroup {
		row["type"] = "microsoft.resources/subscriptions/resourcegroups"
	}
	row["resourceGroup"] = strings.ToLower(e.ID.Group)
	for _, c := range []string{"kind", "managedBy", "location"} { // texts, empty where there is none
		if row[c] == nil {
			row[c] = ""
		}
	}
	return plain(row)
}

// plain gives a row the values that decoded JSON has.
func plain(row graphquery.Row) graphquery.Row {
	out, err := asObject(row)
	if err != nil {
		return row
	}
	return out
}

func graphSubscription(sub *subscription) graphquery.Row {
	row := graphquery.Row{}
	for _, c := range graphColumns {
		row[c] = nil
	}
	row["id"], row["name"], row["type"] = sub.path(), sub.name, "microsoft.resources/subscriptions"
	row["tenantId"], row["subscriptionId"] = sub.tenantID, sub.id
	row["properties"] = map[string]any{"state": "Enabled", "subscriptionPolicies": sub.body()["subscriptionPolicies"], "managementGroupAncestorsChain": []any{}}
	return plain(row)
}

// graphRefusal is how Resource Graph says no: its reasons are details of a BadRequest.
func graphRefusal(code, format string, args ...any) *wire.Error {
	e := refusal(http.StatusBadRequest, "BadRequest", "Please provide below info when asking for support: correlationId = %s.", uuid.NewString())
	e.Details = []*wire.Error{{Code: code, Message: fmt.Sprintf(format, args...)}}
	return e
}

func errGraphQuery(err error) *wire.Error {
	e := graphRefusal("InvalidQuery", "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.")
	var own *graphquery.Error
	if errors.As(err, &own) {
		e.Details = append(e.Details, &wire.Error{Code: "ParserFailure", Message: "ParserFailure: " + own.Error()})
	}
	return e
}
