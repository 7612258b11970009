// Package gateway lets another program copy the blobs of one container from account to
// account, and gives it nothing to sign with.
//
// The program is told a proxy on loopback and plain http addresses of the two containers.
// What it sends there is checked against what such a copy needs (see rule), signed and
// sent on to Azure through the accounts' own pipelines, over https. So no signature, key
// or token is on a command line, in an environment or in a file of that program, and what
// it may do is less than any signature could say: it reads listings, properties and index
// tags, and has the target's service copy a block blob to the same name, if nothing is
// there and if the source has not changed since the work began.
//
// Who wants to use the proxy must show a password, which is made anew for each gateway and
// stands in the program's environment, where other users of the machine cannot read it.
package gateway

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Order says what may be copied.
type Order struct {
	From, To  *account.Account
	Container string // the same name at both sides
	// Since is when the work began, by the source's clock: what changed at the source later
	// is not copied. Seconds count.
	Since time.Time
}

// Gateway is open until it is closed. It is safe for concurrent use.
type Gateway struct {
	Order
	ctx      context.Context // of every request that is sent on: it ends with the gateway
	cancel   context.CancelFunc
	from, to string // hosts
	password string
	listener net.Listener

	mu     sync.Mutex // guards what follows
	conns  map[net.Conn]bool
	staged map[string]bool // paths of blobs whose blocks came from the source's blob of that name
	closed bool
	done   sync.WaitGroup
}

// Open listens on loopback. The caller closes the gateway, which outlives ctx until then:
// a program that is told to stop finishes what it has begun.
func Open(ctx context.Context, o Order) (*Gateway, error) {
	g := &Gateway{Order: o, password: rand.Text(), conns: map[net.Conn]bool{}, staged: map[string]bool{}}
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if g.from, err = hostOf(o.From); err != nil {
		return nil, err
	}
	if g.to, err = hostOf(o.To); err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	if g.listener, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	g.done.Go(g.accept)
	return g, nil
}

func hostOf(a *account.Account) (string, error) {
	address, err := a.URL(account.Blob)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read the address of the blob service: %w", err)
	}
	return u.Host, nil
}

// unsigned stands where the program expects a signature. It is none.
const unsigned = "sv=2025-07-05&sig=none"

// Unsigned is what to give the program where it wants a signature.
func Unsigned() string { return unsigned }

// Source is the address of the source's container, for the program.
func (g *Gateway) Source() string { return g.address(g.from) }

// Target is the address of the target's container, for the program.
func (g *Gateway) Target() string { return g.address(g.to) }

func (g *Gateway) address(host string) string {
	return "http://" + host + "/" + url.PathEscape(g.Container) + "?" + unsigned
}

const user = "atg"

// Proxy is the address of the gateway with its password, for the program's environment.
func (g *Gateway) Proxy() secret.Value {
	u := url.URL{Scheme: "http", User: url.UserPassword(user, g.password), Host: g.listener.Addr().String()}
	return secret.New(u.String())
}

// Close cuts all connections and waits until no request is under way.
func (g *Gateway) Close() error {
	g.cancel()
	g.mu.Lock()
	g.closed = true
	for c := range g.conns {
		_ = c.Close() // what it would have said nobody waits for
	}
	g.mu.Unlock()
	err := g.listener.Close()
	g.done.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (g *Gateway) accept() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		if g.closed {
			_ = c.Close() // as those that came before
		} else {
			g.conns[c] = true
			g.done.Go(func() { g.serve(c) })
		}
		g.mu.Unlock()
	}
}

// allowed tells whether a request shows the password, which it then does not have any more.
func (g *Gateway) allowed(r *http.Request) bool {
	given := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	name, password, ok := given.BasicAuth()
	r.Header.Del("Proxy-Authorization")
	return ok && name == user && subtle.ConstantTimeCompare([]byte(password), []byte(g.password)) == 1
}
