package blobs

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Expiry reads x-ms-expiry-option and x-ms-expiry-time: when a file that was made at a time
// is to go. It returns the zero time for never, and if the headers are absent.
func Expiry(r *req.Request, created, now time.Time) (time.Time, *wire.Error) {
	option, text := strings.ToLower(r.Header("X-Ms-Expiry-Option")), r.Header("X-Ms-Expiry-Time")
	from := now
	switch option {
	case "":
		if text == "" {
			return time.Time{}, nil
		}
		return time.Time{}, req.MissingHeader("x-ms-expiry-option")
	case "neverexpire":
		return time.Time{}, nil
	case "absolute":
		t, err := http.ParseTime(text)
		if err != nil || !t.After(now) {
			return time.Time{}, req.BadHeader("x-ms-expiry-time", text)
		}
		return t.UTC(), nil
	case "relativetocreation":
		from = created
	case "relativetonow":
	default:
		return time.Time{}, req.BadHeader("x-ms-expiry-option", option)
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 1 {
		return time.Time{}, req.BadHeader("x-ms-expiry-time", text)
	}
	return from.Add(time.Duration(ms) * time.Millisecond).UTC(), nil
}

// SetExpiry answers Set Blob Expiry, which files of a hierarchical namespace alone have.
func SetExpiry(r *req.Request) *wire.Error {
	if !r.Store.Hierarchical() {
		return req.Conflict("FeatureNotSupportedForAccount", "Set Blob Expiry needs a hierarchical namespace.") // code and words not confirmed
	}
	if r.Header("X-Ms-Expiry-Option") == "" {
		return req.MissingHeader("x-ms-expiry-option")
	}
	return changeBase(r, http.StatusOK, func(t *model.Tx, old *model.Blob) (*model.Blob, *wire.Error) {
		if old.Dir {
			return nil, req.OnDirectory()
		}
		b := old.Clone()
		var err *wire.Error
		if b.Expires, err = Expiry(r, old.Created, r.Now); err != nil {
			return nil, err
		}
		return t.Alter(b), nil
	})
}
