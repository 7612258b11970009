package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/test/components/azurite"
)

// azuriteRounds and azuriteCells are fewer and smaller: Azurite is slow, and what is
// measured with it is mostly Azurite.
const azuriteRounds = 3

func azuriteCells() []cell {
	return []cell{{"2,000 × 1 KiB", 2000, 1 << 10}, {"16 × 8 MiB", 16, 8 << 20}, {"one of 256 MiB", 1, 256 << 20}}
}

// onAzurite holds atg against its peers on a server of another maker, for the record: there
// is no target. All go through the client, since Azurite has no Put Blob From URL. The
// emulator signs in and tells where the accounts are; Azurite has their blobs.
func onAzurite(ctx context.Context, l *lab) ([]row, error) {
	all, err := programs()
	if err != nil {
		return nil, err
	}
	path, err := program("ATG_AZURITE", "azurite", "azurite-*/node_modules/.bin/azurite")
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, c := range azuriteCells() {
		runs := make([][]taken, len(all))
		err := l.withAzurite(ctx, path, c, func(az *azure) error {
			for range azuriteRounds {
				for i, p := range all {
					t, err := az.onceThrough(ctx, p, c)
					if err != nil {
						return fmt.Errorf("%s: %w", p.name, err)
					}
					runs[i] = append(runs[i], t)
				}
			}
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", c.name, err)
		}
		r := compared(c, through, all, runs)[0]
		r.target, r.verdict = "", noted
		rows = append(rows, r)
	}
	return rows, nil
}

// onceThrough runs one program and clears the target for the next.
func (az *azure) onceThrough(ctx context.Context, p copier, c cell) (taken, error) {
	u, err := p.run(ctx, az, c, through)
	if err == nil {
		err = az.arrived(ctx, c)
	}
	if err != nil {
		return taken{}, err
	}
	to, err := az.box(targetAccount)
	if err == nil {
		_, err = to.Delete(ctx, nil)
	}
	return taken{usage: u}, err
}

// withAzurite runs f with an emulator whose accounts' blobs are Azurite's, and a cell there.
func (l *lab) withAzurite(ctx context.Context, path string, c cell, f func(*azure) error) error {
	text, err := accountsOf(cell{}, false)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(l.dir, "azurite-")
	if err != nil {
		return err
	}
	server, err := azurite.Start(ctx, azurite.Options{
		Program: path, Dir: dir, TLS: true, Accounts: map[string]string{sourceAccount: keyOf(sourceAccount), targetAccount: keyOf(targetAccount)},
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	return l.within(ctx, emulation{world: text}, func(az *azure) error {
		end, err := az.divert(ctx, dir, server)
		if err != nil {
			return err
		}
		defer end()
		az.more = []string{"--set", "storage.sign-in=key"} // Azurite takes no tokens for access policies
		if err := az.fill(ctx, c); err != nil {
			return err
		}
		return errors.Join(az.settled(ctx), f(az))
	})
}

// divert puts a proxy before the emulator's, which leads requests for blobs to Azurite.
func (az *azure) divert(ctx context.Context, dir string, to *azurite.Server) (end func(), err error) {
	pem, err := os.ReadFile(az.setting("SSL_CERT_FILE"))
	if err != nil {
		return nil, err
	}
	both := filepath.Join(dir, "both.pem")
	if err := os.WriteFile(both, append(pem, to.CA...), 0o600); err != nil { //nolint:gosec // a folder of our own
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	behind := strings.TrimPrefix(az.setting("HTTPS_PROXY"), "http://")
	proxy := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if strings.HasSuffix(host, blobSuffix) {
			tunnel(w, r, "127.0.0.1:"+to.Ports["blob"], false)
			return
		}
		tunnel(w, r, behind, true)
	})}
	go func() { _ = proxy.Serve(l) }() // until it is closed
	for i, line := range az.env {
		switch name, _, _ := strings.Cut(line, "="); strings.ToUpper(name) {
		case "HTTPS_PROXY":
			az.env[i] = name + "=http://" + l.Addr().String()
		case "SSL_CERT_FILE":
			az.env[i] = name + "=" + both
		}
	}
	return func() { _ = proxy.Close() }, nil
}

// tunnel answers a CONNECT by leading to an address; ask says that there is a proxy, which
// is sent the CONNECT too.
func tunnel(w http.ResponseWriter, r *http.Request, address string, ask bool) {
	out, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = out.Close() }() // both ways are over
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = in.Close() }()
	if ask {
		_, err = fmt.Fprintf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", r.Host, r.Host)
	} else {
		_, err = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	}
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(out, buffered) // the other way tells how it ends
		_ = out.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(in, out)
}

// fill puts a cell's blobs into the source.
func (az *azure) fill(ctx context.Context, c cell) error {
	in, err := az.box(sourceAccount)
	if err != nil {
		return err
	}
	if _, err := in.Create(ctx, nil); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(az.lab.workers)
	for i := range c.count {
		g.Go(func() error {
			content := bytes.Repeat([]byte{byte(i), byte(i >> 8), 'x', 'y'}, int(c.size/4))
			to := in.NewBlockBlobClient(fmt.Sprintf("%06d", i))
			if c.size <= 64*mib {
				_, err := to.Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), nil)
				return err
			}
			_, err := to.UploadBuffer(ctx, content, &blockblob.UploadBufferOptions{BlockSize: 8 * mib})
			return err
		})
	}
	return g.Wait()
}
