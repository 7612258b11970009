package storage

import (
	"bytes"
	"context"
	"net/http"
	"net/url"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// fetch implements kit.Fetch: the request goes through the source account's own checks, as
// one that a service of Azure sends.
func (s *Service) fetch(ctx context.Context, src kit.Source) kit.Fetched {
	u, err := url.Parse(src.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return kit.Fetched{}
	}
	p, known := placeOf(u.Host)
	e, set, ok := s.at(p)
	if !known || !ok {
		return kit.Fetched{}
	}
	r, err := http.NewRequestWithContext(ctx, src.Method, src.URL, http.NoBody)
	if err != nil {
		return kit.Fetched{}
	}
	r.RequestURI = u.RequestURI()
	r.Header = src.Header.Clone()
	w := newRecorder()
	c := &call{svc: s, entry: e, set: set, place: p, w: w, r: r, now: s.opt.Clock().UTC(), internal: true, grant: src.Grant}
	if refusal := c.serve(); refusal != nil {
		c.writeError(refusal)
	}
	return kit.Fetched{Status: w.status, Header: w.header, Content: w.content(), Code: w.code}
}

// recorder keeps an answer that does not leave the process.
type recorder struct {
	header http.Header
	status int
	code   string
	taken  content.Content
	body   bytes.Buffer
}

var (
	_ kit.Taker  = (*recorder)(nil)
	_ wire.Noter = (*recorder)(nil)
)

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Take implements kit.Taker.
func (w *recorder) Take(c content.Content) {
	w.WriteHeader(http.StatusOK)
	w.taken = c
}

// NoteCode implements wire.Noter.
func (w *recorder) NoteCode(code string) { w.code = code }

// NoteCaller implements wire.Noter: there is no log for it.
func (w *recorder) NoteCaller(string, string) {}

func (w *recorder) content() content.Content {
	if w.body.Len() == 0 {
		return w.taken
	}
	return content.Of(w.body.Bytes())
}
