package filter

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
)

// expression draws a filter over PartitionKey and N.
func expression(t *rapid.T, deep int) string {
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if deep == 0 {
		kind %= 2
	}
	op := rapid.SampledFrom(operators).Draw(t, "op")
	switch kind {
	case 0:
		return fmt.Sprintf("PartitionKey %s '%s'", op, rapid.StringMatching(`[abc]{0,2}`).Draw(t, "key"))
	case 1:
		return fmt.Sprintf("%d %s N", rapid.IntRange(0, 3).Draw(t, "n"), op)
	case 2:
		return "not (" + expression(t, deep-1) + ")"
	}
	word := map[int]string{3: " and ", 4: " or "}[kind]
	return "(" + expression(t, deep-1) + ")" + word + expression(t, deep-1)
}

// TestKeysHoldEveryMatch proves that narrowing a query to the keys of its filter loses
// nothing.
func TestKeysHoldEveryMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := expression(t, 3)
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		pk, n := rapid.StringMatching(`[abc]{0,2}`).Draw(t, "pk"), rapid.Int32Range(0, 3).Draw(t, "value")
		get := func(name string) (edm.Value, bool) {
			switch name {
			case "PartitionKey":
				return edm.Text(pk), true
			case "N":
				return edm.Int(n), true
			}
			return edm.Value{}, false
		}
		r := Keys(e)
		if in := pk >= r.From && (r.Open || pk <= r.To); Match(e, get) && !in {
			t.Errorf("%s matches partition %q, which is not in %+v", text, pk, r)
		}
	})
}

func TestAnyTextIsReadOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([()',=]|not |and |or | eq |X'|datetime'|-|1.5e3L|[a-zN]|INF ){0,12}`).Draw(t, "text")
		e, err := Parse(text)
		if err != nil && e != nil {
			t.Errorf("%q is refused and read", text)
		}
	})
	if _, err := Parse("N eq \u0663"); err == nil {
		t.Error("a digit of another script is read")
	}
	if e, err := Parse("  "); e != nil || err != nil || !Match(e, nil) {
		t.Error("a filter of blanks does not keep everything")
	}
	if e, err := Parse("N lt INF and N gt -1.5e3 and N ne NaN"); err != nil || Match(e, func(string) (edm.Value, bool) { return edm.Int(1), true }) {
		t.Errorf("a comparison with NaN holds: %v", err)
	}
}
