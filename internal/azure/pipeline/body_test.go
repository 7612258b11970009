package pipeline_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// hasty answers tries before it has read them to their end, as a service does that is
// busy, and reads on behind the caller's back, as net/http does. The last try is read
// and kept.
type hasty struct {
	tries int
	late  []io.ReadCloser
	got   []byte
}

// Do implements policy.Transporter.
func (h *hasty) Do(req *http.Request) (*http.Response, error) {
	h.tries++
	status := http.StatusServiceUnavailable
	if h.tries < 3 {
		if _, err := io.ReadFull(req.Body, make([]byte, 3)); err != nil {
			return nil, err
		}
	} else {
		if req.GetBody != nil { // a kept connection was closed
			b, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			h.late, req.Body = append(h.late, req.Body), b
		}
		got, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		h.got, status = got, http.StatusCreated
	}
	h.late = append(h.late, req.Body)
	rec := httptest.NewRecorder()
	rec.WriteHeader(status)
	return rec.Result(), nil
}

// TestTransportLosesTheBody holds that a body is read by one try at a time: what reads on
// after its try gets nothing, and the next try sends every byte.
func TestTransportLosesTheBody(t *testing.T) {
	t.Parallel()
	h := &hasty{}
	opt := pipeline.New(pipeline.Options{Side: plugin.Target, Transport: h, RetryDelay: 1})
	pl := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, &opt)
	req, err := runtime.NewRequest(t.Context(), http.MethodPut, "https://contoso.blob.core.windows.net/c/b")
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("every byte of it")
	if err := req.SetBody(streaming.NopCloser(bytes.NewReader(content)), "text/plain"); err != nil {
		t.Fatal(err)
	}
	resp, err := pl.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if diff := cmp.Diff(content, h.got); diff != "" || h.tries != 3 {
		t.Errorf("sent in try %d (-want +got):\n%s", h.tries, diff)
	}
	for i, b := range h.late {
		n, err := b.Read(make([]byte, 8))
		atEnd := i == len(h.late)-1 // all of it was sent
		if n != 0 || err == nil || errors.Is(err, io.EOF) != atEnd {
			t.Errorf("reader %d reads on: %d bytes, %v", i, n, err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("close reader %d: %v", i, err)
		}
	}
}
