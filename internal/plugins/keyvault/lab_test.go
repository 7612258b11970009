package keyvault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// clock is the emulator's time. Waiting moves it, so that nothing is waited for.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// lab is an emulated Azure with a vault in each of two tenants, and the plugin.
type lab struct {
	testing.TB
	*emulator.Emulator
	plugin         *Plugin
	clock          *clock
	source, target plugin.Endpoint
}

// vaults says how the two vaults differ from empty ones of the premium SKU.
type vaults struct {
	source, target string // seeds
	targetSKU      string
}

func newLab(t testing.TB, v vaults) *lab {
	t.Helper()
	if v.targetSKU == "" {
		v.targetSKU = "premium"
	}
	world := scenario.Default()
	add := func(tenant int, name, sku, data string) string {
		s := &world.Tenants[tenant].Subscriptions[0]
		res := scenario.Resource{
			Type: "Microsoft.KeyVault/vaults", Name: name, Data: json.RawMessage(data),
			Properties: map[string]any{
				"tenantId": world.Tenants[tenant].ID, "enableRbacAuthorization": true, "accessPolicies": []any{},
				"sku": map[string]any{"family": "A", "name": sku},
			},
		}
		s.ResourceGroups[0].Resources = append(s.ResourceGroups[0].Resources, res)
		return scenario.ResourceID(s.ID, s.ResourceGroups[0].Name, res)
	}
	from, to := add(0, "kv-contoso", "premium", v.source), add(1, "kv-fabrikam", v.targetSKU, v.target)
	l := &lab{TB: t, clock: &clock{now: time.Now()}}
	var err error
	l.Emulator, err = emulator.Start(emulator.Options{Scenario: world, Strict: true, Clock: l.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	l.plugin = New()
	l.plugin.sleep = l.clock.sleep
	l.source, l.target = l.endpoint("contoso", from), l.endpoint("fabrikam", to)
	return l
}

func (l *lab) endpoint(tenant, id string) plugin.Endpoint {
	l.Helper()
	who, err := l.Principal(tenant)
	if err != nil {
		l.Fatal(err)
	}
	res, ok := l.ARM().Get(id)
	if !ok {
		l.Fatalf("there is no %s", id)
	}
	props, err := json.Marshal(res.Body["properties"])
	if err != nil {
		l.Fatal(err)
	}
	client := &http.Client{Transport: l.Transport()}
	l.Cleanup(client.CloseIdleConnections)
	return plugin.Endpoint{
		Resource:   plugin.Resource{ID: id, Type: res.Type, Name: res.Name, TenantID: who.TenantID, Properties: props},
		Credential: &appCredential{who: who, client: client},
		Options: policy.ClientOptions{
			Cloud: cloud.AzurePublic, Transport: client,
			Retry: policy.RetryOptions{MaxRetries: 3, RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Second},
		},
	}
}

// appCredential signs an application in with its secret.
type appCredential struct {
	who    emulator.Identity
	client *http.Client
}

func (c *appCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.TenantID != c.who.TenantID {
		return azcore.AccessToken{}, fmt.Errorf("AADSTS90072: not for tenant %s", o.TenantID)
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.who.AppID}, "client_secret": {c.who.Secret}, "scope": {strings.Join(o.Scopes, " ")},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"https://login.microsoftonline.com/"+c.who.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.client.Do(req)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return azcore.AccessToken{Token: answer.Token, ExpiresOn: time.Now().Add(time.Duration(answer.Seconds) * time.Second)}, err
}

// run is how a test wants items to be handled.
type run struct {
	mode      plugin.Mode
	settings  plugin.Settings
	overwrite bool
	mark      []byte // checkpoint of an earlier attempt
}

func full(settings ...string) run { return run{mode: plugin.Replication, settings: pairs(settings)} }

func template(settings ...string) run { return run{mode: plugin.Template, settings: pairs(settings)} }

func (r run) over() run {
	r.overwrite = true
	return r
}

func pairs(list []string) plugin.Settings {
	out := plugin.Settings{}
	for i := 0; i+1 < len(list); i += 2 {
		out[list[i]] = list[i+1]
	}
	return out
}

// list discovers the source, which must succeed.
func (l *lab) list(r run) []plugin.Item {
	l.Helper()
	var out []plugin.Item
	for it, err := range l.plugin.Discover(l.context(), l.source, plugin.DiscoverOptions{Mode: r.mode, Settings: r.settings}) {
		if err != nil {
			l.Fatal(err)
		}
		out = append(out, it)
	}
	return out
}

func (l *lab) context() context.Context { return l.Context() }

// item returns the listed item with a key.
func (l *lab) item(r run, key string) plugin.Item {
	l.Helper()
	for _, it := range l.list(r) {
		if string(it.Key) == key {
			return it
		}
	}
	l.Fatalf("%s is not listed", key)
	return plugin.Item{}
}

func (l *lab) task(r run, it plugin.Item) plugin.Task {
	return plugin.Task{
		Source: l.source, Target: l.target, Mode: r.mode, Item: it, Settings: r.settings, Overwrite: r.overwrite, Checkpoint: r.mark,
	}
}

// replicate replicates one item, which must succeed.
func (l *lab) replicate(r run, key string) plugin.Outcome {
	l.Helper()
	out, err := l.plugin.Replicate(l.context(), l.task(r, l.item(r, key)))
	if err != nil {
		l.Fatalf("Replicate %s: %v", key, err)
	}
	return out
}

// refused replicates one item, which must fail.
func (l *lab) refused(r run, key string) *errs.Error {
	l.Helper()
	out, err := l.plugin.Replicate(l.context(), l.task(r, l.item(r, key)))
	if errs.Find(err) == nil {
		l.Fatalf("Replicate %s: got %+v, %v; want an *errs.Error", key, out, err)
	}
	return errs.Find(err)
}

// compare compares one item, which must succeed.
func (l *lab) compare(r run, key string) plugin.Comparison {
	l.Helper()
	c, err := l.plugin.Compare(l.context(), l.task(r, l.item(r, key)))
	if err != nil {
		l.Fatalf("Compare %s: %v", key, err)
	}
	return c
}

// fields returns what the emulator knows of one object of a vault; nil if there is none.
func (l *lab) fields(e plugin.Endpoint, key string) map[string]string {
	l.Helper()
	objects, err := l.Objects(e.Resource.ID)
	if err != nil {
		l.Fatal(err)
	}
	for _, o := range objects {
		if o.Key == key {
			return o.Fields
		}
	}
	return nil
}

// calls returns "METHOD host path" of the requests to vaults that were more than a
// challenge, since the last call.
func (l *lab) calls() []wire.Request {
	var out []wire.Request
	for _, r := range l.Requests() {
		if r.Service == "keyvault" && r.Status != http.StatusUnauthorized {
			out = append(out, r)
		}
	}
	l.ResetRequests()
	return out
}

func writes(calls []wire.Request) int {
	n := 0
	for _, r := range calls {
		if r.Write() {
			n++
		}
	}
	return n
}

func show(calls []wire.Request) string {
	var b strings.Builder
	for _, r := range calls {
		fmt.Fprintf(&b, "\n  %s %s%s %d %s", r.Method, r.Host, r.Path, r.Status, r.Code)
	}
	return b.String()
}

func (l *lab) wantStatus(got plugin.Outcome, want plugin.Status) {
	l.Helper()
	if got.Status != want {
		l.Fatalf("status is %q (%s), want %q", got.Status, got.Reason, want)
	}
}

func (l *lab) wantKind(got *errs.Error, want errs.Kind) {
	l.Helper()
	if errs.KindOf(got) != want {
		l.Fatalf("kind is %q, want %q: %v", errs.KindOf(got), want, got)
	}
}

// sameFields fails if the target's object is not as the source's in the named fields.
func (l *lab) sameFields(key string, names ...string) {
	l.Helper()
	src, dst := l.fields(l.source, key), l.fields(l.target, key)
	if src == nil || dst == nil {
		l.Fatalf("%s: source %v, target %v", key, src != nil, dst != nil)
	}
	for _, n := range names {
		if src[n] != dst[n] {
			l.Errorf("%s: %s is %q at the source and %q at the target", key, n, src[n], dst[n])
		}
	}
}
