package storage_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// TestLeases: every action, and writes under a lease.
func TestLeases(t *testing.T) {
	t.Parallel()
	_, _, c := one(t)
	upload(t, c, "x", "1")
	b := c.NewBlockBlobClient("x")
	const id, other = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	held, err := lease.NewBlobClient(b, &lease.BlobClientOptions{LeaseID: ptr(id)})
	ok(t, err)
	_, err = held.AcquireLease(t.Context(), 5, nil)
	wantCode(t, "five seconds", err, "InvalidHeaderValue")
	_, err = held.AcquireLease(t.Context(), -1, nil)
	ok(t, err)
	write := func(leaseID string) error {
		o := &blockblob.UploadOptions{}
		if leaseID != "" {
			o.AccessConditions = &blob.AccessConditions{LeaseAccessConditions: &blob.LeaseAccessConditions{LeaseID: &leaseID}}
		}
		_, err := b.Upload(t.Context(), body("2"), o)
		return err
	}
	wantCode(t, "without it", write(""), "LeaseIdMissing")
	wantCode(t, "with another", write(other), "LeaseIdMismatchWithBlobOperation")
	wantCode(t, "with it", write(id), "")
	thief, err := lease.NewBlobClient(b, &lease.BlobClientOptions{LeaseID: ptr(other)})
	ok(t, err)
	_, err = thief.AcquireLease(t.Context(), 15, nil)
	wantCode(t, "second lease", err, "LeaseAlreadyPresent")
	_, err = thief.RenewLease(t.Context(), nil)
	wantCode(t, "renewed by another", err, "LeaseIdMismatchWithLeaseOperation")
	_, err = held.RenewLease(t.Context(), nil)
	ok(t, err)
	_, err = held.ChangeLease(t.Context(), other, nil)
	ok(t, err)
	_, err = thief.BreakLease(t.Context(), &lease.BlobBreakOptions{BreakPeriod: ptr[int32](0)})
	ok(t, err)
	_, err = thief.RenewLease(t.Context(), nil)
	wantCode(t, "broken", err, "LeaseIsBrokenAndCannotBeRenewed")
	_, err = thief.ReleaseLease(t.Context(), nil)
	ok(t, err)
	_, err = thief.ReleaseLease(t.Context(), nil)
	wantCode(t, "released twice", err, "LeaseIdMismatchWithLeaseOperation")
	wantCode(t, "a lease that is none", write(id), "LeaseNotPresentWithBlobOperation")

	box, err := lease.NewContainerClient(c, nil)
	ok(t, err)
	got, err := box.AcquireLease(t.Context(), 15, nil)
	if err != nil || *got.LeaseID == "" {
		t.Fatal(err)
	}
	_, err = c.Delete(t.Context(), nil)
	wantCode(t, "leased container", err, "LeaseIdMissing")
	_, err = c.Delete(t.Context(), &container.DeleteOptions{AccessConditions: &container.AccessConditions{LeaseAccessConditions: &container.LeaseAccessConditions{LeaseID: got.LeaseID}}})
	wantCode(t, "by its lease", err, "")
}

// TestSnapshots: they stay as they were, and stand in the way of deletion.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	_, _, c := one(t)
	upload(t, c, "x", "old")
	b := c.NewBlobClient("x")
	snap, err := b.CreateSnapshot(t.Context(), &blob.CreateSnapshotOptions{Metadata: map[string]*string{"why": ptr("test")}})
	ok(t, err)
	upload(t, c, "x", "new")
	old, err := b.WithSnapshot(*snap.Snapshot)
	ok(t, err)
	wantText(t, old, "old")
	wantText(t, b, "new")
	_, err = b.Delete(t.Context(), nil)
	wantCode(t, "with snapshots", err, "SnapshotsPresent")
	if got := list(t, c, container.ListBlobsInclude{Snapshots: true}); got != "x@ x " {
		t.Errorf("listed: %s", got)
	}
	only := blob.DeleteSnapshotsOptionTypeOnly
	_, err = b.Delete(t.Context(), &blob.DeleteOptions{DeleteSnapshots: &only})
	ok(t, err)
	_, err = text(t.Context(), old, nil)
	wantCode(t, "deleted snapshot", err, "BlobNotFound")
	_, err = b.Delete(t.Context(), nil)
	ok(t, err)
}

// list lists the blobs of a container: "@" is for a snapshot, "!" for a version, "~" for a
// deleted one, "?" for uncommitted blocks.
func list(tb testing.TB, c *container.Client, include container.ListBlobsInclude) string {
	tb.Helper()
	out := ""
	for p := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: include, MaxResults: ptr[int32](2)}); p.More(); {
		page, err := p.NextPage(tb.Context())
		ok(tb, err)
		for _, b := range page.Segment.BlobItems {
			out += *b.Name
			if b.Snapshot != nil {
				out += "@"
			}
			if b.VersionID != nil && b.IsCurrentVersion == nil {
				out += "!"
			}
			if b.Deleted != nil && *b.Deleted {
				out += "~"
			}
			if b.Properties.CreationTime == nil {
				out += "?"
			}
			out += " "
		}
	}
	return out
}

// TestSoftDelete and what brings back.
func TestSoftDelete(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"blobService":{"deleteRetentionPolicy":{"enabled":true,"days":7},"containerDeleteRetentionPolicy":{"enabled":true,"days":7}}`, nil)
	svc := l.withKey(t, source)
	c := made(t, svc, "box")
	upload(t, c, "x", "1")
	upload(t, c, "x", "2")
	_, err := c.NewBlobClient("x").Delete(t.Context(), nil)
	ok(t, err)
	_, err = text(t.Context(), c.NewBlobClient("x"), nil)
	wantCode(t, "deleted", err, "BlobNotFound")
	if got := list(t, c, container.ListBlobsInclude{Deleted: true}); got != "x@~ x~ " {
		t.Errorf("listed: %s", got)
	}
	_, err = c.NewBlobClient("x").Undelete(t.Context(), nil)
	ok(t, err)
	wantText(t, c.NewBlobClient("x"), "2")
	_, err = c.Delete(t.Context(), nil)
	ok(t, err)
	page, err := svc.NewListContainersPager(&service.ListContainersOptions{Include: service.ListContainersInclude{Deleted: true}}).NextPage(t.Context())
	if err != nil || len(page.ContainerItems) != 1 || !*page.ContainerItems[0].Deleted {
		t.Fatalf("%v %v", page.ContainerItems, err)
	}
	_, err = c.Restore(t.Context(), *page.ContainerItems[0].Version, nil)
	ok(t, err)
	wantText(t, c.NewBlobClient("x"), "2")
	_, err = c.NewBlobClient("x").Delete(t.Context(), nil)
	wantCode(t, "with the snapshot that came back", err, "SnapshotsPresent")
	_, err = c.NewBlobClient("x").Delete(t.Context(), &blob.DeleteOptions{DeleteSnapshots: ptr(blob.DeleteSnapshotsOptionTypeInclude)})
	ok(t, err)
	l.pass(8 * 24 * time.Hour)
	late := l.withKeyAt(t, source).NewContainerClient("box")
	if got := list(t, late, container.ListBlobsInclude{Deleted: true}); got != "" {
		t.Errorf("after the retention: %s", got)
	}
}

// TestVersions are made by every write of the whole blob and of its metadata.
func TestVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"blobService":{"isVersioningEnabled":true}`, nil)
	c := made(t, l.withKey(t, source), "box")
	first := upload(t, c, "x", "1")
	upload(t, c, "x", "2")
	b := c.NewBlobClient("x")
	_, err := b.SetMetadata(t.Context(), map[string]*string{"k": ptr("v")}, nil)
	ok(t, err)
	if got := list(t, c, container.ListBlobsInclude{Versions: true}); got != "x! x! x " {
		t.Errorf("listed: %s", got)
	}
	old, err := b.WithVersionID(*first.VersionID)
	ok(t, err)
	wantText(t, old, "1")
	_, err = b.Delete(t.Context(), nil)
	ok(t, err)
	_, err = text(t.Context(), b, nil)
	wantCode(t, "deleted", err, "BlobNotFound")
	wantText(t, old, "1")
	_, err = old.Delete(t.Context(), nil)
	ok(t, err)
	_, err = text(t.Context(), old, nil)
	wantCode(t, "deleted version", err, "BlobNotFound")
	if got := list(t, c, container.ListBlobsInclude{Versions: true}); got != "x! x! " {
		t.Errorf("listed: %s", got)
	}
}
