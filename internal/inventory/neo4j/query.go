package neo4j

import (
	"context"
	"encoding/json"

	driver "github.com/neo4j/neo4j-go-driver/v6/neo4j"
)

// pageQuery reads the nodes behind an ID, in the order of their IDs: the constraint that
// makes IDs unique has an index for that. Types are compared without case, as they come in
// several spellings. IDs of Azure begin with a slash, which stands before letters and
// digits: original nodes come before the others.
const pageQuery = `
MATCH (r:Resource)
WHERE r.id > $after AND (size($types) = 0 OR r.type IS NULL OR toLower(r.type) IN $types)
WITH r ORDER BY r.id LIMIT $page
RETURN r.id AS id, r.type AS type, r.tenant_id AS tenant, r.location AS location, r.kind AS kind, r.sku AS sku,
       r.tags AS tags, r.original_id AS original, r.abstracted_id AS abstracted, r.source_id AS source,
       [(r)-[:SCAN_SOURCE_NODE]->(o:Resource) | o.id] AS scanned,
       [(r)-[:REPLICATED_FROM]->(s:Resource) | s.id] AS replicated`

// node is one row of pageQuery.
type node struct {
	id, typ, tenant, location, kind, sku string
	tags                                 string   // JSON
	original                             string   // property original_id
	abstracted                           string   // property abstracted_id
	source                               string   // property source_id
	scanned, replicated                  []string // IDs of the nodes at the end of the relationships
}

// page reads the nodes that follow the one with the ID after.
func (f *Finder) page(ctx context.Context, session driver.Session, after string, types []string) ([]node, error) {
	result, err := session.Run(ctx, pageQuery, map[string]any{"after": after, "types": types, "page": f.scope.PageSize})
	if err != nil {
		return nil, err
	}
	var out []node
	for result.Next(ctx) {
		out = append(out, nodeOf(result.Record()))
	}
	return out, result.Err()
}

// any tells whether the graph has a node of the label at all.
func (f *Finder) any(ctx context.Context, session driver.Session) (bool, error) {
	result, err := session.Run(ctx, "MATCH (r:Resource) RETURN r.id LIMIT 1", nil)
	if err != nil {
		return false, err
	}
	return result.Next(ctx), result.Err()
}

func nodeOf(record *driver.Record) node {
	text := func(name string) string {
		value, _ := record.Get(name) // null and values of another type count as none
		s, _ := value.(string)
		return s
	}
	list := func(name string) []string {
		value, _ := record.Get(name)
		values, _ := value.([]any)
		var out []string
		for _, v := range values {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return node{
		id: text("id"), typ: text("type"), tenant: text("tenant"), location: text("location"), kind: text("kind"), sku: text("sku"),
		tags: text("tags"), original: text("original"), abstracted: text("abstracted"), source: text("source"),
		scanned: list("scanned"), replicated: list("replicated"),
	}
}

// tagsOf reads tags, which a graph keeps as a text of JSON. What is cut off is no JSON any
// more: then there are none.
func tagsOf(text string) map[string]string {
	var given map[string]any
	if text == "" || json.Unmarshal([]byte(text), &given) != nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range given {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}
