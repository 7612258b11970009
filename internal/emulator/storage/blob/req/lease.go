package req

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Lease does what x-ms-lease-action asks to a lease and writes the headers of the answer.
// It returns the new lease and the status to answer with.
func (r *Request) Lease(l lease.Lease) (lease.Lease, int, *wire.Error) {
	id := r.Header("X-Ms-Lease-Id")
	action := strings.ToLower(r.Header("X-Ms-Lease-Action"))
	if id == "" && (action == "renew" || action == "change" || action == "release") {
		return l, 0, MissingHeader("x-ms-lease-id")
	}
	switch action {
	case "acquire":
		return r.acquire(l)
	case "renew":
		next, err := l.Renew(id, r.Now)
		return r.leased(next, http.StatusOK, err)
	case "change":
		proposed, err := r.proposed(true)
		if err != nil {
			return l, 0, err
		}
		next, err := l.Change(id, proposed, r.Now)
		return r.leased(next, http.StatusOK, err)
	case "release":
		next, err := l.Release(id)
		return next, http.StatusOK, err
	case "break":
		return r.breakLease(l)
	case "":
		return l, 0, MissingHeader("x-ms-lease-action")
	}
	return l, 0, BadHeader("x-ms-lease-action", action)
}

func (r *Request) leased(l lease.Lease, status int, err *wire.Error) (lease.Lease, int, *wire.Error) {
	if err == nil {
		r.Out.Set("X-Ms-Lease-Id", l.ID)
	}
	return l, status, err
}

// acquire takes the duration: -1 or 15 to 60 seconds.
func (r *Request) acquire(l lease.Lease) (lease.Lease, int, *wire.Error) {
	text := r.Header("X-Ms-Lease-Duration")
	n, err := strconv.Atoi(text)
	if text == "" {
		return l, 0, MissingHeader("x-ms-lease-duration")
	}
	if err != nil || n != -1 && (n < 15 || n > 60) {
		return l, 0, BadHeader("x-ms-lease-duration", text)
	}
	d := time.Duration(n) * time.Second
	if n == -1 {
		d = lease.Infinite
	}
	id, refusal := r.proposed(false)
	if refusal != nil {
		return l, 0, refusal
	}
	next, refusal := l.Acquire(id, d, r.Now)
	return r.leased(next, http.StatusCreated, refusal)
}

// proposed is the ID that the client wants, or a new one.
func (r *Request) proposed(must bool) (string, *wire.Error) {
	v := r.Header("X-Ms-Proposed-Lease-Id")
	if v == "" && !must {
		return uuid.NewString(), nil
	}
	if v == "" {
		return "", MissingHeader("x-ms-proposed-lease-id")
	}
	if _, err := uuid.Parse(v); err != nil {
		return "", BadHeader("x-ms-proposed-lease-id", v)
	}
	return v, nil
}

func (r *Request) breakLease(l lease.Lease) (lease.Lease, int, *wire.Error) {
	period := time.Duration(-1)
	if text := r.Header("X-Ms-Lease-Break-Period"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 60 {
			return l, 0, BadHeader("x-ms-lease-break-period", text)
		}
		period = time.Duration(n) * time.Second
	}
	next, left, err := l.Break(period, r.Now)
	if err == nil {
		r.Out.Set("X-Ms-Lease-Time", strconv.Itoa(int((left+time.Second-1)/time.Second)))
	}
	return next, http.StatusAccepted, err
}

// WriteXML answers with v and status 200.
func (r *Request) WriteXML(v any) *wire.Error {
	kit.WriteXML(r.W, http.StatusOK, v)
	return nil
}
