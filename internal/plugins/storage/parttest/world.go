// Package parttest is what tests of a single part share: two accounts of the emulated
// service that the part is for, without sign-in and Resource Manager. It is imported by
// tests only.
package parttest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// The accounts of a World.
const (
	Source = "srcacct"
	Target = "dstacct"
)

// World is two accounts of one service.
type World struct {
	testing.TB
	Part     part.Part
	Lab      *kittest.Lab
	From, To *account.Account
	Settings map[string]string // where the default is not wanted

	srv kit.Server
}

// New starts the service that start makes, which is told the time by clock, and seeds the
// source with data, a scenario's "data" object.
func New(t testing.TB, p part.Part, start func(clock wire.Clock) kit.Server, data string) *World {
	t.Helper()
	w := &World{TB: t, Part: p, Settings: map[string]string{}}
	w.srv = start(func() time.Time { return w.Lab.Now() })
	service := kit.Kind(p.About().Service)
	w.Lab = kittest.New(t, map[kit.Kind]kit.Server{service: w.srv})
	w.Lab.Advance(time.Since(w.Lab.Now())) // plugins know one time alone
	w.Seed(Source, data)
	w.From, w.To = w.account(Source, service), w.account(Target, service)
	return w
}

// Seed adds to an account what a scenario's "data" object holds.
func (w *World) Seed(name, data string) {
	w.Helper()
	if err := w.srv.Seed(kittest.Account(name), json.RawMessage(data), w.Lab.Now()); err != nil {
		w.Fatal(err)
	}
}

func (w *World) account(name string, service kit.Kind) *account.Account {
	w.Helper()
	a, err := (&account.Cache{}).For(plugin.Endpoint{
		Resource: plugin.Resource{
			ID: kittest.Account(name).ID, Name: name,
			Properties: fmt.Appendf(nil, `{"primaryEndpoints":{%q:"https://%s.%s.core.windows.net/"}}`, service, name, service),
		},
		Options: policy.ClientOptions{Transport: w.Lab.Client, Retry: policy.RetryOptions{MaxRetries: -1}},
		Secret: func(what string) (secret.Value, bool) {
			return secret.New(base64.StdEncoding.EncodeToString([]byte("key"))), what == "accountKey"
		},
	}, false)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *World) setting(name string) string {
	if v, ok := w.Settings[name]; ok {
		return v
	}
	for _, s := range w.Part.About().Settings {
		if s.Name == name {
			return s.Default
		}
	}
	return ""
}

// Items lists the source behind a cursor; beside, if set, the target is listed alongside.
func (w *World) Items(mode plugin.Mode, after string, beside bool) (items []plugin.Item) {
	w.Helper()
	l := part.Listing{Source: w.From, Mode: mode, After: after, Setting: w.setting}
	if beside {
		l.Target = w.To
	}
	w.Part.Discover(w.Context(), l, func(it plugin.Item, err error) bool {
		if err != nil {
			w.Fatal(err)
		}
		items = append(items, it)
		return true
	})
	return items
}

// Item lists the source and returns the item of a key.
func (w *World) Item(key plugin.Key) plugin.Item {
	w.Helper()
	for _, it := range w.Items(plugin.Replication, "", false) {
		if it.Key == key {
			return it
		}
	}
	w.Fatalf("there is no item %s", key)
	return plugin.Item{}
}

// Job is the work on an item.
func (w *World) Job(it plugin.Item) part.Job {
	j := part.Job{From: w.From, To: w.To, Setting: w.setting}
	j.Item = it
	return j
}

// Copy replicates everything and returns how each item ended.
func (w *World) Copy(beside bool) map[plugin.Key]plugin.Status {
	w.Helper()
	out := map[plugin.Key]plugin.Status{}
	for _, it := range w.Items(plugin.Replication, "", beside) {
		got, err := w.Part.Replicate(w.Context(), w.Job(it))
		if err != nil {
			w.Fatalf("%s: %v", it.Key, err)
		}
		out[it.Key] = got.Status
	}
	return out
}

// Objects are those of an account, by key, without the fields that differ by nature.
func (w *World) Objects(name string, without ...string) map[string]map[string]string {
	w.Helper()
	found, err := w.srv.Objects(kittest.Account(name))
	if err != nil {
		w.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, o := range found {
		for _, field := range without {
			delete(o.Fields, field)
		}
		out[o.Key] = o.Fields
	}
	return out
}
