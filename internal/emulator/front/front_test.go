package front_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azure-tenant-grapher/atg/internal/emulator/front"
	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// echo answers with the request's body and counts what reaches it. Paths have meanings:
// /panic, /late-panic, /error, /none, /big.
type echo struct {
	name, suffix string

	mu     sync.Mutex
	served []string
}

func (e *echo) Name() string          { return e.name }
func (e *echo) Owns(host string) bool { return strings.HasSuffix(host, e.suffix) }

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.served = append(e.served, r.Method+" "+r.URL.Path)
	e.mu.Unlock()
	switch r.URL.Path {
	case "/panic":
		panic("broken")
	case "/late-panic":
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
		panic("broken late")
	case "/error":
		wire.WriteError(w, &wire.Error{Status: http.StatusConflict, Code: "Conflict", Inner: "Deep"})
	case "/sign-in":
		wire.NoteCaller(w, "tenant", "app")
	case "/none":
		w.WriteHeader(http.StatusNoContent)
	case "/big":
		for range 64 {
			_, _ = w.Write(bytes.Repeat([]byte("b"), 4<<10))
		}
		_, _ = w.Write(bytes.Repeat([]byte("B"), 100<<10))
	case "/token":
		fmt.Fprint(w, wire.HasExpiredToken(r.Context()))
	default:
		_, _ = io.Copy(w, r.Body)
	}
}

func (e *echo) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.served)
}

// signIn has an error shape of its own.
type signIn struct{ echo }

func (s *signIn) WriteError(w http.ResponseWriter, _ *http.Request, e *wire.Error) {
	http.Error(w, "own shape "+e.Code, e.Status)
}

type lab struct {
	*front.Front
	service *echo
	client  *http.Client
}

func newLab(t testing.TB, opt front.Options) *lab {
	t.Helper()
	l := &lab{service: &echo{name: "vault", suffix: ".vault.azure.net"}}
	opt.SignIn = "entra"
	opt.Services = []wire.Service{&signIn{echo{name: "entra", suffix: "login.microsoftonline.com"}}, l.service}
	l.Front = front.New(opt)
	ca, err := loopback.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv, err := loopback.Start(loopback.Options{Handler: l.Front, CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	l.client = &http.Client{Transport: srv.Transport()}
	return l
}

func (l *lab) send(t testing.TB, method, address, body string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// must sends a request that has to be answered.
func (l *lab) must(t testing.TB, method, address, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	resp, text, err := l.send(t, method, address, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return resp, text
}

func (l *lab) fault(t testing.TB, f wire.Fault) {
	t.Helper()
	if err := l.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

const kv = "https://kv1.vault.azure.net"

func TestLog(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	var out bytes.Buffer
	l := newLab(t, front.Options{
		LogTo: &out, Clock: func() time.Time { return at },
		Caller: func(r *http.Request) (wire.Claims, bool) {
			return wire.Claims{TenantID: "t", AppID: "a"}, r.Header.Get("Authorization") != ""
		},
	})
	l.must(t, "PUT", kv+"/secrets/a%20b?api-version=7.4&sig=hush&SIG=hush", "topsecret", "Authorization", "Bearer hush")
	l.must(t, "GET", kv+"/error", "")
	l.must(t, "HEAD", kv+"/x", "")
	l.must(t, "GET", "https://other.azure.net/", "")
	l.must(t, "DELETE", kv+"/none", "")
	l.must(t, "GET", kv+"/sign-in?a=b&c=d", "")
	want := []wire.Request{
		{Service: "vault", Method: "PUT", Host: "kv1.vault.azure.net", Path: "/secrets/a b", Query: "api-version=7.4&sig=REDACTED&SIG=REDACTED", TenantID: "t", AppID: "a", Status: 200, In: 9, Out: 9},
		{Service: "vault", Method: "GET", Host: "kv1.vault.azure.net", Path: "/error", Status: 409, Code: "Conflict", Out: 71},
		{Service: "vault", Method: "HEAD", Host: "kv1.vault.azure.net", Path: "/x", Status: 200},
		{Method: "GET", Host: "other.azure.net", Path: "/", Status: 404, Code: "HostNotEmulated", Out: 98},
		{Service: "vault", Method: "DELETE", Host: "kv1.vault.azure.net", Path: "/none", Status: 204},
		{Service: "vault", Method: "GET", Host: "kv1.vault.azure.net", Path: "/sign-in", Query: "a=b&c=d", TenantID: "tenant", AppID: "app", Status: 200},
	}
	for i := range want {
		want[i].Time = at
	}
	ignore := cmpopts.IgnoreFields(wire.Request{}, "Duration")
	if diff := cmp.Diff(want, l.Requests(), ignore); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(out.String(), "a=b&c=d") {
		t.Error("the lines are hard to read")
	}
	var lines []wire.Request
	for dec := json.NewDecoder(&out); dec.More(); {
		var line wire.Request
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if diff := cmp.Diff(want, lines, ignore); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(out.String(), "hush") || strings.Contains(out.String(), "topsecret") {
		t.Error("the log holds a secret")
	}
	l.ResetRequests()
	if n := len(l.Requests()); n != 0 || l.LogError() != nil {
		t.Errorf("%d requests after a reset; %v", n, l.LogError())
	}
}

func TestLogRing(t *testing.T) {
	t.Parallel()
	for keep, want := range map[int]string{3: "/2 /3 /4", 5: "/0 /1 /2 /3 /4", 0: "/0 /1 /2 /3 /4", -1: ""} {
		l := newLab(t, front.Options{LogKeep: keep})
		for i := range 5 {
			l.must(t, "GET", fmt.Sprintf("%s/%d", kv, i), "")
		}
		kept := l.Requests()
		paths := make([]string, 0, len(kept))
		for _, r := range kept {
			paths = append(paths, r.Path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("keep %d: %s, want %s", keep, got, want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestLogError(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{LogTo: brokenWriter{}})
	l.must(t, "GET", kv+"/", "")
	if err := l.LogError(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("%v", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	resp, text := l.must(t, "GET", kv+"/big", "")
	if len(text) != 64*4<<10+100<<10 || !strings.HasSuffix(text, "BB") || resp.StatusCode != http.StatusOK {
		t.Errorf("a long answer has %d bytes", len(text))
	}
	resp, text = l.must(t, "POST", kv+"/", "abc", "X-Ms-Client-Request-Id", "me", "X-Ms-Return-Client-Request-Id", "true")
	if text != "abc" || resp.ContentLength != 3 || resp.Header.Get("X-Ms-Client-Request-Id") != "me" || resp.Header.Get("X-Ms-Request-Id") == "" || resp.ProtoMajor != 1 {
		t.Errorf("%q %+v", text, resp)
	}
	resp, text = l.must(t, "GET", kv+"/panic", "")
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "EmulatorBug") {
		t.Errorf("after a panic: %d %s", resp.StatusCode, text)
	}
	if _, _, err := l.send(t, "GET", kv+"/late-panic", ""); err == nil {
		t.Error("a half answer looks whole")
	}
	reqs := l.Requests()
	if last := reqs[len(reqs)-1]; last.Status != 0 || last.Code != "EmulatorBug" {
		t.Errorf("%+v", last)
	}
	resp, text = l.must(t, "GET", "https://login.microsoftonline.com:8443/error", "")
	if resp.StatusCode != http.StatusConflict || !strings.Contains(text, `"innererror":{"code":"Deep"}`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestLargeBody sends more than is kept in memory.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLab(t, front.Options{Spool: func() (string, error) { return dir, nil }})
	body := strings.Repeat("0123456789abcdef", 200_000)
	if _, text := l.must(t, "PUT", kv+"/blob", body); text != body {
		t.Errorf("%d bytes came back of %d", len(text), len(body))
	}
	if r := l.Requests()[0]; r.In != int64(len(body)) || r.Out != int64(len(body)) {
		t.Errorf("%+v", r)
	}
	// The file goes after the answer has left; the next request on the connection comes later.
	l.must(t, "GET", kv+"/", "")
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left in the spool: %v %v", files, err)
	}
	bad := newLab(t, front.Options{Spool: func() (string, error) { return "", errors.New("no room") }})
	if resp, text := bad.must(t, "PUT", kv+"/blob", body); resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "no room") || bad.service.count() != 0 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestHostOutside(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	req, err := http.NewRequestWithContext(t.Context(), "GET", kv+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "example.com"
	resp, err := l.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("%d", resp.StatusCode)
	}
}

// named is a service that has one host.
type named struct{ echo }

func (n *named) Exists(host string) bool { return host == "here.vault.azure.net" }

func TestExists(t *testing.T) {
	t.Parallel()
	f := front.New(front.Options{Services: []wire.Service{&named{echo{suffix: ".vault.azure.net"}}, &echo{suffix: "management.azure.com"}}})
	for host, want := range map[string]bool{"HERE.vault.azure.net:443": true, "gone.vault.azure.net": false, "management.azure.com": true, "other.azure.com": true} {
		if got := f.Exists(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{Latency: 30 * time.Millisecond})
	l.must(t, "GET", kv+"/", "")
	if r := l.Requests()[0]; r.Duration < 30*time.Millisecond {
		t.Errorf("took %v", r.Duration)
	}
}
