package share

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
)

// What a listing shows of a node at the target, beside hint.Absent and hint.Other. Nothing
// is ever proven by one.
const (
	alike  = hint.State("~") // the same as far as a listing shows
	unsure = hint.State("?") // each is to be looked at
)

// judge compares what listings show, permissions apart. HTTP headers and metadata are not
// among it: whoever changes them moves Last-Modified, which tells seconds and is the
// service's. So what was changed at the target after the last change at the source counts
// as the same.
func judge(src, dst *listing.Entry) hint.State {
	if src.Directory != dst.Directory || !src.Created.Equal(dst.Created) || !sameAttributes(src.Attributes, dst.Attributes) {
		return hint.Other
	}
	if !src.Directory && (src.Size != dst.Size || !src.Written.Equal(dst.Written)) {
		return hint.Other
	}
	if src.Created.IsZero() || !dst.Modified.After(src.Modified) { // in the same second, either may have come first
		return unsure
	}
	return alike
}

func sameAttributes(a, b string) bool {
	if a == b {
		return true
	}
	x, _ := node.Attributes(a)
	y, _ := node.Attributes(b)
	return x == y
}
