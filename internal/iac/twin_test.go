package iac_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac"
)

// TestBicepIsItsTwin compares the Bicep of a project with its ARM templates: the same
// parameters, resources, types, versions, names, properties and references. The templates
// themselves are deployed by test/templates.
func TestBicepIsItsTwin(t *testing.T) {
	t.Parallel()
	everything := tenant(decl.Bicep)
	everything.Units = append(everything.Units, iac.Unit{
		Source: vault(subA, "rg-c", "kv-all"), Target: vault(subA, "rg-all", "kv-prod"), Items: []iac.Item{{Key: "all", Blocks: blocks()}},
	})
	twin := everything
	twin.Format = decl.ARM
	fromBicep, _, _ := files(t, everything)
	fromARM, _, _ := files(t, twin)
	compared := 0
	for path, text := range fromBicep {
		if base, ok := strings.CutSuffix(path, ".bicep"); ok {
			compareTwins(t, path, text, fromARM[base+".json"])
			compared++
		}
	}
	if compared != 3 {
		t.Errorf("compared %d files", compared)
	}
}

// TestTwinsOfAnything compares them for strings of any kind.
func TestTwinsOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		v := vault(subA, "rg", "kv")
		text := rapid.String().Draw(r, "text")
		it := secret(v, "s")
		it.Blocks[0].Note = text
		it.Blocks[0].Params[0].Description = text
		it.Blocks[0].ARM.Attrs = append(it.Blocks[0].ARM.Attrs, decl.Attr{Name: "tags", Value: decl.Object{{Name: "t" + text, Value: text}}})
		p := iac.Project{Format: decl.Bicep, Units: []iac.Unit{{Source: v, Target: v, Items: []iac.Item{it}}}}
		bicep, _, _ := files(t, p)
		p.Format = decl.ARM
		arm, _, _ := files(t, p)
		compareTwins(t, text, bicep["rg/main.bicep"], arm["rg/main.json"])
	})
}

type armDoc struct {
	Parameters map[string]struct {
		Type     string
		Metadata struct{ Description string }
	}
	Resources []map[string]any
}

func compareTwins(t testing.TB, path, bicep, arm string) {
	t.Helper()
	got := readBicep(t, bicep)
	var want armDoc
	if err := json.Unmarshal([]byte(arm), &want); err != nil {
		t.Fatal(err)
	}
	for name, p := range want.Parameters {
		b, ok := got.params[name]
		if !ok || b.secure != (p.Type == "securestring") || b.description != p.Metadata.Description {
			t.Errorf("%s: parameter %s is %+v in Bicep and %+v in ARM", path, name, b, p)
		}
	}
	if len(got.params) != len(want.Parameters) || len(got.resources) != len(want.Resources) {
		t.Fatalf("%s: %d and %d parameters, %d and %d resources", path, len(got.params), len(want.Parameters), len(got.resources), len(want.Resources))
	}
	declared := map[string]bool{}
	for _, r := range want.Resources {
		declared[r["type"].(string)+" "+r["name"].(string)] = true
	}
	for i, r := range want.Resources {
		b := asARM(t, got.resources[i], got.params)
		name, _ := r["name"].(string)
		typ, _ := r["type"].(string)
		waits, _ := r["dependsOn"].([]any)
		if above := parentOf(typ, name); declared[above] { // Bicep waits for a parent by itself
			waits = waits[1:]
		}
		symbols, _ := b["dependsOn"].([]any)
		if len(symbols) != len(waits) {
			t.Errorf("%s: %s waits for %v in Bicep and for %v in ARM", path, name, symbols, waits)
		}
		delete(r, "dependsOn")
		delete(b, "dependsOn")
		delete(r, "comments")
		if diff := cmp.Diff(r, b); diff != "" {
			t.Errorf("%s: %s: -ARM +Bicep\n%s", path, name, diff)
		}
	}
}

var lastSegment = regexp.MustCompile(`/[^/]*$`)

func parentOf(typ, name string) string {
	return lastSegment.ReplaceAllString(typ, "") + " " + lastSegment.ReplaceAllString(name, "")
}

// asARM writes what was read of Bicep as a template would have it.
func asARM(t testing.TB, in map[string]any, params map[string]bicepParam) map[string]any {
	t.Helper()
	out := map[string]any{}
	for k, v := range in {
		if k == "dependsOn" {
			out[k] = v
			continue
		}
		out[k] = armOf(t, v, params)
	}
	return out
}

func armOf(t testing.TB, v any, params map[string]bicepParam) any {
	t.Helper()
	switch v := v.(type) {
	case bicepSymbol:
		if _, ok := params[string(v)]; !ok {
			t.Errorf("%s is used and is no parameter", v)
		}
		return "[parameters('" + string(v) + "')]"
	case string:
		if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") {
			return "[" + v
		}
		return v
	case map[string]any:
		return asARM(t, v, params)
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, armOf(t, e, params))
		}
		return out
	default:
		return v
	}
}
