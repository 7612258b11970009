package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// passOn copies a cell by plain requests of net/http, one GET whose body is that of one PUT
// at a time: what this machine and the emulator give over TLS without any program between.
func (az *azure) passOn(ctx context.Context, c cell) (time.Duration, error) {
	if err := az.makeBox(ctx); err != nil {
		return 0, err
	}
	client, err := az.http()
	if err != nil {
		return 0, err
	}
	names, err := az.names(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for _, name := range names {
		if err := pass(ctx, client, name, c.size); err != nil {
			return 0, err
		}
	}
	took := time.Since(start)
	return took, az.arrived(ctx, c)
}

func pass(ctx context.Context, client *http.Client, name string, size int64) error {
	from, err := signed(sourceAccount, box+"/"+name)
	if err != nil {
		return err
	}
	to, err := signed(targetAccount, box+"/"+name)
	if err != nil {
		return err
	}
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return err
	}
	src, err := good(client.Do(get)) //nolint:bodyclose // closed by the PUT, whose body it is
	if err != nil {
		return err
	}
	put, err := http.NewRequestWithContext(ctx, http.MethodPut, to, src.Body)
	if err != nil {
		return err
	}
	put.ContentLength = size
	put.Header.Set("X-Ms-Blob-Type", "BlockBlob")
	dst, err := good(client.Do(put))
	if err != nil {
		return err
	}
	defer func() { _ = dst.Body.Close() }() // it is read to its end
	_, err = io.Copy(io.Discard, dst.Body)
	return err
}

// good makes an error of an answer that is none.
func good(resp *http.Response, err error) (*http.Response, error) {
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		_ = resp.Body.Close() // nothing was read
		err = fmt.Errorf("%s %s: %s", resp.Request.Method, resp.Request.URL.Path, strconv.Itoa(resp.StatusCode))
	}
	return resp, err
}
