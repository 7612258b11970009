package dfs

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// remove answers Path Delete: a file, or a directory with all below it if recursive says so.
func remove(r *req.Request) *wire.Error {
	if err := r.AllowPath("d", model.Leave(r.Blob), "containers/blobs/delete"); err != nil {
		return err
	}
	recursive := strings.EqualFold(r.Param("recursive"), "true")
	if recursive && !r.Store.Hierarchical() && isDirectory(r.Store.Look(r.Container, r.Blob, r.Now)) {
		return onlyHierarchical(r)
	}
	err := update(r, func(t *model.Tx, b *model.Blob) *wire.Error {
		switch full := t.Full(); {
		case full && !recursive:
			return req.Conflict("DirectoryNotEmpty", "The recursive query parameter value must be true to delete a non-empty directory.")
		case full:
			t.Clear()
		}
		if err := t.Immutable(b); err != nil && !b.Dir {
			return err
		}
		t.Remove()
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}
