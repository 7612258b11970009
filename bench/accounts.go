package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

const (
	sourceAccount = "benchsource"
	targetAccount = "benchtarget"
	blobSuffix    = ".blob.core.windows.net"
	box           = "box" // the container with the blobs
)

// keyOf is the account key of a scenario's account.
func keyOf(account string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(account, 8)[:64]))
}

// cell is a set of blobs to copy.
type cell struct {
	name  string
	count int
	size  int64 // of each, in bytes
}

func (c cell) bytes() int64 { return int64(c.count) * c.size }

// accountsOf returns the scenario of an account with a cell's blobs, whose content is
// generated and costs the emulator no memory, and of a target that hashes and drops what is
// written to it. If full, the target has the same blobs already.
func accountsOf(c cell, full bool) ([]byte, error) {
	account := func(name string, data map[string]any) resource {
		data["accountKeys"] = []string{keyOf(name), keyOf(name + "2")}
		return resource{
			Type: "Microsoft.Storage/storageAccounts", Name: name, Kind: "StorageV2", SKU: map[string]string{"name": "Standard_LRS"},
			Properties: map[string]any{}, Data: data,
		}
	}
	blobs := map[string]any{"container": box, "count": c.count, "size": c.size, "seed": 1, "perFolder": 1000}
	target := map[string]any{"discardWrites": true}
	if full {
		target["virtual"] = blobs
	}
	source := map[string]any{}
	if c.count > 0 {
		source["virtual"] = blobs
	}
	return worldOf(account(sourceAccount, source), account(targetAccount, target), "Storage Blob Data Owner", "Storage Account Key Operator Service Role")
}

// setting returns a variable that points clients at the emulator.
func (az *azure) setting(name string) string {
	for _, line := range az.env {
		if v, ok := strings.CutPrefix(line, name+"="); ok {
			return v
		}
	}
	return ""
}

// http returns a client that reaches the emulator as clients of other makers do.
func (az *azure) http() (*http.Client, error) {
	pem, err := os.ReadFile(az.setting("SSL_CERT_FILE"))
	if err != nil {
		return nil, err
	}
	proxy, err := url.Parse(az.setting("HTTPS_PROXY"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}, nil
}

// signed returns the address of something in an account, with a signature by its key.
func signed(account, path string) (string, error) {
	cred, err := service.NewSharedKeyCredential(account, keyOf(account))
	if err != nil {
		return "", err
	}
	p, err := sas.AccountSignatureValues{
		Protocol: sas.ProtocolHTTPS, Permissions: "rwdlact", ResourceTypes: "sco", ExpiryTime: time.Now().Add(24 * time.Hour),
	}.SignWithSharedKey(cred)
	if err != nil {
		return "", err
	}
	return "https://" + account + blobSuffix + "/" + path + "?" + p.Encode(), nil
}

// box returns Azure's own client for an account's container.
func (az *azure) box(account string) (*container.Client, error) {
	client, err := az.http()
	if err != nil {
		return nil, err
	}
	address, err := signed(account, box)
	if err != nil {
		return nil, err
	}
	return container.NewClientWithNoCredential(address, &container.ClientOptions{ClientOptions: policy.ClientOptions{Transport: client}})
}

// makeBox makes the target's container.
func (az *azure) makeBox(ctx context.Context) error {
	to, err := az.box(targetAccount)
	if err == nil {
		_, err = to.Create(ctx, nil)
	}
	return err
}

// list tells of every blob of an account's container.
func (az *azure) list(ctx context.Context, account string, tell func(*container.BlobItem) error) error {
	in, err := az.box(account)
	if err != nil {
		return err
	}
	for pages := in.NewListBlobsFlatPager(nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, b := range page.Segment.BlobItems {
			if err := tell(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// names lists the source's blobs.
func (az *azure) names(ctx context.Context) (names []string, err error) {
	err = az.list(ctx, sourceAccount, func(b *container.BlobItem) error {
		names = append(names, *b.Name)
		return nil
	})
	return names, err
}

// arrived lists the target and tells what of a cell is not there.
func (az *azure) arrived(ctx context.Context, c cell) error {
	count := 0
	err := az.list(ctx, targetAccount, func(b *container.BlobItem) error {
		count++
		if n := *b.Properties.ContentLength; n != c.size {
			return fmt.Errorf("%s has %d bytes at the target, not %d", *b.Name, n, c.size)
		}
		return nil
	})
	if err == nil && count != c.count {
		err = fmt.Errorf("%d of %d blobs are at the target", count, c.count)
	}
	return err
}

// settled waits until blobs that are written now are younger than the source's: times of
// blobs have whole seconds, and atg reads what was written within the same one.
func (az *azure) settled(ctx context.Context) error {
	select {
	case <-time.After(1100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
