package copier

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
)

func TestSpans(t *testing.T) {
	t.Parallel()
	one := func(from, last int64) *file.ShareFileRange {
		return &file.ShareFileRange{Start: to.Ptr(from), End: to.Ptr(last)}
	}
	got := spans(file.ShareFileRangeList{Ranges: []*file.ShareFileRange{one(0, 511), one(512, 1023), nil, one(2048, 2559)}})
	if !slices.Equal(got, []span{{0, 1024}, {2048, 2560}}) {
		t.Errorf("%v", got)
	}
	for _, tt := range []struct {
		offset, n int64
		want      bool
	}{{0, 1024, true}, {0, 1025, false}, {512, 512, true}, {1024, 1, false}, {2048, 512, true}, {2047, 1, false}, {2500, 60, true}, {2500, 61, false}} {
		if covered(got, tt.offset, tt.n) != tt.want {
			t.Errorf("%d bytes from %d: want %t", tt.n, tt.offset, tt.want)
		}
	}
	if all := union(got, []span{{1000, 2050}, {4096, 5000}}); !slices.Equal(all, []span{{0, 2560}, {4096, 5000}}) {
		t.Errorf("%v", all)
	}
}
