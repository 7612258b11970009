package contoso

import (
	"bytes"
	"strings"
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
		total := 0
		names := map[string]bool{}
		for _, v := range sourceData[*Vault](t, w, 3) {
			total += len(v.Secrets) + len(v.Keys) + len(v.Certificates)
			for _, s := range v.Secrets {
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

// sourceData returns what lives in the source's resources of one sort, of which there are n.
func sourceData[T any](t *testing.T, w World, n int) []T {
	t.Helper()
	var out []T
	for _, r := range w.Tenants[0].Subscriptions[0].ResourceGroups[0].Resources {
		if data, ok := r.Data.(T); ok {
			out = append(out, data)
		}
	}
	if len(out) != n {
		t.Fatalf("the source has %d resources of this sort, want %d", len(out), n)
	}
	return out
}

func TestAwkwardBlobsStay(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{DefaultSeed, 2, 99} {
		a := sourceData[*Account](t, Generate(seed), 1)[0]
		has := map[string]int{}
		for _, c := range a.Containers {
			has["blobs"] += len(c.Blobs)
			for _, b := range c.Blobs {
				if len(b.Name) > 1024 {
					t.Errorf("seed %d: the name %s has %d letters", seed, b.Name, len(b.Name))
				}
				for what, is := range map[string]bool{
					"archived": b.Tier == "Archive", "appended": b.Type == "append", "paged": b.Type == "page", "without MD5": b.NoMD5,
					"empty": b.Octets == Octets{}, "leased": b.Leased, "in blocks": b.BlockSize > 0, "with a past": len(b.Snapshots) > 0,
				} {
					if is {
						has[what]++
					}
				}
			}
		}
		for _, v := range a.Virtual {
			has["blobs"] += v.Count
		}
		if has["blobs"] < 150 || has["blobs"] > 300 {
			t.Errorf("seed %d: %d blobs", seed, has["blobs"])
		}
		for _, what := range []string{"archived", "appended", "paged", "without MD5", "empty", "leased", "in blocks", "with a past"} {
			if has[what] == 0 {
				t.Errorf("seed %d has no blob that is %s", seed, what)
			}
		}
	}
}

// TestOrdersHaveEveryType: an entity names those types that JSON alone does not tell.
func TestOrdersHaveEveryType(t *testing.T) {
	t.Parallel()
	a := sourceData[*Account](t, Generate(DefaultSeed), 1)[0]
	types := map[any]int{}
	for _, e := range a.Tables[0].Entities {
		for name, v := range e {
			if strings.HasSuffix(name, "@odata.type") {
				types[v]++
			}
		}
	}
	for _, want := range []string{"Edm.Int64", "Edm.Double", "Edm.DateTime", "Edm.Guid", "Edm.Binary"} {
		if types[want] != len(a.Tables[0].Entities) {
			t.Errorf("%d of %d entities have a property of type %s", types[want], len(a.Tables[0].Entities), want)
		}
	}
}
