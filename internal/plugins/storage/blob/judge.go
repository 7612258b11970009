package blob

import (
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
)

// seen is a blob as far as a listing shows it.
type seen struct {
	props
	size     int64
	modified time.Time
	etag     string
}

func seenOf(e *listing.Entry) seen { return seen{propsOf(e), e.Size, e.Modified, e.ETag} }

// verdict says how a blob at the target relates to one at the source.
type verdict struct {
	state  hint.State
	fields []string // what differs, if state is other
}

// judge compares what listings show. What the target's account cannot hold is not missed.
//
// Content-MD5 is a property that writers may set as they like. This program has the
// service check it where a blob is copied in one request, and computes it where a blob
// comes through; so equal ones count as proof. Where either side has none, content of the
// same size that was written at the target after the last change at the source counts as
// the same and is not called proven; written before, it has to be read.
func judge(src, dst seen, to account.Facts) verdict {
	if _, part := dst.unfinished(); part {
		return verdict{other, []string{"content: a copy that was not finished"}}
	}
	fits, _ := src.fit(to)
	v := verdict{state: other, fields: fits.differences(dst.props)}
	summed := src.MD5 != "" && dst.MD5 != ""
	switch {
	case src.size != dst.size:
		v.fields = append(v.fields, "size")
	case summed && src.MD5 != dst.MD5:
		v.fields = append(v.fields, "content")
	}
	switch {
	case len(v.fields) > 0:
		return v
	case summed || src.size == 0:
		v.state = proven
	case dst.modified.After(src.modified):
		v.state = alike
	default: // the service tells seconds: in the same one, either may have come first
		v.state = unsure
	}
	return v
}

// sameContent tells whether listings alone show that two blobs have the same content.
func sameContent(src, dst seen) bool {
	return src.Type == dst.Type && src.size == dst.size && (src.size == 0 || (src.MD5 != "" && src.MD5 == dst.MD5))
}
