package entity

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
)

// Generated is a set of entities that are made when they are read, the same ones for the
// same seed. Entity i has the partition key Prefix and i / PerPartition in eight digits,
// and the row key i in ten. Its properties are Text (Bytes letters and digits), Number
// (Int32), Big (Int64), Ratio (Double), Flag (Boolean), When (DateTime), Id (Guid) and
// Raw (Binary).
type Generated struct {
	Prefix       string
	Count        int64
	PerPartition int64
	Seed         uint64
	Bytes        int
	Stamp        time.Time
}

// Generate adds a set to a table.
func (t *Table) Generate(g Generated) {
	g.PerPartition = max(g.PerPartition, 1)
	t.made = append(t.made, g)
}

func (g *Generated) keys(i int64) (pk, rk string) {
	return g.Prefix + fmt.Sprintf("%08d", i/g.PerPartition), fmt.Sprintf("%010d", i)
}

// index is the number of the entity with a key; ok is false if no entity has it.
func (g *Generated) index(pk, rk string) (i int64, ok bool) {
	if len(rk) != 10 || !strings.HasPrefix(pk, g.Prefix) {
		return 0, false
	}
	i, err := strconv.ParseInt(rk, 10, 64)
	if err != nil || i < 0 || i >= g.Count {
		return 0, false
	}
	p, r := g.keys(i)
	return i, p == pk && r == rk
}

func (g *Generated) find(pk, rk string) *Entity {
	i, ok := g.index(pk, rk)
	if !ok {
		return nil
	}
	return g.at(i)
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

// at makes an entity.
func (g *Generated) at(i int64) *Entity {
	rnd := rand.New(rand.NewPCG(g.Seed, uint64(i)))
	text := make([]byte, g.Bytes)
	for j := range text {
		text[j] = letters[rnd.IntN(len(letters))]
	}
	when, _ := edm.Time(time.Unix(rnd.Int64N(2_000_000_000), rnd.Int64N(1_000_000_000))) // always after 1601
	id, _ := edm.Parse(edm.GUID, fmt.Sprintf("%08x-0000-4000-8000-%012x", rnd.Uint32(), i))
	pk, rk := g.keys(i)
	return &Entity{PartitionKey: pk, RowKey: rk, Stamp: g.Stamp, Properties: []Property{
		{"Text", edm.Text(string(text))},
		{"Number", edm.Int(rnd.Int32())},
		{"Big", edm.Long(rnd.Int64())},
		{"Ratio", edm.Float(rnd.Float64())},
		{"Flag", edm.Bool(rnd.IntN(2) == 1)},
		{"When", when},
		{"Id", id},
		{"Raw", edm.Bytes(text[:min(len(text), 16)])},
	}}
}

// run walks over entities in order of their keys.
type run struct {
	ok   bool
	head row
	next func() (row, bool)
}

// step moves to the next entity.
func (r *run) step() { r.head, r.ok = r.next() }

// run walks over the set from a key on; entities are made only where the walk yields them.
func (g *Generated) run(pk, rk string) *run {
	i := g.search(pk, rk)
	r := &run{next: func() (row, bool) {
		if i >= g.Count {
			return row{}, false
		}
		p, k := g.keys(i)
		e := g.at(i)
		i++
		return row{p, k, e}, true
	}}
	r.step()
	return r
}

// search is the first index whose key is not less.
func (g *Generated) search(pk, rk string) int64 {
	lo, hi := int64(0), g.Count
	for lo < hi {
		mid := (lo + hi) / 2
		p, k := g.keys(mid)
		if (row{pk: p, rk: k}).less(row{pk: pk, rk: rk}) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// stored walks over the rows of a table from a key on.
func stored(iter btree.IterG[row], pk, rk string) *run {
	ok := iter.Seek(row{pk: pk, rk: rk})
	r := &run{next: func() (row, bool) {
		if !ok {
			return row{}, false
		}
		item := iter.Item()
		ok = iter.Next()
		return item, true
	}}
	r.step()
	return r
}

// least takes the entity with the least key out of the runs. Of runs with the same key
// the last one, which holds what was written, wins. The entity is nil if it was deleted;
// ok is false at the end.
func least(runs []*run) (e *Entity, ok bool) {
	var best row
	for _, r := range runs {
		if r.ok && (!ok || !best.less(r.head)) {
			best, ok = r.head, true
		}
	}
	for _, r := range runs {
		if r.ok && ok && r.head.pk == best.pk && r.head.rk == best.rk {
			r.step()
		}
	}
	return best.entity, ok
}
