package table

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Discover implements part.Part. Tables come in the order of their names, each followed by
// its entities in the order of their keys. A cursor is a table's name, or that and the keys
// of an entity, escaped as paths are.
func (tables) Discover(ctx context.Context, l part.Listing, yield func(plugin.Item, error) bool) bool {
	c, err := service(ctx, l.Source)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("reach the table service", err)) && ctx.Err() == nil
	}
	at, err := parseCursor(l.After)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("go on with the listing", err)) && ctx.Err() == nil
	}
	pager := c.NewListTablesPager(nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return yield(plugin.Item{}, l.Fail("list the tables", err, readTables)) && ctx.Err() == nil
		}
		for _, t := range page.Tables {
			if t == nil || t.Name == nil || *t.Name < at.table || strings.HasPrefix(*t.Name, "$") {
				continue
			}
			if !at.walk(l, *t.Name, yield).run(ctx) {
				return false
			}
		}
	}
	return true
}

// walk lists a table from the cursor on.
func (c cursor) walk(l part.Listing, table string, yield func(plugin.Item, error) bool) walk {
	w := walk{Listing: l, table: table, yield: yield}
	if table == c.table {
		w.after = &c
	}
	return w
}

// cursor is a place in the listing: behind a table, or behind one of its entities.
type cursor struct {
	table, partition, row string
	entity                bool
}

func (c cursor) String() string {
	if !c.entity {
		return c.table
	}
	return c.table + "/" + url.PathEscape(c.partition) + "/" + url.PathEscape(c.row)
}

func parseCursor(text string) (cursor, error) {
	name, rest, entity := strings.Cut(text, "/")
	c := cursor{table: name, entity: entity}
	if !entity {
		return c, nil
	}
	partition, row, ok := strings.Cut(rest, "/")
	if !ok {
		return c, fmt.Errorf("%q is no cursor of a table", text)
	}
	var err error
	if c.partition, err = url.PathUnescape(partition); err != nil {
		return c, fmt.Errorf("%q is no cursor of a table: %w", text, err)
	}
	if c.row, err = url.PathUnescape(row); err != nil {
		return c, fmt.Errorf("%q is no cursor of a table: %w", text, err)
	}
	return c, nil
}

// walk lists one table.
type walk struct {
	part.Listing
	table string
	after *cursor // where to go on in this table; nil: at its front
	yield func(plugin.Item, error) bool
}

func (w walk) key() plugin.Key { return plugin.Key("tables/" + w.table) }

func (w walk) run(ctx context.Context) bool {
	if w.after == nil {
		it := plugin.Item{Key: w.key(), Kind: kindTable, Size: -1, Ref: plugin.Encode(ref{Table: w.table}), Cursor: w.table}
		if !w.yield(it, nil) {
			return false
		}
	}
	if w.Mode == plugin.Template {
		return true
	}
	there, stop := w.target(ctx)
	defer stop()
	for e, err := range w.entities(ctx, w.Source) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return w.yield(plugin.Item{}, w.Fail("list the entities of "+w.table, err, readEntities)) && ctx.Err() == nil
		}
		if !w.yield(w.item(e, there(e)), nil) {
			return false
		}
	}
	return true
}

func (w walk) item(e *entity.Entity, h *hint.Hint) plugin.Item {
	return plugin.Item{
		Key:    plugin.Key("entities/" + w.table + "/" + e.Partition + "/" + e.Row),
		Parent: w.key(), Kind: kindEntity, Size: int64(e.Size), Rev: e.ETag, Modified: e.Modified,
		Ref:    plugin.Encode(ref{Table: w.table, Partition: e.Partition, Row: e.Row, Hint: h}),
		Cursor: cursor{w.table, e.Partition, e.Row, true}.String(),
	}
}

// filters are the queries that list the rest of the table: one or, behind an entity, what
// is left of its partition and then the partitions behind it. Each is a range of keys, so
// that the service need not look at the rest.
func (w walk) filters() []string {
	if w.after == nil || !w.after.entity {
		return []string{""}
	}
	partition, row := quote(w.after.partition), quote(w.after.row)
	return []string{"PartitionKey eq " + partition + " and RowKey gt " + row, "PartitionKey gt " + partition}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// pageSize is the most that the service gives at once.
const pageSize = 1000

// entities streams the rest of the table at one side, a page at a time.
func (w walk) entities(ctx context.Context, a *account.Account) iter.Seq2[*entity.Entity, error] {
	return func(yield func(*entity.Entity, error) bool) {
		c, err := service(ctx, a)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, filter := range w.filters() {
			if !pages(ctx, c.NewClient(w.table), filter, yield) {
				return
			}
		}
	}
}

// pages yields what a query finds (Query Entities). It returns false if that is the end.
func pages(ctx context.Context, c *aztables.Client, filter string, yield func(*entity.Entity, error) bool) bool {
	top, format := int32(pageSize), aztables.MetadataFormatFull
	opt := &aztables.ListEntitiesOptions{Top: &top, Format: &format}
	if filter != "" {
		opt.Filter = &filter
	}
	pager := c.NewListEntitiesPager(opt)
	for pager.More() {
		r := &raw{}
		if _, err := pager.NextPage(through(ctx, r)); err != nil {
			return yield(nil, err) && false
		}
		var page list
		if err := json.Unmarshal(r.got, &page); err != nil {
			return yield(nil, fmt.Errorf("a page that cannot be read: %w", err)) && false
		}
		for _, one := range page.Value {
			e, err := entity.Parse(one)
			if !yield(e, err) || err != nil {
				return false
			}
		}
	}
	return true
}

// target lists the other side alongside. The function that it returns tells what stands
// there in an entity's place, for entities in the order of their keys; it tells nothing
// where the target was not or cannot be listed: the work on each entity then finds out.
func (w walk) target(ctx context.Context) (there func(*entity.Entity) *hint.Hint, stop func()) {
	none := func(*entity.Entity) *hint.Hint { return nil }
	if w.Target == nil {
		return none, func() {}
	}
	next, stop := iter.Pull2(w.entities(ctx, w.Target))
	seen := time.Now()
	ahead, err, ok := next()
	if failed(err, aztables.TableNotFound, aztables.ResourceNotFound) {
		ahead, err, ok = nil, nil, false
	}
	return func(e *entity.Entity) *hint.Hint {
		for ok && err == nil && before(ahead, e) {
			ahead, err, ok = next()
			seen = time.Now()
		}
		switch {
		case err != nil:
			return nil
		case !ok || before(e, ahead):
			return hint.New(w.Target, hint.Absent, seen)
		case len(e.Differences(ahead)) == 0:
			return hint.New(w.Target, hint.Same, seen)
		}
		return hint.New(w.Target, hint.Other, seen)
	}, stop
}

// before tells whether a comes before b. The service orders by UTF-16; where that differs
// from the order of bytes, an entity is taken for absent, and inserting it tells.
func before(a, b *entity.Entity) bool {
	if a.Partition != b.Partition {
		return a.Partition < b.Partition
	}
	return a.Row < b.Row
}
