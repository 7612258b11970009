// Package copier moves the content of files from one account to another, by one of two
// paths: the target's service reads from the source's (Put Range From URL), or this program
// reads and writes. Only what is written in a file is moved: its holes stay holes. Which
// path a pair of accounts takes is found at its first file and kept.
package copier

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Order is the content of one file to copy.
type Order struct {
	From, To *account.Account
	Share    string
	Path     string
	Size     int64
	// ETag is the source's: nothing else is copied. The service has no conditions for reading
	// files, so what it answers with is compared.
	ETag azcore.ETag
	// Resume says that the target's file has its size and a part of this very content.
	Resume   bool
	Via      string      // way.Auto, way.Server or way.Stream
	Progress func(int64) // bytes of this file that are at the target; may be nil
}

// Result is how a copy ended.
type Result struct {
	Bytes    int64    // moved by this call
	Path     string   // which was taken, for people
	Warnings []string // one sentence each
}

// Errors that callers tell apart. They are wrapped around the service's answer, if any.
var (
	ErrSourceChanged = errors.New("the source changed while it was read")
	ErrTargetChanged = errors.New("the target changed while it was read")
	ErrLongPath      = fmt.Errorf("%w: the path is too long to be named in a request", way.ErrNoServerCopy)
)

// Limits of what is at work at once, in this process.
const (
	memory   = 64 << 20 // bytes of content on their way through this program
	requests = 64       // ranges on their way from server to server
	atOnce   = 8        // ranges of one file
)

// chunk is the most that one request writes
// (https://learn.microsoft.com/rest/api/storageservices/put-range).
const chunk = file.MaxUpdateRangeBytes

// Copier copies content. Make one with New; it is safe for concurrent use.
type Copier struct {
	memory   *semaphore.Weighted
	requests *semaphore.Weighted
	buffers  sync.Pool // of *[]byte with chunk bytes
}

// New returns a Copier.
func New() *Copier {
	c := &Copier{memory: semaphore.NewWeighted(memory), requests: semaphore.NewWeighted(requests)}
	c.buffers.New = func() any { b := make([]byte, chunk); return &b }
	return c
}

// routes is what an account knows of the ways of its files.
type routes struct{ way.Routes }

func routeOf(o *Order) (*way.Route, error) {
	all, err := account.Memo(o.From, func() (*routes, error) { return &routes{}, nil })
	if err != nil {
		return nil, err
	}
	return all.To(o.To), nil
}

// work is an order with its clients.
type work struct {
	way.Progress
	Order
	src, dst *file.Client
}

func open(ctx context.Context, o Order) (*work, error) {
	w := &work{Order: o, Progress: way.Progress{Tell: o.Progress}}
	var err error
	if w.src, err = o.From.File(ctx, o.Share, o.Path); err != nil {
		return nil, way.At(plugin.Source, "reach the file", err)
	}
	if w.dst, err = o.To.File(ctx, o.Share, o.Path); err != nil {
		return nil, way.At(plugin.Target, "reach the file", err)
	}
	return w, nil
}

// put writes one range at the target.
type put func(ctx context.Context, w *work, offset, n int64) error

// Copy writes what the source's file holds into the target's, which has the same size and
// no content, or a part of this one. A source that changed meanwhile gives
// ErrSourceChanged; what was written until then is for the caller to throw away.
func (c *Copier) Copy(ctx context.Context, o Order) (Result, error) {
	w, err := open(ctx, o)
	if err != nil {
		return Result{}, err
	}
	route, err := routeOf(&o)
	if err != nil {
		return Result{}, err
	}
	taken, err := route.Take(o.Via, func() error { return w.fromServer(ctx, c) }, func() error {
		w.Again()
		return w.run(ctx, c.through)
	})
	res := Result{Bytes: w.Moved(), Path: taken}
	if err == nil && taken == way.Streamed && o.Via != way.Stream && !w.long() && route.Close() {
		res.Warnings = append(res.Warnings, "Files of this account go through this program, since the target's service cannot read from the source's.")
	}
	return res, err
}

// fromServer lets the target's service read. If it fails, whatever did get there is gone on with.
func (w *work) fromServer(ctx context.Context, c *Copier) error {
	err := w.run(ctx, c.fromServer)
	if err == nil {
		err = w.stillSame(ctx)
	}
	w.Resume = true
	return err
}

// run writes the ranges that the target does not have, several at once.
func (w *work) run(ctx context.Context, send put) error {
	full, err := w.ranges(ctx, w.src)
	if err != nil {
		return err
	}
	var there []span
	if w.Resume {
		if there, err = w.written(ctx); err != nil {
			return err
		}
	}
	w.To.Wrote()
	defer w.To.Wrote()
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range full {
		for offset := s.from; offset < s.to && inner.Err() == nil; offset += chunk {
			n := min(chunk, s.to-offset)
			if covered(there, offset, n) {
				w.Add(n, false)
				continue
			}
			g.Go(func() error {
				if err := send(inner, w, offset, n); err != nil {
					return err
				}
				w.Add(n, true)
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// stillSame looks whether the source is what the target's service has read: unlike this
// program, that does not compare what each range is of.
func (w *work) stillSame(ctx context.Context) error {
	p, err := w.src.GetProperties(ctx, nil)
	if err != nil {
		return atSource(err)
	}
	return w.sameSource(p.ETag)
}

// sameSource compares the ETag that an answer has with the one that is to be copied.
func (w *work) sameSource(etag *azcore.ETag) error {
	if etag == nil || w.ETag.Equals(*etag) {
		return nil
	}
	return way.At(plugin.Source, "read the file", fmt.Errorf("%w (ETag %s became %s)", ErrSourceChanged, w.ETag, *etag))
}
