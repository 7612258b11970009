package function_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// TestUniqueString: the first value is from the tests of Microsoft's azapi provider, the
// others are what Bicep gives.
func TestUniqueString(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]any{
		"cwvxuqg24sifi": {"/subscriptions/00000000-0000-0000-0000-000000000000", "resource-id"},
		"rbgf3xv4ufgzg": {"test"},
		"a7wkljktk6wne": {"hello", "world"},
		"cgtzqvhu4i23s": {"abc"},
		"bmg7c6xu4tw46": {"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-rg"},
		"xzi4ioaxtmth4": {"foo", "bar", "baz"},
	} {
		if got, err := function.Call("uniqueString", args); got != want || err != nil {
			t.Errorf("uniqueString(%q) = %v, %v, want %s", args, got, err, want)
		}
	}
}
