package answers

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
)

// box is the container that most questions are about.
const box = "answers"

// inside asks about a container.
func inside(name string, f func(context.Context, *container.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		return "", f(ctx, w.blobs.NewContainerClient(name))
	}
}

// about asks about a blob of the box, whatever its type is.
func about(name string, f func(context.Context, *blob.Client) error) ask {
	return inside(box, func(ctx context.Context, c *container.Client) error { return f(ctx, c.NewBlobClient(name)) })
}

func ofBlocks(name string, f func(context.Context, *blockblob.Client) error) ask {
	return inside(box, func(ctx context.Context, c *container.Client) error { return f(ctx, c.NewBlockBlobClient(name)) })
}

func ofPages(name string, f func(context.Context, *pageblob.Client) error) ask {
	return inside(box, func(ctx context.Context, c *container.Client) error { return f(ctx, c.NewPageBlobClient(name)) })
}

func ofAppends(name string, f func(context.Context, *appendblob.Client) error) ask {
	return inside(box, func(ctx context.Context, c *container.Client) error { return f(ctx, c.NewAppendBlobClient(name)) })
}

// all asks one after the other, and stops at the first refusal.
func all(asks ...ask) ask {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for _, a := range asks {
			text, err := a(ctx, w)
			if text != "" {
				out = append(out, text)
			}
			if err != nil {
				return strings.Join(out, " "), err
			}
		}
		return strings.Join(out, " "), nil
	}
}

func text(s string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(s)) }

// octets are n of a pattern.
func octets(n int) []byte { return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n] }

func body(b []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(b)) }

func sum(s string) []byte {
	out := md5.Sum([]byte(s))
	return out[:]
}

func values(pairs ...string) map[string]*string {
	m := map[string]*string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = &pairs[i+1]
	}
	return m
}

// when are the conditions of a request: If-Match, If-None-Match.
func when(match, noneMatch string) *blob.AccessConditions {
	m := &blob.ModifiedAccessConditions{}
	if match != "" {
		m.IfMatch = to.Ptr(azcore.ETag(match))
	}
	if noneMatch != "" {
		m.IfNoneMatch = to.Ptr(azcore.ETag(noneMatch))
	}
	return &blob.AccessConditions{ModifiedAccessConditions: m}
}

// holding names a lease.
func holding(lease string) *blob.AccessConditions {
	return &blob.AccessConditions{LeaseAccessConditions: &blob.LeaseAccessConditions{LeaseID: &lease}}
}

// create makes a container.
func create(name string, opt *container.CreateOptions) ask {
	return inside(name, func(ctx context.Context, c *container.Client) error {
		_, err := c.Create(ctx, opt)
		return err
	})
}

// put writes a block blob of the box.
func put(name, content string, opt *blockblob.UploadOptions) ask {
	return ofBlocks(name, func(ctx context.Context, c *blockblob.Client) error {
		_, err := c.Upload(ctx, text(content), opt)
		return err
	})
}

// head reads a blob's properties.
func head(name string, opt *blob.GetPropertiesOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.GetProperties(ctx, opt)
		return err
	})
}

// read reads a blob's content.
func read(name string, opt *blob.DownloadStreamOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.blobs.NewContainerClient(box).NewBlobClient(name).DownloadStream(ctx, opt)
		if err != nil {
			return "", err
		}
		return content(r.Body)
	}
}

// ranged is a read of n octets from off on.
func ranged(off, n int64) *blob.DownloadStreamOptions {
	return &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: off, Count: n}}
}

func remove(name string, opt *blob.DeleteOptions) ask {
	return about(name, func(ctx context.Context, c *blob.Client) error {
		_, err := c.Delete(ctx, opt)
		return err
	})
}

func blockID(id string) string { return base64.StdEncoding.EncodeToString([]byte(id)) }

// stage writes an uncommitted block, whose content is its ID.
func stage(name, id string, opt *blockblob.StageBlockOptions) ask {
	return ofBlocks(name, func(ctx context.Context, c *blockblob.Client) error {
		_, err := c.StageBlock(ctx, blockID(id), text(id), opt)
		return err
	})
}

func commit(name string, opt *blockblob.CommitBlockListOptions, ids ...string) ask {
	return ofBlocks(name, func(ctx context.Context, c *blockblob.Client) error {
		encoded := make([]string, 0, len(ids))
		for _, id := range ids {
			encoded = append(encoded, blockID(id))
		}
		_, err := c.CommitBlockList(ctx, encoded, opt)
		return err
	})
}

func blockList(name string, kind blockblob.BlockListType) ask {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.blobs.NewContainerClient(box).NewBlockBlobClient(name).GetBlockList(ctx, kind, nil)
		return fields(r.BlockList), err
	}
}
