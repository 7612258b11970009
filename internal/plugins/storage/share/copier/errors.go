package copier

import (
	"fmt"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// atSource wraps what reading the source answered.
func atSource(err error) error {
	if err == nil {
		return nil
	}
	return way.At(plugin.Source, "read the file", err)
}

// atTarget wraps what a request to the target answered, also one that let its service read
// from the source.
func atTarget(op string, err error) error {
	if err == nil {
		return nil
	}
	if way.Closed(err) {
		err = fmt.Errorf("%w: %w", way.ErrNoServerCopy, err)
	}
	return way.At(plugin.Target, op, err)
}
