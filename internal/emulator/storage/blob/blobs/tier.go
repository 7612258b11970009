package blobs

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// How long a blob takes out of the archive at most (Azure: Overview of blob rehydration
// from the archive tier).
const (
	StandardRehydration = 15 * time.Hour
	HighRehydration     = time.Hour
)

// Priority reads x-ms-rehydrate-priority: "Standard" if it is absent.
func Priority(r *req.Request) (string, time.Duration, *wire.Error) {
	switch v := r.Header("X-Ms-Rehydrate-Priority"); strings.ToLower(cmp.Or(v, "standard")) {
	case "standard":
		return "Standard", StandardRehydration, nil
	case "high":
		return "High", HighRehydration, nil
	default:
		return "", 0, req.BadHeader("x-ms-rehydrate-priority", v)
	}
}

// SetTier answers Set Blob Tier: 200 if the blob is there at once, 202 if it has to come
// out of the archive. ETag and time of change stay.
func SetTier(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	if r.Header("X-Ms-Access-Tier") == "" {
		return req.MissingHeader("x-ms-access-tier")
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	status := http.StatusOK
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		old, err := r.Pick(t.Entry)
		if err != nil {
			return err
		}
		if old.Dir {
			return req.OnDirectory()
		}
		tier, err := r.Tier(old.Type)
		if err != nil {
			return err
		}
		if err := cond.CheckWrite(old); err != nil {
			return err
		}
		if err := t.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
		b := old.Clone()
		if b.Tier, err = move(r, old.Tier, tier); err != nil {
			return err
		}
		if b.Tier.To != "" {
			status = http.StatusAccepted
		}
		t.Swap(old, b)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(status)
}

// move is the tier after a change: out of the archive it takes its time.
func move(r *req.Request, from model.Tier, to string) (model.Tier, *wire.Error) {
	switch {
	case from.Name != "Archive":
		return model.Tier{Name: to, Changed: r.Now}, nil
	case to == "Archive" && from.To == "":
		return from, nil
	case from.To != "" && from.To != to:
		return from, req.Conflict("BlobBeingRehydrated", "This operation is not permitted because the blob is being rehydrated.")
	}
	priority, takes, err := Priority(r)
	if err != nil {
		return from, err
	}
	ready := r.Now.Add(takes)
	if from.To == to && from.Ready.Before(ready) {
		ready = from.Ready
	}
	return model.Tier{Name: "Archive", Changed: from.Changed, To: to, Priority: priority, Ready: ready}, nil
}
