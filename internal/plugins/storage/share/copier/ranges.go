package copier

import (
	"cmp"
	"context"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
)

// span is a stretch of a file that was written, from inclusive, to exclusive.
type span struct{ from, to int64 }

// ranges lists what is written in the source's file, in order
// (https://learn.microsoft.com/rest/api/storageservices/list-ranges).
func (w *work) ranges(ctx context.Context, c *file.Client) ([]span, error) {
	resp, err := c.GetRangeList(ctx, nil)
	if err != nil {
		return nil, atSource(err)
	}
	if err := w.sameSource(resp.ETag); err != nil {
		return nil, err
	}
	return spans(resp.ShareFileRangeList), nil
}

// written lists what the target's file has already. The service applies a range whole or
// not at all; that it does so when a connection breaks could not be confirmed, so a
// comparison by content is the user's to ask for.
func (w *work) written(ctx context.Context) ([]span, error) {
	resp, err := w.dst.GetRangeList(ctx, nil)
	if err != nil {
		return nil, atTarget("see which ranges are there", err)
	}
	return spans(resp.ShareFileRangeList), nil
}

func spans(list file.ShareFileRangeList) []span {
	var out []span
	for _, r := range list.Ranges {
		if r == nil || r.Start == nil || r.End == nil {
			continue
		}
		if n := len(out); n > 0 && out[n-1].to == *r.Start { // neighbours count as one
			out[n-1].to = *r.End + 1
			continue
		}
		out = append(out, span{*r.Start, *r.End + 1})
	}
	return out
}

// covered tells whether a stretch lies within one of those that are there, which stand in
// their order and do not overlap.
func covered(there []span, offset, n int64) bool {
	at, exact := slices.BinarySearchFunc(there, offset, func(s span, offset int64) int { return cmp.Compare(s.from, offset) })
	if !exact {
		at--
	}
	return at >= 0 && at < len(there) && offset+n <= there[at].to
}

// union returns the stretches that are in either list, in order and without overlap.
func union(a, b []span) []span {
	all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), func(x, y span) int { return cmp.Compare(x.from, y.from) })
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}
