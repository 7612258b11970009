package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const woodVersion = "2026-01-01"

func TestProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // strict: a type with a provider is known all the same
	p := &planks{typ: "Contoso.Wood/Planks"}
	w.Register(p)
	oak := groupA + "/providers/Contoso.Wood/Planks/oak"
	path := version(strings.ToLower(oak), woodVersion)
	a := w.do(t, owner, "PUT", path, `{"location":"westeurope","properties":{"length":1}}`)
	if a.status != http.StatusCreated || a.body["id"] != oak || a.field("properties", "length") != "made" {
		t.Fatalf("PUT: %d %s", a.status, a.raw)
	}
	if a = w.do(t, owner, "PATCH", path, `{"tags":{"a":"b"}}`); a.status != http.StatusOK {
		t.Errorf("PATCH: %d %s", a.status, a.raw)
	}
	if a = w.do(t, owner, "POST", version(oak+"/listKeys", woodVersion), `{"n":1}`); a.body["key"] != "oak" || a.body["sent"] != `{"n":1}` {
		t.Errorf("action: %d %s", a.status, a.raw)
	}
	wantError(t, w.do(t, owner, "POST", version(oak+"/burn", woodVersion), ""), http.StatusNotImplemented, "NotImplemented")
	wantError(t, w.do(t, owner, "POST", version(oak+"x/listKeys", woodVersion), ""), http.StatusNotFound, "ResourceNotFound")
	wantError(t, w.do(t, reader, "POST", version(oak+"/listKeys", woodVersion), ""), http.StatusForbidden, "AuthorizationFailed")
	wantError(t, w.do(t, owner, "PUT", version(oak+"2", woodVersion), `{}`), http.StatusBadRequest, "LocationRequired")
	if a = w.do(t, owner, "DELETE", path, ""); a.status != http.StatusOK {
		t.Errorf("DELETE: %d %s", a.status, a.raw)
	}
	want := []string{"put oak old=false", "put oak old=true", "action oak listKeys", "delete oak"}
	if diff := cmp.Diff(want, p.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &planks{typ: "Contoso.Wood/planks"}
	w.Register(p)
	oak := groupA + "/providers/Contoso.Wood/planks/oak"
	w.put(t, oak, map[string]any{})
	p.refuse = &wire.Error{Status: http.StatusConflict, Code: "KnotInWood", Message: "no"}
	for method, path := range map[string]string{"PUT": oak, "DELETE": oak, "POST": oak + "/listKeys"} {
		wantError(t, w.do(t, owner, method, version(path, woodVersion), `{"location":"westeurope"}`), http.StatusConflict, "KnotInWood")
	}
	if _, ok := w.Get(oak); !ok {
		t.Error("a refused DELETE deleted")
	}
	a := w.do(t, owner, "DELETE", version(groupA, resVersion), "")
	for range 2 {
		w.do(t, owner, "GET", a.header.Get("Location"), "")
	}
	wantError(t, w.do(t, owner, "GET", a.header.Get("Location"), ""), http.StatusConflict, "KnotInWood")
	if a = w.do(t, owner, "GET", version(groupA, resVersion), ""); a.field("properties", "provisioningState") != "Succeeded" {
		t.Errorf("the group afterwards: %s", a.raw)
	}
	if err := w.Put(oak, map[string]any{}); err == nil || !strings.Contains(err.Error(), "KnotInWood") {
		t.Errorf("seeding: %v", err)
	}
}

// TestGroupGoesWhileAResourceComes: the provider is told that the resource is gone again.
func TestGroupGoesWhileAResourceComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.Polls = 0 })
	p := &planks{typ: "Contoso.Wood/planks"}
	w.Register(p)
	p.hook = func(event string) {
		if strings.HasPrefix(event, "put") {
			w.do(t, owner, "DELETE", version(groupA, resVersion), "")
		}
	}
	a := w.do(t, owner, "PUT", version(groupA+"/providers/Contoso.Wood/planks/oak", woodVersion), `{"location":"westeurope"}`)
	wantError(t, a, http.StatusNotFound, "ResourceGroupNotFound")
	if diff := cmp.Diff([]string{"put oak old=false", "delete oak"}, p.seen()); diff != "" {
		t.Error(diff)
	}
}

// sawmill is a provider that also operates.
type sawmill struct {
	planks
	calls []wire.Call
}

// Operate implements wire.Operator.
func (s *sawmill) Operate(c wire.Call) (wire.Answer, bool, *wire.Error) {
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	switch strings.ToLower(strings.Join(c.Rest, "/")) {
	case "checknameavailability":
		return wire.Answer{Body: map[string]any{"nameAvailable": true, "sent": string(c.Body)}}, true, nil
	case "deletedplanks":
		return wire.Answer{Body: []any{map[string]any{"id": "1"}, map[string]any{"id": "2"}, map[string]any{"id": "3"}}}, true, nil
	case "locations/eastus/deletedplanks/oak":
		return wire.Answer{}, true, &wire.Error{Status: http.StatusNotFound, Code: "DeletedPlankNotFound", Message: "none"}
	case "paint/add":
		res := *c.Resource
		res.Body["properties"].(map[string]any)["paint"] = "red"
		return wire.Answer{Status: http.StatusCreated, Body: map[string]any{"painted": res.Name}, Resource: &res}, true, nil
	case "rings":
		return wire.Answer{Status: http.StatusNoContent}, true, nil
	}
	return wire.Answer{}, false, nil
}

func TestOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.PageSize = 2 })
	mill := &sawmill{planks: planks{typ: "Contoso.Wood/planks"}}
	w.Register(&planks{typ: "Contoso.Wood/boards"})
	w.Register(mill)
	ns := "/subscriptions/" + subA + "/providers/Contoso.Wood"
	oak := groupA + "/providers/Contoso.Wood/planks/oak"
	w.put(t, oak, map[string]any{})

	a := w.do(t, owner, "POST", version(ns+"/checkNameAvailability", woodVersion), `{"name":"x"}`)
	if a.body["nameAvailable"] != true || a.body["sent"] != `{"name":"x"}` {
		t.Errorf("operation of the subscription: %d %s", a.status, a.raw)
	}
	a = w.do(t, owner, "GET", version(ns+"/deletedPlanks", woodVersion), "")
	next, _ := a.body["nextLink"].(string)
	if len(a.ids()) != 2 || next == "" {
		t.Fatalf("first page: %s", a.raw)
	}
	if a = w.do(t, owner, "GET", next, ""); len(a.ids()) != 1 || a.body["nextLink"] != nil {
		t.Errorf("last page: %s", a.raw)
	}
	wantError(t, w.do(t, owner, "GET", version(ns+"/locations/eastus/deletedPlanks/oak", woodVersion), ""), http.StatusNotFound, "DeletedPlankNotFound")
	if a = w.do(t, owner, "PUT", version(oak+"/paint/add", woodVersion), `{}`); a.status != http.StatusCreated || a.body["painted"] != "oak" {
		t.Errorf("operation of a resource: %d %s", a.status, a.raw)
	}
	if r, _ := w.Get(oak); r.Body["properties"].(map[string]any)["paint"] != "red" {
		t.Errorf("the resource afterwards: %v", r.Body)
	}
	if a = w.do(t, owner, "GET", version(oak+"/rings", woodVersion), ""); a.status != http.StatusNoContent {
		t.Errorf("no content: %d", a.status)
	}
	wantError(t, w.do(t, owner, "GET", version(oak+"x/rings", woodVersion), ""), http.StatusNotFound, "ResourceNotFound")
	wantError(t, w.do(t, reader, "PUT", version(oak+"/paint/add", woodVersion), `{}`), http.StatusForbidden, "AuthorizationFailed")
	before := len(mill.calls)
	for _, plain := range []string{oak, groupA + "/providers/Contoso.Wood/planks", groupA + "/providers/Contoso.Wood/boards"} {
		if a = w.do(t, owner, "GET", version(plain, woodVersion), ""); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", plain, a.status, a.raw)
		}
	}
	if len(mill.calls) != before {
		t.Errorf("asked for a plain resource: %+v", mill.calls[before:])
	}
	last := mill.calls[0]
	if last.Subscription != subA || last.Caller.ObjectID != owner.object || last.Resource != nil || last.Method != "POST" {
		t.Errorf("call %+v", last)
	}
}

// TestLongRunningOperator: the table says that purge is a Begin….
func TestLongRunningOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Register(&purger{planks{typ: "Microsoft.KeyVault/vaults"}})
	c := w.clients(t, owner, subA)
	poller, err := c.vaults.BeginPurgeDeleted(t.Context(), "kv-gone", "westeurope", nil)
	if err != nil {
		t.Fatal(err)
	}
	if poller.Done() {
		t.Error("purged at once")
	}
	if _, err := poller.PollUntilDone(t.Context(), quick); err != nil {
		t.Fatal(err)
	}
}

type purger struct{ planks }

// Operate implements wire.Operator.
func (p *purger) Operate(c wire.Call) (wire.Answer, bool, *wire.Error) {
	return wire.Answer{}, len(c.Rest) == 5 && c.Rest[4] == "purge", nil
}

// TestConcurrentWrites: each PATCH of many finds the work of those before it.
func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.Polls = 0 })
	const n = 24
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			w.do(t, owner, "PATCH", version(vaultA, kvVersion), fmt.Sprintf(`{"tags":{"t%d":"x"}}`, i))
			w.do(t, owner, "PUT", version(fmt.Sprintf("%s-%d", vaultA, i), kvVersion), newVaultBody)
			w.do(t, owner, "GET", version("/subscriptions/"+subA+"/resources", resVersion), "")
			w.do(t, owner, "DELETE", version(fmt.Sprintf("%s-%d", vaultA, i), kvVersion), "")
		})
	}
	wg.Wait()
	r, _ := w.Get(vaultA)
	if tags := r.Body["tags"].(map[string]any); len(tags) != n+1 {
		t.Errorf("%d tags, want %d", len(tags), n+1)
	}
	if ids := w.do(t, owner, "GET", version("/subscriptions/"+subA+"/resources", resVersion), "").ids(); len(ids) != 1 {
		t.Errorf("left: %v", ids)
	}
}

func BenchmarkListTenThousand(b *testing.B) {
	w := newWorld(b)
	for i := range 10_000 {
		w.put(b, fmt.Sprintf("%s-%d", vaultA, i), map[string]any{"properties": map[string]any{"tenantId": tenantA}})
	}
	for b.Loop() {
		next := version("/subscriptions/"+subA+"/resources", resVersion)
		for next != "" {
			a := w.do(b, owner, "GET", next, "")
			next, _ = a.body["nextLink"].(string)
		}
	}
}
