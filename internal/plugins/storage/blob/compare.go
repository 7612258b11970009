package blob

import (
	"context"
	"errors"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const reasonUnsummed = "no checksum at one side: the size is the same, and the target was written after the last change at the source; --set storage.verify=unsummed reads both"

// compare compares one blob. In the usual case the listing has told all.
func (b *blobJob) compare(ctx context.Context, c *copier.Copier) (plugin.Comparison, error) {
	if cmp, ok := b.fromHint(); ok {
		return cmp, nil
	}
	for try := 1; ; try++ {
		cmp, err := b.compareNow(ctx, c)
		changed := errors.Is(err, copier.ErrTargetChanged) || errors.Is(err, copier.ErrSourceChanged)
		if err == nil || try == looks || !changed {
			return cmp, err
		}
		b.ref.Props = nil // ask the source again
	}
}

// fromHint answers from what was noted while listing, where that can be trusted: what was
// the same a moment ago, and what was absent if this program has written nothing since.
func (b *blobJob) fromHint() (plugin.Comparison, bool) {
	if b.Setting(setVerify) == verifyContent {
		return plugin.Comparison{}, false
	}
	switch known := b.ref.AtThere.For(b.To, time.Now()); {
	case known == proven:
		return plugin.Comparison{State: plugin.Same, Proven: true}, true
	case known == alike && b.Setting(setVerify) == verifyListing:
		return plugin.Comparison{State: plugin.Same, Reason: reasonUnsummed}, true
	case known == hint.Absent && b.ref.Props != nil:
		return b.missing(seen{props: *b.ref.Props}), true
	default:
		return plugin.Comparison{}, false
	}
}

// missing is the comparison of a blob that the target lacks.
func (b *blobJob) missing(src seen) plugin.Comparison {
	if why := b.impossible(src); why != "" {
		return plugin.Comparison{State: plugin.Cannot, Reason: why}
	}
	if src.Tier == tierArchive {
		return plugin.Comparison{State: plugin.Cannot, Reason: "it is in the archive tier, which cannot be read; --set storage.archive=rehydrate brings it back at the source"}
	}
	return plugin.Comparison{State: plugin.Missing}
}

// compareNow looks at the target, and reads both sides if that is asked for or needed.
func (b *blobJob) compareNow(ctx context.Context, c *copier.Copier) (plugin.Comparison, error) {
	src, err := b.source(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if why := b.impossible(src); why != "" {
		return part.Cannot(why)
	}
	e, err := b.look(ctx, plugin.Target)
	if err != nil && !isMissing(err) {
		return plugin.Comparison{}, err
	}
	if e == nil {
		return b.missing(src), nil
	}
	there := seenOf(e)
	v, err := b.verdict(ctx, src, there, e)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case v.state == other:
		return part.Verdict(v.fields), nil
	case !b.reads(v):
		return listed(v), nil
	case src.Tier == tierArchive || there.Tier == tierArchive:
		return plugin.Comparison{State: plugin.Same, Reason: "it is in the archive tier, which cannot be read"}, nil
	}
	same, err := b.read(ctx, c, src, there)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if !same {
		return part.Verdict([]string{"content"}), nil
	}
	return part.Verdict(nil), nil
}

// verdict compares all but content that no listing shows: the rights of a path and a past
// count, too.
func (b *blobJob) verdict(ctx context.Context, src, there seen, e *listing.Entry) (verdict, error) {
	v := judge(src, there, b.To.Facts)
	differs, err := b.differsInAccess(e)
	if err != nil {
		return v, err
	}
	if differs {
		v.state, v.fields = other, append(v.fields, "access control")
	}
	if b.ref.Past == 0 || v.state == other {
		return v, nil
	}
	fields, err := b.comparePast(ctx)
	if len(fields) > 0 {
		v = verdict{other, fields}
	}
	return v, err
}

// reads tells whether a comparison has to read the content.
func (b *blobJob) reads(v verdict) bool {
	switch b.Setting(setVerify) {
	case verifyContent:
		return true
	case verifyUnsummed:
		return v.state != proven
	default:
		return v.state == unsure
	}
}

// listed is the comparison of what the listings show to be the same.
func listed(v verdict) plugin.Comparison {
	if v.state == alike {
		return plugin.Comparison{State: plugin.Same, Reason: reasonUnsummed}
	}
	return part.Verdict(nil)
}
