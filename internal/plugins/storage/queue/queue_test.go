package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	server "github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/parttest"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newWorld(t *testing.T, seed string) *parttest.World {
	t.Helper()
	return parttest.New(t, New(), func(clock wire.Clock) kit.Server { return server.New(server.Options{Clock: clock}) }, seed)
}

// objects are those of an account, in the terms of a queue.
func objects(w *parttest.World, name string) map[string]map[string]string {
	return w.Objects(name, "inserted", "expires", "visible", "dequeued")
}

const some = `{"queues":[
 {"name":"empty"},
 {"name":"orders","metadata":{"team":"sales"},"policies":[{"id":"readers","start":"2026-01-01T00:00:00Z","expiry":"2027-01-01T00:00:00Z","permission":"r"}],
  "messages":[{"text":"<one>&"},{"text":"two","ttl":-1},{"text":"two","ttl":60}]}
]}`

func TestQueuesAreCopied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Settings[setMessages] = messagesFew
	want := map[plugin.Key]plugin.Status{
		"queues/empty": plugin.Created, "messages/empty": plugin.Unchanged, "queues/orders": plugin.Created, "messages/orders": plugin.Created,
	}
	if diff := cmp.Diff(want, w.Copy(false)); diff != "" {
		t.Errorf("first run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(objects(w, parttest.Source), objects(w, parttest.Target)); diff != "" {
		t.Errorf("source and target (-source +target):\n%s", diff)
	}
	for _, it := range w.Items(plugin.Replication, "", false) {
		got, err := New().Compare(t.Context(), w.Job(it))
		if err != nil || got.State != plugin.Same || !got.Proven {
			t.Errorf("%s compares as %+v, %v", it.Key, got, err)
		}
	}
	for k, s := range w.Copy(false) {
		if s != plugin.Unchanged {
			t.Errorf("second run: %s is %s", k, s)
		}
	}
}

func TestTimeToLiveIsWhatRemains(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for expires, want := range map[time.Time]int32{
		now.Add(90 * time.Second):                     90,
		now.Add(1500 * time.Millisecond):              2,
		now.Add(-time.Second):                         1,
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC): -1,
	} {
		if got := (message{expires: expires}).left(now); *got != want {
			t.Errorf("until %s: %d, want %d", expires, *got, want)
		}
	}
}

// TestMessagesThatStayAreTold: once for each queue that has any, at every run.
func TestMessagesThatStayAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	for _, status := range []plugin.Status{plugin.Created, plugin.Unchanged} {
		for key, want := range map[plugin.Key]int{"queues/empty": 0, "queues/orders": 1} {
			j := w.Job(w.Item(key))
			j.Mode = plugin.Replication
			got, err := New().Replicate(t.Context(), j)
			if err != nil || got.Status != status || len(got.Warnings) != want {
				t.Errorf("%s: %+v, %v", key, got, err)
			}
		}
	}
	for _, asked := range []func(j *part.Job){
		func(j *part.Job) { j.Mode = plugin.Template },
		func(j *part.Job) { w.Settings[setMessages] = messagesFew },
	} {
		j := w.Job(w.Item("queues/orders"))
		j.Mode = plugin.Replication
		asked(&j)
		if got, err := New().Replicate(t.Context(), j); err != nil || len(got.Warnings) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestTemplateModeHasNoMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Settings[setMessages] = messagesAll
	var keys []plugin.Key
	for _, it := range w.Items(plugin.Template, "", false) {
		keys = append(keys, it.Key)
	}
	if diff := cmp.Diff([]plugin.Key{"queues/empty", "queues/orders"}, keys); diff != "" {
		t.Error(diff)
	}
	if got := w.Items(plugin.Replication, "empty", false); len(got) != 2 || got[0].Key != "queues/orders" {
		t.Errorf("behind a cursor: %v", got)
	}
}

const many = `{"queues":[{"name":"big","generate":{"count":100,"bytes":40,"seed":1}}]}`

func TestLargeQueues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, many)
	w.Settings[setMessages] = messagesFew
	before := objects(w, parttest.Source)
	if got := w.Copy(false)["messages/big"]; got != plugin.Skipped {
		t.Errorf("without leave to change the source: %s", got)
	}
	big := w.Items(plugin.Replication, "", false)[1]
	if got, err := New().Compare(t.Context(), w.Job(big)); err != nil || got.State != plugin.Cannot || !strings.Contains(got.Reason, "messages=get") {
		t.Errorf("compares as %+v, %v", got, err)
	}
	w.Settings[setMessages] = messagesAll
	if got := w.Copy(false)["messages/big"]; got != plugin.Created {
		t.Errorf("with it: %s", got)
	}
	if diff := cmp.Diff(before, objects(w, parttest.Target)); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if got, err := New().Compare(t.Context(), w.Job(big)); err != nil || got.State != plugin.Same || got.Proven || got.Reason == "" {
		t.Errorf("compares as %+v, %v", got, err)
	}
	if got := w.Copy(false)["messages/big"]; got != plugin.Unchanged {
		t.Errorf("a second run: %s", got)
	}
}

// TestCutCopyGoesOn cuts the copy of a queue's messages in its middle.
func TestCutCopyGoesOn(t *testing.T) {
	t.Parallel()
	for _, count := range []int{20, 100} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, strings.Replace(many, "100", fmt.Sprint(count), 1))
			w.Settings[setMessages] = messagesAll
			want := objects(w, parttest.Source)
			items := w.Items(plugin.Replication, "", false)
			if _, err := New().Replicate(t.Context(), w.Job(items[0])); err != nil {
				t.Fatal(err)
			}
			j := w.Job(items[1])
			var checkpoint []byte
			j.Save = func(b []byte) error { checkpoint = b; return nil }
			ctx, cut := context.WithCancel(t.Context())
			sent := 0
			j.Progress = func(int64) {
				if sent++; sent == 13 {
					cut()
				}
			}
			if _, err := New().Replicate(ctx, j); err == nil {
				t.Fatal("it was not cut")
			}
			w.Lab.Advance(2 * hold) // what was hidden comes back
			j.Checkpoint = checkpoint
			if _, err := New().Replicate(t.Context(), j); err != nil {
				t.Fatal(err)
			}
			got := objects(w, parttest.Target)
			if len(got) != len(want) {
				t.Errorf("%d objects, want %d", len(got), len(want))
			}
			texts := map[string]int{}
			for key, fields := range want {
				texts[fields["text"]]++
				texts[got[key]["text"]]--
			}
			for text, n := range texts {
				if n != 0 {
					t.Errorf("%q is there %d times too few", text, n)
				}
			}
		})
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Settings[setMessages] = messagesFew
	w.Seed(parttest.Target, `{"queues":[{"name":"orders","metadata":{"team":"other"},"messages":[{"text":"mine"}]}]}`)
	before := objects(w, parttest.Target)
	for _, it := range w.Items(plugin.Replication, "empty", false) {
		if _, err := New().Replicate(t.Context(), w.Job(it)); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v, want a conflict", it.Key, err)
		}
		got, err := New().Compare(t.Context(), w.Job(it))
		if err != nil || got.State != plugin.Different {
			t.Errorf("%s compares as %+v, %v", it.Key, got, err)
		}
	}
	if diff := cmp.Diff(before, objects(w, parttest.Target)); diff != "" {
		t.Errorf("the target was changed:\n%s", diff)
	}
	for _, it := range w.Items(plugin.Replication, "", false) {
		j := w.Job(it)
		j.Overwrite = true
		if _, err := New().Replicate(t.Context(), j); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(objects(w, parttest.Source), objects(w, parttest.Target)); diff != "" {
		t.Errorf("overwritten (-source +target):\n%s", diff)
	}
}

// TestCutQueueGoesOn: the queue was created, its policies were not yet set.
func TestCutQueueGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Seed(parttest.Target, `{"queues":[{"name":"orders","metadata":{"team":"sales"}}]}`)
	j := w.Job(w.Items(plugin.Template, "empty", false)[0])
	if _, err := New().Replicate(t.Context(), j); errs.KindOf(err) != errs.Conflict {
		t.Errorf("somebody else's queue: %v", err)
	}
	j.Checkpoint = []byte("creating")
	if got, err := New().Replicate(t.Context(), j); err != nil || got.Status != plugin.Updated {
		t.Errorf("its own: %+v, %v", got, err)
	}
}

func TestHiddenMessagesAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"queues":[{"name":"busy","messages":[{"text":"a"},{"text":"b","hidden":600}]}]}`)
	w.Settings[setMessages] = messagesFew
	items := w.Items(plugin.Replication, "", false)
	if _, err := New().Replicate(t.Context(), w.Job(items[0])); err != nil {
		t.Fatal(err)
	}
	got, err := New().Replicate(t.Context(), w.Job(items[1]))
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "1 of 2") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.Settings[setMessages] = messagesFew
	items := w.Items(plugin.Replication, "", false)
	for _, action := range []string{readQueues, writeQueues} {
		w.Lab.Deny(func(n kit.Need) bool {
			for _, a := range n.Actions {
				if a == action {
					return true
				}
			}
			return false
		})
		_, err := New().Replicate(t.Context(), w.Job(items[0]))
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.PermissionDenied || e.Action != action {
			t.Errorf("without %s: %v", action, err)
		}
	}
	w.Lab.Deny(nil)
	gone := items[0]
	gone.Ref = plugin.Encode(ref{Name: "gone"})
	if _, err := New().Replicate(t.Context(), w.Job(gone)); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a queue that is gone: %v", err)
	}
}
