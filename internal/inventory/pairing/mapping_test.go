package pairing_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
)

func mapping(t testing.TB, text string) (*pairing.Mapping, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mapping.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := pairing.ReadMapping(path)
	return m, path, err
}

func TestMapping(t *testing.T) {
	t.Parallel()
	sources := list(t, subA, "rg/"+vaults+"/a", "rg/"+vaults+"/b", "rg2/"+vaults+"/b", "rg/Microsoft.Sql/servers/s/databases/d", "rg/Other.Thing/things/o")
	targets := list(t, subB, "rg/"+vaults+"/a", "rg/"+vaults+"/x", "rg2/"+vaults+"/x", "rg/Microsoft.Storage/storageAccounts/y",
		"rg/"+vaults+"/y", "rg/Microsoft.Sql/servers/s2/databases/d", "rg/Microsoft.Sql/servers/s3/databases/d")
	idA, idB := id(subA, "rg/"+vaults+"/b"), id(subB, "rg2/"+vaults+"/x")
	tests := []struct {
		name  string
		pairs []string // source target
		want  []string // matches by the rule "mapping"
		err   string   // behind "use the mapping PATH: "
	}{
		{name: "no pair"},
		{
			name: "IDs, in whatever case", pairs: []string{strings.ToUpper(idA) + "/ " + strings.ToLower(idB)},
			want: []string{"rg/" + vaults + "/b -> rg2/" + vaults + "/x"},
		},
		{
			name: "names; a target's name is one of the source's type", pairs: []string{"A Y"},
			want: []string{"rg/" + vaults + "/a -> rg/" + vaults + "/y"},
		},
		{
			name: "the names of children", pairs: []string{"d S2/d"},
			want: []string{"rg/Microsoft.Sql/servers/s/databases/d -> rg/Microsoft.Sql/servers/s2/databases/d"},
		},
		{name: "unknown source ID", pairs: []string{id(subA, "rg/"+vaults+"/none") + " y"}, err: "line 2: source: " + id(subA, "rg/"+vaults+"/none") + " is not in the inventory, or no plugin handles its type"},
		{name: "a source that no plugin handles", pairs: []string{id(subA, "rg/Other.Thing/things/o") + " y"}, err: "line 2: source: "},
		{name: "unknown target ID", pairs: []string{"a " + idA}, err: "line 2: target: " + idA + " is not in the inventory"},
		{name: "unknown source name", pairs: []string{"none y"}, err: `line 2: source: no resource in the inventory has the name "none"`},
		{name: "unknown target name", pairs: []string{"a none"}, err: `line 2: target: no resource in the inventory has the name "none"`},
		{name: "a source name of two", pairs: []string{"b y"}, err: `line 2: source: 2 resources have the name "b", as ` + idA + " and "},
		{name: "a target name of two", pairs: []string{"a x"}, err: `line 2: target: 2 resources have the name "x"`},
		{name: "a target name of two databases", pairs: []string{"d d"}, err: `line 2: target: 2 resources have the name "d"`},
		{
			name: "another type", pairs: []string{idA + " " + id(subB, "rg/Microsoft.Storage/storageAccounts/y")},
			err: "line 2: " + idA + " is Microsoft.KeyVault/vaults, but " + id(subB, "rg/Microsoft.Storage/storageAccounts/y") + " is Microsoft.Storage/storageAccounts",
		},
		{name: "a source twice", pairs: []string{"a y", id(subA, "rg/"+vaults+"/a") + " " + idB}, err: "line 3: the source " + id(subA, "rg/"+vaults+"/a") + " is in line 2 already"},
		{name: "two sources on one target", pairs: []string{"a y", idA + " Y"}, err: "line 3: the target Y is in line 2 already"},
		{name: "all mistakes at once", pairs: []string{"none y", "a none"}, err: `line 2: source: no resource in the inventory has the name "none"; line 3: target: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var entries []string
			for _, p := range tt.pairs {
				source, target, _ := strings.Cut(p, " ")
				entries = append(entries, fmt.Sprintf(`{"source": %q, "target": %q}`, source, target))
			}
			m, path, err := mapping(t, "{\"pairs\": [\n"+strings.Join(entries, ",\n")+"\n]}")
			if err != nil || m.Len() != len(tt.pairs) {
				t.Fatalf("%d pairs: %v", m.Len(), err)
			}
			res, err := pairing.Pair(sources, targets, pairing.Options{Plugin: claim, Mapping: m})
			if tt.err != "" {
				if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), "use the mapping "+path+": "+tt.err) {
					t.Fatalf("kind %q, error %v\nwant %s", errs.KindOf(err), err, tt.err)
				}
				if errs.HintOf(err) == "" {
					t.Error("there is no hint")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range res.Matches {
				if m.Rule == pairing.RuleMapping {
					got = append(got, short(m.Source.ID)+" -> "+short(m.Target.ID))
				}
			}
			if d := gocmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestMappingWinsOverAllRules(t *testing.T) {
	t.Parallel()
	sources := list(t, subA, "rg/"+vaults+"/a", "rg/"+vaults+"/b")
	targets := list(t, subB, "rg/"+vaults+"/a atg-source-id "+sources[0].ID, "rg/"+vaults+"/b")
	m, _, err := mapping(t, `{"pairs":[{"source":"a","target":"b"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := pairing.Pair(sources, targets, pairing.Options{Mapping: m})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"rg/" + vaults + "/a -> rg/" + vaults + "/b (mapping)",
		"rg/" + vaults + "/b -x the target of its type and name is that of " + sources[0].ID + " by the rule mapping [rg/" + vaults + "/b]",
	}
	if d := gocmp.Diff(want, outcome(res)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMappingToItself(t *testing.T) {
	t.Parallel()
	both := list(t, subA, "rg/"+vaults+"/a")
	m, _, err := mapping(t, `{"pairs":[{"source":"a","target":"a"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pairing.Pair(both, both, pairing.Options{Mapping: m})
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "line 1: source and target are the same resource") {
		t.Errorf("%v", err)
	}
}

func TestManyMistakes(t *testing.T) {
	t.Parallel()
	m, _, err := mapping(t, `{"pairs":[`+strings.TrimSuffix(strings.Repeat(`{"source":"s","target":"t"},`, 14), ",")+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pairing.Pair(nil, nil, pairing.Options{Mapping: m})
	if err == nil || !strings.HasSuffix(err.Error(), "; and 4 more") {
		t.Errorf("%v", err)
	}
}

func TestReadMappingMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1: the file ends too early"},
		{"no JSON", "{\n\"pairs\": [,]}", "line 2: invalid character ','"},
		{"cut off", "{\"pairs\": [\n{\"source\":\"a\"", "line 2: the file ends too early"},
		{"an array", "[]", "line 1: "},
		{"no pairs", "{}", `"pairs" is missing`},
		{"another field", `{"pairs":[],"mappings":[]}`, `line 1: unknown field "mappings"`},
		{"another field in a pair", "{\"pairs\":[\n{\"source\":\"a\",\"target\":\"b\"},\n{\"source\":\"a\",\"dest\":\"b\"}]}", `line 3: unknown field "dest"`},
		{"no target", "{\"pairs\":[\n{\"source\":\"a\",\"target\":\"b\"},\n{\"source\":\"a\"}]}", `line 3: a pair must have "source" and "target"`},
		{"empty source", "{\"pairs\":[\n{\"source\":\"\",\"target\":\"b\"}]}", `line 2: a pair must have "source" and "target"`},
		{"wrong type", "{\"pairs\":[\n\n{\"source\":\"a\",\"target\":7}]}", `line 3: "target" must not be number`},
		{"two documents", "{\"pairs\":[]}{}", "line 1: there is something behind the end of the mapping"},
		{"the same entry twice has two lines", "{\"pairs\":[\n{\"source\":\"a\",\"target\":\"b\"},\n{\"source\":\"a\",\"target\":\"b\"},\n{}]}", "line 4: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, path, err := mapping(t, tt.text)
			if errs.KindOf(err) != errs.Invalid {
				t.Fatalf("kind %q: %v", errs.KindOf(err), err)
			}
			if want := "read the mapping " + path + ": " + tt.want; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %q\n want %q", err, want)
			}
		})
	}
}

func TestNoMappingFile(t *testing.T) {
	t.Parallel()
	_, err := pairing.ReadMapping(filepath.Join(t.TempDir(), "none.json"))
	if errs.KindOf(err) != errs.NotFound || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("kind %q: %v", errs.KindOf(err), err)
	}
}

// What was found can be written, edited and given back.
func TestWriteMapping(t *testing.T) {
	t.Parallel()
	sources := list(t, subA, "rg/"+vaults+"/a", "rg/"+vaults+"/b")
	targets := list(t, subB, "rg/"+vaults+"/a", "rg/"+vaults+"/b1")
	res, err := pairing.Pair(sources, targets, pairing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := pairing.WriteMapping(&out, res); err != nil {
		t.Fatal(err)
	}
	want := `{
  "pairs": [
    {
      "source": "` + sources[0].ID + `",
      "target": "` + targets[0].ID + `",
      "rule": "same-path"
    }
  ],
  "unpaired": [
    {
      "source": "` + sources[1].ID + `",
      "reason": "` + noTarget + `",
      "near": [
        {
          "target": "` + targets[1].ID + `",
          "why": "it has another name"
        }
      ]
    }
  ]
}
`
	if d := gocmp.Diff(want, out.String()); d != "" {
		t.Fatalf("(-want +got):\n%s", d)
	}
	edited := strings.Replace(out.String(), "]", `,{"source": "b", "target": "b1"}]`, 1)
	m, _, err := mapping(t, edited)
	if err != nil {
		t.Fatal(err)
	}
	res, err = pairing.Pair(sources, targets, pairing.Options{Mapping: m})
	if err != nil || len(res.Matches) != 2 || len(res.Unpaired) != 0 {
		t.Errorf("%v: %v", outcome(res), err)
	}
}
