package front

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options of a Front.
type Options struct {
	Services []wire.Service // the first that owns a host answers for it
	// SignIn is the name of the service that gives out tokens. A fault reaches it only if
	// its Host pattern says so.
	SignIn  string
	Caller  func(*http.Request) (wire.Claims, bool) // whose token a request bears, for the log
	Clock   wire.Clock                              // stamps the log; nil: time.Now
	Latency time.Duration                           // delays every answer
	LogTo   io.Writer                               // JSON lines; nil: none
	LogKeep int                                     // how many requests to keep; 0: DefaultLogKeep, < 0: none
	Spool   func() (string, error)                  // makes the directory for large bodies; nil: os.TempDir
}

// Front is the http.Handler before all services. It is safe for concurrent use.
type Front struct {
	opt    Options
	log    *requestLog
	faults faults
}

// New returns a front for the given services.
func New(opt Options) *Front {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Caller == nil {
		opt.Caller = func(*http.Request) (wire.Claims, bool) { return wire.Claims{}, false }
	}
	if opt.Spool == nil {
		opt.Spool = func() (string, error) { return os.TempDir(), nil }
	}
	return &Front{opt: opt, log: newRequestLog(opt.LogTo, opt.LogKeep)}
}

// Requests returns the log, oldest first: the last LogKeep requests.
func (f *Front) Requests() []wire.Request { return f.log.all() }

// ResetRequests empties the log.
func (f *Front) ResetRequests() { f.log.reset() }

// LogError returns the first error of writing to LogTo.
func (f *Front) LogError() error { return f.log.failure() }

// exchange is one request on its way through the front.
type exchange struct {
	r     *http.Request
	a     *answer
	svc   wire.Service // nil: the host is not emulated
	host  string
	at    time.Time // by the emulator's clock
	start time.Time // by the true one: durations are true whatever the emulator's clock says
	in    int64
	fault *wire.Fault
	cut   cutPoint
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{r: r, a: newAnswer(w, r.Method), host: loopback.Canonical(r.Host)}
	x.at, x.start = f.opt.Clock().UTC(), time.Now()
	x.svc = f.owner(x.host)
	wire.StampIDs(x.a, r)
	if st, ok := x.svc.(wire.Streamer); ok && st.Streams() {
		body := &flowing{ReadCloser: r.Body}
		r.Body = body
		f.answer(r.Context(), x)
		x.in = body.drain()
	} else {
		f.answerRead(r.Context(), x)
	}
	f.log.add(f.line(x))
	x.a.release(x.cut)
}

// answerRead reads the body to its end and then lets the service or a fault answer.
func (f *Front) answerRead(ctx context.Context, x *exchange) {
	body, n, err := readBody(x.r, f.opt.Spool)
	x.in = n
	if err != nil {
		x.fail(err)
		return
	}
	defer func() { _ = body.Close() }()
	x.r.Body, x.r.ContentLength, x.r.TransferEncoding = body, n, nil
	f.answer(ctx, x)
}

// Exists tells whether a host name can be resolved. All can, but those of a service that
// says otherwise (wire.Named).
func (f *Front) Exists(host string) bool {
	host = loopback.Canonical(host)
	named, ok := f.owner(host).(wire.Named)
	return !ok || named.Exists(host)
}

func (f *Front) owner(host string) wire.Service {
	for _, s := range f.opt.Services {
		if s.Owns(host) {
			return s
		}
	}
	return nil
}

// answer lets the service or a fault answer into x.a.
func (f *Front) answer(ctx context.Context, x *exchange) {
	pause(ctx, f.opt.Latency)
	x.fault = f.faults.take(x.r, x.host, x.svc != nil && x.svc.Name() == f.opt.SignIn)
	if x.fault == nil {
		x.serve(x.r)
		return
	}
	pause(ctx, x.fault.Delay)
	switch x.fault.Kind {
	case KindStatus:
		x.fail(faultError(x.fault))
	case KindReset:
		x.cut = cutBefore
	case KindLost:
		x.a.hold = true
		x.serve(x.r)
		x.cut = cutBefore
	case KindCut:
		x.a.hold = true
		x.serve(x.r)
		x.cut = cutMiddle
	case KindExpired:
		x.serve(x.r.WithContext(wire.WithExpiredToken(ctx)))
	default: // KindSlow: the delay was all
		x.serve(x.r)
	}
}

// serve calls the service. A service that panics is a bug of the emulator; the client
// gets a 500 that says so, and the log too.
func (x *exchange) serve(r *http.Request) {
	if x.svc == nil {
		x.fail(notEmulated(x.host))
		return
	}
	defer func() {
		if bug := recover(); bug != nil {
			if !x.a.discard() {
				x.cut = cutBefore
			}
			x.fail(&wire.Error{Status: http.StatusInternalServerError, Code: "EmulatorBug", Message: fmt.Sprintf("The emulated service %s failed: %v", x.svc.Name(), bug)})
		}
	}()
	x.svc.ServeHTTP(x.a, r)
}

// fail answers in the place of the service, in its error shape if it has one of its own.
func (x *exchange) fail(e *wire.Error) {
	if own, ok := x.svc.(wire.ErrorWriter); ok {
		own.WriteError(x.a, x.r, e)
		return
	}
	wire.WriteError(x.a, e)
}

func notEmulated(host string) *wire.Error {
	if !loopback.IsAzure(host) {
		return &wire.Error{Status: http.StatusMisdirectedRequest, Code: "HostOutsideAzure", Message: fmt.Sprintf("The emulator does not answer for '%s': it is no Azure name.", host)}
	}
	return &wire.Error{Status: http.StatusNotFound, Code: "HostNotEmulated", Message: fmt.Sprintf("The Azure host '%s' is not emulated.", host)}
}

// line is what the log says of an exchange.
func (f *Front) line(x *exchange) wire.Request {
	line := wire.Request{
		Time: x.at, Method: x.r.Method, Host: x.host,
		Path: x.r.URL.Path, Query: redact(x.r.URL.RawQuery),
		Status: x.a.status(), Code: x.a.code, In: x.in, Out: x.a.length(x.cut),
		TenantID: x.a.tenantID, AppID: x.a.appID, Duration: time.Since(x.start),
	}
	if x.svc != nil {
		line.Service = x.svc.Name()
	}
	if c, ok := f.opt.Caller(x.r); ok {
		line.TenantID, line.AppID = c.TenantID, c.AppID
	}
	if x.fault != nil {
		line.Fault = x.fault.Name
	}
	if x.cut != cutNowhere {
		line.Status = 0
	}
	return line
}

// pause waits for d, or until the client or the emulator goes.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
