package plugintest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// toySubject is the Subject of a toy plugin: what a new plugin has to write.
func toySubject(p plugin.Plugin) plugintest.Subject {
	return plugintest.Subject{
		Plugin:     p,
		Service:    newShelfService,
		Resource:   func(plugin.Side, string) map[string]any { return map[string]any{"location": "westeurope"} },
		Host:       func(name string) string { return name + shelfDomain },
		Seed:       seedShelf,
		Bulk:       func(n int) json.RawMessage { return encode(shelfSeed{Generate: n}) },
		Change:     changeThing,
		Expect:     expectShelf,
		ReadsValue: func(r wire.Request) bool { return strings.HasSuffix(r.Path, "/content") },
		Variants:   []plugintest.Variant{{Before: graveyard}, {Before: graveyard, Settings: plugin.Settings{"revive": "yes"}, Beyond: toRevive}},
		Operations: []string{actRead, actContent, actWrite, actRevive, actDelete},
	}
}

// graveyard is what lies in every target.
func graveyard(*rand.Rand, int) json.RawMessage {
	return shelfJSON(thing{Name: "note-buried", Kind: "note", Buried: true})
}

// toRevive is the right that only revive=yes needs.
func toRevive(plugin.Mode) []plugin.Permission {
	return []plugin.Permission{{Side: plugin.Target, DataActions: []string{actRevive}, Reason: "to revive names"}}
}

func encode(s shelfSeed) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return raw
}

func shelfJSON(things ...thing) json.RawMessage { return encode(shelfSeed{Things: things}) }

func seedShelf(r *rand.Rand, n int, canary string) json.RawMessage {
	all := []thing{
		{Name: "crate-a", Kind: "crate", Label: "first"},
		{Name: "crate-b", Kind: "crate"},
		{Name: "ledger-1", Kind: "ledger", Label: "long", Content: strings.Repeat("0123456789", 5) + canary},
		{Name: "note-buried", Kind: "note", Label: "its name is buried at the target", Content: "here"},
		{Name: "note-empty", Kind: "note"},
		{Name: "note-sealed", Kind: "note", Sealed: true, Content: "nobody sees it"},
	}
	for i := range n {
		all = append(all,
			thing{Name: fmt.Sprintf("note-%04d", i), Kind: "note", Crate: "crate-a", Label: fmt.Sprint("label ", r.IntN(1000)), Content: fmt.Sprintf("note %d of some length, %d", i, r.Int())},
			thing{Name: fmt.Sprintf("pin-%04d", i), Kind: "pin", Label: "x", Content: fmt.Sprintf("%04d %s", i, canary)})
	}
	return shelfJSON(all...)
}

func changeThing(o wire.Object) json.RawMessage {
	if o.Kind == "crate" {
		return nil
	}
	return shelfJSON(thing{Name: o.Key[len(o.Kind)+1:], Kind: o.Kind, Crate: "", Label: o.Fields["label"] + " changed", Content: "other " + o.Fields["content"]})
}

// expectShelf says how a target must look after a run.
func expectShelf(s plugintest.Site) []string {
	var out []string
	got, before := plugintest.ByKey(s.Target), plugintest.ByKey(s.Before)
	for _, src := range s.Source {
		o := s.Outcomes[plugin.Key(src.Key)]
		if skip := src.Fields["sealed"] == "true" || (src.Key == "note/note-buried" && s.Settings["revive"] != "yes"); skip {
			if o.Status != plugin.Skipped {
				out = append(out, fmt.Sprintf("%s is %q, want skipped", src.Key, o.Status))
			}
			continue
		}
		dst, ok := got[src.Key]
		if !ok {
			out = append(out, src.Key+" is missing at the target")
			continue
		}
		want := wire.Object{Key: src.Key, Kind: src.Kind, Fields: map[string]string{}}
		for k, v := range src.Fields {
			want.Fields[k] = v
		}
		if s.Mode == plugin.Template {
			want.Fields["content"] = ""
		}
		want.Fields["writes"] = "1"
		if _, was := before[src.Key]; was && o.Status == plugin.Updated {
			want.Fields["writes"] = "2"
		}
		out = append(out, plugintest.Differences(want, dst)...)
	}
	for _, dst := range s.Target {
		if _, ok := plugintest.ByKey(s.Source)[dst.Key]; !ok {
			out = append(out, dst.Key+" is at the target and not at the source")
		}
	}
	return out
}
