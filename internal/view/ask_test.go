package view

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestQuestions(t *testing.T) {
	t.Parallel()
	plan := &engine.Report{
		Plan:     map[plugin.State]int64{plugin.Missing: 1304, plugin.Different: 2},
		Estimate: &engine.Estimate{Items: 1306, Bytes: 3 << 20, Seconds: 72},
	}
	c := Consent{Source: "contoso (c0)", Target: "fabrikam (f0)", Plan: plan}
	for _, width := range []int{50, 80} {
		st := Style{Width: width}
		var b strings.Builder
		q := ModeQuestion{Source: "contoso (c0)", Target: "fabrikam (f0)", Types: []TypeCount{{"Microsoft.KeyVault/vaults", 3}, {"Microsoft.Storage/storageAccounts", 1200}}}
		for _, q.Writes = range []bool{false, true} {
			if err := Modes(&b, q, st); err != nil {
				t.Fatal(err)
			}
		}
		for _, c.Overwrite = range []bool{false, true} {
			if err := ConsentText(&b, c, st); err != nil {
				t.Fatal(err)
			}
		}
		for line := range strings.Lines(b.String()) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns at a width of %d: %s", n, width, line)
			}
		}
		golden(t, map[int]string{50: "ask.50.golden", 80: "ask.80.golden"}[width], b.String())
	}
}

func TestSizeOf(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 56525: "55.2 KiB", 3 << 20: "3.0 MiB", 5 << 40: "5.0 TiB"} {
		if got := sizeOf(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
