package loopback_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
)

func newCA(t testing.TB) *loopback.CA {
	t.Helper()
	ca, err := loopback.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// hello answers with the host it was asked for.
func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello %s %s", r.Host, r.TLS.NegotiatedProtocol)
}

func start(t testing.TB, ca *loopback.CA, opt loopback.Options) *loopback.Server {
	t.Helper()
	opt.CA = ca
	if opt.Handler == nil {
		opt.Handler = http.HandlerFunc(hello)
	}
	s, err := loopback.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t testing.TB, rt http.RoundTripper, address string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// throughProxy is a client that knows nothing of the emulator.
func throughProxy(t testing.TB, s *loopback.Server, ca *loopback.CA) *http.Transport {
	t.Helper()
	tr := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: s.ProxyAddr()}),
		TLSClientConfig:   &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func TestAzureNames(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	s := start(t, ca, loopback.Options{})
	via, err := loopback.Via(s.ProxyAddr(), ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(via.CloseIdleConnections)
	for name, rt := range map[string]http.RoundTripper{"Transport": s.Transport(), "proxy": throughProxy(t, s, ca), "Via": via} {
		for _, host := range []string{"management.azure.com", "kv1.vault.azure.net", "a.b.blob.core.windows.net", "acme.documents.azure.com:443", "kv1.vault.azure.net:8443"} {
			status, text, err := get(t, rt, "https://"+host+"/")
			want := "hello " + strings.TrimSuffix(host, ":443")
			if err != nil || status != http.StatusOK || !strings.HasPrefix(text, want) || strings.Contains(text, "h2") {
				t.Errorf("%s %s: %d %q %v", name, host, status, text, err)
			}
		}
	}
}

func TestNothingOutside(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	s := start(t, ca, loopback.Options{})
	via, err := loopback.Via(s.ProxyAddr(), ca.Pool())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"example.com", "azure.com.example.com", "notazure.com", "127.0.0.1", "[::1]", "localhost", "xazure.net"} {
		for name, rt := range map[string]http.RoundTripper{"Transport": s.Transport(), "Via": via} {
			if _, _, err := get(t, rt, "https://"+host+"/"); !errors.Is(err, loopback.ErrOutside) {
				t.Errorf("%s %s: %v", name, host, err)
			}
		}
		if _, _, err := get(t, throughProxy(t, s, ca), "https://"+host+"/"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("proxy %s: %v", host, err)
		}
	}
	for name, rt := range map[string]http.RoundTripper{"Transport": s.Transport(), "Via": via} {
		if _, _, err := get(t, rt, "http://management.azure.com/"); err == nil || !strings.Contains(err.Error(), "HTTPS only") {
			t.Errorf("%s, plain: %v", name, err)
		}
	}
	status, text, err := get(t, throughProxy(t, s, ca), "http://management.azure.com/")
	if err != nil || status != http.StatusForbidden || !strings.Contains(text, "HTTPS only") {
		t.Errorf("proxy, plain: %d %q %v", status, text, err)
	}
}

func TestNoSuchHost(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	s := start(t, ca, loopback.Options{Exists: func(host string) bool { return host != "gone.vault.azure.net" }})
	_, _, err := get(t, s.Transport(), "https://GONE.vault.azure.net/")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "gone.vault.azure.net" {
		t.Errorf("%v", err)
	}
	if _, _, err := get(t, throughProxy(t, s, ca), "https://gone.vault.azure.net/"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("proxy: %v", err)
	}
	if status, _, err := get(t, s.Transport(), "https://here.vault.azure.net/"); err != nil || status != http.StatusOK {
		t.Errorf("%d %v", status, err)
	}
}

// raw opens a connection to the proxy and sends text.
func raw(t testing.TB, s *loopback.Server, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.ProxyAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func statusOf(t testing.TB, r *bufio.Reader) int {
	t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestProxyProbes(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	s := start(t, ca, loopback.Options{})
	connect := "CONNECT kv1.vault.azure.net:443 HTTP/1.1\r\nHost: kv1.vault.azure.net:443\r\n\r\n"

	t.Run("open and close", func(t *testing.T) {
		conn, r := raw(t, s, connect)
		if got := statusOf(t, r); got != http.StatusOK {
			t.Errorf("%d", got)
		}
		_ = conn.Close()
	})
	t.Run("plain bytes in the tunnel", func(t *testing.T) {
		_, r := raw(t, s, connect+"GET / HTTP/1.1\r\nHost: kv1.vault.azure.net\r\n\r\n")
		if got := statusOf(t, r); got != http.StatusOK {
			t.Fatalf("%d", got)
		}
		if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "400") {
			t.Errorf("%q %v", line, err)
		}
	})
	t.Run("hello without waiting", func(t *testing.T) { tlsAtOnce(t, s, ca, connect) })
	t.Run("garbage", func(t *testing.T) {
		_, r := raw(t, s, "\x16\x03\x01 nonsense\r\n\r\n")
		if got := statusOf(t, r); got != http.StatusBadRequest {
			t.Errorf("%d", got)
		}
	})
	if status, _, err := get(t, throughProxy(t, s, ca), "https://kv1.vault.azure.net/"); err != nil || status != http.StatusOK {
		t.Errorf("after the probes: %d %v", status, err)
	}
}

// tlsAtOnce sends CONNECT and the TLS hello in one packet.
func tlsAtOnce(t *testing.T, s *loopback.Server, ca *loopback.CA, connect string) {
	client, wire := net.Pipe()
	tlsConn := tls.Client(client, &tls.Config{RootCAs: ca.Pool(), ServerName: "kv1.vault.azure.net", MinVersion: tls.VersionTLS13})
	done := make(chan error, 1)
	go func() { done <- tlsConn.HandshakeContext(t.Context()) }()
	first := make([]byte, 16<<10)
	n, err := wire.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	conn, r := raw(t, s, connect+string(first[:n]))
	if got := statusOf(t, r); got != http.StatusOK {
		t.Fatalf("%d", got)
	}
	go func() { _, _ = io.Copy(wire, r) }()
	go func() { _, _ = io.Copy(conn, wire) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = client.Close()
}

func TestControl(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	s := start(t, ca, loopback.Options{Control: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "control") })})
	if status, text, err := get(t, http.DefaultTransport, "http://"+s.ProxyAddr()+"/x"); err != nil || text != "control" {
		t.Errorf("%d %q %v", status, text, err)
	}
	_, r := raw(t, s, "GET /x HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n")
	if got := statusOf(t, r); got != http.StatusForbidden {
		t.Errorf("under a name that is not loopback: %d", got)
	}
	if status, _, err := get(t, http.DefaultTransport, "http://"+start(t, ca, loopback.Options{}).ProxyAddr()+"/"); err != nil || status != http.StatusNotFound {
		t.Errorf("without control: %d %v", status, err)
	}
}

func TestListenAddresses(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	for _, bad := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		if s, err := loopback.Start(loopback.Options{Listen: bad, CA: ca}); !errors.Is(err, loopback.ErrNotLoopback) {
			t.Errorf("%s: %v %v", bad, s, err)
		}
	}
	if _, err := loopback.Start(loopback.Options{Listen: "127.0.0.1", CA: ca}); err == nil {
		t.Error("an address without a port was taken")
	}
	s := start(t, ca, loopback.Options{Listen: "localhost:0"})
	if _, err := loopback.Start(loopback.Options{Listen: s.ProxyAddr(), CA: ca}); err == nil {
		t.Error("the same port was taken twice")
	}
	if _, err := loopback.Via("192.0.2.1:1", ca.Pool()); !errors.Is(err, loopback.ErrNotLoopback) {
		t.Errorf("Via: %v", err)
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2:80": true, "::1": true, "[::1]:80": true, "LOCALHOST:1": true,
		"10.0.0.1": false, "": false, "localhost.example.com": false, "::2": false,
	} {
		if got := loopback.IsLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	if _, err := ca.Leaf("example.com"); err == nil {
		t.Error("a certificate for a name outside Azure")
	}
	if _, err := ca.Leaf(""); err == nil {
		t.Error("a certificate for no name")
	}
	first, err := ca.Leaf("KV1.vault.azure.net.")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ca.Leaf("kv1.vault.azure.net"); err != nil || again != first {
		t.Errorf("not cached: %v", err)
	}
	leaf, err := x509.ParseCertificate(first.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "kv1.vault.azure.net", Roots: ca.Pool()}); err != nil {
		t.Error(err)
	}
	block, rest := pem.Decode(ca.PEM())
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil || len(rest) != 0 || !root.PermittedDNSDomainsCritical || len(root.PermittedDNSDomains) == 0 {
		t.Errorf("authority: %v, constraints %v", err, root.PermittedDNSDomains)
	}
}

// TestCloseLeavesNothing opens every kind of connection and sees all of them go.
func TestCloseLeavesNothing(t *testing.T) { // not parallel: it looks at all goroutines
	ca := newCA(t)
	waiting := make(chan struct{}, 1)
	s, err := loopback.Start(loopback.Options{CA: ca, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			waiting <- struct{}{}
			<-r.Context().Done()
		}
		hello(w, r)
	})})
	if err != nil {
		t.Fatal(err)
	}
	direct, proxied := s.Transport(), throughProxy(t, s, ca)
	for _, rt := range []http.RoundTripper{direct, proxied} {
		if _, _, err := get(t, rt, "https://kv1.vault.azure.net/"); err != nil {
			t.Fatal(err)
		}
	}
	raw(t, s, "CONNECT kv1.vault.azure.net:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	raw(t, s, "")
	failed := make(chan error, 1)
	go func() {
		_, _, err := get(t, direct, "https://kv1.vault.azure.net/wait")
		failed <- err
	}()
	<-waiting
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("a request outlived Close")
	}
	var d net.Dialer
	if conn, err := d.DialContext(t.Context(), "tcp", s.ProxyAddr()); err == nil {
		_ = conn.Close()
		t.Error("the proxy still listens")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	proxied.CloseIdleConnections()
	noGoroutines(t, "loopback.(*Server)", "http.(*conn).serve")
}

// noGoroutines waits until no goroutine's stack names one of the functions; a goroutine
// that has done its work may need a moment to end.
func noGoroutines(t testing.TB, functions ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		left := ""
		for _, f := range functions {
			if strings.Contains(stacks.String(), f) {
				left = f
			}
		}
		if left == "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("goroutines in %s are left:\n%s", left, stacks.String())
		}
	}
}
