package arm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

const vaults = "Microsoft.KeyVault/vaults"

// world is a running emulator with its default scenario.
type world struct {
	*emulator.Emulator
	source, target emulator.Identity
}

func start(t testing.TB, opt emulator.Options) *world {
	t.Helper()
	opt.Strict = true
	e, err := emulator.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	w := &world{Emulator: e}
	if w.source, err = e.Principal("contoso"); err != nil {
		t.Fatal(err)
	}
	if w.target, err = e.Principal("fabrikam"); err != nil {
		t.Fatal(err)
	}
	return w
}

// client signs in as one of the principals.
func (w *world) client(t testing.TB, side plugin.Side, id emulator.Identity) *arm.Client {
	t.Helper()
	options := pipeline.New(pipeline.Options{Side: side, Transport: &http.Client{Transport: w.Transport()}, RetryDelay: 1})
	res, err := auth.Resolve(t.Context(), auth.Config{
		Side: side, TenantID: id.TenantID, Options: options,
		Flags: auth.Principal{Origin: "test", ClientID: id.AppID, ClientSecret: secret.New(id.Secret)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return arm.NewClient(side, res.TenantID, res.Credential, options)
}

// put writes a vault and returns its ID.
func (w *world) put(t testing.TB, sub, group, typ, name string, tags map[string]any) string {
	t.Helper()
	id := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", sub, group, typ, name)
	body := map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{}}
	switch typ {
	case vaults:
		body["properties"] = map[string]any{
			"tenantId": w.TenantOf(sub), "sku": map[string]any{"family": "A", "name": "premium"}, "enableRbacAuthorization": true,
		}
	case "Microsoft.Storage/storageAccounts":
		body["kind"], body["sku"] = "StorageV2", map[string]any{"name": "Standard_LRS"}
	}
	if err := w.ARM().Put(id, body); err != nil {
		t.Fatal(err)
	}
	return id
}

// TenantOf returns the tenant of a subscription.
func (w *world) TenantOf(sub string) string { return w.ARM().TenantOf("/subscriptions/" + sub) }

func (w *world) group(t testing.TB, sub, name string) {
	t.Helper()
	if err := w.ARM().Put("/subscriptions/"+sub+"/resourceGroups/"+name, map[string]any{"location": "westeurope"}); err != nil {
		t.Fatal(err)
	}
}

// find collects what a finder yields, sorted by ID.
func find(t testing.TB, f *arm.Finder, types ...string) ([]string, []error) {
	t.Helper()
	var ids []string
	var failures []error
	for r, err := range f.Find(t.Context(), types) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids, failures
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{PageSize: 3})
	sub, other := w.source.SubscriptionID, "c0000000-0000-4000-8000-00000000aaaa"
	w.ARM().AddSubscription(w.source.TenantID, other, "contoso test")
	if err := w.ARM().Assign(w.source.TenantID, w.source.ObjectID, "/subscriptions/"+other, "Reader"); err != nil {
		t.Fatal(err)
	}
	w.group(t, sub, "rg-two")
	w.group(t, other, "rg-three")
	one := make([]string, 8) // three pages
	for i := range one {
		one[i] = w.put(t, sub, "rg-contoso", vaults, fmt.Sprintf("kv-one-%d", i), nil)
	}
	two := []string{w.put(t, sub, "rg-two", vaults, "kv-two", nil)}
	three := []string{w.put(t, other, "rg-three", vaults, "kv-three", nil)}
	storage := []string{w.put(t, sub, "rg-two", "Microsoft.Storage/storageAccounts", "st0two", nil)}
	w.put(t, w.target.SubscriptionID, "rg-fabrikam", vaults, "kv-of-fabrikam", nil)

	client := w.client(t, plugin.Source, w.source)
	tests := []struct {
		name  string
		scope arm.Scope
		types []string
		want  []string
	}{
		{"all subscriptions, one type", arm.Scope{}, []string{vaults}, slices.Concat(one, two, three)},
		{"one subscription", arm.Scope{Subscriptions: []string{sub}}, []string{"microsoft.keyvault/VAULTS"}, slices.Concat(one, two)},
		{"one group", arm.Scope{Subscriptions: []string{sub}, ResourceGroups: []string{"rg-two"}}, []string{vaults}, two},
		{"two groups, two types", arm.Scope{Subscriptions: []string{sub}, ResourceGroups: []string{"rg-two", "RG-Contoso"}}, []string{vaults, "Microsoft.Storage/storageAccounts"}, slices.Concat(one, two, storage)},
		{"every type", arm.Scope{Subscriptions: []string{sub}}, nil, slices.Concat(one, two, storage)},
		{"a type that nobody has", arm.Scope{}, []string{"Microsoft.Web/sites"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ids, failures := find(t, client.Finder(tt.scope), tt.types...)
			slices.Sort(tt.want)
			if d := cmp.Diff(tt.want, ids); d != "" || len(failures) > 0 {
				t.Errorf("%v (-want +got):\n%s", failures, d)
			}
		})
	}
}

func TestFoundResource(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.source.SubscriptionID, "rg-contoso", "Microsoft.Storage/storageAccounts", "stcontoso", map[string]any{"env": "prod"})
	want := plugin.Resource{
		ID: id, Type: "Microsoft.Storage/storageAccounts", Kind: "StorageV2", Name: "stcontoso", ResourceGroup: "rg-contoso",
		SubscriptionID: w.source.SubscriptionID, TenantID: scenario.ContosoTenant, Location: "westeurope", SKU: "Standard_LRS",
		Tags: map[string]string{"env": "prod"},
	}
	for got, err := range w.client(t, plugin.Source, w.source).Finder(arm.Scope{}).Find(t.Context(), []string{"Microsoft.Storage/storageAccounts"}) {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	var got []arm.Subscription
	for s, err := range w.client(t, plugin.Source, w.source).Subscriptions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	want := []arm.Subscription{{ID: w.source.SubscriptionID, Name: "contoso production", State: "Enabled", TenantID: w.source.TenantID}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestHydrate(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.target.SubscriptionID, "rg-fabrikam", vaults, "kv-app", map[string]any{"atg-source-id": "x"})
	got, err := w.client(t, plugin.Target, w.target).Hydrate(t.Context(), plugin.Resource{ID: strings.ToLower(id)})
	if err != nil {
		t.Fatal(err)
	}
	if got.SKU != "premium" || got.TenantID != w.target.TenantID || got.Tags["atg-source-id"] != "x" || got.Location != "westeurope" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(string(got.Properties), `"vaultUri"`) {
		t.Errorf("properties: %s", got.Properties)
	}
	for _, r := range w.Requests() {
		if r.Write() && r.Service == "arm" {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := "/subscriptions/" + w.target.SubscriptionID + "/resourceGroups/rg-fabrikam/providers/" + vaults + "/kv-none"
	_, err := w.client(t, plugin.Target, w.target).Hydrate(t.Context(), plugin.Resource{ID: id})
	e := errs.Find(err)
	if errs.KindOf(err) != errs.NotFound || e.Side != "target" || e.Resource != id || e.Code != "ResourceNotFound" || e.RequestID == "" {
		t.Errorf("%+v", e)
	}
}

// The source's credential sees nothing of the target's tenant, and the other way round.
func TestOtherTenant(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.target.SubscriptionID, "rg-fabrikam", vaults, "kv-app", nil)
	client := w.client(t, plugin.Source, w.source)
	if _, err := client.Hydrate(t.Context(), plugin.Resource{ID: id}); err == nil || errs.KindOf(err) == errs.Internal {
		t.Errorf("the resource was read, or: %v", err)
	}
	ids, failures := find(t, client.Finder(arm.Scope{Subscriptions: []string{w.target.SubscriptionID}}), vaults)
	if len(ids) > 0 || len(failures) != 1 {
		t.Errorf("found %v; %v", ids, failures)
	}
}

// A principal with a role on one resource group alone can still be served.
func TestRoleOnAGroup(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.source.SubscriptionID, "rg-contoso", vaults, "kv-app", nil)
	w.ARM().Unassign(w.source.ObjectID)
	if err := w.ARM().Assign(w.source.TenantID, w.source.ObjectID, "/subscriptions/"+w.source.SubscriptionID+"/resourceGroups/rg-contoso", "Reader"); err != nil {
		t.Fatal(err)
	}
	client := w.client(t, plugin.Source, w.source)
	ids, failures := find(t, client.Finder(arm.Scope{Subscriptions: []string{w.source.SubscriptionID}, ResourceGroups: []string{"rg-contoso"}}), vaults)
	if d := cmp.Diff([]string{id}, ids); d != "" || len(failures) > 0 {
		t.Fatalf("%v (-want +got):\n%s", failures, d)
	}
	if _, err := client.Hydrate(t.Context(), plugin.Resource{ID: id}); err != nil {
		t.Error(err)
	}
}

func TestNoRole(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.source.SubscriptionID, "rg-contoso", vaults, "kv-app", nil)
	w.ARM().Unassign(w.source.ObjectID)
	_, err := w.client(t, plugin.Source, w.source).Hydrate(t.Context(), plugin.Resource{ID: id})
	e := errs.Find(err)
	if errs.KindOf(err) != errs.PermissionDenied || e.Action != "Microsoft.KeyVault/vaults/read" || e.Side != "source" {
		t.Errorf("%+v", e)
	}
}

// One subscription that cannot be listed does not hide the others.
func TestOneBadSubscription(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	id := w.put(t, w.source.SubscriptionID, "rg-contoso", vaults, "kv-app", nil)
	none := "c0000000-0000-4000-8000-00000000ffff"
	ids, failures := find(t, w.client(t, plugin.Source, w.source).Finder(arm.Scope{Subscriptions: []string{none, w.source.SubscriptionID}}), vaults)
	if d := cmp.Diff([]string{id}, ids); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(failures) != 1 || !strings.Contains(failures[0].Error(), none) || !strings.Contains(failures[0].Error(), "(source)") {
		t.Errorf("%v", failures)
	}
}

func TestThrottledListing(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{PageSize: 2})
	for i := range 5 {
		w.put(t, w.source.SubscriptionID, "rg-contoso", vaults, fmt.Sprintf("kv-app-%d", i), nil)
	}
	client := w.client(t, plugin.Source, w.source)
	if err := w.AddFault(wire.Fault{Name: "busy", Host: "management.azure.com", Kind: "status", Status: 503, Skip: 1, Count: 2}); err != nil {
		t.Fatal(err)
	}
	ids, failures := find(t, client.Finder(arm.Scope{Subscriptions: []string{w.source.SubscriptionID}}), vaults)
	if len(ids) != 5 || len(failures) > 0 {
		t.Errorf("%v; %v", ids, failures)
	}
}

// Who stops early asks for no further page; who cancels gets an end.
func TestBreakAndCancel(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{PageSize: 2})
	for i := range 6 {
		w.put(t, w.source.SubscriptionID, "rg-contoso", vaults, fmt.Sprintf("kv-app-%d", i), nil)
	}
	finder := w.client(t, plugin.Source, w.source).Finder(arm.Scope{Subscriptions: []string{w.source.SubscriptionID}})
	w.ResetRequests()
	for _, err := range finder.Find(t.Context(), []string{vaults}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if n := len(w.Requests()); n != 1 {
		t.Errorf("%d requests for the first resource", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	seen := 0
	for _, err := range finder.Find(ctx, []string{vaults}) {
		if last = err; err == nil {
			seen++
		}
		if seen == 2 {
			cancel()
		}
	}
	if seen != 2 || errs.KindOf(last) != errs.Canceled || !errors.Is(last, context.Canceled) {
		t.Errorf("%d resources, then %v", seen, last)
	}
}
