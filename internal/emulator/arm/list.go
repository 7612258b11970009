package arm

import (
	"encoding/base64"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/filter"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// listing is one list of stored entries.
type listing struct {
	typ    string // or tree.Tracked
	under  string // key of the scope
	keep   func(*tree.Entry) bool
	render func(*tree.Entry) any
}

// listType lists the resources of one type: of a subscription, a group or a parent.
func (s *Store) listType(q *request) (*reply, *wire.Error) {
	if len(q.id.Types) != len(q.id.Names)+1 {
		return nil, errNoRoute(q.method, q.id.String())
	}
	under := armid.Key(q.id.Scope)
	if parent, nested := q.id.Parent(); nested {
		if s.res.Get(parent.Key()) == nil {
			return nil, errParentNotFound("read", q.id, parent)
		}
		under = parent.Key()
	}
	return s.list(q, listing{
		typ: q.id.Type(), under: under,
		keep:   func(*tree.Entry) bool { return true },
		render: func(e *tree.Entry) any { return e.Res.Body },
	})
}

// listResources lists every resource of a subscription or group that the caller may see,
// without their properties. What the caller needs is either the right to list all of them
// or the right to read each; Azure's documentation does not say which of the two it asks.
func (s *Store) listResources(q *request) (*reply, *wire.Error) {
	scope, action := q.id.SubscriptionID(), "Microsoft.Resources/subscriptions/resources/read"
	if q.id.Group != "" {
		scope, action = q.id.GroupID(), "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
	}
	if !s.roles.Sees(q.caller.TenantID, q.caller.ObjectID, scope) {
		return nil, errForbidden(q.caller, action, scope)
	}
	if q.id.Group != "" && s.res.Get(armid.Key(scope)) == nil {
		return nil, errGroupNotFound(q.id.Group)
	}
	match, e := resourceFilter(q.query.Get("$filter"))
	if e != nil {
		return nil, e
	}
	return s.list(q, listing{
		typ: tree.Tracked, under: armid.Key(scope),
		keep: func(e *tree.Entry) bool {
			return match(e) && (q.allowed(action, e.Res.ID, "") || q.allowed(e.Res.Type+"/read", e.Res.ID, ""))
		},
		render: func(e *tree.Entry) any { return summary(e.Res.Body, q.query.Get("$expand")) },
	})
}

// list answers with one page and the link to the next.
func (s *Store) list(q *request, l listing) (*reply, *wire.Error) {
	size, e := q.pageSize()
	if e != nil {
		return nil, e
	}
	after, e := q.skipToken()
	if e != nil {
		return nil, e
	}
	items := []any{}
	for {
		batch := s.res.Scan(q.id.Subscription, l.typ, l.under, after, size+1)
		for i, entry := range batch {
			if len(items) == size {
				return ok(map[string]any{"value": items, "nextLink": q.nextLink(after)})
			}
			if l.keep(entry) {
				items = append(items, l.render(entry))
			}
			after = batch[i].Key
		}
		if len(batch) <= size {
			return ok(map[string]any{"value": items})
		}
	}
}

// page answers with one page of a list that is not in the store.
func (q *request) page(all iter.Seq[any]) (*reply, *wire.Error) {
	size, e := q.pageSize()
	if e != nil {
		return nil, e
	}
	token, e := q.skipToken()
	if e != nil {
		return nil, e
	}
	skip, _ := strconv.Atoi(token)
	items := []any{}
	i := 0
	for item := range all {
		if i++; i <= skip {
			continue
		}
		if len(items) == size {
			return ok(map[string]any{"value": items, "nextLink": q.nextLink(strconv.Itoa(skip + size))})
		}
		items = append(items, item)
	}
	return ok(map[string]any{"value": items})
}

// pageSize is the store's, or $top if that is smaller.
func (q *request) pageSize() (int, *wire.Error) {
	top := q.query.Get("$top")
	if top == "" {
		return q.store.opt.PageSize, nil
	}
	n, err := strconv.Atoi(top)
	if err != nil || n < 1 {
		return 0, refusal(http.StatusBadRequest, "InvalidTopInQueryString", "Invalid $top '%s' specified in the query string.", top)
	}
	return min(n, q.store.opt.PageSize), nil
}

// skipToken reads where a page begins: behind the key that nextLink put in.
func (q *request) skipToken() (string, *wire.Error) {
	token := q.query.Get("$skiptoken")
	if token == "" {
		token = q.query.Get("$skipToken")
	}
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", refusal(http.StatusBadRequest, "InvalidSkipToken", "The skip token '%s' is invalid.", token)
	}
	return string(after), nil
}

func (q *request) nextLink(after string) string {
	query := q.http.URL.Query()
	query.Del("$skipToken")
	query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(after)))
	return q.url(q.http.URL.EscapedPath(), query)
}

// summaryFields are what the list of all resources shows of one.
var summaryFields = []string{"id", "name", "type", "location", "kind", "sku", "tags", "identity", "managedBy", "plan", "zones", "extendedLocation"}

// summary is a resource as the list of all resources shows it.
func summary(body map[string]any, expand string) map[string]any {
	out := make(map[string]any, len(summaryFields))
	for _, f := range summaryFields {
		if v, ok := body[f]; ok {
			out[f] = v
		}
	}
	system, _ := body["systemData"].(map[string]any)
	for field := range strings.SplitSeq(strings.ToLower(expand), ",") {
		switch strings.TrimSpace(field) {
		case "createdtime":
			setIf(out, "createdTime", system["createdAt"])
		case "changedtime":
			setIf(out, "changedTime", system["lastModifiedAt"])
		case "provisioningstate":
			props, _ := body["properties"].(map[string]any)
			setIf(out, "provisioningState", props["provisioningState"])
		}
	}
	return out
}

func setIf(m map[string]any, key string, v any) {
	if v != nil {
		m[key] = v
	}
}

// resourceFilter reads the $filter of resources and groups: resourceType, name, location,
// resourceGroup, tagName and tagValue; eq, ne, substringof and startswith.
func resourceFilter(text string) (func(*tree.Entry) bool, *wire.Error) {
	expr, err := filter.Parse(text)
	if err != nil {
		return nil, errInvalidFilter(text)
	}
	byTag := false
	for _, t := range expr.Terms() {
		field, _, ok := operands(t)
		if !ok || !filterFields[field] {
			return nil, errInvalidFilter(text)
		}
		byTag = byTag || strings.HasPrefix(field, "tag")
	}
	return func(e *tree.Entry) bool {
		if !byTag {
			return expr.Match(func(t filter.Term) bool { return holds(e, t, "", "") })
		}
		// tagName and tagValue are of one tag: each tag is tried.
		for name, value := range tagsOf(e.Res.Body) {
			if expr.Match(func(t filter.Term) bool { return holds(e, t, name, value) }) {
				return true
			}
		}
		return false
	}, nil
}

var filterFields = map[string]bool{
	"resourcetype": true, "name": true, "location": true, "resourcegroup": true, "tagname": true, "tagvalue": true,
}

// operands finds the field and the text of a comparison or of a function on one field.
func operands(t filter.Term) (field, text string, ok bool) {
	switch {
	case t.Field != "":
		return t.Field, t.Value, true
	case t.Op == "substringof" && len(t.Args) == 2:
		return t.Args[1], t.Args[0], true
	case t.Op == "startswith" && len(t.Args) == 2:
		return t.Args[0], t.Args[1], true
	}
	return "", "", false
}

// holds tells whether a term is true of an entry and one of its tags.
func holds(e *tree.Entry, t filter.Term, tagName, tagValue string) bool {
	field, text, _ := operands(t)
	location, _ := e.Res.Body["location"].(string)
	has := map[string]string{
		"resourcetype": e.Res.Type, "name": e.Res.Name, "location": location, "resourcegroup": e.ID.Group,
		"tagname": tagName, "tagvalue": tagValue,
	}[field]
	if field == "location" {
		text = cloud.Normal(text)
	}
	switch t.Op {
	case "eq":
		return strings.EqualFold(has, text) && (field != "tagvalue" || has == text)
	case "ne":
		return !strings.EqualFold(has, text)
	case "substringof":
		return strings.Contains(strings.ToLower(has), strings.ToLower(text))
	}
	return strings.HasPrefix(strings.ToLower(has), strings.ToLower(text))
}
