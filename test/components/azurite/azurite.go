// Package azurite runs Azurite, a look-alike of Blob, Queue and Table Storage that nobody
// here wrote (https://github.com/Azure/Azurite), in memory and on loopback. All accounts
// are of one process: only there it copies between accounts.
package azurite

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options say how it is started.
type Options struct {
	Program  string            // as scripts/components installed it
	Dir      string            // for its files; exists
	Accounts map[string]string // keys in Base64, by name
	// TLS has it answer by https under the true names of all accounts, with a certificate
	// that is CA.
	TLS bool
}

// Server is a running Azurite.
type Server struct {
	Ports map[string]string // on 127.0.0.1, by service: blob, queue, table
	CA    []byte            // PEM; nil without TLS

	cmd  *exec.Cmd
	said string // path of its log
}

// readyWithin is how long it may take to answer.
const readyWithin = 60 * time.Second

// Start runs it until Stop or the end of ctx, and returns when it answers. It knows API
// versions up to the newest of its making, so it is told not to look at the clients'.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{Ports: map[string]string{}, said: filepath.Join(o.Dir, "azurite.log")}
	args := []string{"--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"}
	for _, name := range []string{"blob", "queue", "table"} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		s.Ports[name] = port
		args = append(args, "--"+name+"Port", port)
	}
	var accounts []string
	for name, key := range o.Accounts {
		accounts = append(accounts, name+":"+key)
	}
	env := append(os.Environ(), "AZURITE_ACCOUNTS="+strings.Join(accounts, ";"))
	if o.TLS {
		cert, key, err := s.certify(o.Dir)
		if err != nil {
			return nil, err
		}
		args, env = append(args, "--cert", cert, "--key", key), append(env, "NODE_EXTRA_CA_CERTS="+cert)
	}
	return s, s.run(ctx, o, args, env)
}

func (s *Server) run(ctx context.Context, o Options, args, env []string) error {
	log, err := os.Create(s.said)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                   // the process has its own
	s.cmd = exec.CommandContext(ctx, o.Program, args...) //nolint:gosec // what was installed for this
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = o.Dir, env, log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for _, port := range s.Ports {
		if err := await(ctx, port); err != nil {
			s.Stop()
			return fmt.Errorf("azurite: %w\n%s", err, s.Said())
		}
	}
	return nil
}

// Stop ends it.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // that it was killed is what is meant
}

// Said is what it wrote.
func (s *Server) Said() string {
	text, err := os.ReadFile(s.said)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// await returns when something listens at a port.
func await(ctx context.Context, port string) error {
	ctx, stop := context.WithTimeout(ctx, readyWithin)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not listen at port %s: %w", port, err)
		}
	}
}

func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// certify makes a certificate for the names of all accounts, and says where it lies.
func (s *Server) certify(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "azurite"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for name := range s.Ports {
		template.DNSNames = append(template.DNSNames, "*."+name+".core.windows.net")
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, s.CA, 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600),
	)
}
