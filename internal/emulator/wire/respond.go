package wire

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"
)

// Headers that Azure's front ends read and write on every service.
const (
	HeaderRequestID       = "X-Ms-Request-Id"
	HeaderClientRequestID = "X-Ms-Client-Request-Id"
	HeaderReturnClientID  = "X-Ms-Return-Client-Request-Id"
)

// errorBody is the error shape that ARM and Key Vault share:
// {"error":{"code":…,"message":…,"innererror":{"code":…}}}.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code    string         `json:"code"`
	Target  string         `json:"target,omitempty"`
	Message string         `json:"message"`
	Inner   *innerError    `json:"innererror,omitempty"`
	Details []*errorDetail `json:"details,omitempty"`
}

type innerError struct {
	Code string `json:"code"`
}

// WriteJSON answers with v as JSON and the content type Azure uses. A v that cannot be
// marshalled is answered with a 500 InternalServerError, because no byte has left yet.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		WriteError(w, &Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: "The answer cannot be written: " + err.Error()})
		return
	}
	writeBody(w, status, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// WriteError answers in the words of ARM and Key Vault, with e's headers, and notes the
// code for the request log. A zero Status is a 500. Services with another error shape
// (Storage, Entra) write their own and call NoteCode.
func WriteError(w http.ResponseWriter, e *Error) {
	status := e.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	for k, v := range e.Header {
		w.Header().Set(k, v)
	}
	NoteCode(w, e.Code)
	WriteJSON(w, status, errorBody{Error: *newDetail(e)})
}

func newDetail(e *Error) *errorDetail {
	out := &errorDetail{Code: e.Code, Target: e.Target, Message: e.Message}
	if e.Inner != "" {
		out.Inner = &innerError{Code: e.Inner}
	}
	for _, d := range e.Details {
		out.Details = append(out.Details, newDetail(d))
	}
	return out
}

// MarshalJSON writes the object that stands behind "error" in ARM's answers.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(newDetail(e)) }

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	if h.Get(HeaderRequestID) == "" {
		h.Set(HeaderRequestID, uuid.NewString())
	}
	w.WriteHeader(status)
	// The client may have gone; there is nobody left to tell.
	_, _ = w.Write(body)
}

// StampIDs gives an answer its x-ms-request-id and echoes the caller's
// x-ms-client-request-id if x-ms-return-client-request-id asks for that. The front calls
// it for every request, so that services need not.
func StampIDs(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(HeaderRequestID, uuid.NewString())
	if id := r.Header.Get(HeaderClientRequestID); id != "" && r.Header.Get(HeaderReturnClientID) == "true" {
		w.Header().Set(HeaderClientRequestID, id)
	}
}

// Noter is implemented by the front's response writer: what a service tells the request
// log.
type Noter interface {
	NoteCode(code string)
	NoteCaller(tenantID, appID string)
}

// NoteCode tells the request log which error code was answered. It looks through
// wrapped writers and does nothing outside the front.
func NoteCode(w http.ResponseWriter, code string) {
	if n := noter(w); n != nil {
		n.NoteCode(code)
	}
}

// NoteCaller tells the request log who asked, where no bearer token says it.
func NoteCaller(w http.ResponseWriter, tenantID, appID string) {
	if n := noter(w); n != nil {
		n.NoteCaller(tenantID, appID)
	}
}

func noter(w http.ResponseWriter) Noter {
	for w != nil {
		if n, ok := w.(Noter); ok {
			return n
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

// ErrorWriter is implemented by services whose errors have another shape than WriteError
// gives; the front uses it where it answers in a service's place.
type ErrorWriter interface {
	WriteError(w http.ResponseWriter, r *http.Request, e *Error)
}
