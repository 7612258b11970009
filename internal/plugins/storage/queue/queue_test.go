package queue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
	server "github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// world is two accounts of the emulator's queue service.
type world struct {
	testing.TB
	srv      *server.Server
	lab      *kittest.Lab
	from, to *account.Account
	settings map[string]string
}

func newWorld(t *testing.T, seed string) *world {
	t.Helper()
	w := &world{TB: t, settings: map[string]string{}}
	w.srv = server.New(server.Options{Clock: func() time.Time { return w.lab.Now() }})
	w.lab = kittest.New(t, map[kit.Kind]kit.Server{kit.Queue: w.srv})
	w.lab.Advance(time.Since(w.lab.Now())) // the plugin knows one time alone
	w.seed("srcacct", seed)
	w.from, w.to = w.account("srcacct"), w.account("dstacct")
	return w
}

func (w *world) seed(name, data string) {
	w.Helper()
	if err := w.srv.Seed(kittest.Account(name), json.RawMessage(data), w.lab.Now()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) account(name string) *account.Account {
	w.Helper()
	cache := &account.Cache{}
	a, err := cache.For(plugin.Endpoint{
		Resource: plugin.Resource{
			ID: kittest.Account(name).ID, Name: name,
			Properties: json.RawMessage(`{"primaryEndpoints":{"queue":"https://` + name + `.queue.core.windows.net/"}}`),
		},
		Options: policy.ClientOptions{Transport: w.lab.Client, Retry: policy.RetryOptions{MaxRetries: -1}},
		Secret: func(what string) (secret.Value, bool) {
			return secret.New(base64.StdEncoding.EncodeToString([]byte("key"))), what == "accountKey"
		},
	}, false)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) setting(name string) string {
	if v, ok := w.settings[name]; ok {
		return v
	}
	return messagesNo
}

func (w *world) items(mode plugin.Mode, after string) (items []plugin.Item) {
	w.Helper()
	l := part.Listing{Source: w.from, Mode: mode, After: after, Setting: w.setting}
	New().Discover(w.Context(), l, func(it plugin.Item, err error) bool {
		if err != nil {
			w.Fatal(err)
		}
		items = append(items, it)
		return true
	})
	return items
}

func (w *world) job(it plugin.Item) part.Job {
	j := part.Job{From: w.from, To: w.to, Setting: w.setting}
	j.Item = it
	return j
}

// copy replicates everything and then compares it; it returns the outcomes.
func (w *world) copy() map[plugin.Key]plugin.Status {
	w.Helper()
	out := map[plugin.Key]plugin.Status{}
	for _, it := range w.items(plugin.Replication, "") {
		got, err := New().Replicate(w.Context(), w.job(it))
		if err != nil {
			w.Fatalf("%s: %v", it.Key, err)
		}
		out[it.Key] = got.Status
	}
	return out
}

// objects are those of an account, in the terms of a queue: what differs by nature is left out.
func (w *world) objects(name string) map[string]map[string]string {
	w.Helper()
	found, err := w.srv.Objects(kittest.Account(name))
	if err != nil {
		w.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, o := range found {
		fields := map[string]string{}
		for k, v := range o.Fields {
			switch k {
			case "inserted", "expires", "visible", "dequeued":
			default:
				fields[k] = v
			}
		}
		out[o.Key] = fields
	}
	return out
}

const some = `{"queues":[
 {"name":"empty"},
 {"name":"orders","metadata":{"team":"sales"},"policies":[{"id":"readers","start":"2026-01-01T00:00:00Z","expiry":"2027-01-01T00:00:00Z","permission":"r"}],
  "messages":[{"text":"<one>&"},{"text":"two","ttl":-1},{"text":"two","ttl":60}]}
]}`

func TestQueuesAreCopied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.settings[setMessages] = messagesFew
	want := map[plugin.Key]plugin.Status{
		"queues/empty": plugin.Created, "messages/empty": plugin.Unchanged, "queues/orders": plugin.Created, "messages/orders": plugin.Created,
	}
	if diff := cmp.Diff(want, w.copy()); diff != "" {
		t.Errorf("first run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(w.objects("srcacct"), w.objects("dstacct")); diff != "" {
		t.Errorf("source and target (-source +target):\n%s", diff)
	}
	for _, it := range w.items(plugin.Replication, "") {
		got, err := New().Compare(t.Context(), w.job(it))
		if err != nil || got.State != plugin.Same || !got.Proven {
			t.Errorf("%s compares as %+v, %v", it.Key, got, err)
		}
	}
	for k, s := range w.copy() {
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

func TestTemplateModeHasNoMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.settings[setMessages] = messagesAll
	var keys []plugin.Key
	for _, it := range w.items(plugin.Template, "") {
		keys = append(keys, it.Key)
	}
	if diff := cmp.Diff([]plugin.Key{"queues/empty", "queues/orders"}, keys); diff != "" {
		t.Error(diff)
	}
	if got := w.items(plugin.Replication, "empty"); len(got) != 2 || got[0].Key != "queues/orders" {
		t.Errorf("behind a cursor: %v", got)
	}
}

const many = `{"queues":[{"name":"big","generate":{"count":100,"bytes":40,"seed":1}}]}`

func TestLargeQueues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, many)
	w.settings[setMessages] = messagesFew
	before := w.objects("srcacct")
	if got := w.copy()["messages/big"]; got != plugin.Skipped {
		t.Errorf("without leave to change the source: %s", got)
	}
	big := w.items(plugin.Replication, "")[1]
	if got, err := New().Compare(t.Context(), w.job(big)); err != nil || got.State != plugin.Cannot || !strings.Contains(got.Reason, "messages=get") {
		t.Errorf("compares as %+v, %v", got, err)
	}
	w.settings[setMessages] = messagesAll
	if got := w.copy()["messages/big"]; got != plugin.Created {
		t.Errorf("with it: %s", got)
	}
	if diff := cmp.Diff(before, w.objects("dstacct")); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if got, err := New().Compare(t.Context(), w.job(big)); err != nil || got.State != plugin.Same || got.Proven || got.Reason == "" {
		t.Errorf("compares as %+v, %v", got, err)
	}
	if got := w.copy()["messages/big"]; got != plugin.Unchanged {
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
			w.settings[setMessages] = messagesAll
			want := w.objects("srcacct")
			items := w.items(plugin.Replication, "")
			if _, err := New().Replicate(t.Context(), w.job(items[0])); err != nil {
				t.Fatal(err)
			}
			j := w.job(items[1])
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
			w.lab.Advance(2 * hold) // what was hidden comes back
			j.Checkpoint = checkpoint
			if _, err := New().Replicate(t.Context(), j); err != nil {
				t.Fatal(err)
			}
			got := w.objects("dstacct")
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
	w.settings[setMessages] = messagesFew
	w.seed("dstacct", `{"queues":[{"name":"orders","metadata":{"team":"other"},"messages":[{"text":"mine"}]}]}`)
	before := w.objects("dstacct")
	for _, it := range w.items(plugin.Replication, "empty") {
		if _, err := New().Replicate(t.Context(), w.job(it)); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v, want a conflict", it.Key, err)
		}
		got, err := New().Compare(t.Context(), w.job(it))
		if err != nil || got.State != plugin.Different {
			t.Errorf("%s compares as %+v, %v", it.Key, got, err)
		}
	}
	if diff := cmp.Diff(before, w.objects("dstacct")); diff != "" {
		t.Errorf("the target was changed:\n%s", diff)
	}
	for _, it := range w.items(plugin.Replication, "") {
		j := w.job(it)
		j.Overwrite = true
		if _, err := New().Replicate(t.Context(), j); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(w.objects("srcacct"), w.objects("dstacct")); diff != "" {
		t.Errorf("overwritten (-source +target):\n%s", diff)
	}
}

// TestCutQueueGoesOn: the queue was created, its policies were not yet set.
func TestCutQueueGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.seed("dstacct", `{"queues":[{"name":"orders","metadata":{"team":"sales"}}]}`)
	j := w.job(w.items(plugin.Template, "empty")[0])
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
	w.settings[setMessages] = messagesFew
	items := w.items(plugin.Replication, "")
	if _, err := New().Replicate(t.Context(), w.job(items[0])); err != nil {
		t.Fatal(err)
	}
	got, err := New().Replicate(t.Context(), w.job(items[1]))
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "1 of 2") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	w.settings[setMessages] = messagesFew
	items := w.items(plugin.Replication, "")
	for _, action := range []string{readQueues, writeQueues} {
		w.lab.Deny(func(n kit.Need) bool {
			for _, a := range n.Actions {
				if a == action {
					return true
				}
			}
			return false
		})
		_, err := New().Replicate(t.Context(), w.job(items[0]))
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.PermissionDenied || e.Action != action {
			t.Errorf("without %s: %v", action, err)
		}
	}
	w.lab.Deny(nil)
	gone := items[0]
	gone.Ref = plugin.Encode(ref{Name: "gone"})
	if _, err := New().Replicate(t.Context(), w.job(gone)); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a queue that is gone: %v", err)
	}
}
