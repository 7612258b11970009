package pipeline

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Detach returns the policy that has to stand last in a pipeline. It takes the body of a
// request away from the transport as soon as a try has ended.
//
// A service may answer before it has read a request to its end, and net/http then goes on
// reading the body after it has handed the answer over. azcore rewinds that same body for
// the next try: without this policy both would read it at once, and the next try could
// send the wrong bytes.
func Detach() policy.Policy { return detacher{} }

type detacher struct{}

// Do implements policy.Policy.
func (detacher) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	if raw.Body == nil || raw.Body == http.NoBody {
		return req.Next()
	}
	t := &try{length: raw.ContentLength}
	raw.Body = t.attach(raw.Body)
	if again := raw.GetBody; again != nil {
		// net/http asks for it if a kept connection turns out to be closed.
		raw.GetBody = func() (io.ReadCloser, error) { return t.replace(again) }
	}
	defer t.detach()
	return req.Next()
}

// try is one try of a request: it lends the body to one reader at a time.
type try struct {
	length int64

	mu   sync.Mutex // guards what follows
	lent *body
}

func (t *try) attach(next io.ReadCloser) *body {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent = &body{next: next, left: t.length}
	return t.lent
}

// replace takes the body from its reader before it is rewound for another.
func (t *try) replace(again func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	t.detach()
	next, err := again()
	if err != nil {
		return nil, err
	}
	return t.attach(next), nil
}

func (t *try) detach() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent.detach()
}

var errDetached = errors.New("the request has ended")

// body is a request's body for the length of one try.
type body struct {
	mu   sync.Mutex // held while next is read: detach waits for a read under way
	next io.ReadCloser
	left int64 // bytes that are still to be sent; below 0 if that is not known
	gone bool
}

// Read implements io.Reader. After the try it is at its end if all was sent, and broken
// otherwise, so that the connection is not used again.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.gone && b.left == 0:
		return 0, io.EOF
	case b.gone:
		return 0, errDetached
	}
	n, err := b.next.Read(p)
	b.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next.Close()
}

func (b *body) detach() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = true
}
