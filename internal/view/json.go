package view

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// StreamSchema is the version of the JSON lines form. Fields and record types may be
// added within a version; readers ignore those that they do not know.
const StreamSchema = 1

// JSON writes v as one indented JSON document with a line feed at its end.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Lines writes a run as JSON lines: a version record, one record for each event, and the
// report at the end. It is safe for concurrent use.
type Lines struct {
	now func() time.Time
	mu  sync.Mutex
	enc *json.Encoder
	err error // the first write error; later records are dropped
}

type versionRecord struct {
	Type    string `json:"type"` // "version"
	Schema  int    `json:"schema"`
	Version string `json:"version"`
}

type eventRecord struct {
	Type  string      `json:"type"`
	Event event.Event `json:"event"`
	Error *failure    `json:"error,omitempty"`
	Time  time.Time   `json:"time"` // when it was written, in UTC
}

type reportRecord struct {
	Type   string         `json:"type"` // "report"
	Report *engine.Report `json:"report"`
}

// failure is an error in machine form.
type failure struct {
	Kind      errs.Kind `json:"errorKind"`
	Message   string    `json:"message"`
	Side      string    `json:"side,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	Code      string    `json:"code,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	Hint      string    `json:"hint,omitempty"`
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Kind: errs.KindOf(err), Message: err.Error(), Hint: HintOf(err)}
	if e := errs.Find(err); e != nil {
		f.Side, f.Resource, f.Code, f.RequestID = e.Side, e.Resource, e.Code, e.RequestID
	}
	return f
}

// NewLines writes the version record to w and returns the writer of the others. now tells
// the time of each event.
func NewLines(w io.Writer, version string, now func() time.Time) *Lines {
	l := &Lines{now: now, enc: json.NewEncoder(w)}
	l.enc.SetEscapeHTML(false)
	l.write(versionRecord{"version", StreamSchema, version})
	return l
}

// Event writes one event; it is an event.Sink.
func (l *Lines) Event(e event.Event) {
	l.write(eventRecord{e.Type(), e, failureOf(errorOf(e)), l.now().UTC()})
}

// Close writes the report, if there is one, and returns the first error of any write.
func (l *Lines) Close(r *engine.Report) error {
	if r != nil {
		l.write(reportRecord{"report", r})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *Lines) write(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.enc.Encode(v)
	}
}

// errorOf returns the error that an event carries, or nil.
func errorOf(e event.Event) error {
	switch e := e.(type) {
	case event.DeployResource:
		return e.Err
	case event.DeployFinished:
		return e.Err
	case event.ResourceDone:
		return e.Err
	case event.ItemPlanned:
		return e.Err
	case event.ItemDone:
		return e.Err
	case event.ItemVerified:
		return e.Err
	case event.Retrying:
		return e.Err
	default:
		return nil
	}
}

// exitRecord says how the command ended.
type exitRecord struct {
	Type  string   `json:"type"` // "exit"
	Code  int      `json:"code"`
	Error *failure `json:"error,omitempty"`
}

// Exit writes the last line of standard error where the output is one JSON document: the
// exit code and, if something failed, why.
func Exit(w io.Writer, code int, err error) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(exitRecord{"exit", code, failureOf(err)})
}

// Exit writes the last record of the stream and returns the first error of any write.
func (l *Lines) Exit(code int, err error) error {
	l.write(exitRecord{"exit", code, failureOf(err)})
	return l.Close(nil)
}
