package copier

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// atSource wraps what reading the source answered.
func atSource(err error) error {
	if err == nil {
		return nil
	}
	if bloberror.HasCode(err, bloberror.ConditionNotMet) {
		err = fmt.Errorf("%w: %w", ErrSourceChanged, err)
	}
	return way.At(plugin.Source, "read the blob", err)
}

// atTarget wraps what a write answered, also one that let the target's service read from
// the source.
func atTarget(op string, err error) error {
	var known *way.Error
	if err == nil || errors.As(err, &known) { // it says already where it happened
		return err
	}
	switch {
	case bloberror.HasCode(err, bloberror.SourceConditionNotMet):
		err = fmt.Errorf("%w: %w", ErrSourceChanged, err)
	case bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.TargetConditionNotMet, bloberror.BlobAlreadyExists, bloberror.AppendPositionConditionNotMet):
		err = fmt.Errorf("%w: %w", ErrTargetChanged, err)
	case way.Closed(err):
		err = fmt.Errorf("%w: %w", way.ErrNoServerCopy, err)
	}
	return way.At(plugin.Target, op, err)
}
