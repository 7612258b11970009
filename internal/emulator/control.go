package emulator

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxCA bounds a certificate authority's PEM text, in bytes.
const maxCA = 1 << 16

// control answers the requests of the package comment. It is reached under a loopback
// address only (loopback checks the Host header).
func control(e *Emulator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(e.CAPEM())
	})
	mux.HandleFunc("GET /requests", e.writeRequests)
	mux.HandleFunc("DELETE /requests", func(w http.ResponseWriter, _ *http.Request) {
		e.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, e.Faults())
	})
	mux.HandleFunc("POST /faults", e.postFaults)
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		e.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (e *Emulator) writeRequests(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for _, line := range e.Requests() {
		if enc.Encode(line) != nil {
			return // the client has gone
		}
	}
}

// postFaults wants a JSON content type, which a web page cannot send here without a
// preflight that nobody answers.
func (e *Emulator) postFaults(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuseControl(w, http.StatusUnsupportedMediaType, "the content type must be application/json")
		return
	}
	list, err := ReadFaults(r.Body)
	for _, f := range list {
		err = errors.Join(err, e.AddFault(f))
	}
	if err != nil {
		refuseControl(w, http.StatusBadRequest, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func refuseControl(w http.ResponseWriter, status int, why string) {
	wire.WriteError(w, &wire.Error{Status: status, Code: "BadControlRequest", Message: why})
}

// Connect returns a transport to an emulator in another process, by the address of its
// proxy ("127.0.0.1:port"). It is like Emulator.Transport: it reaches Azure names alone.
func Connect(ctx context.Context, addr string) (*http.Transport, error) {
	if host, _, err := net.SplitHostPort(addr); err != nil || !loopback.IsLoopback(host) {
		return nil, fmt.Errorf("emulator address %q: %w", addr, loopback.ErrNotLoopback)
	}
	ca, err := fetchCA(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("emulator at %s: %w", addr, err)
	}
	return loopback.Via(addr, ca)
}

func fetchCA(ctx context.Context, addr string) (*x509.CertPool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/ca.pem", nil)
	if err != nil {
		return nil, err
	}
	direct := &http.Transport{DisableKeepAlives: true} // no proxy, whatever the environment says
	resp, err := direct.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxCA))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if resp.StatusCode != http.StatusOK || !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificate authority at /ca.pem (status %d): is it an emulator?", resp.StatusCode)
	}
	return pool, nil
}
