package share

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/parttest"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func keys(items []plugin.Item) []plugin.Key {
	var out []plugin.Key
	for _, it := range items {
		out = append(out, it.Key)
	}
	return out
}

const forest = `{"shares":[
 {"name":"aaa","files":[{"path":"B/C/x","content":"1"},{"path":"B/C/y","content":"1"},{"path":"B/d","content":"1"},{"path":"a","content":"1"},{"path":"c/z","content":"1"}]},
 {"name":"bbb","snapshots":2,"files":[{"path":"x","content":"1"}]}
]}`

// TestListingsStartAgain: behind any cursor comes exactly what is left.
func TestListingsStartAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, forest)
	all := w.Items(plugin.Replication, "", true)
	want := []plugin.Key{
		"shares/aaa", "shares/aaa/a", "shares/aaa/B", "shares/aaa/B/C", "shares/aaa/B/C/x", "shares/aaa/B/C/y", "shares/aaa/B/d", "shares/aaa/c", "shares/aaa/c/z",
		"shares/bbb", "shares/bbb/x",
	}
	if diff := cmp.Diff(want, keys(all)); diff != "" {
		t.Fatal(diff)
	}
	for i, it := range all {
		if diff := cmp.Diff(keys(all[i+1:]), keys(w.Items(plugin.Replication, it.Cursor, true))); diff != "" {
			t.Errorf("behind %s:\n%s", it.Key, diff)
		}
	}
	if got := keys(w.Items(plugin.Template, all[0].Cursor, false)); !slices.Equal(got, []plugin.Key{"shares/bbb"}) {
		t.Errorf("template mode behind the first share: %v", got)
	}
}

// TestCursorsThatAreGone: what was behind an entry that is no more is not lost.
func TestCursorsThatAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, forest)
	gone := cursor{"aaa", []string{nameSum("B"), nameSum("gone"), nameSum("x")}}.String()
	want := []plugin.Key{"shares/aaa/B/C", "shares/aaa/B/C/x", "shares/aaa/B/C/y", "shares/aaa/B/d", "shares/aaa/c", "shares/aaa/c/z", "shares/bbb", "shares/bbb/x"}
	if diff := cmp.Diff(want, keys(w.Items(plugin.Replication, gone, false))); diff != "" {
		t.Error(diff)
	}
	// A directory was passed; a file has its name now.
	other := cursor{"aaa", []string{nameSum("a"), nameSum("x")}}.String()
	if got := keys(w.Items(plugin.Replication, other, false)); len(got) == 0 || got[0] != "shares/aaa/a" {
		t.Errorf("behind what was a directory: %v", got)
	}
}

func TestCursorsStayShort(t *testing.T) {
	t.Parallel()
	deep := strings.TrimSuffix(strings.Repeat("d/", 240), "/")
	w := newWorld(t, fmt.Sprintf(`{"shares":[{"name":"sss","directories":[{"path":%q}]}]}`, deep))
	items := w.Items(plugin.Replication, "", true)
	if len(items) != 241 {
		t.Fatalf("%d items", len(items))
	}
	with := 0
	for _, it := range items {
		if it.Cursor != "" {
			with++
		}
		if len(it.Cursor) > maxCursor {
			t.Errorf("a cursor has %d bytes", len(it.Cursor))
		}
	}
	if with < 100 || with == len(items) {
		t.Errorf("%d of %d items have a cursor", with, len(items))
	}
}

// seenAt counts what listings noted of the target.
func seenAt(t *testing.T, w *parttest.World, items []plugin.Item) map[hint.State]int {
	t.Helper()
	out := map[hint.State]int{}
	for _, it := range items {
		var r ref
		if err := json.Unmarshal(it.Ref, &r); err != nil {
			t.Fatal(err)
		}
		if r.AtThere == nil {
			out[""]++
			continue
		}
		out[r.AtThere.Is]++
	}
	return out
}

// TestLargeDirectories: pages are matched whatever their borders, and what is held of the
// target's listing is bounded.
func TestLargeDirectories(t *testing.T) {
	t.Parallel()
	const share = `{"shares":[{"name":"sss","generate":{"count":%d,"size":10,"seed":1,"prefix":%q,"perDirectory":100000}}]}`
	w := newWorld(t, fmt.Sprintf(share, 12_000, "g"))
	w.Seed(parttest.Target, fmt.Sprintf(share, 11_500, "g"))
	items := w.Items(plugin.Replication, "", true)
	if len(items) != 12_003 { // with the share and two directories
		t.Fatalf("%d items", len(items))
	}
	// Times are equal, also those of the service: so each is to be looked at. Behind the end
	// of the target's listing, of which a part was dropped, nothing can be told.
	got := seenAt(t, w, items)
	if got[unsure] != 11_502 || got[""] != 501 { // of the share nothing is noted
		t.Errorf("%v", got)
	}
}

// TestTargetsWithMore: a target that has much of its own costs looks, and tells nothing wrong.
func TestTargetsWithMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"shares":[{"name":"sss","generate":{"count":5100,"size":1,"seed":1,"prefix":"z","perDirectory":100000}}]}`)
	var more []string
	for i := range 11_000 {
		more = append(more, fmt.Sprintf(`{"path":"z/000000/-%05d","content":"x"}`, i))
	}
	w.Seed(parttest.Target, `{"shares":[{"name":"sss","files":[`+strings.Join(more, ",")+`],"generate":{"count":5100,"size":1,"seed":1,"prefix":"z","perDirectory":100000}}]}`)
	got := seenAt(t, w, w.Items(plugin.Replication, "", true))
	if got[hint.Absent] > 0 || got[hint.Other] > 0 || got[unsure] == 0 || got[""] < 5000 {
		t.Errorf("%v", got)
	}
}

// TestNamesInAnotherCase: SMB takes them for the same, so the listing does not tell.
func TestNamesInAnotherCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"shares":[{"name":"sss","files":[{"path":"Name","content":"x"}]}]}`)
	w.Seed(parttest.Target, `{"shares":[{"name":"sss","files":[{"path":"nAME","content":"other"}]}]}`)
	it := w.Items(plugin.Replication, "", true)[1]
	if got := seenAt(t, w, []plugin.Item{it}); got[""] != 1 {
		t.Errorf("%v", got)
	}
	if c, err := w.Part.Compare(t.Context(), w.Job(it)); err != nil || c.State != plugin.Different {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestListingsEnd: when the caller has enough, and when the context ends, which is said.
func TestListingsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, forest)
	for most := range 11 {
		l := part.Listing{Source: w.From, Target: w.To, Mode: plugin.Replication, Setting: func(string) string { return "" }}
		n := 0
		more := w.Part.Discover(t.Context(), l, func(plugin.Item, error) bool { n++; return n <= most })
		if more || n != most+1 {
			t.Errorf("%d yields after the end at %d, and goes on: %t", n, most+1, more)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		n = 0
		more = w.Part.Discover(ctx, l, func(_ plugin.Item, err error) bool {
			if n++; n > most {
				cancel()
			}
			last = err
			return true
		})
		cancel()
		if last == nil && n < 11 || more && n < 11 {
			t.Errorf("canceled after %d: %v, and goes on: %t", most+1, last, more)
		}
	}
}
