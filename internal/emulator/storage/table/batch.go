package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// mostChanges is how many changes a batch may have.
const mostChanges = 100

// part is one request in a batch.
type part struct {
	method string
	target target
	query  url.Values
	header http.Header
	body   []byte
}

// batch answers an entity group transaction: one change set, or one query.
func (x *call) batch() (*result, *wire.Error) {
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	parts, isQuery, err := readBatch(x.R.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	if isQuery {
		return x.batchQuery(parts)
	}
	writes, failed, err := readWrites(parts)
	if err == nil {
		for i, w := range writes {
			if err = x.allowed(w); err != nil {
				failed = i
				break
			}
		}
	}
	var results []*result
	if err == nil {
		results, failed, err = x.transact(writes)
	}
	if err != nil {
		numbered := *err
		numbered.Message = fmt.Sprintf("%d:%s", failed, err.Message)
		wire.NoteCode(x.W, err.Code)
		results = []*result{failure(&numbered, x.W.Header().Get(wire.HeaderRequestID), x.Now)}
	}
	return wrapped(results, true), nil
}

// batchQuery answers a batch that is one query.
func (x *call) batchQuery(parts []part) (*result, *wire.Error) {
	if len(parts) != 1 || parts[0].method != http.MethodGet {
		return nil, fault.Input("")
	}
	p := parts[0]
	inner := *x
	inner.query = p.query
	request := x.R.Clone(x.R.Context())
	request.Header = p.header
	outer := *x.Call
	outer.R = request
	inner.Call = &outer
	res, err := inner.serveEntities(p.method, p.target)
	if err != nil {
		wire.NoteCode(x.W, err.Code)
		res = failure(err, x.W.Header().Get(wire.HeaderRequestID), x.Now)
	}
	return wrapped([]*result{res}, false), nil
}

// transact does the changes, all or none.
func (x *call) transact(writes []write) ([]*result, int, *wire.Error) {
	changes := make([]entity.Change, 0, len(writes))
	for _, w := range writes {
		changes = append(changes, w.change)
	}
	out, failed, err := x.apply(writes[0].table, changes...)
	if err != nil {
		return nil, failed, err
	}
	results := make([]*result, 0, len(writes))
	for i, w := range writes {
		r, err := x.written(w, out[i])
		if err != nil {
			return nil, i, err
		}
		results = append(results, r)
	}
	return results, 0, nil
}

// readWrites reads the parts of a change set. A failure names the part.
func readWrites(parts []part) ([]write, int, *wire.Error) {
	if len(parts) > mostChanges {
		return nil, mostChanges - 1, fault.Input("The batch request operation exceeds the maximum 100 changes per change set.")
	}
	writes := make([]write, 0, len(parts))
	seen := map[string]bool{}
	for i, p := range parts {
		if p.target.keyed == (p.method == http.MethodPost) {
			return nil, i, fault.Input("")
		}
		w, err := readWrite(p.method, p.target, p.header, p.body)
		if err == nil && w.change.Kind == entity.Insert && w.header.Get("Prefer") != "return-no-content" {
			// The level of the answer is settled before anything is written.
			_, err = levelOf("", w.header.Get("Accept"))
		}
		switch {
		case err != nil:
			return nil, i, err
		case i > 0 && (!strings.EqualFold(w.table, writes[0].table) || w.change.PartitionKey != writes[0].change.PartitionKey):
			return nil, i, fault.Partitions()
		case seen[w.change.RowKey]:
			return nil, i, fault.DuplicateRow()
		}
		seen[w.change.RowKey] = true
		writes = append(writes, w)
	}
	return writes, 0, nil
}

// readBatch takes a batch apart.
func readBatch(contentType string, body []byte) (parts []part, isQuery bool, err *wire.Error) {
	outer, ok := reader(contentType, body)
	if !ok {
		return nil, false, fault.Input("")
	}
	for {
		p, bad := outer.NextRawPart()
		if errors.Is(bad, io.EOF) {
			break
		}
		if bad != nil || len(parts) > 0 {
			return nil, false, fault.Input("") // not multipart, or more than one change set
		}
		content, bad := io.ReadAll(p)
		if bad != nil {
			return nil, false, fault.Input("")
		}
		kind := p.Header.Get("Content-Type")
		isQuery = strings.HasPrefix(kind, "application/http")
		if isQuery {
			one, err := readPart(content)
			if err != nil {
				return nil, false, err
			}
			parts = append(parts, one)
			continue
		}
		if parts, err = readChangeset(kind, content); err != nil {
			return nil, false, err
		}
	}
	if len(parts) == 0 {
		return nil, false, fault.Input("")
	}
	return parts, isQuery, nil
}

func reader(contentType string, body []byte) (*multipart.Reader, bool) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/mixed" || params["boundary"] == "" {
		return nil, false
	}
	return multipart.NewReader(bytes.NewReader(body), params["boundary"]), true
}

func readChangeset(contentType string, body []byte) ([]part, *wire.Error) {
	mr, ok := reader(contentType, body)
	if !ok {
		return nil, fault.Input("")
	}
	var parts []part
	for {
		p, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fault.Input("")
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, fault.Input("")
		}
		one, bad := readPart(content)
		if bad != nil {
			return nil, bad
		}
		parts = append(parts, one)
	}
}

// readPart reads an HTTP request. Its body ends with the part, whatever its length header says.
func readPart(content []byte) (part, *wire.Error) {
	head, body, ok := bytes.Cut(content, []byte("\r\n\r\n"))
	if !ok {
		head, body, _ = bytes.Cut(content, []byte("\n\n"))
	}
	lines := append(bytes.Clone(head), "\r\nHost: batch\r\n\r\n"...)
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(lines)))
	if err != nil {
		return part{}, fault.Input("")
	}
	_ = req.Body.Close()
	t, bad := parseTarget(strings.TrimPrefix(req.URL.Path, "/"))
	if bad != nil {
		return part{}, bad
	}
	return part{method: method(req.Method, req.Header), target: t, query: req.URL.Query(), header: req.Header, body: body}, nil
}

// wrapped puts answers into the answer of a batch.
func wrapped(results []*result, changeset bool) *result {
	outer, inner := "batchresponse_"+uuid.NewString(), "changesetresponse_"+uuid.NewString()
	var b bytes.Buffer
	b.WriteString("--" + outer + "\r\n")
	boundary := outer
	if changeset {
		b.WriteString("Content-Type: multipart/mixed; boundary=" + inner + "\r\n\r\n--" + inner + "\r\n")
		boundary = inner
	}
	for i, r := range results {
		if i > 0 {
			b.WriteString("--" + boundary + "\r\n")
		}
		r.appendTo(&b)
	}
	if changeset {
		b.WriteString("--" + inner + "--\r\n")
	}
	b.WriteString("--" + outer + "--\r\n")
	r := newResult(http.StatusAccepted)
	r.header.Del("Dataserviceversion")
	r.header.Set("Content-Type", "multipart/mixed; boundary="+outer)
	r.body = b.Bytes()
	return r
}

// appendTo writes an answer as a part of a batch's.
func (r *result) appendTo(b *bytes.Buffer) {
	fmt.Fprintf(b, "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 %d %s\r\n", r.status, http.StatusText(r.status))
	names := make([]string, 0, len(r.header))
	for k := range r.header {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		fmt.Fprintf(b, "%s: %s\r\n", k, r.header[k][0])
	}
	b.WriteString("\r\n")
	b.Write(r.body)
	b.WriteString("\r\n")
}
