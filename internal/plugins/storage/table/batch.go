package table

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// mostPassed is how many entities that nobody asked for one query may read. Where more lie
// between those asked for, the rest is read one by one.
const mostPassed = pageSize

// ReplicateBatch implements part.Batcher. It brings entities that a listing did not see at
// the target: those of a partition come by one query and go by transactions that insert
// them. What stands at the target, is alone in its partition or is refused is left to
// Replicate, which says why.
func (tables) ReplicateBatch(ctx context.Context, js []part.Job) ([]plugin.Outcome, error) {
	b := &batch{jobs: js, outs: make([]plugin.Outcome, len(js))}
	for _, g := range b.groups(time.Now()) {
		if len(g.places) < 2 {
			continue // it would be as many requests, and other workers wait for more to do
		}
		if err := b.copy(ctx, g); err != nil {
			return b.outs, ctx.Err()
		}
	}
	return b.outs, nil
}

// batch is the work of one call.
type batch struct {
	jobs  []part.Job
	outs  []plugin.Outcome // in the order of jobs
	table string
}

// group is entities of one partition, none of which the target is known to have.
type group struct {
	partition   string
	first, last string         // row key
	places      map[string]int // in the call, by row key; shrinks as they are read
}

// groups sorts the jobs by partition. Those that are the same need no request.
func (b *batch) groups(now time.Time) []*group {
	var out []*group
	for i, j := range b.jobs {
		r, err := decode(j)
		switch {
		case err != nil:
		case r.Hint.For(j.To, now) == hint.Same:
			b.outs[i].Status = plugin.Unchanged
		case r.Hint.Absent(j.To):
			b.table = r.Table
			if len(out) == 0 || out[len(out)-1].partition != r.Partition {
				out = append(out, &group{partition: r.Partition, first: r.Row, last: r.Row, places: map[string]int{}})
			}
			out[len(out)-1].take(r.Row, i)
		}
	}
	return out
}

func (g *group) take(row string, place int) {
	g.first, g.last = min(g.first, row), max(g.last, row)
	g.places[row] = place
}

// filter finds the entities and those between them, in a range of keys.
func (g *group) filter() string {
	return "PartitionKey eq " + quote(g.partition) + " and RowKey ge " + quote(g.first) + " and RowKey le " + quote(g.last)
}

// copy brings a group. After an error some of it may be at the target; what surely is has
// its outcome.
func (b *batch) copy(ctx context.Context, g *group) error {
	c, err := client(ctx, b.jobs[0], plugin.Source, b.table)
	if err != nil {
		return err
	}
	set, passed := newChangeset(), 0
	pages(ctx, c, g.filter(), func(e *entity.Entity, failure error) bool {
		if err = failure; err != nil {
			return false
		}
		place, asked := g.places[e.Row]
		if !asked {
			passed++
			return passed < mostPassed
		}
		delete(g.places, e.Row)
		set, err = b.insert(ctx, set, e, place)
		return err == nil && len(g.places) > 0
	})
	if err != nil {
		return err
	}
	return b.submit(ctx, set)
}

// insert adds an entity to a set of changes, or to a new one if that has no room.
func (b *batch) insert(ctx context.Context, set *changeset, e *entity.Entity, place int) (*changeset, error) {
	address, err := b.jobs[0].To.URL(account.Table)
	if err != nil {
		return set, err
	}
	text, err := e.JSON()
	if err != nil {
		return set, err
	}
	if !set.fits(text) {
		if err := b.submit(ctx, set); err != nil {
			return set, err
		}
		set = newChangeset()
	}
	return set, set.add(address+b.table, text, place)
}

// confirmed is the answer to each insert of a transaction.
var confirmed = []byte("HTTP/1.1 204 ")

// submit inserts a set of entities, all or none.
func (b *batch) submit(ctx context.Context, set *changeset) error {
	if len(set.changes) == 0 {
		return nil
	}
	c, err := client(ctx, b.jobs[0], plugin.Target, b.table)
	if err != nil {
		return err
	}
	way, err := set.close()
	if err != nil {
		return err
	}
	stub := []aztables.TransactionAction{{ActionType: aztables.TransactionTypeAdd, Entity: []byte(`{"PartitionKey":"","RowKey":""}`)}}
	b.jobs[0].To.Wrote()
	if _, err := c.SubmitTransaction(through(ctx, way), stub, nil); err != nil {
		return err
	}
	if n := bytes.Count(way.got, confirmed); n != len(set.changes) {
		return fmt.Errorf("%d of %d inserts are confirmed", n, len(set.changes))
	}
	for _, ch := range set.changes {
		b.outs[ch.place] = moved(b.jobs[ch.place], plugin.Created, ch.bytes)
	}
	return nil
}
