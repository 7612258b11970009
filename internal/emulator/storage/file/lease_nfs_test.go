package file_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	azf "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
)

func TestLeases(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	sh := l.share(t, "docs")
	f := sh.NewRootDirectoryClient().NewFileClient("a")
	upload(t, f, "12345")
	const id = "11111111-2222-3333-4444-555555555555"
	held, err := lease.NewFileClient(f, &lease.FileClientOptions{LeaseID: to.Ptr(id)})
	check(t, err)
	_, err = held.Acquire(ctx, nil)
	check(t, err)
	_, err = f.UploadRange(ctx, 0, body("x"), nil)
	wantCode(t, err, 412, "LeaseIdMissing")
	_, err = f.UploadRange(ctx, 0, body("x"), &azf.UploadRangeOptions{LeaseAccessConditions: &azf.LeaseAccessConditions{LeaseID: to.Ptr(id)}})
	check(t, err)
	p, err := f.GetProperties(ctx, nil)
	check(t, err)
	if *p.LeaseState != "leased" || *p.LeaseDuration != "infinite" {
		t.Errorf("lease: %s", *p.LeaseState)
	}
	_, err = held.Change(ctx, "99999999-2222-3333-4444-555555555555", nil)
	check(t, err)
	_, err = held.Release(ctx, nil)
	check(t, err)
	_, err = held.Acquire(ctx, nil)
	check(t, err)
	_, err = held.Break(ctx, nil)
	check(t, err)
	_, err = f.Delete(ctx, nil)
	check(t, err)
	whole, err := lease.NewShareClient(sh, &lease.ShareClientOptions{LeaseID: to.Ptr(id)})
	check(t, err)
	_, err = whole.Acquire(ctx, 15, nil)
	check(t, err)
	_, err = whole.Renew(ctx, nil)
	check(t, err)
	_, err = sh.Delete(ctx, nil)
	wantCode(t, err, 412, "LeaseIdMissing")
	broken, err := whole.Break(ctx, &lease.ShareBreakOptions{BreakPeriod: to.Ptr(int32(5))})
	check(t, err)
	if *broken.LeaseTime != 5 {
		t.Errorf("the lease remains for %d s", *broken.LeaseTime)
	}
	l.Advance(5 * time.Second)
	_, err = sh.Delete(ctx, nil)
	check(t, err)
}

func TestNFS(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	l.kind = "FileStorage"
	ctx := t.Context()
	_, err := l.svc.CreateShare(ctx, "nfs", &service.CreateShareOptions{EnabledProtocols: to.Ptr("NFS"), RootSquash: to.Ptr(share.RootSquashAllSquash)})
	check(t, err)
	sh := l.svc.NewShareClient("nfs")
	p, err := sh.GetProperties(ctx, nil)
	check(t, err)
	if *p.RootSquash != share.RootSquashAllSquash || *p.AccessTier != "Premium" {
		t.Errorf("share: %s %s", *p.RootSquash, *p.AccessTier)
	}
	root := sh.NewRootDirectoryClient()
	f := root.NewFileClient("File")
	_, err = f.Create(ctx, 3, &azf.CreateOptions{NFSProperties: &azf.NFSProperties{FileMode: to.Ptr("0640"), Owner: to.Ptr("1000"), Group: to.Ptr("100")}})
	check(t, err)
	_, err = f.UploadRange(ctx, 0, body("one"), nil)
	check(t, err)
	_, err = root.NewFileClient("file").GetProperties(ctx, nil)
	wantCode(t, err, 404, "ResourceNotFound") // case counts
	hard := root.NewFileClient("hard")
	h, err := hard.CreateHardLink(ctx, "/File", nil)
	check(t, err)
	if *h.LinkCount != 2 {
		t.Errorf("%d links", *h.LinkCount)
	}
	_, err = hard.UploadRange(ctx, 0, body("two"), nil)
	check(t, err)
	if got := download(t, f); got != "two" {
		t.Errorf("through the other name: %q", got)
	}
	got, err := f.GetProperties(ctx, nil)
	check(t, err)
	if *got.FileMode != "0640" || *got.Owner != "1000" || *got.Group != "100" || *got.LinkCount != 2 || got.FileAttributes != nil {
		t.Errorf("file: %+v", got)
	}
	_, err = f.Delete(ctx, nil)
	check(t, err)
	if got, err := hard.GetProperties(ctx, nil); err != nil || *got.LinkCount != 1 {
		t.Errorf("after a name is gone: %v", err)
	}
	link := root.NewFileClient("link")
	_, err = link.CreateSymbolicLink(ctx, "../é/x", nil)
	check(t, err)
	text, err := link.GetSymbolicLink(ctx, nil)
	check(t, err)
	if !strings.Contains(*text.LinkText, "../é/x") && *text.LinkText != "..%2F%C3%A9%2Fx" {
		t.Errorf("link text: %s", *text.LinkText)
	}
	_, err = hard.GetSymbolicLink(ctx, nil)
	wantCode(t, err, 409, "ResourceTypeMismatch")
	l.kind = "StorageV2"
	smb := l.share(t, "smb").NewRootDirectoryClient()
	_, err = smb.NewFileClient("link").CreateSymbolicLink(ctx, "x", nil)
	wantCode(t, err, 400, "UnsupportedQueryParameter")
}
