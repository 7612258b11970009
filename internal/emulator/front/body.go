package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	// memoryBody is the longest body that is kept in memory.
	memoryBody = 1 << 20
	// maxBody is the longest body that any Azure service takes in one request: Put Blob
	// with 5,000 MiB.
	maxBody = 5000 << 20
)

// readBody reads a request's body to its end, so that no service waits for the network
// while it holds a lock. Long bodies go to a file in the directory
// that dir makes.
func readBody(r *http.Request, dir func() (string, error)) (io.ReadCloser, int64, *wire.Error) {
	if r.Body == nil || r.Body == http.NoBody {
		return http.NoBody, 0, nil
	}
	if r.ContentLength > maxBody {
		return nil, 0, tooLarge()
	}
	var head bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= memoryBody {
		head.Grow(int(r.ContentLength))
	}
	n, err := io.Copy(&head, io.LimitReader(r.Body, memoryBody))
	if err != nil {
		return nil, n, brokenBody(err)
	}
	if n < memoryBody {
		return io.NopCloser(&head), n, nil
	}
	return spool(&head, r.Body, dir)
}

func spool(head *bytes.Buffer, rest io.Reader, dir func() (string, error)) (io.ReadCloser, int64, *wire.Error) {
	folder, err := dir()
	if err != nil {
		return nil, 0, noSpool(err)
	}
	file, err := os.CreateTemp(folder, "body-")
	if err != nil {
		return nil, 0, noSpool(err)
	}
	body := spooled{file}
	n, err := io.Copy(file, io.MultiReader(head, io.LimitReader(rest, maxBody-memoryBody+1)))
	var failure *wire.Error
	switch {
	case err != nil:
		failure = brokenBody(err)
	case n > maxBody:
		failure = tooLarge()
	default:
		if _, err := file.Seek(0, io.SeekStart); err == nil {
			return body, n, nil
		}
		failure = noSpool(err)
	}
	return nil, n, withClose(failure, body.Close())
}

// spooled is a body in a file that goes when it is closed.
type spooled struct{ *os.File }

// Close implements io.Closer.
func (s spooled) Close() error {
	return errors.Join(s.File.Close(), os.Remove(s.Name()))
}

// flowing is a body that the service reads as it comes in.
type flowing struct {
	io.ReadCloser
	n int64
}

// Read implements io.Reader.
func (b *flowing) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

// drain reads what the service left, so that a client that is still sending gets its
// answer, and returns how much was read in all.
func (b *flowing) drain() int64 {
	// A client that has gone needs no answer.
	_, _ = io.Copy(io.Discard, io.LimitReader(b, maxBody-b.n))
	return b.n
}

func withClose(e *wire.Error, err error) *wire.Error {
	if err != nil {
		e.Message += " " + err.Error()
	}
	return e
}

func tooLarge() *wire.Error {
	return &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestBodyTooLarge", Message: fmt.Sprintf("The request body is larger than %d bytes.", int64(maxBody))}
}

func brokenBody(err error) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "IncompleteBody", Message: "The request body ended early: " + err.Error()}
}

func noSpool(err error) *wire.Error {
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: "The emulator cannot keep the request body: " + err.Error()}
}
