package blob

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
)

// history is a blob with its snapshots or its former versions, oldest first.
type history struct {
	past []*listing.Entry
	now  *listing.Entry // nil if the blob itself is gone
}

// historyOf sorts entries of one name: the service lists them oldest first.
func historyOf(entries []*listing.Entry) history {
	var h history
	for _, e := range entries {
		if e.Snapshot != "" || (e.Version != "" && !e.Current) {
			h.past = append(h.past, e)
		} else {
			h.now = e
		}
	}
	return h
}

// differs tells whether the target has another past. What cannot be told by size and
// checksum counts as the same.
func (h history) differs(there history) bool {
	return len(h.past) != len(there.past) || h.shared(there) != len(h.past)
}

// shared returns how many of h's oldest members the target has as its own oldest ones; -1
// if the target has some that do not match.
func (h history) shared(there history) int {
	if len(there.past) > len(h.past) {
		return -1
	}
	for i, e := range there.past {
		if !samePast(seenOf(h.past[i]), seenOf(e)) {
			return -1
		}
	}
	return len(there.past)
}

func samePast(a, b seen) bool {
	return a.size == b.size && a.Type == b.Type && (a.MD5 == b.MD5 || a.MD5 == "" || b.MD5 == "") && sameMetadata(a.Metadata, b.Metadata)
}
