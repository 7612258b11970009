// Package inside holds requests to services of storage accounts that do not leave the
// process: those that Resource Manager and the services themselves send.
package inside

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Recorder keeps an answer that does not leave the process. It takes contents as they are.
type Recorder struct {
	Status int
	Code   string // the error code, as the service noted it
	Body   bytes.Buffer

	header http.Header
	taken  content.Content
}

var (
	_ kit.Taker  = (*Recorder)(nil)
	_ wire.Noter = (*Recorder)(nil)
)

// New returns an empty Recorder.
func New() *Recorder { return &Recorder{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (w *Recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *Recorder) WriteHeader(status int) {
	if w.Status == 0 {
		w.Status = status
	}
}

// Write implements http.ResponseWriter.
func (w *Recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.Body.Write(p)
}

// Take implements kit.Taker.
func (w *Recorder) Take(c content.Content) {
	w.WriteHeader(http.StatusOK)
	w.taken = c
}

// NoteCode implements wire.Noter.
func (w *Recorder) NoteCode(code string) { w.Code = code }

// NoteCaller implements wire.Noter: there is no log for it.
func (w *Recorder) NoteCaller(string, string) {}

// Content is the body of the answer.
func (w *Recorder) Content() content.Content {
	if w.Body.Len() == 0 {
		return w.taken
	}
	return content.Of(w.Body.Bytes())
}

// Failure turns a refusal of the data plane into one of ARM.
func (w *Recorder) Failure() *wire.Error {
	if w.Status < http.StatusBadRequest {
		return nil
	}
	code := w.Code
	if code == "" {
		code = w.header.Get("X-Ms-Error-Code")
	}
	message := "The specified resource cannot be used: " + code + "."
	var told struct{ Message string }
	if xml.Unmarshal(w.Body.Bytes(), &told) == nil && told.Message != "" {
		message, _, _ = strings.Cut(told.Message, "\n") // what follows are the request's ID and time
	}
	return &wire.Error{Status: w.Status, Code: code, Message: message}
}
