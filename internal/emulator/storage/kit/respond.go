package kit

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// WriteXML answers with v as the XML that Storage writes, with its byte order mark left
// out. A v that cannot be marshalled is answered with a 500 InternalError.
func WriteXML(w http.ResponseWriter, status int, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		WriteError(w, &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: "Server encountered an internal error. Please try again after some time."})
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// The client may have gone; there is nobody left to tell.
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="utf-8"?>`))
	_, _ = w.Write(body)
}

// errorBody is Storage's error document.
type errorBody struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
	More    []element
}

type element struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// The separators of the further elements of an error within wire.Error.Inner.
const (
	afterName  = "\x1f"
	afterValue = "\x1e"
)

// WithDetail returns e with a further element of the error document, such as
// AuthenticationErrorDetail or HeaderName.
func WithDetail(e *wire.Error, name, value string) *wire.Error {
	out := *e
	out.Inner += name + afterName + value + afterValue
	return &out
}

// details takes apart what WithDetail put together.
func details(inner string) []element {
	var out []element
	for pair := range strings.SplitSeq(inner, afterValue) {
		if name, value, ok := strings.Cut(pair, afterName); ok {
			out = append(out, element{xml.Name{Local: name}, value})
		}
	}
	return out
}

// WriteError answers in the words of Blob, File and Queue Storage: an XML document and
// the x-ms-error-code header (Azure: Status and error codes). Answers that may have no
// body (304, and those to HEAD, which net/http cuts) have the header alone.
func WriteError(w http.ResponseWriter, e *wire.Error) {
	for k, v := range e.Header {
		w.Header().Set(k, v)
	}
	wire.NoteCode(w, e.Code)
	w.Header().Set("X-Ms-Error-Code", e.Code)
	if e.Status == http.StatusNotModified {
		w.WriteHeader(e.Status)
		return
	}
	message := e.Message + "\nRequestId:" + w.Header().Get(wire.HeaderRequestID) + "\nTime:" + time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z")
	WriteXML(w, e.Status, errorBody{Code: e.Code, Message: message, More: details(e.Inner)})
}
