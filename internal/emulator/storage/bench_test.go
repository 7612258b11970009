package storage_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// BenchmarkServer measures requests of plain net/http clients over TLS in one process: what
// the emulator's Blob service can serve at all.
func BenchmarkServer(b *testing.B) {
	l := newLab(b, `"discardWrites":true,"virtual":{"container":"virt","count":100000,"size":8388608,"seed":1}`, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(b, err)
	p, err := sas.AccountSignatureValues{Permissions: "rwdlac", ResourceTypes: "sco", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(b, err)
	if _, err := l.withKey(b, source).NewContainerClient("box").Create(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: l.emu.Transport()}
	send := func(b *testing.B, method, path string, body []byte) {
		r, err := http.NewRequestWithContext(b.Context(), method, blobURL(source)+path+"&"+p.Encode(), bytes.NewReader(body))
		ok(b, err)
		r.Header.Set("X-Ms-Blob-Type", "BlockBlob")
		r.Header.Set("X-Ms-Version", "2023-11-03")
		resp, err := client.Do(r)
		ok(b, err)
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode >= 300 {
			b.Errorf("%s %s: %d, %d octets: %v", method, path, resp.StatusCode, n, err)
		}
		_ = resp.Body.Close()
	}
	var serial atomic.Int64
	for _, c := range []struct {
		name, method, path string
		size               int
	}{
		{"put 1 KiB", http.MethodPut, "box/b%d?x=1", 1 << 10},
		{"put 8 MiB", http.MethodPut, "box/b%d?x=1", 8 << 20},
		{"put block 8 MiB", http.MethodPut, "box/big%d?comp=block&blockid=MDE%%3D", 8 << 20},
		{"get 8 MiB", http.MethodGet, "virt/%05d?x=1", 0},
		{"list 5,000", http.MethodGet, "virt?restype=container&comp=list&maxresults=5000&y=%d", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			body := make([]byte, c.size)
			b.SetBytes(int64(max(c.size, 1)))
			if c.name == "get 8 MiB" {
				b.SetBytes(8 << 20)
			}
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					send(b, c.method, fmt.Sprintf(c.path, serial.Add(1)%100000), body)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
