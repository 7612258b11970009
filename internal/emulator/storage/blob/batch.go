package blob

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The limits of a batch (Azure: Blob Batch).
const (
	longestBatch   = 4 << 20
	mostOperations = 256
)

// batch answers Blob Batch: many Delete Blob or Set Blob Tier in one request. Every one of
// them is checked on its own; the right to the batch itself is that of the outer request,
// whose sign-in they share.
func batch(r *req.Request) *wire.Error {
	_, params, err := mime.ParseMediaType(r.Header("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return req.BadHeader("Content-Type", r.Header("Content-Type"))
	}
	body, refusal := r.XML(longestBatch)
	if refusal != nil {
		return refusal
	}
	parts, err := readBatch(body, params["boundary"])
	if err != nil {
		return req.Bad("InvalidInput", "One of the request inputs is not valid.")
	}
	if len(parts) == 0 || len(parts) > mostOperations {
		return req.Bad("ExceedsMaxBatchRequestCount", "The batch operation exceeds maximum number of allowed subrequests.") // words not confirmed
	}
	boundary := "batchresponse_" + uuid.NewString()
	var out bytes.Buffer
	for _, p := range parts {
		w := &partWriter{header: http.Header{}}
		part(r, p, w)
		w.write(&out, boundary, p.id)
	}
	fmt.Fprintf(&out, "--%s--\r\n", boundary)
	r.Out.Set("Content-Type", "multipart/mixed; boundary="+boundary)
	r.W.WriteHeader(http.StatusAccepted)
	_, _ = r.W.Write(out.Bytes()) // the client may have gone
	return nil
}

// batchPart is one operation of a batch.
type batchPart struct {
	id string
	r  *http.Request
}

func readBatch(body []byte, boundary string) ([]batchPart, error) {
	m := multipart.NewReader(bytes.NewReader(body), boundary)
	var out []batchPart
	for {
		p, err := m.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		inner, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(inner, "\r\n\r\n"...))))
		if err != nil {
			return nil, err
		}
		out = append(out, batchPart{p.Header.Get("Content-Id"), r})
	}
}

// part does one operation with the grant of the batch.
func part(outer *req.Request, p batchPart, w *partWriter) {
	w.header.Set(wire.HeaderRequestID, outer.Out.Get(wire.HeaderRequestID))
	w.header.Set("X-Ms-Version", outer.Version)
	call := *outer.Call
	call.W, call.R, call.Path = w, p.r, strings.TrimPrefix(p.r.URL.Path, "/")
	r := req.New(&call, outer.Store)
	err := allowedInBatch(outer, r)
	switch {
	case err != nil:
	case r.R.Method == http.MethodDelete:
		err = blobs.Delete(r)
	default:
		err = blobs.SetTier(r)
	}
	if err != nil {
		kit.WriteError(w, err)
	}
}

// allowedInBatch: only Delete Blob and Set Blob Tier, and in a container's batch only its
// own blobs.
func allowedInBatch(outer, r *req.Request) *wire.Error {
	isDelete := r.R.Method == http.MethodDelete && r.Param("comp") == ""
	isTier := r.R.Method == http.MethodPut && r.Param("comp") == "tier"
	if r.Blob == "" || !isDelete && !isTier {
		return req.Bad("BatchOperationNotSupported", "The batch operation is not supported.") // words not confirmed
	}
	if outer.Container != "" && outer.Container != r.Container {
		return req.Bad("InvalidInput", "One of the request inputs is not valid.")
	}
	return nil
}

// partWriter collects the answer of one operation.
type partWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *partWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *partWriter) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *partWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// write adds the answer to that of the batch.
func (w *partWriter) write(out *bytes.Buffer, boundary, id string) {
	fmt.Fprintf(out, "--%s\r\nContent-Type: application/http\r\n", boundary)
	if id != "" {
		fmt.Fprintf(out, "Content-ID: %s\r\n", id)
	}
	if w.body.Len() > 0 {
		w.header.Set("Content-Length", fmt.Sprint(w.body.Len()))
	}
	fmt.Fprintf(out, "\r\nHTTP/1.1 %d %s\r\n", w.status, http.StatusText(w.status))
	_ = w.header.Write(out) // a buffer takes everything
	fmt.Fprintf(out, "\r\n%s\r\n", w.body.Bytes())
}
