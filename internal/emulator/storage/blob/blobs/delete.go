package blobs

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Delete answers Delete Blob: the base blob, its snapshots, one snapshot or one version.
func Delete(r *req.Request) *wire.Error {
	permanent := strings.EqualFold(r.Param("deletetype"), "permanent")
	if err := allowDelete(r, permanent); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		snapshot, version, err := r.Selected()
		if err != nil {
			return err
		}
		r.Out.Set("X-Ms-Delete-Type-Permanent", "true")
		if t.Settings.DeleteDays > 0 && !permanent {
			r.Out.Set("X-Ms-Delete-Type-Permanent", "false")
		}
		if snapshot != "" || version != "" {
			if r.Header("X-Ms-Delete-Snapshots") != "" { // Azure: for the base blob alone
				return req.Bad("InvalidOperation", "Invalid operation against a blob snapshot.")
			}
			return deleteOld(r, t, t.Find(snapshot, version), permanent)
		}
		return deleteBase(r, t, cond)
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusAccepted)
}

func allowDelete(r *req.Request, permanent bool) *wire.Error {
	letters, action := "d", "containers/blobs/delete"
	if r.Param("versionid") != "" {
		letters, action = "x", "containers/blobs/deleteBlobVersion/action"
	}
	if permanent {
		if !r.Store.Settings().Permanent {
			return req.Conflict("PermanentDeleteNotEnabled", "Permanent delete is not enabled for this account.") // words not confirmed
		}
		letters, action = "y", "containers/blobs/permanentDelete/action"
	}
	return r.Allow(letters, "", action)
}

// deleteOld deletes a snapshot or version.
func deleteOld(r *req.Request, t *model.Tx, b *model.Blob, permanent bool) *wire.Error {
	if b == nil || permanent == b.Deleted.IsZero() {
		return model.BlobNotFound()
	}
	if err := t.Immutable(b); err != nil {
		return err
	}
	if b == t.Base {
		// The current version: Azure takes it away like the base blob.
		if err := t.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
	}
	t.RemoveOld(b, permanent)
	return nil
}

// deleteBase deletes the base blob as x-ms-delete-snapshots asks.
func deleteBase(r *req.Request, t *model.Tx, cond req.Conditions) *wire.Error {
	mode := strings.ToLower(r.Header("X-Ms-Delete-Snapshots"))
	live := t.Live()
	switch {
	case live == nil && t.Staged != nil && t.Base == nil:
		t.Staged = nil // Azure: Delete Blob also deletes uncommitted blocks
		return nil
	case live == nil:
		return model.BlobNotFound()
	case mode != "" && mode != "include" && mode != "only":
		return req.BadHeader("x-ms-delete-snapshots", mode)
	}
	if err := (Guard{Cond: cond}).Check(r, t); err != nil {
		return err
	}
	if t.Full() {
		return req.Conflict("DirectoryIsNotEmpty", "This operation is not permitted on a non-empty directory.")
	}
	return deleteAll(t, live, mode)
}

// deleteAll deletes the base blob, its snapshots or both, if none of them is protected.
func deleteAll(t *model.Tx, live *model.Blob, mode string) *wire.Error {
	snapshots := t.Snapshots()
	if mode == "" && len(snapshots) > 0 && !t.Settings.Versioning {
		return req.Conflict("SnapshotsPresent", "This operation is not permitted while the blob has snapshots.")
	}
	for _, s := range snapshots {
		if err := t.Immutable(s); err != nil {
			return err
		}
	}
	if mode != "only" {
		if err := t.Immutable(live); err != nil && (!t.Settings.Versioning || len(t.Container.Holds) > 0) {
			return err
		}
	}
	if mode != "" {
		for _, s := range snapshots {
			t.RemoveOld(s, false)
		}
	}
	if mode != "only" {
		t.Remove()
	}
	return nil
}

// Undelete answers Undelete Blob.
func Undelete(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if !t.Undelete() {
			return model.BlobNotFound()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}

// SetPolicy answers Set Blob Immutability Policy.
func SetPolicy(r *req.Request) *wire.Error {
	if r.Header("X-Ms-Immutability-Policy-Until-Date") == "" {
		return req.MissingHeader("x-ms-immutability-policy-until-date")
	}
	p, err := r.Policy()
	if err != nil {
		return err
	}
	return immutability(r, http.StatusOK, func(b *model.Blob) *wire.Error {
		if old := b.Policy; old != nil && old.Mode == "Locked" && (p.Mode != "Locked" || p.Until.Before(old.Until)) {
			return req.Conflict("BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.")
		}
		b.Policy = p
		r.Out.Set("X-Ms-Immutability-Policy-Until-Date", p.Until.Format(http.TimeFormat))
		r.Out.Set("X-Ms-Immutability-Policy-Mode", strings.ToLower(p.Mode))
		return nil
	})
}

// DeletePolicy answers Delete Blob Immutability Policy.
func DeletePolicy(r *req.Request) *wire.Error {
	return immutability(r, http.StatusOK, func(b *model.Blob) *wire.Error {
		if b.Policy != nil && b.Policy.Mode == "Locked" {
			return req.Conflict("BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.")
		}
		b.Policy = nil
		return nil
	})
}

// SetHold answers Set Blob Legal Hold.
func SetHold(r *req.Request) *wire.Error {
	v := strings.ToLower(r.Header("X-Ms-Legal-Hold"))
	if v != "true" && v != "false" {
		return req.BadHeader("x-ms-legal-hold", v)
	}
	return immutability(r, http.StatusOK, func(b *model.Blob) *wire.Error {
		b.Hold = v == "true"
		r.Out.Set("X-Ms-Legal-Hold", v)
		return nil
	})
}

// immutability changes what protects a blob, a snapshot or a version.
func immutability(r *req.Request, status int, change func(*model.Blob) *wire.Error) *wire.Error {
	if err := r.Allow("i", "", "containers/blobs/immutableStorage/runAsSuperUser/action"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if !t.Container.VersionWorm {
			return versionWormOff()
		}
		old, err := r.Pick(t.Entry)
		if err != nil {
			return err
		}
		b := old.Clone()
		if err := change(b); err != nil {
			return err
		}
		t.Swap(old, b)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(status)
}
