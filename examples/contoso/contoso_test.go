package contoso

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/test/golden"
)

func TestFilesAreGenerated(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{"scenario.json": Generate(DefaultSeed), "mapping.json": Pairs()} {
		want, err := encode(v)
		if err != nil {
			t.Fatal(err)
		}
		golden.File(t, name, string(want))
	}
}

func TestSeeds(t *testing.T) {
	t.Parallel()
	one, err := Scenario(DefaultSeed)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Scenario(2)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Scenario(2)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("another seed gives the same content")
	}
	if diff := cmp.Diff(string(two), string(again)); diff != "" {
		t.Errorf("the same seed gives other content:\n%s", diff)
	}
}

func TestAwkwardCasesStay(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{DefaultSeed, 2, 99} {
		w := Generate(seed)
		vaults := w.Tenants[0].Subscriptions[0].ResourceGroups[0].Resources
		if len(vaults) != 3 {
			t.Fatalf("seed %d: %d source vaults", seed, len(vaults))
		}
		total := 0
		names := map[string]bool{}
		for _, v := range vaults {
			total += len(v.Data.Secrets) + len(v.Data.Keys) + len(v.Data.Certificates)
			for _, s := range v.Data.Secrets {
				if len(s.Value) > limit {
					t.Errorf("seed %d: %s has %d bytes", seed, s.Name, len(s.Value))
				}
				if len(s.Name) > 127 {
					t.Errorf("seed %d: the name %s has %d letters", seed, s.Name, len(s.Name))
				}
				names[s.Name] = true
			}
		}
		if total < 250 {
			t.Errorf("seed %d: only %d objects", seed, total)
		}
		for _, n := range []string{"awkward-25-kilobytes", "awkward-disabled", "awkward-expired", "awkward-four-versions", "awkward-unicode"} {
			if !names[n] {
				t.Errorf("seed %d lacks %s", seed, n)
			}
		}
	}
}
