package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// toy is a service that the emulator does not have: shelves of texts under
// *.toy.azure.net, open to anybody with a token for it.
type toy struct {
	kit emulator.Kit

	mu      sync.Mutex
	shelves map[string][]string
}

func newToy(k emulator.Kit) wire.Service { return &toy{kit: k, shelves: map[string][]string{}} }

func (s *toy) Name() string                        { return "toy" }
func (s *toy) Owns(host string) bool               { return strings.HasSuffix(host, ".toy.azure.net") }
func (s *toy) Type() string                        { return "Microsoft.Toys/shelves" }
func (s *toy) Put(_, _ *wire.Resource) *wire.Error { return nil }
func (s *toy) Delete(wire.Resource) *wire.Error    { return nil }
func (s *toy) Action(wire.Resource, string, json.RawMessage) (any, bool, *wire.Error) {
	return nil, false, nil
}

func (s *toy) Seed(id string, data json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	err := json.Unmarshal(data, &texts)
	s.shelves[strings.ToLower(id)] = append(s.shelves[strings.ToLower(id)], texts...)
	return err
}

func (s *toy) Objects(id string) ([]wire.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := s.shelves[strings.ToLower(id)]
	out := make([]wire.Object, 0, len(texts))
	for _, text := range texts {
		out = append(out, wire.Object{Key: text, Kind: "text"})
	}
	return out, nil
}

func (s *toy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := s.kit.Tokens.Verify(r)
	if err != nil {
		wire.WriteError(w, &wire.Error{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: err.Error()})
		return
	}
	fmt.Fprintf(w, "%s may: %v", c.AppID, s.kit.Access.Allowed(c, "/subscriptions/"+scenario.ContosoSubscription, "Microsoft.Toys/shelves/read", false))
}

func start(t testing.TB, opt emulator.Options) *emulator.Emulator {
	t.Helper()
	em, err := emulator.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := em.Close(); err != nil {
			t.Error(err)
		}
	})
	return em
}

func who(t testing.TB, em *emulator.Emulator, tenant string) emulator.Identity {
	t.Helper()
	id, err := em.Principal(tenant)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// proxied is a client of which only the proxy and the trusted authority are set, as the
// variables of Env do it for a foreign program.
func proxied(t testing.TB, em *emulator.Emulator) *http.Client {
	t.Helper()
	proxy, err := url.Parse(em.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(em.CAPEM()) {
		t.Fatal("no certificate authority")
	}
	tr := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func groups(t testing.TB, id emulator.Identity, client *http.Client) ([]string, error) {
	t.Helper()
	return listGroups(t, groupsClient(t, id, client))
}

func groupsClient(t testing.TB, id emulator.Identity, client *http.Client) *armresources.ResourceGroupsClient {
	t.Helper()
	co := policy.ClientOptions{Transport: client, Retry: policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.AppID, id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: co})
	if err != nil {
		t.Fatal(err)
	}
	rg, err := armresources.NewResourceGroupsClient(id.SubscriptionID, cred, &arm.ClientOptions{ClientOptions: co})
	if err != nil {
		t.Fatal(err)
	}
	return rg
}

func listGroups(t testing.TB, rg *armresources.ResourceGroupsClient) ([]string, error) {
	t.Helper()
	var names []string
	for p := rg.NewListPager(nil); p.More(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			return nil, err
		}
		for _, g := range page.Value {
			names = append(names, *g.Name)
		}
	}
	return names, nil
}

// TestAzureClients signs unmodified clients in, with instance discovery, both ways.
func TestAzureClients(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{Strict: true})
	remote, err := emulator.Connect(t.Context(), strings.TrimPrefix(em.ProxyURL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.CloseIdleConnections)
	for name, client := range map[string]*http.Client{
		"Transport": {Transport: em.Transport()}, "proxy": proxied(t, em), "Connect": {Transport: remote},
	} {
		for _, tenant := range []string{"contoso", scenario.FabrikamTenant, "fabrikam.onmicrosoft.com"} {
			id := who(t, em, tenant)
			got, err := groups(t, id, client)
			if want := []string{"rg-" + id.TenantName}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s: %v %v", name, tenant, got, err)
			}
		}
	}
	all := em.Requests()
	hosts := make([]string, 0, len(all))
	for _, r := range all {
		signIn := strings.HasSuffix(r.Path, "/token")
		if (r.Service == "arm" || signIn) && (r.TenantID == "" || r.AppID == "") {
			t.Errorf("the log does not say who asked: %+v", r)
		}
		hosts = append(hosts, r.Host)
	}
	for _, want := range []string{"login.microsoftonline.com", "management.azure.com"} {
		if !slices.Contains(hosts, want) {
			t.Errorf("no request to %s in the log", want)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	client := &http.Client{Transport: em.Transport()}
	mixed := who(t, em, "contoso")
	mixed.SubscriptionID = scenario.FabrikamSubscription
	if got, err := groups(t, mixed, client); err == nil {
		t.Errorf("contoso's principal reads fabrikam: %v", got)
	}
	mixed = who(t, em, "contoso")
	mixed.TenantID = scenario.FabrikamTenant
	if _, err := groups(t, mixed, client); err == nil || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Errorf("contoso's principal signs in to fabrikam: %v", err)
	}
}

// TestTokensDieInMidRun shows what a client sees that is signed in already.
func TestTokensDieInMidRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kill func(em *emulator.Emulator) error
		want string // in the error; "": the client recovers by itself
	}{
		{"revoked", func(em *emulator.Emulator) error { em.Entra().RevokeTokens(scenario.ContosoApp); return nil }, ""},
		{"application removed", func(em *emulator.Emulator) error {
			em.Entra().RemoveApp(scenario.ContosoTenant, scenario.ContosoApp)
			return nil
		}, "AADSTS700016"},
		{"expired on the way", func(em *emulator.Emulator) error {
			return em.AddFault(wire.Fault{Kind: "expired", Host: "management.azure.com"})
		}, "ExpiredAuthenticationToken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			em := start(t, emulator.Options{})
			rg := groupsClient(t, who(t, em, "contoso"), &http.Client{Transport: em.Transport()})
			if _, err := listGroups(t, rg); err != nil {
				t.Fatal(err)
			}
			if err := tt.kill(em); err != nil {
				t.Fatal(err)
			}
			_, err := listGroups(t, rg)
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestFaultsMeetClients(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	id := who(t, em, "contoso")
	for _, f := range []wire.Fault{
		{Name: "throttle", Kind: "status", Status: 429, RetryAfter: time.Millisecond, Count: 1},
		{Name: "reset", Kind: "reset", Count: 1},
		{Name: "cut", Kind: "cut", Count: 1},
	} {
		if err := em.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := groups(t, id, &http.Client{Transport: em.Transport()}); err != nil || !slices.Equal(got, []string{"rg-contoso"}) {
		t.Errorf("%v %v", got, err)
	}
	for _, f := range em.Faults() {
		if f.Answered != 1 {
			t.Errorf("%s answered %d", f.Name, f.Answered)
		}
	}
	em.ClearFaults()
	em.ResetRequests()
	if len(em.Faults()) != 0 || len(em.Requests()) != 0 {
		t.Error("not cleared")
	}
}

// TestReady holds the promise that the default scenario is ready in half a second, in a
// process of its own, where nothing is warm. The best of some starts counts, because
// other tests run beside it.
func TestReady(t *testing.T) {
	t.Parallel()
	best := time.Hour
	for range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReadyChild$", "-test.v")
		child.Env = append(os.Environ(), readyChild+"=1")
		out, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, text, _ := strings.Cut(string(out), "ready after ")
		text, _, _ = strings.Cut(text, "\n")
		took, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		best = min(best, took)
	}
	most := 500 * time.Millisecond
	if testing.CoverMode() != "" { // every statement is counted, all tests run at once
		most *= 10
	}
	if t.Logf("ready in %v", best); best > most {
		t.Errorf("ready in %v, want %v", best, most)
	}
}

const readyChild = "ATG_TEST_EMULATOR_READY"

// TestReadyChild counts the time until a client has signed in and has its first answer.
func TestReadyChild(t *testing.T) {
	if os.Getenv(readyChild) == "" {
		t.Skip("runs in a process that TestReady starts")
	}
	began := time.Now()
	em := start(t, emulator.Options{Strict: true})
	if _, err := groups(t, who(t, em, "contoso"), &http.Client{Transport: em.Transport()}); err != nil {
		t.Fatal(err)
	}
	t.Logf("ready after %v", time.Since(began))
}

func world(resources ...scenario.Resource) *scenario.Scenario {
	s := scenario.Default()
	s.Tenants[0].Subscriptions[0].ResourceGroups[0].Resources = resources
	return s
}

func shelf(name, data string) scenario.Resource {
	return scenario.Resource{
		Type: "Microsoft.Toys/shelves", Name: name, Kind: "wood", Data: json.RawMessage(data),
		SKU: map[string]any{"name": "S"}, Tags: map[string]string{"a": "b"}, Properties: map[string]any{"x": "y"},
	}
}

func TestExtraService(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{Scenario: world(shelf("one", `["a","b"]`), shelf("two", `null`)), Extra: []emulator.ExtraService{newToy}})
	id := "/subscriptions/" + scenario.ContosoSubscription + "/resourceGroups/rg-contoso/providers/Microsoft.Toys/shelves/"
	if err := em.Seed(id+"two", json.RawMessage(`["c"]`)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"one": 2, "two": 1} {
		if got, err := em.Objects(id + name); err != nil || len(got) != want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	res, ok := em.ARM().Get(id + "one")
	if !ok || res.Body["kind"] != "wood" || res.Body["location"] != "westeurope" {
		t.Errorf("%+v", res)
	}
	for _, bad := range []string{id + "three", "/subscriptions/" + scenario.ContosoSubscription + "/resourceGroups/rg-contoso"} {
		if _, err := em.Objects(bad); err == nil {
			t.Errorf("Objects of %s", bad)
		}
		if err := em.Seed(bad, nil); err == nil {
			t.Errorf("Seed of %s", bad)
		}
	}
	token, err := em.Entra().Token("contoso", scenario.ContosoApp, "https://vault.azure.net")
	if err == nil {
		t.Fatalf("a display name is no tenant of the wire: %s", token)
	}
	if token, err = em.Entra().Token(scenario.ContosoTenant, scenario.ContosoApp, "https://vault.azure.net"); err != nil {
		t.Fatal(err)
	}
	if _, text := fetch(t, &http.Client{Transport: em.Transport()}, http.MethodGet, "https://x.toy.azure.net/", "", "Authorization", "Bearer "+token); text != scenario.ContosoApp+" may: true" {
		t.Error(text)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	role := scenario.Default()
	role.Tenants[1].RoleAssignments[0].Role = "Emperor"
	tests := []struct {
		name string
		opt  emulator.Options
		want string
	}{
		{"contradiction", emulator.Options{Scenario: &scenario.Scenario{}}, "at least one tenant"},
		{"no data plane", emulator.Options{Scenario: world(shelf("one", `[]`))}, "the data plane of Microsoft.Toys/shelves is not emulated"},
		{"bad data", emulator.Options{Scenario: world(shelf("one", `{}`)), Extra: []emulator.ExtraService{newToy}}, "shelves/one: json"},
		{"no such role", emulator.Options{Scenario: role}, "tenant fabrikam: role Emperor of atg-target"},
		{"address", emulator.Options{Listen: "0.0.0.0:0"}, "loopback addresses only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := emulator.Start(tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	s := scenario.Default()
	s.Tenants[0].Principals[0].Secret = "fixed"
	s.Tenants[1].Principals, s.Tenants[1].RoleAssignments, s.Tenants[1].Subscriptions = nil, nil, nil
	em := start(t, emulator.Options{Scenario: s})
	want := emulator.Identity{
		TenantID: scenario.ContosoTenant, TenantName: "contoso", SubscriptionID: scenario.ContosoSubscription,
		Name: "atg-source", AppID: scenario.ContosoApp, ObjectID: scenario.ContosoObject, Secret: "fixed",
	}
	if got := who(t, em, "CONTOSO"); got != want {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"fabrikam", "nobody"} {
		if got, err := em.Principal(bad); err == nil {
			t.Errorf("%s: %+v", bad, got)
		}
		if env, err := em.Env(bad, "x"); err == nil {
			t.Errorf("%s: %v", bad, env)
		}
	}
	other := start(t, emulator.Options{})
	again := start(t, emulator.Options{})
	if a, b := who(t, other, "contoso").Secret, who(t, again, "contoso").Secret; a == b || len(a) < 20 {
		t.Errorf("drawn secrets: %q %q", a, b)
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	file, err := em.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != string(em.CAPEM()) {
		t.Errorf("%v %s", err, text)
	}
	lines, err := em.Env("fabrikam", file)
	if err != nil {
		t.Fatal(err)
	}
	id := who(t, em, "fabrikam")
	env := map[string]string{}
	for _, line := range lines {
		k, v, _ := strings.Cut(line, "=")
		env[k] = v
	}
	for k, want := range map[string]string{
		"HTTPS_PROXY": em.ProxyURL(), "https_proxy": em.ProxyURL(), "NO_PROXY": "", "SSL_CERT_FILE": file, "REQUESTS_CA_BUNDLE": file,
		"CURL_CA_BUNDLE": file, "NODE_EXTRA_CA_CERTS": file, "AZURE_TENANT_ID": id.TenantID, "AZURE_CLIENT_ID": id.AppID,
		"AZURE_CLIENT_SECRET": id.Secret, "AZURE_SUBSCRIPTION_ID": id.SubscriptionID, "ARM_TENANT_ID": id.TenantID,
		"ARM_CLIENT_ID": id.AppID, "ARM_CLIENT_SECRET": id.Secret, "ARM_SUBSCRIPTION_ID": id.SubscriptionID,
	} {
		if got, ok := env[k]; !ok || got != want {
			t.Errorf("%s=%s, want %s", k, got, want)
		}
	}
	if _, err := em.CAFile("/nonexistent/folder"); err == nil {
		t.Error("a folder that does not exist was written to")
	}
}

// TestClose leaves no goroutine, listener or file behind, and tells of a log that could
// not be written.
func TestClose(t *testing.T) { // not parallel: it looks at all goroutines
	em, err := emulator.Start(emulator.Options{LogTo: full{}})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(em.ProxyURL(), "http://")
	if _, err := groups(t, who(t, em, "contoso"), &http.Client{Transport: em.Transport()}); err != nil {
		t.Fatal(err)
	}
	fetch(t, &http.Client{Transport: em.Transport()}, http.MethodPut, "https://management.azure.com/", strings.Repeat("x", 2<<20))
	first := em.Close()
	if first == nil || !strings.Contains(first.Error(), "no room") {
		t.Errorf("Close: %v", first)
	}
	if again := em.Close(); !errors.Is(again, first) {
		t.Errorf("second Close: %v", again)
	}
	if _, err := emulator.Connect(t.Context(), addr); err == nil {
		t.Error("it still answers")
	}
	noGoroutines(t)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

// emulatorCode finds functions of the emulator in a stack, but not those of its tests.
var emulatorCode = regexp.MustCompile(`atg/internal/emulator(/[a-z]+)*\.|http\.\(\*conn\)\.serve`)

// noGoroutines waits until no goroutine runs the emulator's code or serves HTTP.
func noGoroutines(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		if !emulatorCode.MatchString(stacks.String()) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("goroutines are left:\n%s", stacks.String())
		}
	}
}

// fetch sends a request that has to be answered.
func fetch(t testing.TB, client *http.Client, method, address, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestTransportRefusesTheOutside(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := em.Transport().RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, loopback.ErrOutside) {
		t.Errorf("%v", err)
	}
}
