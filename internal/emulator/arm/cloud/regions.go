// Package cloud holds what is fixed about Azure's public cloud: its regions and the
// endpoints of its services.
package cloud

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed regions.tsv
var regionsTSV string

// Region is a place where resources can be.
type Region struct {
	Name      string // "westeurope"
	Display   string // "West Europe"
	Geography string // "Europe"
	Paired    string // name of the paired region; "" for none
}

// Regions lists Azure's public regions, sorted by name.
var Regions = sync.OnceValue(func() []Region {
	var out []Region
	for line := range strings.SplitSeq(strings.TrimSpace(regionsTSV), "\n") {
		if f := strings.Split(line, "\t"); len(f) == 4 {
			out = append(out, Region{f[0], f[1], f[2], f[3]})
		}
	}
	return out
})

// Names lists the names of the regions, sorted.
var Names = sync.OnceValue(func() []string {
	out := make([]string, 0, len(Regions()))
	for _, r := range Regions() {
		out = append(out, r.Name)
	}
	return out
})

// Normal is how ARM writes a location: "West Europe" is westeurope.
func Normal(l string) string {
	return strings.ToLower(strings.ReplaceAll(l, " ", ""))
}

// Known tells whether a resource may be in a location.
func Known(l string) bool {
	n := Normal(l)
	_, found := slices.BinarySearch(Names(), n)
	return found || n == "global"
}

// Body is a region as the list of a subscription's locations shows it; subscriptionID is
// the subscription's ARM ID.
func (r Region) Body(subscriptionID string) map[string]any {
	meta := map[string]any{"regionType": "Physical", "geography": r.Geography, "geographyGroup": r.Geography}
	if r.Paired != "" {
		meta["pairedRegion"] = []any{map[string]any{"name": r.Paired, "id": subscriptionID + "/locations/" + r.Paired}}
	}
	return map[string]any{
		"id": subscriptionID + "/locations/" + r.Name, "name": r.Name, "type": "Region",
		"displayName": r.Display, "regionalDisplayName": "(" + r.Geography + ") " + r.Display, "metadata": meta,
	}
}
