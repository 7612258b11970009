package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// errCut is what a client sees when its peer resets the connection.
var errCut = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

// Verdict says what a Tap does with a request. The zero Verdict lets it pass.
type Verdict struct {
	cut, sent  bool
	half       bool
	status     int
	code       string
	retryAfter time.Duration
}

// Pass sends the request.
func Pass() Verdict { return Verdict{} }

// Drop cuts the connection before the request is sent: the service never sees it.
func Drop() Verdict { return Verdict{cut: true} }

// Lose sends the request and cuts before the answer: the service did the work.
func Lose() Verdict { return Verdict{cut: true, sent: true} }

// Cut sends the request and cuts in the middle of the answer's body.
func Cut() Verdict { return Verdict{cut: true, sent: true, half: true} }

// Answer answers in the service's place with an error as ARM and Key Vault write it.
// RetryAfter is rounded to seconds; 0 leaves the header out.
func Answer(status int, code string, retryAfter time.Duration) Verdict {
	return Verdict{status: status, code: code, retryAfter: retryAfter}
}

// broken is the rest of a body whose connection was cut.
type broken struct{}

// Read implements io.Reader.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Tap is the transport of one side. It lets a check cut connections at an exact request
// on the client's end, which is where a crash happens; failures of the service are the
// emulator's faults.
type Tap struct {
	next *http.Transport

	mu   sync.Mutex // guards what follows
	rule func(n int, r *http.Request) Verdict
	seen int
}

// SetRule has every further request judged. n is 1 for the first of them; rule is called
// for one request at a time and must not call the Tap. A nil rule lets everything pass.
func (t *Tap) SetRule(rule func(n int, r *http.Request) Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rule, t.seen = rule, 0
}

// Seen returns how many requests the plugin tried to send since the last SetRule.
func (t *Tap) Seen() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Do implements policy.Transporter.
func (t *Tap) Do(req *http.Request) (*http.Response, error) {
	v := t.judge(req)
	if v.status != 0 {
		return v.answer(req), nil
	}
	if v.cut && !v.sent {
		return nil, errCut
	}
	if v.cut { // the caller may be dead already; the request was on its way
		req = req.WithContext(context.WithoutCancel(req.Context()))
	}
	resp, err := t.next.RoundTrip(req)
	if v.cut && err == nil {
		return v.spoil(resp)
	}
	return resp, err
}

// spoil loses an answer, or the second half of its body.
func (v Verdict) spoil(resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !v.half || len(body) == 0 {
		return nil, errCut
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}))
	return resp, nil
}

func (t *Tap) judge(req *http.Request) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen++
	if t.rule == nil {
		return Pass()
	}
	return t.rule(t.seen, req)
}

func (v Verdict) answer(req *http.Request) *http.Response {
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Ms-Request-Id": {uuid.NewString()}}
	if v.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(v.retryAfter.Seconds())))
	}
	body := fmt.Sprintf(`{"error":{"code":%q,"message":"The service refuses, as the check asked."}}`, v.code)
	return &http.Response{
		StatusCode: v.status, Status: fmt.Sprintf("%d %s", v.status, http.StatusText(v.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: h,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
