package arm

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed regions.tsv
var regionsTSV string

type region struct{ name, display, geography, paired string }

// regions lists Azure's public regions, sorted by name.
var regions = sync.OnceValue(func() []region {
	var out []region
	for line := range strings.SplitSeq(strings.TrimSpace(regionsTSV), "\n") {
		if f := strings.Split(line, "\t"); len(f) == 4 {
			out = append(out, region{f[0], f[1], f[2], f[3]})
		}
	}
	return out
})

var regionNames = sync.OnceValue(func() []string {
	var out []string
	for _, r := range regions() {
		out = append(out, r.name)
	}
	return out
})

// normalLocation is how ARM writes a location: "West Europe" is westeurope.
func normalLocation(l string) string {
	return strings.ToLower(strings.ReplaceAll(l, " ", ""))
}

// knownLocation tells whether a resource may be in a location.
func knownLocation(l string) bool {
	n := normalLocation(l)
	_, found := slices.BinarySearch(regionNames(), n)
	return found || n == "global"
}

// locationBody is a region as the list of a subscription's locations shows it.
func locationBody(subscriptionID string, r region) map[string]any {
	meta := map[string]any{"regionType": "Physical", "geography": r.geography, "geographyGroup": r.geography}
	if r.paired != "" {
		meta["pairedRegion"] = []any{map[string]any{"name": r.paired, "id": subscriptionID + "/locations/" + r.paired}}
	}
	return map[string]any{
		"id": subscriptionID + "/locations/" + r.name, "name": r.name, "type": "Region",
		"displayName": r.display, "regionalDisplayName": "(" + r.geography + ") " + r.display, "metadata": meta,
	}
}
