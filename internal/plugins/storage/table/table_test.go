package table

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	server "github.com/azure-tenant-grapher/atg/internal/emulator/storage/table"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/parttest"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newWorld(t *testing.T, seed string) *parttest.World {
	t.Helper()
	return parttest.New(t, New(), func(clock wire.Clock) kit.Server { return server.New(server.Options{Clock: clock}) }, seed)
}

// objects are those of an account without what the service makes of its own.
func objects(w *parttest.World, name string) map[string]map[string]string {
	return w.Objects(name, "Timestamp", "etag")
}

const some = `{"tables":[
 {"name":"Empty"},
 {"name":"People","policies":[{"id":"readers","start":"2026-01-01T00:00:00Z","expiry":"2027-01-01T00:00:00Z","permission":"r"}],
  "entities":[
   {"PartitionKey":"","RowKey":"","Name":"no keys"},
   {"PartitionKey":"o'brien","RowKey":"r'1","Name":"quotes","Nothing":""},
   {"PartitionKey":"types","RowKey":"all","S":"text","B":true,"I":-5,"D":5.0,"N@odata.type":"Edm.Double","N":"NaN","P@odata.type":"Edm.Double","P":"Infinity",
    "L@odata.type":"Edm.Int64","L":"9007199254740993","G@odata.type":"Edm.Guid","G":"c9da6455-213d-42c9-9a79-3e9149a57833",
    "T@odata.type":"Edm.DateTime","T":"2026-01-01T00:00:00.1234567Z","X@odata.type":"Edm.Binary","X":"AAECAw=="},
   {"PartitionKey":"ünï","RowKey":"código %20","Name":"unicode"}
  ]}
]}`

func TestTablesAreCopied(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{false, true} {
		w := newWorld(t, some)
		for k, s := range w.Copy(beside) {
			if s != plugin.Created {
				t.Errorf("first run: %s is %s", k, s)
			}
		}
		if diff := cmp.Diff(objects(w, parttest.Source), objects(w, parttest.Target)); diff != "" {
			t.Errorf("source and target (-source +target):\n%s", diff)
		}
		items := w.Items(plugin.Replication, "", beside)
		if len(items) != 6 {
			t.Errorf("%d items, want 6", len(items))
		}
		for _, it := range items {
			got, err := New().Compare(t.Context(), w.Job(it))
			if err != nil || got.State != plugin.Same || !got.Proven {
				t.Errorf("%s compares as %+v, %v", it.Key, got, err)
			}
		}
		for k, s := range w.Copy(beside) {
			if s != plugin.Unchanged {
				t.Errorf("second run: %s is %s", k, s)
			}
		}
	}
}

const many = `{"tables":[{"name":"Big","generate":{"count":2500,"perPartition":700}}]}`

// TestUnchangedEntitiesCostNoRequest counts requests where the target is listed alongside.
func TestUnchangedEntitiesCostNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, many)
	w.Seed(parttest.Target, many)
	w.Lab.Needs()
	items := w.Items(plugin.Replication, "", true)
	listed := len(w.Lab.Needs())
	for _, it := range items[1:] {
		got, err := New().Replicate(t.Context(), w.Job(it))
		same, errCompare := New().Compare(t.Context(), w.Job(it))
		if err != nil || errCompare != nil || got.Status != plugin.Unchanged || !same.Proven {
			t.Fatalf("%s: %+v, %+v, %v, %v", it.Key, got, same, err, errCompare)
		}
	}
	if n := len(w.Lab.Needs()); n != 0 || listed != 7 || len(items) != 2501 {
		t.Errorf("%d items, %d requests for lists (want the tables and three pages of each side), %d for items", len(items), listed, n)
	}
}

func TestListingGoesOnBehindEveryCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	all := w.Items(plugin.Replication, "", false)
	for i, it := range all {
		var want, got []plugin.Key
		for _, rest := range all[i+1:] {
			want = append(want, rest.Key)
		}
		for _, rest := range w.Items(plugin.Replication, it.Cursor, true) {
			got = append(got, rest.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("behind %s (-want +got):\n%s", it.Key, diff)
		}
	}
	if got := w.Items(plugin.Template, "", false); len(got) != 2 || slices.ContainsFunc(got, func(it plugin.Item) bool { return it.Kind == kindEntity }) {
		t.Errorf("template mode: %v", got)
	}
}

// changed seeds the target with entities of the same keys and other content.
func changed(t *testing.T) *parttest.World {
	t.Helper()
	w := newWorld(t, some)
	w.Seed(parttest.Target, `{"tables":[{"name":"People","policies":[{"id":"writers","permission":"u"}],
	  "entities":[{"PartitionKey":"types","RowKey":"all","D":5,"Mine":true},{"PartitionKey":"mine","RowKey":"alone"}]}]}`)
	return w
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{false, true} {
		w := changed(t)
		before := objects(w, parttest.Target)
		for _, it := range w.Items(plugin.Replication, "", beside) {
			if it.Key != "tables/People" && it.Key != "entities/People/types/all" {
				continue
			}
			_, err := New().Replicate(t.Context(), w.Job(it))
			if errs.KindOf(err) != errs.Conflict {
				t.Errorf("%s: %v, want a conflict", it.Key, err)
			}
			if it.Kind == kindEntity && !strings.Contains(err.Error(), `["B" "D" "G" "I" "L"] and 6 more`) {
				t.Errorf("it does not say what differs: %v", err)
			}
			if got, err := New().Compare(t.Context(), w.Job(it)); err != nil || got.State != plugin.Different || len(got.Fields) == 0 {
				t.Errorf("%s compares as %+v, %v", it.Key, got, err)
			}
		}
		if diff := cmp.Diff(before, objects(w, parttest.Target)); diff != "" {
			t.Errorf("the target was changed:\n%s", diff)
		}
		for _, it := range w.Items(plugin.Replication, "", beside) {
			j := w.Job(it)
			j.Overwrite = true
			if _, err := New().Replicate(t.Context(), j); err != nil {
				t.Errorf("overwrite %s: %v", it.Key, err)
			}
		}
		got := objects(w, parttest.Target)
		if got["tables/People/mine/alone"] == nil {
			t.Error("an entity of the target's own is gone")
		}
		delete(got, "tables/People/mine/alone")
		want := objects(w, parttest.Source)
		delete(got["tables/People"], "entities")
		delete(want["tables/People"], "entities")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("overwritten (-source +target):\n%s", diff)
		}
	}
}

// TestOldHints: what a listing saw is not what is there any more.
func TestOldHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	items := w.Items(plugin.Replication, "", true)
	w.Seed(parttest.Target, some) // meanwhile somebody else makes all of it
	for _, it := range items {
		if got, err := New().Replicate(t.Context(), w.Job(it)); err != nil || got.Status != plugin.Unchanged {
			t.Errorf("%s: %+v, %v", it.Key, got, err)
		}
	}
	w = newWorld(t, some)
	items = w.Items(plugin.Replication, "", true)
	w.Copy(false)
	for _, it := range items { // this program has written: what was absent may be there
		if got, err := New().Compare(t.Context(), w.Job(it)); err != nil || got.State != plugin.Same {
			t.Errorf("%s compares as %+v, %v", it.Key, got, err)
		}
	}
}

func TestCutTableGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Seed(parttest.Target, `{"tables":[{"name":"People"}]}`)
	j := w.Job(w.Item("tables/People"))
	if _, err := New().Replicate(t.Context(), j); errs.KindOf(err) != errs.Conflict {
		t.Errorf("somebody else's table: %v", err)
	}
	j.Checkpoint = []byte("creating")
	if got, err := New().Replicate(t.Context(), j); err != nil || got.Status != plugin.Updated {
		t.Errorf("its own: %+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	table, one := w.Item("tables/People"), w.Item("entities/People/types/all")
	for _, refused := range []struct { // in this order: without writePolicy, the table is made
		action string
		item   plugin.Item
	}{{readPolicy, table}, {writeTables, table}, {writePolicy, table}, {readEntities, one}} {
		action, it := refused.action, refused.item
		w.Lab.Deny(func(n kit.Need) bool { return slices.Contains(n.Actions, action) })
		_, err := New().Replicate(t.Context(), w.Job(it))
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.PermissionDenied || e.Action != action {
			t.Errorf("without %s: %v", action, err)
		}
	}
	w.Lab.Deny(nil)
	for _, it := range []plugin.Item{table, one} {
		it.Ref = plugin.Encode(ref{Table: "Gone", Partition: "p"})
		if _, err := New().Replicate(t.Context(), w.Job(it)); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s that is gone: %v", it.Kind, err)
		}
		it.Ref = []byte(`{}`)
		if _, err := New().Replicate(t.Context(), w.Job(it)); errs.KindOf(err) != errs.Invalid {
			t.Errorf("a reference of something else: %v", err)
		}
	}
}

func TestBadCursors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a/b", "a/%zz/c", "a/b/%zz"} {
		if _, err := parseCursor(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	c := cursor{"T", "a/b", "ü'", true}
	if got, err := parseCursor(c.String()); err != nil || got != c {
		t.Errorf("%+v is read as %+v (%v)", c, got, err)
	}
}
