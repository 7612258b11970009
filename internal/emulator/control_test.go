package emulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/front"
	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func TestControl(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	call := func(method, path, body string) (int, string) {
		t.Helper()
		return fetch(t, direct, method, em.ProxyURL()+path, body, "Content-Type", "application/json; charset=utf-8")
	}
	if status, text := call("GET", "/healthz", ""); status != http.StatusOK || text != `{"status":"ready"}` {
		t.Errorf("%d %s", status, text)
	}
	if status, text := call("GET", "/ca.pem", ""); status != http.StatusOK || text != string(em.CAPEM()) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := call("POST", "/faults", `{"name":"a","kind":"status","status":503,"retryAfter":"1.5s","count":1}`); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, text)
	}
	if status, _ := fetch(t, proxied(t, em), "GET", "https://management.azure.com/", ""); status != http.StatusServiceUnavailable {
		t.Errorf("the fault did not answer: %d", status)
	}
	_, text := call("GET", "/faults", "")
	var state []front.FaultState
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	want := []front.FaultState{{Fault: wire.Fault{Name: "a", Kind: "status", Status: 503, RetryAfter: 1500 * time.Millisecond, Count: 1}, Seen: 1, Answered: 1}}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Error(diff)
	}
	_, text = call("GET", "/requests", "")
	var line wire.Request
	if err := json.Unmarshal([]byte(text), &line); err != nil || line.Fault != "a" || line.Status != http.StatusServiceUnavailable {
		t.Errorf("%v %s", err, text)
	}
	for _, path := range []string{"/faults", "/requests"} {
		if status, _ := call("DELETE", path, ""); status != http.StatusNoContent {
			t.Errorf("DELETE %s: %d", path, status)
		}
	}
	if len(em.Faults()) != 0 || len(em.Requests()) != 0 {
		t.Error("not emptied")
	}
	if status, _ := call("GET", "/nowhere", ""); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}

func TestControlRefusals(t *testing.T) {
	t.Parallel()
	em := start(t, emulator.Options{})
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tests := []struct {
		kind, body string
		status     int
		want       string
	}{
		{"text/plain", `{"kind":"reset"}`, http.StatusUnsupportedMediaType, "application/json"},
		{"", `{"kind":"reset"}`, http.StatusUnsupportedMediaType, "application/json"},
		{"application/json", `{"kind":"boom"}`, http.StatusBadRequest, `kind \"boom\"`},
		{"application/json", `[{"kind":"reset","port":1}]`, http.StatusBadRequest, "unknown field"},
		{"application/json", `{"kind":"slow","delay":"soon"}`, http.StatusBadRequest, "invalid duration"},
		{"application/json", ``, http.StatusNoContent, ""},
	}
	for _, tt := range tests {
		if status, text := fetch(t, direct, "POST", em.ProxyURL()+"/faults", tt.body, "Content-Type", tt.kind); status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s %s: %d %s", tt.kind, tt.body, status, text)
		}
	}
	if len(em.Faults()) != 0 {
		t.Error("a refused fault was kept")
	}
}

func TestReadFaults(t *testing.T) {
	t.Parallel()
	got, err := emulator.ReadFaults(strings.NewReader(` [{"kind":"slow","delay":2000000},{"kind":"slow","delay":"2ms"}]`))
	want := wire.Fault{Kind: "slow", Delay: 2 * time.Millisecond}
	if err != nil || !slices.Equal(got, []wire.Fault{want, want}) {
		t.Errorf("%+v %v", got, err)
	}
	broken := io.MultiReader(strings.NewReader("["), iotestErr{})
	for name, r := range map[string]io.Reader{"long": strings.NewReader(strings.Repeat(" ", 2<<20)), "broken": broken, "number": strings.NewReader("3")} {
		if got, err := emulator.ReadFaults(r); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	if _, err := emulator.Connect(t.Context(), strings.TrimPrefix(other.URL, "http://")); err == nil || !strings.Contains(err.Error(), "is it an emulator?") {
		t.Errorf("%v", err)
	}
	for _, addr := range []string{"192.0.2.1:80", "127.0.0.1", "example.com:80"} {
		if _, err := emulator.Connect(t.Context(), addr); !errors.Is(err, loopback.ErrNotLoopback) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := emulator.Connect(t.Context(), fmt.Sprintf("127.0.0.1:%d", 1)); err == nil {
		t.Error("nobody answers there")
	}
}
