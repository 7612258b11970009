package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// side says how one of a lab's two accounts differs from an empty one of general purpose.
type side struct {
	data       string // seed
	kind, sku  string
	properties map[string]any
}

// lab is an emulated Azure with a storage account in each of two tenants, and the plugin.
type lab struct {
	testing.TB
	*emulator.Emulator
	plugin         *Plugin
	source, target plugin.Endpoint
	calls          *calls
	ahead          atomic.Int64 // nanoseconds by which the services' clock is ahead
}

// later moves the services' clock.
func (l *lab) later(d time.Duration) { l.ahead.Add(int64(d)) }

// calls counts the clients' requests, and lets a test answer them.
type calls struct {
	mu   sync.Mutex // guards what follows
	log  []string
	rule func(*http.Request) *http.Response
	done func(*http.Request) // told of each request that was answered; may be nil
}

// Do implements policy.Policy.
func (c *calls) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	what := raw.Method
	if comp := raw.URL.Query().Get("comp"); comp != "" {
		what += " " + comp
	}
	for name := range raw.Header {
		if strings.EqualFold(name, "x-ms-copy-source") { // the SDK spells it as it likes
			what += " from URL"
		}
	}
	c.mu.Lock()
	c.log = append(c.log, what)
	rule, done := c.rule, c.done
	c.mu.Unlock()
	if rule != nil {
		if resp := rule(raw); resp != nil {
			return resp, nil
		}
	}
	resp, err := req.Next()
	if err == nil && done != nil {
		done(raw)
	}
	return resp, err
}

// take returns the requests since the last call, sorted and counted: "2 GET list".
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := map[string]int{}
	for _, what := range c.log {
		count[what]++
	}
	c.log = nil
	var out []string
	for what, n := range count {
		out = append(out, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(out)
	return out
}

// answer makes every request that rule picks get an error of the service.
func (c *calls) answer(status int, code string, picks func(*http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rule = func(r *http.Request) *http.Response {
		if !picks(r) {
			return nil
		}
		body := "<Error><Code>" + code + "</Code><Message>as the test wants it</Message></Error>"
		return &http.Response{
			StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{"X-Ms-Error-Code": {code}, "Content-Type": {"application/xml"}},
			Body: readCloser{strings.NewReader(body)}, Request: r,
		}
	}
}

type readCloser struct{ *strings.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

func newLab(t testing.TB, source, target side) *lab {
	t.Helper()
	world := scenario.Default()
	add := func(tenant int, name string, s side) string {
		sub := &world.Tenants[tenant].Subscriptions[0]
		if s.kind == "" {
			s.kind = "StorageV2"
		}
		if s.sku == "" {
			s.sku = "Standard_LRS"
		}
		res := scenario.Resource{
			Type: "Microsoft.Storage/storageAccounts", Name: name, Data: json.RawMessage(s.data), Kind: s.kind, SKU: map[string]any{"name": s.sku}, Properties: s.properties,
		}
		sub.ResourceGroups[0].Resources = append(sub.ResourceGroups[0].Resources, res)
		for _, role := range []string{"Storage Blob Data Owner", "Storage File Data Privileged Contributor"} {
			who := world.Tenants[tenant].RoleAssignments[0]
			who.Role = role
			world.Tenants[tenant].RoleAssignments = append(world.Tenants[tenant].RoleAssignments, who)
		}
		return scenario.ResourceID(sub.ID, sub.ResourceGroups[0].Name, res)
	}
	from, to := add(0, "stcontoso", source), add(1, "stfabrikam", target)
	l := &lab{TB: t, calls: &calls{}, plugin: New()}
	var err error
	if l.Emulator, err = emulator.Start(emulator.Options{
		Scenario: world, Strict: true, Clock: func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) },
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
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
	sku, _ := res.Body["sku"].(map[string]any)
	kind, _ := res.Body["kind"].(string)
	skuName, _ := sku["name"].(string)
	client := &http.Client{Transport: l.Transport()}
	l.Cleanup(client.CloseIdleConnections)
	return plugin.Endpoint{
		Resource:   plugin.Resource{ID: id, Type: res.Type, Name: res.Name, TenantID: who.TenantID, Properties: props, Kind: kind, SKU: skuName},
		Credential: &appCredential{who: who, client: client},
		Options: policy.ClientOptions{
			Cloud: cloud.AzurePublic, Transport: client, PerRetryPolicies: []policy.Policy{l.calls},
			Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond, MaxRetryDelay: time.Second},
		},
	}
}

// appCredential signs an application in with its secret, once for each scope.
type appCredential struct {
	who    emulator.Identity
	client *http.Client
}

func (c *appCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
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
}

// blobs is a run over the blob service alone.
func blobs(settings ...string) run {
	r := run{mode: plugin.Replication, settings: plugin.Settings{"parts": "blobs"}}
	for i := 0; i+1 < len(settings); i += 2 {
		r.settings[settings[i]] = settings[i+1]
	}
	return r
}

func (r run) over() run {
	r.overwrite = true
	return r
}

func (r run) list(l *lab, after string) ([]plugin.Item, []error) {
	opt := plugin.DiscoverOptions{Mode: r.mode, Settings: r.settings, After: after, Target: &l.target}
	var out []plugin.Item
	var failed []error
	for it, err := range l.plugin.Discover(l.Context(), l.source, opt) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		out = append(out, it)
	}
	return out, failed
}

// items lists the source, which must succeed.
func (l *lab) items(r run) []plugin.Item {
	l.Helper()
	out, failed := r.list(l, "")
	if len(failed) > 0 {
		l.Fatal(errors.Join(failed...))
	}
	return out
}

func (l *lab) task(r run, it plugin.Item) plugin.Task {
	return plugin.Task{Source: l.source, Target: l.target, Mode: r.mode, Item: it, Settings: r.settings, Overwrite: r.overwrite}
}

// all replicates everything and returns the outcomes; nothing may fail.
func (l *lab) all(r run) map[plugin.Key]plugin.Outcome {
	l.Helper()
	out := map[plugin.Key]plugin.Outcome{}
	for _, it := range l.items(r) {
		got, err := l.plugin.Replicate(l.Context(), l.task(r, it))
		if err != nil {
			l.Errorf("Replicate %s: %v", it.Key, err)
			continue
		}
		out[it.Key] = got
	}
	return out
}

// item returns the listed item with a key.
func (l *lab) item(r run, key plugin.Key) plugin.Item {
	l.Helper()
	for _, it := range l.items(r) {
		if it.Key == key {
			return it
		}
	}
	l.Fatalf("%s is not listed", key)
	return plugin.Item{}
}

func (l *lab) replicate(r run, key plugin.Key) (plugin.Outcome, error) {
	l.Helper()
	return l.plugin.Replicate(l.Context(), l.task(r, l.item(r, key)))
}

// refused replicates one item, which must fail.
func (l *lab) refused(r run, key plugin.Key) *errs.Error {
	l.Helper()
	out, err := l.replicate(r, key)
	if errs.Find(err) == nil {
		l.Fatalf("Replicate %s: got %+v, %v; want an *errs.Error", key, out, err)
	}
	return errs.Find(err)
}

func (l *lab) compare(r run, key plugin.Key) plugin.Comparison {
	l.Helper()
	c, err := l.plugin.Compare(l.Context(), l.task(r, l.item(r, key)))
	if err != nil {
		l.Fatalf("Compare %s: %v", key, err)
	}
	return c
}

// own are the fields of an object that are the service's, or those of the kind of account.
var own = []string{"etag", "modified", "blocks", "appends", "lease", "uncommittedBlocks", "tierInferred", "copyStatus"}

// objects returns what an account holds, by key, without what a copy does not carry.
func (l *lab) objects(e plugin.Endpoint) map[string]map[string]string {
	l.Helper()
	list, err := l.Objects(e.Resource.ID)
	if err != nil {
		l.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, o := range list {
		for _, f := range own {
			delete(o.Fields, f)
		}
		out[o.Key] = o.Fields
	}
	return out
}

// seed adds to an account.
func (l *lab) seed(e plugin.Endpoint, data string) {
	l.Helper()
	if err := l.Seed(e.Resource.ID, json.RawMessage(data)); err != nil {
		l.Fatal(err)
	}
}
