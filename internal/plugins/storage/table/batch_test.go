package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/parttest"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// line notes the requests of a world's clients, and lets a test change what comes back.
type line struct {
	next  http.RoundTripper
	after func(*http.Request, *http.Response) (*http.Response, error) // nil: as it is

	mu     sync.Mutex // guards what follows
	log    []string   // "srcacct GET", "dstacct POST $batch"
	bodies []int      // lengths
}

func (w *line) RoundTrip(r *http.Request) (*http.Response, error) {
	what := strings.Split(r.URL.Host, ".")[0] + " " + r.Method
	if strings.HasSuffix(r.URL.Path, "$batch") {
		what += " $batch"
	}
	w.mu.Lock()
	w.log, w.bodies = append(w.log, what), append(w.bodies, int(r.ContentLength))
	w.mu.Unlock()
	resp, err := w.next.RoundTrip(r)
	if err != nil || w.after == nil {
		return resp, err
	}
	return w.after(r, resp)
}

// take returns the requests since the last call, each with how often it came.
func (w *line) take() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for _, what := range w.log {
		out[what]++
	}
	w.log, w.bodies = nil, nil
	return out
}

// tapped is a world whose requests are noted.
func tapped(t *testing.T, seed string) (*parttest.World, *line) {
	t.Helper()
	w := newWorld(t, seed)
	tap := &line{next: w.Lab.Client.Transport}
	w.Lab.Client.Transport = tap
	return w, tap
}

// entities lists the source beside the target and makes the table of each entity.
func entities(t *testing.T, w *parttest.World) (js []part.Job) {
	t.Helper()
	for _, it := range w.Items(plugin.Replication, "", true) {
		if it.Kind == kindEntity {
			js = append(js, w.Job(it))
		} else if _, err := New().Replicate(t.Context(), w.Job(it)); err != nil {
			t.Fatal(err)
		}
	}
	return js
}

// together replicates jobs in one batch, which must not fail.
func together(t *testing.T, js []part.Job) []plugin.Outcome {
	t.Helper()
	outs, err := tables{}.ReplicateBatch(t.Context(), js)
	if err != nil || len(outs) != len(js) {
		t.Fatalf("%d outcomes for %d items, %v", len(outs), len(js), err)
	}
	return outs
}

// count returns how many outcomes have each status.
func count(outs []plugin.Outcome) map[plugin.Status]int {
	out := map[plugin.Status]int{}
	for _, o := range outs {
		out[o.Status]++
	}
	return out
}

// typed has entities of every type in each of several partitions, one with empty keys.
func typed() string {
	const all = `"S":"lone \ud800","B":true,"I":-5,"D":5.0,"Z":-0.0,"N@odata.type":"Edm.Double","N":"NaN","P@odata.type":"Edm.Double","P":"-Infinity",
	 "L@odata.type":"Edm.Int64","L":"9007199254740993","G@odata.type":"Edm.Guid","G":"c9da6455-213d-42c9-9a79-3e9149a57833",
	 "T@odata.type":"Edm.DateTime","T":"2026-01-01T00:00:00.1234567Z","X@odata.type":"Edm.Binary","X":"AAECAw=="`
	var list []string
	for _, partition := range []string{"", "o'brien", "ünï %20--", "z"} {
		for _, row := range []string{"", "código %20", "r'1", "x"} {
			list = append(list, fmt.Sprintf(`{"PartitionKey":%q,"RowKey":%q,%s}`, partition, row, all))
		}
	}
	return `{"tables":[{"name":"People","entities":[` + strings.Join(list, ",") + `]}]}`
}

func TestABatchKeepsEveryType(t *testing.T) {
	t.Parallel()
	alone := newWorld(t, typed())
	alone.Copy(true)
	w, tap := tapped(t, typed())
	js := entities(t, w)
	tap.take()
	moved := int64(0)
	for i := range js {
		js[i].Progress = func(n int64) { moved += n }
	}
	bytes := int64(0)
	for i, o := range together(t, js) {
		if bytes += o.Bytes; o.Status != plugin.Created || o.Bytes == 0 {
			t.Errorf("%s: %+v", js[i].Item.Key, o)
		}
	}
	if diff := cmp.Diff(map[string]int{"srcacct GET": 4, "dstacct POST $batch": 4}, tap.take()); diff != "" || moved != bytes {
		t.Errorf("%d bytes told of %d; requests (-want +got):\n%s", moved, bytes, diff)
	}
	if diff := cmp.Diff(objects(w, parttest.Source), objects(w, parttest.Target)); diff != "" {
		t.Errorf("source and target (-source +target):\n%s", diff)
	}
	if diff := cmp.Diff(objects(alone, parttest.Target), objects(w, parttest.Target)); diff != "" {
		t.Errorf("one by one and together (-alone +together):\n%s", diff)
	}
	for i, o := range together(t, entities(t, w)) {
		if o.Status != plugin.Unchanged {
			t.Errorf("second run: %s: %+v", js[i].Item.Key, o)
		}
	}
}

// TestLargeEntitiesGoInSeveralBatches holds the service's limit of 4 MiB.
func TestLargeEntitiesGoInSeveralBatches(t *testing.T) {
	t.Parallel()
	var list []string
	for i := range 20 {
		fields := ""
		for f := range 12 {
			fields += fmt.Sprintf(`,"F%02d":%q`, f, strings.Repeat("x", 30_000))
		}
		list = append(list, fmt.Sprintf(`{"PartitionKey":"p","RowKey":"%02d"%s}`, i, fields))
	}
	w, tap := tapped(t, `{"tables":[{"name":"Large","entities":[`+strings.Join(list, ",")+`]}]}`)
	js := entities(t, w)
	tap.take()
	if got := count(together(t, js)); got[plugin.Created] != 20 {
		t.Errorf("%v", got)
	}
	for _, n := range tap.bodies {
		if n >= 4<<20 {
			t.Errorf("a body has %d bytes", n)
		}
	}
	if got := tap.take(); got["dstacct POST $batch"] != 2 { // 11 of 360 KB fit
		t.Errorf("%v", got)
	}
	if diff := cmp.Diff(objects(w, parttest.Source), objects(w, parttest.Target)); diff != "" {
		t.Errorf("source and target (-source +target):\n%s", diff)
	}
}

// TestWhatDoesNotGoTogether: what the target has, what is alone in its partition, what is
// gone and what no listing looked for is left, and costs what it must.
func TestWhatDoesNotGoTogether(t *testing.T) {
	t.Parallel()
	seed := `{"tables":[{"name":"Some","entities":[{"PartitionKey":"p","RowKey":"1"},{"PartitionKey":"p","RowKey":"2"},{"PartitionKey":"p","RowKey":"3","A":1},
	 {"PartitionKey":"p","RowKey":"4"},{"PartitionKey":"p","RowKey":"5"},{"PartitionKey":"q","RowKey":"1"}]}]}`
	w, tap := tapped(t, seed)
	w.Seed(parttest.Target, `{"tables":[{"name":"Some","entities":[{"PartitionKey":"p","RowKey":"2"},{"PartitionKey":"p","RowKey":"3","A":2}]}]}`)
	js := entities(t, w)
	js[3].Item.Ref = plugin.Encode(ref{Table: "Some", Partition: "p", Row: "4"})
	gone := js[4]
	gone.Item.Ref = []byte(strings.Replace(string(gone.Item.Ref), `"r":"5"`, `"r":"45"`, 1))
	bad := js[4]
	bad.Item.Ref = []byte("{}")
	tap.take()
	var got []plugin.Status
	for _, o := range together(t, append(js, gone, bad)) {
		got = append(got, o.Status)
	}
	if diff := cmp.Diff([]plugin.Status{plugin.Created, plugin.Unchanged, "", "", plugin.Created, "", "", ""}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"srcacct GET": 1, "dstacct POST $batch": 1}, tap.take()); diff != "" {
		t.Error(diff)
	}
}

// TestFewAmongMany: entities that lie far from each other are not looked for for ever.
func TestFewAmongMany(t *testing.T) {
	t.Parallel()
	w, tap := tapped(t, `{"tables":[{"name":"Big","generate":{"count":5000,"perPartition":5000}}]}`)
	js := entities(t, w)
	tap.take()
	got := count(together(t, []part.Job{js[0], js[1], js[4999]}))
	if diff := cmp.Diff(map[plugin.Status]int{plugin.Created: 2, "": 1}, got); diff != "" || tap.take()["srcacct GET"] > 2 {
		t.Error(diff)
	}
}

// TestARefusedBatchIsLeft: nothing is overwritten, lost or called a conflict.
func TestARefusedBatchIsLeft(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, *parttest.World, *line){
		"one is there meanwhile": func(_ *testing.T, w *parttest.World, _ *line) {
			w.Seed(parttest.Target, `{"tables":[{"name":"People","entities":[{"PartitionKey":"z","RowKey":"x","Mine":true}]}]}`)
		},
		"the answer is lost": func(_ *testing.T, _ *parttest.World, tap *line) {
			tap.after = onBatch(func(*http.Response) error { return errors.New("connection reset") })
		},
		"the answer is cut": func(_ *testing.T, _ *parttest.World, tap *line) {
			tap.after = onBatch(func(resp *http.Response) error {
				resp.Body = io.NopCloser(io.LimitReader(resp.Body, 700))
				return nil
			})
		},
		"the right is missing": func(_ *testing.T, w *parttest.World, _ *line) {
			w.Lab.Deny(func(n kit.Need) bool { return slices.Contains(n.Actions, addEntity) })
		},
		"the source cannot be read": func(_ *testing.T, w *parttest.World, _ *line) {
			w.Lab.Deny(func(n kit.Need) bool { return slices.Contains(n.Actions, readEntities) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tap := tapped(t, typed())
			js := entities(t, w)
			js = slices.DeleteFunc(js, func(j part.Job) bool { return !strings.Contains(string(j.Item.Key), "/z/") })
			before := objects(w, parttest.Target)
			spoil(t, w, tap)
			if got := count(together(t, js)); got[""] != 4 {
				t.Errorf("%v", got)
			}
			w.Lab.Deny(nil)
			tap.after = nil
			if !strings.HasPrefix(name, "the answer") {
				delete(before, "tables/People")
				for k := range before {
					if !cmp.Equal(before[k], objects(w, parttest.Target)[k]) {
						t.Errorf("%s was changed", k)
					}
				}
			}
			for _, j := range js {
				_, err := New().Replicate(t.Context(), j)
				if mine := name == "one is there meanwhile" && strings.HasSuffix(string(j.Item.Key), "/z/x"); (err != nil) != mine {
					t.Errorf("%s: %v", j.Item.Key, err)
				}
			}
		})
	}
}

// onBatch changes the answers to batches.
func onBatch(f func(*http.Response) error) func(*http.Request, *http.Response) (*http.Response, error) {
	return func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "$batch") {
			return resp, nil
		}
		if err := f(resp); err != nil {
			_ = resp.Body.Close()
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: err}
		}
		return resp, nil
	}
}

func TestACanceledBatchSaysSo(t *testing.T) {
	t.Parallel()
	w, _ := tapped(t, typed())
	js := entities(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (tables{}).ReplicateBatch(ctx, js); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
