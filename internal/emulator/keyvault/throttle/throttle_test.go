package throttle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestWeight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kty   string
		size  int
		hsm   bool
		limit int // of the documentation's table
	}{
		{"RSA", 2048, false, 4000},
		{"RSA", 3072, false, 1000},
		{"RSA", 4096, false, 500},
		{"RSA-HSM", 2048, true, 2000},
		{"RSA-HSM", 3072, true, 500},
		{"RSA-HSM", 4096, true, 250},
		{"EC", 256, false, 4000},
		{"EC-HSM", 521, true, 2000},
	} {
		if got := throttle.Transactions / throttle.Weight(tt.kty, tt.size, tt.hsm); got != tt.limit {
			t.Errorf("%s %d: %d operations, want %d", tt.kty, tt.size, got, tt.limit)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	var m throttle.Meter
	for range throttle.HSMKeys {
		if err := m.Admit(start, throttle.HSMKey, 1); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[time.Duration]string{0: "10", 2500 * time.Millisecond: "8", 9999 * time.Millisecond: "1"} {
		err := m.Admit(start.Add(after), throttle.HSMKey, 1)
		if err == nil || err.Status != 429 || err.Code != "Throttled" || err.Header["Retry-After"] != want {
			t.Errorf("after %s: %+v, want Retry-After %s", after, err, want)
		}
	}
	if err := m.Admit(start, throttle.SoftwareKey, 1); err != nil {
		t.Errorf("another class: %v", err)
	}
	if err := m.Admit(start.Add(throttle.Window), throttle.HSMKey, 1); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

// TestWindow: in no window of ten seconds are there more than the limit, and whoever
// waits as told is let in.
func TestWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m throttle.Meter
		now, calls := start, rapid.IntRange(1, 80).Draw(t, "calls")
		let := make([]time.Time, 0, calls)
		for range calls {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			err := m.Admit(now, throttle.SoftwareKey, 1)
			if err != nil {
				secs, bad := time.ParseDuration(err.Header["Retry-After"] + "s")
				if bad != nil {
					t.Fatal(bad)
				}
				now = now.Add(secs)
				if err := m.Admit(now, throttle.SoftwareKey, 1); err != nil {
					t.Fatalf("refused after the wait: %v", err)
				}
			}
			let = append(let, now)
		}
		for i := range let {
			n := 0
			for _, at := range let[i:] {
				if at.Sub(let[i]) < throttle.Window {
					n++
				}
			}
			if n > throttle.SoftwareKeys {
				t.Fatalf("%d in a window", n)
			}
		}
	})
}

func TestWeightsAreSummed(t *testing.T) {
	t.Parallel()
	var m throttle.Meter
	for range 250 {
		if err := m.Admit(start, throttle.Ordinary, 16); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Admit(start, throttle.Ordinary, 1); err == nil {
		t.Error("4,001 transactions in a window")
	}
}
