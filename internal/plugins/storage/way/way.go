// Package way is what copiers of blobs and of files share: by which way content goes from
// one account to another. Either the target's service reads from the source's, which costs
// no bandwidth here and needs the source to be reachable for Azure Storage and a signature
// of the source's own, or this program reads and writes.
package way

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The ways, as the setting names them.
const (
	Auto   = "auto"   // the server's where it can be had, the stream otherwise
	Server = "server" // the target reads from the source
	Stream = "stream" // through this program
)

// What reports call the way that was taken.
const (
	ByServer = "server to server"
	Streamed = "streamed"
)

// ErrNoServerCopy is wrapped around what says that the first way cannot be taken.
var ErrNoServerCopy = errors.New("the target's service cannot read from the source's")

// Closed tells whether an answer of the target says that its service could not read the
// source, or does not know how to: for a firewalled source, and for one whose signature it
// does not take (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
func Closed(err error) bool {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return false
	}
	return answer.StatusCode == http.StatusNotImplemented ||
		answer.ErrorCode == "CannotVerifyCopySource" || answer.ErrorCode == "CopyAcrossAccountsNotSupported"
}

// Error says at which side a copy failed, and at what.
type Error struct {
	Side plugin.Side
	Op   string // what could not be done: "write the blob"
	Err  error
}

// At says at which side err happened, and at what.
func At(side plugin.Side, op string, err error) *Error { return &Error{Side: side, Op: op, Err: err} }

// Error returns the cause's text: the caller says the rest.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Routes is what an account knows of the ways from it. The zero Routes knows none.
type Routes struct{ to sync.Map } // *Route by resource ID of the target

// To returns the route to an account.
func (r *Routes) To(target *account.Account) *Route {
	found, _ := r.to.LoadOrStore(target.ID, &Route{})
	return found.(*Route) // nothing else is stored
}

// Route is the way from one account to another. What is found out at the first copy is
// kept.
type Route struct {
	closed atomic.Bool // for copies from server to server
	told   atomic.Bool
}

// Take copies by the way that is asked for; Auto falls back on the stream where server
// returns ErrNoServerCopy. It returns the way that was taken, as reports call it.
func (r *Route) Take(via string, server, stream func() error) (path string, err error) {
	if via != Stream && (via == Server || !r.closed.Load()) {
		err := server()
		if err == nil || via == Server || !errors.Is(err, ErrNoServerCopy) {
			return ByServer, err
		}
	}
	return Streamed, stream()
}

// Close says that the source can be read, only not from the target's service: nobody tries
// it any more. It returns true the first time.
func (r *Route) Close() (first bool) {
	r.closed.Store(true)
	return r.told.CompareAndSwap(false, true)
}

// Progress counts the bytes of one copy, whose parts come side by side.
type Progress struct {
	Tell func(int64) // of what is at the target; may be nil

	telling sync.Mutex
	moved   atomic.Int64 // bytes that this copy moved
	there   atomic.Int64 // bytes that are at the target
}

// Add notes that n bytes more are at the target; moved says that this copy brought them.
func (p *Progress) Add(n int64, moved bool) {
	if moved {
		p.moved.Add(n)
	}
	p.telling.Lock() // who is told hears one at a time, and ever more
	defer p.telling.Unlock()
	there := p.there.Add(n)
	if p.Tell != nil {
		p.Tell(there)
	}
}

// Moved is how many bytes this copy moved.
func (p *Progress) Moved() int64 { return p.moved.Load() }

// Again begins anew with what is at the target.
func (p *Progress) Again() { p.there.Store(0) }
