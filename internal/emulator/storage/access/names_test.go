package access

import (
	"net/http"
	"slices"
	"testing"
)

// TestNameOrder: hyphens count last, signs and digits go before letters.
func TestNameOrder(t *testing.T) {
	t.Parallel()
	names := []string{"x-ms-meta-ab", "x-ms-meta-a_b", "x-ms-meta-a-b", "x-ms-meta-a1", "x-ms-meta-a", "x-ms-date"}
	slices.SortFunc(names, compareNames)
	want := []string{"x-ms-date", "x-ms-meta-a", "x-ms-meta-a_b", "x-ms-meta-a1", "x-ms-meta-ab", "x-ms-meta-a-b"}
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	h := http.Header{"X-Ms-B": {" 1 ", "2"}, "X-Ms-A": {"x"}, "Other": {"y"}}
	if got := canonicalHeaders(h, compareNames); got != "x-ms-a:x\nx-ms-b:1,2\n" {
		t.Errorf("%q", got)
	}
}
