// Package lab gives a check of the conformance suite an Azure of its own: an emulator
// with two tenants, resources and principals as the check needs them, and a tap on each
// side's connections.
package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Options shape a World.
type Options struct {
	Service func(emulator.Kit) wire.Service // a service beside the built-in ones; may be nil
	LogKeep int                             // lines of the request log to keep; 0: the emulator's default
}

// World is an emulated Azure with a source and a target tenant, each with one
// subscription and one resource group.
type World struct {
	emu     *emulator.Emulator
	net     *http.Transport
	tenants map[plugin.Side]tenant
	number  atomic.Int64

	mu     sync.Mutex // guards owners
	owners map[plugin.Side]azcore.TokenCredential
}

type tenant struct{ id, subscription, group string }

// New starts a World. Close it when done.
func New(opt Options) (*World, error) {
	eo := emulator.Options{Strict: true, LogKeep: opt.LogKeep, Clock: fastClock(), TokenLifetime: 365 * 24 * time.Hour}
	if opt.Service != nil {
		eo.Extra = []emulator.ExtraService{opt.Service}
	}
	emu, err := emulator.Start(eo)
	if err != nil {
		return nil, err
	}
	w := &World{emu: emu, net: emu.Transport(), tenants: map[plugin.Side]tenant{}, owners: map[plugin.Side]azcore.TokenCredential{}}
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		if err := w.addTenant(side); err != nil {
			_ = emu.Close()
			return nil, err
		}
	}
	return w, nil
}

// fastClock runs a thousand times as fast as the true time: what a service takes
// seconds to finish is done by the next request.
func fastClock() wire.Clock {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start) * 1_000) }
}

// Close stops the emulator.
func (w *World) Close() error { return w.emu.Close() }

func (w *World) addTenant(side plugin.Side) error {
	t := tenant{id: uuid.NewString(), subscription: uuid.NewString()}
	t.group = "/subscriptions/" + t.subscription + "/resourceGroups/rg-check"
	domain := string(side) + ".onmicrosoft.com"
	w.emu.Entra().AddTenant(entra.Tenant{ID: t.id, Name: "check-" + string(side), Domain: domain})
	w.emu.ARM().AddTenant(t.id, "check-"+string(side), domain)
	w.emu.ARM().AddSubscription(t.id, t.subscription, "Conformance "+string(side))
	w.tenants[side] = t
	return w.emu.ARM().Put(t.group, map[string]any{"location": "westeurope"})
}

// TenantID returns the tenant of a side.
func (w *World) TenantID(side plugin.Side) string { return w.tenants[side].id }

// AddResource creates a resource of an ARM type under a new name, legal for every Azure
// type (3 to 24 lower-case letters and digits), and returns it as ARM describes it.
func (w *World) AddResource(side plugin.Side, typ string, body map[string]any) (plugin.Resource, error) {
	t := w.tenants[side]
	name := fmt.Sprintf("check%s%04d", side, w.number.Add(1))
	id := t.group + "/providers/" + typ + "/" + name
	if err := w.emu.ARM().Put(id, body); err != nil {
		return plugin.Resource{}, fmt.Errorf("create %s: %w", id, err)
	}
	got, ok := w.emu.ARM().Get(id)
	if !ok {
		return plugin.Resource{}, fmt.Errorf("create %s: it is not there afterwards", id)
	}
	return describe(got, t)
}

// describe reads an ARM body the way an inventory does.
func describe(got wire.Resource, t tenant) (plugin.Resource, error) {
	res := plugin.Resource{
		ID: got.ID, Type: got.Type, Name: got.Name, ResourceGroup: "rg-check",
		SubscriptionID: t.subscription, TenantID: t.id,
	}
	raw, err := json.Marshal(got.Body)
	if err != nil {
		return res, err
	}
	var body struct {
		Kind, Location string
		Tags           map[string]string
		SKU            struct{ Name string }
		Properties     json.RawMessage
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return res, err
	}
	res.Kind, res.Location, res.Tags = body.Kind, body.Location, body.Tags
	res.SKU, res.Properties = body.SKU.Name, body.Properties
	return res, nil
}

// Rights are what a principal may do at one scope.
type Rights struct{ Actions, DataActions []string }

// Owner returns the credential of a principal that may do everything in a side's resource
// group. It is the same at each call.
func (w *World) Owner(side plugin.Side) (azcore.TokenCredential, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owners[side] == nil {
		cred, err := w.Principal(side, w.tenants[side].group, Rights{Actions: []string{"*"}, DataActions: []string{"*"}})
		if err != nil {
			return nil, err
		}
		w.owners[side] = cred
	}
	return w.owners[side], nil
}

// Principal makes a principal in a side's tenant that holds exactly the given rights at
// one scope, through a custom role, and returns its credential.
func (w *World) Principal(side plugin.Side, scope string, r Rights) (azcore.TokenCredential, error) {
	t := w.tenants[side]
	app := entra.App{AppID: uuid.NewString(), ObjectID: uuid.NewString(), Secret: uuid.NewString(), Name: "check-" + uuid.NewString()[:8]}
	if err := w.emu.Entra().AddApp(t.id, app); err != nil {
		return nil, err
	}
	if len(r.Actions)+len(r.DataActions) > 0 {
		role, err := w.emu.ARM().DefineRole(t.id, "Role of "+app.Name, r.Actions, nil, r.DataActions, nil)
		if err != nil {
			return nil, err
		}
		if err := w.emu.ARM().Assign(t.id, app.ObjectID, scope, role); err != nil {
			return nil, err
		}
	}
	return &credential{tenantID: t.id, appID: app.AppID, objectID: app.ObjectID, secret: app.Secret, client: &http.Client{Transport: w.net}}, nil
}

// Endpoint returns one side as a plugin gets it. Requests go through tap; they are
// retried with waits of a millisecond, and not at all if retries is 0.
func (w *World) Endpoint(res plugin.Resource, cred azcore.TokenCredential, tap *Tap, retries int) plugin.Endpoint {
	ro := policy.RetryOptions{MaxRetries: int32(retries), RetryDelay: 1e6, MaxRetryDelay: 2e6}
	if retries == 0 {
		ro.MaxRetries = -1 // azcore's word for none
	}
	return plugin.Endpoint{
		Resource: res, Credential: cred,
		Options: policy.ClientOptions{
			Cloud: cloud.AzurePublic, Transport: tap, Retry: ro, Telemetry: policy.TelemetryOptions{Disabled: true},
			PerRetryPolicies: []policy.Policy{pipeline.Detach()},
		},
	}
}

// NewTap returns an open tap onto the emulator.
func (w *World) NewTap() *Tap { return &Tap{next: w.net} }

// CloseIdle closes connections that wait for another request.
func (w *World) CloseIdle() { w.net.CloseIdleConnections() }

// Seed fills a resource behind the wire.
func (w *World) Seed(resourceID string, data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	return w.emu.Seed(resourceID, data)
}

// Objects returns what a resource holds.
func (w *World) Objects(resourceID string) ([]wire.Object, error) { return w.emu.Objects(resourceID) }

// Requests returns the request log since the last Forget.
func (w *World) Requests() []wire.Request { return w.emu.Requests() }

// To returns those of the logged requests that went to a host.
func (w *World) To(host string) []wire.Request {
	var out []wire.Request
	for _, r := range w.emu.Requests() {
		if strings.EqualFold(r.Host, host) {
			out = append(out, r)
		}
	}
	return out
}

// Forget empties the request log.
func (w *World) Forget() { w.emu.ResetRequests() }

// Fault scripts a failure; it stands behind those scripted before.
func (w *World) Fault(f wire.Fault) error { return w.emu.AddFault(f) }

// Heal removes all faults.
func (w *World) Heal() { w.emu.ClearFaults() }
