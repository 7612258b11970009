// Package copier moves the content of blobs from one account to another, by one of two
// paths: the target's service reads from the source's (Put Blob From URL and its like), or
// this program reads and writes. The first costs no bandwidth here; it needs the source to
// be reachable for Azure Storage and a signature of the source's own. Which path a pair of
// accounts takes is found at its first blob and kept.
package copier

import (
	"context"
	"errors"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"golang.org/x/sync/semaphore"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
)

// Mark is the name of the metadata that a page or append blob has while it is written, and
// no other blob. Its value is the ETag of the source.
const Mark = "atg_unfinished"

// Properties are what is written with the content.
type Properties struct {
	Headers  *blob.HTTPHeaders // with the Content-MD5 that the source says it has
	Metadata map[string]*string
	Tags     map[string]string
	Tier     string
	Sequence int64 // of a page blob
	Sealed   bool  // an append blob
}

// Order is one blob to copy.
type Order struct {
	From, To  *account.Account
	Container string
	Name      string
	Snapshot  string // of the source; "" for the blob itself
	Version   string
	Type      blob.BlobType
	Size      int64
	ETag      azcore.ETag // of the source: nothing else is copied
	Properties
	// If is what must hold at the target for the write to happen.
	If blob.AccessConditions
	// Clear says that blocks that somebody else uploaded may be thrown away.
	Clear bool
	// Part is the target's ETag if a part of this very blob is there, which is gone on with.
	Part azcore.ETag
	// Done is how much of an append blob that part holds.
	Done     int64
	Via      string      // way.Auto, way.Server or way.Stream
	Single   int64       // bytes up to which a block blob is copied in one request from server to server
	Progress func(int64) // bytes of this blob that are at the target; may be nil
}

// Result is how a copy ended.
type Result struct {
	Bytes    int64    // moved by this call
	Path     string   // which was taken, for people
	Warnings []string // one sentence each
}

// Errors that tell which side changed. They are wrapped around the service's answer.
var (
	ErrSourceChanged = errors.New("the source changed while it was copied")
	ErrTargetChanged = errors.New("the target is not as it was when it was looked at")
	ErrForeignBlocks = errors.New("somebody else has begun to upload blocks of this blob")
)

// Limits of what is at work at once, in this process.
const (
	memory   = 96 << 20 // bytes of content on their way through this program
	requests = 64       // copies from server to server of parts of blobs
)

// Copier copies blobs. Make one with New; it is safe for concurrent use.
type Copier struct {
	memory   *semaphore.Weighted
	requests *semaphore.Weighted
	buffers  sync.Pool // of *[]byte with blockSize bytes
}

// New returns a Copier.
func New() *Copier {
	c := &Copier{memory: semaphore.NewWeighted(memory), requests: semaphore.NewWeighted(requests)}
	c.buffers.New = func() any { b := make([]byte, streamBlock); return &b }
	return c
}

// routes is what an account knows of the ways of its blobs.
type routes struct{ way.Routes }

func routeOf(o *Order) (*way.Route, error) {
	all, err := account.Memo(o.From, func() (*routes, error) { return &routes{}, nil })
	if err != nil {
		return nil, err
	}
	return all.To(o.To), nil
}

// path is a way to copy a blob.
type path interface {
	// block, page and append write a blob of that type.
	block(ctx context.Context, w *work) error
	page(ctx context.Context, w *work) error
	appendTo(ctx context.Context, w *work) error
}

// work is an order with its clients.
type work struct {
	way.Progress
	Order
	src    *blob.Client
	source string // the URL of the source, without a signature
	dst    *container.Client
	notes  []string
}

// Copy makes the blob at the target what it is at the source. It is atomic for block
// blobs: they appear whole. A blob that changed meanwhile gives ErrSourceChanged or
// ErrTargetChanged, and nothing was written but blocks that nobody sees, or a page or
// append blob under Mark.
func (c *Copier) Copy(ctx context.Context, o Order) (Result, error) {
	w, err := open(ctx, o)
	if err != nil {
		return Result{}, err
	}
	route, err := routeOf(&o)
	if err != nil {
		return Result{}, err
	}
	taken, err := route.Take(o.Via, func() error { return run(ctx, server{c}, w) }, func() error {
		w.Again()
		return run(ctx, stream{c}, w)
	})
	if err == nil && taken == way.Streamed && o.Via != way.Stream && route.Close() {
		w.notes = append(w.notes, "Blobs of this account go through this program, since the target's service cannot read from the source's.")
	}
	return Result{w.Moved(), taken, w.notes}, err
}

func run(ctx context.Context, p path, w *work) error {
	w.To.Wrote()
	defer w.To.Wrote()
	switch w.Type {
	case blob.BlobTypePageBlob:
		return p.page(ctx, w)
	case blob.BlobTypeAppendBlob:
		return p.appendTo(ctx, w)
	default:
		return p.block(ctx, w)
	}
}

func open(ctx context.Context, o Order) (*work, error) {
	from, err := o.From.Blobs(ctx)
	if err != nil {
		return nil, err
	}
	to, err := o.To.Blobs(ctx)
	if err != nil {
		return nil, err
	}
	w := &work{Order: o, Progress: way.Progress{Tell: o.Progress}, dst: to.NewContainerClient(o.Container)}
	w.src = from.NewContainerClient(o.Container).NewBlobClient(o.Name)
	switch {
	case o.Snapshot != "":
		w.src, err = w.src.WithSnapshot(o.Snapshot)
	case o.Version != "":
		w.src, err = w.src.WithVersionID(o.Version)
	}
	if err != nil {
		return nil, err
	}
	w.source = w.src.URL()
	return w, nil
}

// ifSource lets the source be read only as it was listed.
func (w *work) ifSource() *blob.AccessConditions {
	if w.ETag == "" {
		return nil
	}
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &w.ETag}}
}

// ifSourceCopied is the same for a copy from server to server.
func (w *work) ifSourceCopied() *blob.SourceModifiedAccessConditions {
	if w.ETag == "" {
		return nil
	}
	return &blob.SourceModifiedAccessConditions{SourceIfMatch: &w.ETag}
}
