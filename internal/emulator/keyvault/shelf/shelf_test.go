package shelf_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type thing struct{ name string }

func all(*thing) bool { return true }

func names(page []shelf.Entry[thing]) []string {
	out := make([]string, 0, len(page))
	for _, e := range page {
		out = append(out, e.Object.name)
	}
	return out
}

func TestLife(t *testing.T) {
	t.Parallel()
	var s shelf.Shelf[thing]
	at := func(d time.Duration) time.Time { return start.Add(d) }
	status := func(d time.Duration, want shelf.Status) {
		t.Helper()
		if e := s.Find("a", at(d)); e.Status != want || (e.Object == nil) != (want == shelf.Absent) {
			t.Errorf("after %s: status %d, want %d", d, e.Status, want)
		}
	}
	status(0, shelf.Absent)
	s.Put("A", &thing{"A"})
	status(0, shelf.Live)
	e, ok := s.Delete("a", start, time.Second, time.Hour)
	if !ok || e.Status != shelf.Deleting || !e.DeletedAt.Equal(start) || !e.PurgeAt.Equal(at(time.Hour)) {
		t.Errorf("deleted = %+v", e)
	}
	if _, ok := s.Delete("a", start, 0, time.Hour); ok {
		t.Error("deleted twice")
	}
	status(0, shelf.Deleting)
	if _, ok := s.Recover("a", start, 0, 0); ok {
		t.Error("recovered while it is deleted")
	}
	if s.Purge("a", start) {
		t.Error("purged while it is deleted")
	}
	if page, _ := s.DeletedPage("", 9, start); len(page) != 0 {
		t.Errorf("deleted page = %v", names(page))
	}
	status(time.Second, shelf.Deleted)
	if page, _ := s.DeletedPage("", 9, at(time.Second)); len(page) != 1 {
		t.Errorf("deleted page = %v", names(page))
	}
	if _, ok := s.Recover("a", at(time.Second), time.Second, 2*time.Second); !ok {
		t.Error("not recovered")
	}
	for d, readable := range map[time.Duration]bool{time.Second: false, 2*time.Second - 1: false, 2 * time.Second: true} {
		if _, ok := s.Get("a", at(d)); ok != readable {
			t.Errorf("readable after %s: %v", d, ok)
		}
		if page, _ := s.Page("", 9, at(d), all); (len(page) == 1) != readable {
			t.Errorf("page after %s: %v", d, names(page))
		}
	}
	status(3*time.Second-1, shelf.Recovering)
	status(3*time.Second, shelf.Live)
	status(time.Second, shelf.Live) // what has settled stays so
	s.Delete("a", at(0), 0, time.Hour)
	if !s.Purge("A", at(0)) {
		t.Error("not purged")
	}
	status(0, shelf.Absent)
	s.Put("a", &thing{"a"})
	s.Delete("a", at(0), 0, time.Hour)
	status(time.Hour-1, shelf.Deleted)
	status(time.Hour, shelf.Absent)
	s.Put("a", &thing{"a"})
	s.Delete("a", at(0), 0, time.Hour)
	if page, _ := s.DeletedPage("", 9, at(time.Hour)); len(page) != 0 {
		t.Errorf("deleted page after the retention = %v", names(page))
	}
	s.Put("a", &thing{"a"})
	s.Drop("a")
	status(0, shelf.Absent)
	if s.Len() != 0 {
		t.Errorf("len = %d", s.Len())
	}
}

// TestPages: whatever is deleted between two pages, each page is full, in order, and
// nothing that stays is missed or seen twice.
func TestPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s shelf.Shelf[thing]
		n, size := rapid.IntRange(0, 60).Draw(t, "objects"), rapid.IntRange(1, 25).Draw(t, "page")
		gone := map[string]bool{}
		for i := range n {
			name := fmt.Sprintf("n%03d", i)
			s.Load(name, &thing{name})
		}
		var seen []string
		for after := ""; ; {
			page, next := s.Page(after, size, start, all)
			seen = append(seen, names(page)...)
			if next == "" {
				break
			}
			if len(page) != size {
				t.Fatalf("a page of %d with a next one", len(page))
			}
			if i := rapid.IntRange(0, n-1).Draw(t, "deleted"); rapid.Bool().Draw(t, "delete") {
				name := fmt.Sprintf("n%03d", i)
				s.Delete(name, start, 0, time.Hour)
				gone[name] = true
			}
			after = next
		}
		if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
			t.Fatalf("seen %v", seen)
		}
		for i := range n {
			if name := fmt.Sprintf("n%03d", i); !gone[name] && !slices.Contains(seen, name) {
				t.Fatalf("%s was missed in %v", name, seen)
			}
		}
		count := 0
		s.All(func(*thing) { count++ })
		if count != s.Len() || count != n-len(gone) {
			t.Fatalf("%d objects, Len %d", count, s.Len())
		}
		var dead []string
		for after := ""; ; {
			page, next := s.DeletedPage(after, size, start)
			dead = append(dead, names(page)...)
			if after = next; next == "" {
				break
			}
		}
		if len(dead) != len(gone) {
			t.Fatalf("deleted %v, want %v", dead, gone)
		}
	})
}

func TestKeep(t *testing.T) {
	t.Parallel()
	var s shelf.Shelf[thing]
	for _, n := range []string{"a", "b", "c", "d"} {
		s.Put(n, &thing{n})
	}
	page, next := s.Page("", 2, start, func(x *thing) bool { return x.name != "b" })
	if got := names(page); !slices.Equal(got, []string{"a", "c"}) || next != "c" {
		t.Errorf("page = %v, next %q", got, next)
	}
	page, next = s.Page(next, 2, start, all)
	if got := names(page); !slices.Equal(got, []string{"d"}) || next != "" {
		t.Errorf("page = %v, next %q", got, next)
	}
}
