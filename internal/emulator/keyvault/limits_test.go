package keyvault_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{Limits: true})
	l.vault(t, "kv1", premium())
	l.vault(t, "kv2", nil)
	throttled := func(a answer) bool {
		if a.status != 429 {
			return false
		}
		code, _, message := a.code(t)
		if code != "Throttled" || message == "" || a.header.Get("Retry-After") == "" {
			t.Errorf("refusal %v %s", a.header, a.body)
		}
		return true
	}
	set := func() answer { return l.call(t, "PUT", "secrets/s", `{"value":"x"}`) }
	for i := range 300 {
		if i == 150 {
			l.advance(4 * time.Second)
		}
		if a := set(); a.status != 200 {
			t.Fatalf("write %d: %d %s", i, a.status, a.body)
		}
	}
	a := set()
	if !throttled(a) || a.header.Get("Retry-After") != "6" {
		t.Fatalf("write 301: %d, Retry-After %s", a.status, a.header.Get("Retry-After"))
	}
	if a := l.call(t, "PUT", "keys/k", `{}`); !throttled(a) {
		t.Errorf("imports of keys do not count with secrets: %d", a.status)
	}
	if a := l.call(t, "POST", "certificates/c/import", `{}`); !throttled(a) {
		t.Errorf("imports of certificates do not count with secrets: %d", a.status)
	}
	if a := l.call(t, "GET", "secrets/s", ""); a.status != 200 {
		t.Errorf("reads are throttled, too: %d", a.status)
	}
	if a := l.raw(t, "PUT", "https://kv2.vault.azure.net/secrets/s?api-version=7.4", token(tenantA, "https://vault.azure.net"), `{"value":"x"}`); a.status != 200 {
		t.Errorf("another vault is throttled: %d", a.status)
	}
	l.advance(6 * time.Second) // the first 150 are out of the window
	for i := range 150 {
		if a := set(); a.status != 200 {
			t.Fatalf("write %d after the wait: %d %s", i, a.status, a.body)
		}
	}
	if !throttled(set()) {
		t.Error("the window forgot too much")
	}
	for kty, n := range map[string]int{"EC": 20, "EC-HSM": 10} {
		for i := range n {
			if a := l.call(t, "POST", "keys/"+kty+strconv.Itoa(i)+"/create", `{"kty":"`+kty+`"}`); a.status != 200 {
				t.Fatalf("%s key %d: %d %s", kty, i, a.status, a.body)
			}
		}
		if !throttled(l.call(t, "POST", "keys/more/create", `{"kty":"`+kty+`"}`)) || !throttled(l.call(t, "POST", "keys/"+kty+"0/rotate", "")) {
			t.Errorf("%s key %d is not throttled", kty, n)
		}
	}
}

// TestTransactionLimit: 4,000 in ten seconds, and big keys weigh more.
func TestTransactionLimit(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{Limits: true})
	l.vault(t, "kv1", nil)
	get := func() int { return l.call(t, "GET", "secrets?maxresults=1", "").status }
	for i := range 4000 {
		if s := get(); s != 200 {
			t.Fatalf("read %d: %d", i, s)
		}
	}
	if s := get(); s != 429 {
		t.Errorf("read 4001: %d", s)
	}
	l.advance(10 * time.Second)
	if s := get(); s != 200 {
		t.Errorf("ten seconds later: %d", s)
	}
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	for i := range 310 {
		if a := l.call(t, "PUT", fmt.Sprintf("secrets/s%d", i), `{"value":"x"}`); a.status != 200 {
			t.Fatalf("write %d: %d %s", i, a.status, a.body)
		}
	}
}
