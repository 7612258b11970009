package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/engine"
)

// nameOf is the last segment of a resource ID: the resource's name.
func nameOf(id string) string {
	return printable(id[strings.LastIndexByte(id, '/')+1:])
}

// number writes n with a comma between thousands.
func number(n int64) string {
	if n < 0 {
		return "-" + number(-n)
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes a count and its noun: "1 item", "2 items".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// percent writes a fidelity share with two decimals; the engine has rounded it down.
// Nothing has no share.
func percent(c engine.Count) string {
	if c.Items == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", c.Percent)
}

func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	return slices.Sorted(maps.Keys(m))
}
