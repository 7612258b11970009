package dfs

import (
	"net/http"
	"strings"
)

// writer is an answer of the blob service's operations in this service's headers.
type writer struct {
	http.ResponseWriter
	done bool
}

// WriteHeader implements http.ResponseWriter: metadata goes out as x-ms-properties, and
// what only blobs have is left out.
func (w *writer) WriteHeader(status int) {
	if !w.done {
		w.done = true
		h := w.Header()
		if props := takeProperties(h); props != "" {
			h.Set("X-Ms-Properties", props)
		}
		for _, name := range []string{"X-Ms-Blob-Type", "X-Ms-Access-Tier-Inferred", "X-Ms-Delete-Type-Permanent"} {
			h.Del(name)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController and the request log see the writer below.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// takeProperties removes the metadata headers and returns them as x-ms-properties.
func takeProperties(h http.Header) string {
	m := map[string]string{}
	for k, v := range h {
		if name, ok := strings.CutPrefix(strings.ToLower(k), "x-ms-meta-"); ok && len(v) > 0 {
			m[name] = v[0]
			delete(h, k)
		}
	}
	return formatProperties(m)
}
