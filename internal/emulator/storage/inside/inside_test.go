package inside_test

import (
	"net/http"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/inside"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// What a service refuses is told without the lines for its client, and with its signs as they were.
func TestFailure(t *testing.T) {
	t.Parallel()
	w := inside.New()
	kit.WriteError(w, &wire.Error{Status: http.StatusConflict, Code: "Taken", Message: `The name "a<b" & others are taken.`})
	if err := w.Failure(); err == nil || err.Status != http.StatusConflict || err.Code != "Taken" || err.Message != `The name "a<b" & others are taken.` {
		t.Errorf("%+v", err)
	}
	w = inside.New()
	w.WriteHeader(http.StatusNotFound)
	w.NoteCode("Absent")
	if err := w.Failure(); err == nil || err.Message != "The specified resource cannot be used: Absent." {
		t.Errorf("%+v", err)
	}
	w = inside.New()
	w.WriteHeader(http.StatusOK)
	if err := w.Failure(); err != nil {
		t.Errorf("%+v", err)
	}
}
