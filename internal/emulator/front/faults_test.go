package front_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/front"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                    string
		fault                   wire.Fault
		code, seconds, millisec string
	}{
		{"throttled", wire.Fault{Status: 429, RetryAfter: 2 * time.Second}, "TooManyRequests", "2", ""},
		{"part of a second", wire.Fault{Status: 503, RetryAfter: 20 * time.Millisecond}, "ServiceUnavailable", "1", "20"},
		{"own code", wire.Fault{Status: 429, Code: "Throttled"}, "Throttled", "", ""},
		{"timeout", wire.Fault{Status: 504}, "GatewayTimeout", "", ""},
		{"no such text", wire.Fault{Status: 599}, "Error599", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, front.Options{})
			tt.fault.Name, tt.fault.Kind = "f", front.KindStatus
			l.fault(t, tt.fault)
			resp, text := l.must(t, "GET", kv+"/", "")
			h := resp.Header
			if resp.StatusCode != tt.fault.Status || !strings.Contains(text, `"code":"`+tt.code+`"`) || h.Get("X-Ms-Error-Code") != tt.code {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			if h.Get("Retry-After") != tt.seconds || h.Get("X-Ms-Retry-After-Ms") != tt.millisec {
				t.Errorf("%v", h)
			}
			if r := l.Requests()[0]; r.Fault != "f" || r.Code != tt.code || r.Status != tt.fault.Status || l.service.count() != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestFaultCuts shows what the client and the service see of a cut connection.
func TestFaultCuts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind, path string
		served     int
		got        string // what arrives of "0123456789"
		out        int64
	}{
		{front.KindReset, "/", 0, "", 0},
		{front.KindLost, "/", 1, "", 0},
		{front.KindCut, "/", 1, "01234", 5},
		{front.KindCut, "/none", 1, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.kind+tt.path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, front.Options{})
			l.fault(t, wire.Fault{Name: "f", Kind: tt.kind, Count: 1})
			// POST, because a client repeats a GET by itself if its connection was cut.
			_, text, err := l.send(t, "POST", kv+tt.path, "0123456789")
			if err == nil || text != tt.got || l.service.count() != tt.served {
				t.Errorf("%q, %v, served %d", text, err, l.service.count())
			}
			if r := l.Requests()[0]; r.Status != 0 || r.Out != tt.out || r.Fault != "f" {
				t.Errorf("%+v", r)
			}
			if _, text := l.must(t, "POST", kv+"/", "again"); text != "again" {
				t.Errorf("after the fault: %q", text)
			}
		})
	}
}

func TestFaultSlow(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	l.fault(t, wire.Fault{Kind: front.KindSlow, Delay: 30 * time.Millisecond})
	if _, text := l.must(t, "POST", kv+"/", "x"); text != "x" || l.Requests()[0].Duration < 30*time.Millisecond {
		t.Errorf("%q %+v", text, l.Requests()[0])
	}
}

func TestFaultExpired(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	l.fault(t, wire.Fault{Kind: front.KindExpired, Count: 1})
	for i, want := range []string{"false", "true", "false"} {
		var headers []string
		if i > 0 {
			headers = []string{"Authorization", "Bearer x"}
		}
		if _, text := l.must(t, "GET", kv+"/token", "", headers...); text != want {
			t.Errorf("request %d: expired is %s, want %s", i, text, want)
		}
	}
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	login := "https://login.microsoftonline.com"
	tests := []struct {
		name  string
		fault wire.Fault
		hit   []string
		miss  []string
	}{
		{"all but sign-in", wire.Fault{}, []string{"GET " + kv + "/", "PUT https://other.azure.net/"}, []string{"GET " + login + "/"}},
		{"star spares sign-in", wire.Fault{Host: "*"}, []string{"GET " + kv + "/"}, []string{"GET " + login + "/"}},
		{"sign-in by name", wire.Fault{Host: "login.*"}, []string{"GET " + login + "/"}, []string{"GET " + kv + "/"}},
		{"host", wire.Fault{Host: "KV1.vault.azure.net"}, []string{"GET " + kv + "/"}, []string{"GET https://kv2.vault.azure.net/"}},
		{"method", wire.Fault{Method: "put"}, []string{"PUT " + kv + "/"}, []string{"GET " + kv + "/"}},
		{"path", wire.Fault{Path: "^/secrets/[^/]+$"}, []string{"GET " + kv + "/secrets/a"}, []string{"GET " + kv + "/secrets/a/b", "GET " + kv + "/secrets"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, front.Options{})
			tt.fault.Kind, tt.fault.Status = front.KindStatus, http.StatusTeapot
			l.fault(t, tt.fault)
			for want, list := range map[bool][]string{true: tt.hit, false: tt.miss} {
				for _, call := range list {
					method, address, _ := strings.Cut(call, " ")
					if resp, _ := l.must(t, method, address, ""); (resp.StatusCode == http.StatusTeapot) != want {
						t.Errorf("%s: %d", call, resp.StatusCode)
					}
				}
			}
		})
	}
}

func TestFaultSkipAndCount(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	l.fault(t, wire.Fault{Name: "first", Kind: front.KindStatus, Status: 500, Skip: 1, Count: 2})
	l.fault(t, wire.Fault{Name: "second", Kind: front.KindStatus, Status: 503, Skip: 2})
	got := make([]int, 0, 6)
	for range 6 {
		resp, _ := l.must(t, "GET", kv+"/", "")
		got = append(got, resp.StatusCode)
	}
	// The second sees what the first lets pass: requests 1, 4, 5 and 6.
	if want := []int{200, 500, 500, 200, 503, 503}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	state := l.Faults()
	if len(state) != 2 || state[0].Seen != 3 || state[0].Answered != 2 || state[1].Seen != 4 || state[1].Answered != 2 {
		t.Errorf("%+v", state)
	}
	l.ClearFaults()
	if resp, _ := l.must(t, "GET", kv+"/", ""); resp.StatusCode != http.StatusOK || len(l.Faults()) != 0 {
		t.Errorf("after ClearFaults: %d", resp.StatusCode)
	}
}

func TestFaultInTheServicesShape(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	l.fault(t, wire.Fault{Host: "login.microsoftonline.com", Kind: front.KindStatus, Status: 429})
	if resp, text := l.must(t, "POST", "https://login.microsoftonline.com/", ""); resp.StatusCode != 429 || !strings.HasPrefix(text, "own shape TooManyRequests") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestFaultRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, front.Options{})
	tests := []struct {
		fault wire.Fault
		want  string
	}{
		{wire.Fault{}, `kind ""`},
		{wire.Fault{Kind: "explode"}, `kind "explode"`},
		{wire.Fault{Kind: front.KindStatus}, "status 0"},
		{wire.Fault{Kind: front.KindStatus, Status: 200}, "status 200"},
		{wire.Fault{Kind: front.KindSlow}, "needs a delay"},
		{wire.Fault{Kind: front.KindReset, Host: "["}, "host pattern"},
		{wire.Fault{Kind: front.KindReset, Path: "("}, "path"},
		{wire.Fault{Kind: front.KindReset, Skip: -1}, "negative"},
	}
	for _, tt := range tests {
		if err := l.AddFault(tt.fault); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.fault, err)
		}
	}
	if len(l.Faults()) != 0 {
		t.Error("a refused fault was kept")
	}
}
