package copier

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// longestSource is how long a source's address may be, its signature included, in bytes
// (https://learn.microsoft.com/rest/api/storageservices/put-range-from-url), and forSAS
// what is kept of that for the signature.
const (
	longestSource = 2 << 10
	forSAS        = 600
)

// long tells whether the source's address may not fit into a request.
func (w *work) long() bool { return len(w.src.URL())+forSAS > longestSource }

// fromServer lets the target's service read a range from the source's. The signature goes
// into a header of the request and nowhere else; one that is refused is made once more,
// since it may have been revoked meanwhile.
func (c *Copier) fromServer(ctx context.Context, w *work, offset, n int64) error {
	if w.long() {
		return way.At(plugin.Target, "write the file", ErrLongPath)
	}
	if err := c.requests.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.requests.Release(1)
	for again := false; ; again = true {
		query, err := w.From.ShareSAS(ctx, w.Share)
		if err != nil {
			if !errs.Retryable(classify.Error("sign", plugin.Source, "", "", err)) && ctx.Err() == nil {
				err = fmt.Errorf("%w: no signature for the source: %w", way.ErrNoServerCopy, err)
			}
			return way.At(plugin.Source, "sign for the target to read", err)
		}
		_, err = w.dst.UploadRangeFromURL(ctx, w.src.URL()+"?"+query.Reveal(), offset, offset, n, nil)
		if again || !fileerror.HasCode(err, cannotVerify) {
			return atTarget("write the file", err)
		}
		w.From.Refused(query)
	}
}

// cannotVerify is the code for a source that the service cannot read; the SDK does not name it.
const cannotVerify fileerror.Code = "CannotVerifyCopySource"
