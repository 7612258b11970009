package table

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// level is how much metadata an answer has.
type level int

// The levels of metadata.
const (
	noMetadata level = iota
	minimal
	full
)

var levels = [...]string{"nometadata", "minimalmetadata", "fullmetadata"}

// contentType is the answer's for a level.
func (l level) contentType() string {
	return "application/json;odata=" + levels[l] + ";streaming=true;charset=utf-8"
}

// levelOf reads $format, or else Accept. What asks for no JSON asks for Atom, which is
// gone: so does a request that accepts anything.
func levelOf(format, accept string) (level, *wire.Error) {
	if format != "" {
		accept = format
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(part), " ", ""), ";")
		if kind != "application/json" && (format == "" || kind != "json") {
			continue
		}
		for i, name := range levels {
			if strings.Contains(params, "odata="+name) {
				return level(i), nil
			}
		}
		return minimal, nil
	}
	return minimal, fault.Atom()
}

// result is an answer before it is written: alone, or as a part of a batch's.
type result struct {
	status int
	header http.Header
	body   []byte
}

func newResult(status int) *result {
	h := http.Header{}
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Dataserviceversion", "3.0;")
	return &result{status: status, header: h}
}

func (r *result) json(l level, body []byte) *result {
	r.header.Set("Content-Type", l.contentType())
	r.body = body
	return r
}

func (r *result) write(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.status)
	// The client may have gone; there is nobody left to tell.
	_, _ = w.Write(r.body)
}

// xmlResult is an answer of the operations that know no JSON.
func xmlResult(status int, v any) (*result, *wire.Error) {
	body, err := xml.Marshal(v)
	if err != nil {
		return nil, &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: "Server encountered an internal error. Please try again after some time."}
	}
	r := newResult(status)
	r.header.Set("Content-Type", "application/xml")
	r.body = append([]byte(`<?xml version="1.0" encoding="utf-8"?>`), body...)
	return r, nil
}

// failure renders an error as JSON; it is what a batch's part has, too.
func failure(e *wire.Error, requestID string, now time.Time) *result {
	r := newResult(e.Status)
	for k, v := range e.Header {
		r.header.Set(k, v)
	}
	body := append([]byte(`{"odata.error":{"code":`), edm.AppendString(nil, e.Code)...)
	body = append(body, `,"message":{"lang":"en-US","value":`...)
	body = append(body, edm.AppendString(nil, message(e, requestID, now))...)
	return r.json(minimal, append(body, "}}}"...))
}

func message(e *wire.Error, requestID string, now time.Time) string {
	return e.Message + "\nRequestId:" + requestID + "\nTime:" + now.UTC().Format("2006-01-02T15:04:05.0000000Z")
}

// xmlError is the error document for those who ask for XML.
type xmlError struct {
	XMLName xml.Name `xml:"m:error"`
	Space   string   `xml:"xmlns:m,attr"`
	Code    string   `xml:"m:code"`
	Message struct {
		Lang string `xml:"xml:lang,attr"`
		Text string `xml:",chardata"`
	} `xml:"m:message"`
}

// WriteError answers in the words of Table Storage: OData's error as JSON, or as XML to
// who accepts that alone. Errors of the account, of signing in for one, look like this too.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, e *wire.Error) {
	wire.NoteCode(w, e.Code)
	id, now := w.Header().Get(wire.HeaderRequestID), s.opt.Clock()
	if accept := r.Header.Get("Accept"); !strings.Contains(accept, "xml") || strings.Contains(accept, "json") {
		failure(e, id, now).write(w)
		return
	}
	doc := xmlError{Space: "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata", Code: e.Code}
	doc.Message.Lang, doc.Message.Text = "en-US", message(e, id, now)
	res, err := xmlResult(e.Status, doc)
	if err != nil {
		failure(err, id, now).write(w)
		return
	}
	for k, v := range e.Header {
		res.header.Set(k, v)
	}
	res.write(w)
}
