package file_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	azf "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
)

const (
	host = "https://acct.file.core.windows.net/"
	sddl = "O:S-1-5-21-1-2-3-500G:S-1-5-21-1-2-3-513D:(A;;FA;;;SY)"
)

// premium makes every account one of the kind FileStorage, and fetches through fetch.
type premium struct {
	*file.Server
	kind  string
	fetch kit.Fetch
}

func (p *premium) Serve(c *kit.Call) {
	c.Account.Kind, c.Fetch = p.kind, p.fetch
	p.Server.Serve(c)
}

type lab struct {
	*kittest.Lab
	*premium
	svc *service.Client
}

func newLab(tb testing.TB, opt file.Options) *lab {
	tb.Helper()
	l := &lab{premium: &premium{Server: file.New(opt), kind: "StorageV2"}}
	l.Lab = kittest.New(tb, map[kit.Kind]kit.Server{kit.File: l.premium})
	l.fetch = l.fetchHere
	c, err := service.NewClientWithNoCredential(host, &service.ClientOptions{ClientOptions: l.Options(), AllowTrailingDot: to.Ptr(true), AllowSourceTrailingDot: to.Ptr(true)})
	check(tb, err)
	l.svc = c
	return l
}

// fetchHere reads a source as the account's service would: with "sig=bad" it is refused.
func (l *lab) fetchHere(ctx context.Context, s kit.Source) kit.Fetched {
	if strings.Contains(s.URL, "sig=bad") {
		return kit.Fetched{Status: 403, Code: "AuthenticationFailed", Header: http.Header{}}
	}
	req, err := http.NewRequestWithContext(ctx, s.Method, s.URL, http.NoBody)
	if err != nil {
		return kit.Fetched{}
	}
	req.Header = s.Header
	w := httptest.NewRecorder()
	l.ServeHTTP(w, req)
	return kit.Fetched{Status: w.Code, Header: w.Header(), Content: content.Of(w.Body.Bytes()), Code: w.Header().Get("x-ms-error-code")}
}

func (l *lab) share(tb testing.TB, name string) *share.Client {
	tb.Helper()
	_, err := l.svc.CreateShare(tb.Context(), name, nil)
	check(tb, err)
	return l.svc.NewShareClient(name)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantCode(tb testing.TB, err error, status int, code string) {
	tb.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.StatusCode != status || re.ErrorCode != code {
		tb.Helper()
		tb.Errorf("error is %v, want %d %s", err, status, code)
	}
}

func body(s string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(s)) }

// upload makes a file of a text.
func upload(tb testing.TB, f *azf.Client, text string) {
	tb.Helper()
	_, err := f.Create(tb.Context(), int64(len(text)), nil)
	check(tb, err)
	if text != "" {
		_, err = f.UploadRange(tb.Context(), 0, body(text), nil)
		check(tb, err)
	}
}

func download(tb testing.TB, f *azf.Client) string {
	tb.Helper()
	resp, err := f.DownloadStream(tb.Context(), nil)
	check(tb, err)
	data, err := io.ReadAll(resp.Body)
	check(tb, err)
	return string(data)
}

func TestSharesLifecycle(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	_, err := l.svc.CreateShare(ctx, "docs", &service.CreateShareOptions{Quota: to.Ptr(int32(7)), AccessTier: to.Ptr(share.AccessTierHot), Metadata: map[string]*string{"team": to.Ptr("a")}})
	check(t, err)
	_, err = l.svc.CreateShare(ctx, "docs", nil)
	wantCode(t, err, 409, "ShareAlreadyExists")
	_, err = l.svc.CreateShare(ctx, "Docs", nil)
	wantCode(t, err, 400, "InvalidResourceName")
	_, err = l.svc.CreateShare(ctx, "zz", nil)
	wantCode(t, err, 400, "OutOfRangeInput")
	_, err = l.svc.CreateShare(ctx, "nfs", &service.CreateShareOptions{EnabledProtocols: to.Ptr("NFS")})
	wantCode(t, err, 400, "InvalidHeaderValue")
	sh := l.svc.NewShareClient("docs")
	_, err = sh.SetProperties(ctx, &share.SetPropertiesOptions{Quota: to.Ptr(int32(9)), AccessTier: to.Ptr(share.AccessTierCool)})
	check(t, err)
	_, err = sh.SetProperties(ctx, &share.SetPropertiesOptions{Quota: to.Ptr(int32(200000))})
	wantCode(t, err, 400, "InvalidHeaderValue")
	_, err = sh.SetProperties(ctx, &share.SetPropertiesOptions{RootSquash: to.Ptr(share.RootSquashRootSquash)})
	wantCode(t, err, 400, "InvalidHeaderValue")
	p, err := sh.GetProperties(ctx, nil)
	check(t, err)
	if *p.Quota != 9 || *p.AccessTier != "Cool" || *p.EnabledProtocols != "SMB" || len(p.Metadata) != 1 || *p.LeaseState != "available" {
		t.Errorf("properties: %+v", p)
	}
	_, err = sh.SetAccessPolicy(ctx, &share.SetAccessPolicyOptions{ShareACL: []*share.SignedIdentifier{{ID: to.Ptr("p"), AccessPolicy: &share.AccessPolicy{Permission: to.Ptr("rcwdl"), Start: to.Ptr(kittest.Start)}}}})
	check(t, err)
	pol, err := sh.GetAccessPolicy(ctx, nil)
	check(t, err)
	if len(pol.SignedIdentifiers) != 1 || *pol.SignedIdentifiers[0].AccessPolicy.Permission != "rcwdl" {
		t.Errorf("policies: %+v", pol.SignedIdentifiers)
	}
	if ps, ok := l.Policies(kittest.Account("acct").ID, "docs"); !ok || len(ps) != 1 {
		t.Errorf("policies behind the wire: %v", ps)
	}
	upload(t, sh.NewRootDirectoryClient().NewFileClient("a"), "12345")
	stats, err := sh.GetStatistics(ctx, nil)
	check(t, err)
	if *stats.ShareUsageBytes != 5 {
		t.Errorf("%d bytes", *stats.ShareUsageBytes)
	}
	snap, err := sh.CreateSnapshot(ctx, nil)
	check(t, err)
	_, err = sh.CreateSnapshot(ctx, nil)
	check(t, err)
	upload(t, sh.NewRootDirectoryClient().NewFileClient("a"), "changed")
	old, err := sh.WithSnapshot(*snap.Snapshot)
	check(t, err)
	if got := download(t, old.NewRootDirectoryClient().NewFileClient("a")); got != "12345" {
		t.Errorf("in the snapshot: %q", got)
	}
	_, err = old.NewRootDirectoryClient().NewFileClient("b").Create(ctx, 1, nil)
	if err == nil {
		t.Log("the client drops the snapshot from a write")
	}
	l.share(t, "media")
	if got, want := l.list(t), []string{"docs/9/a", "docs@" + *snap.Snapshot, "docs@2026-03-01T12:00:00.0000001Z", "media/5120/"}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	_, err = sh.Delete(ctx, nil)
	wantCode(t, err, 409, "ShareHasSnapshots")
	_, err = old.Delete(ctx, nil)
	check(t, err)
	_, err = old.GetProperties(ctx, nil)
	wantCode(t, err, 404, "ShareSnapshotNotFound")
	_, err = sh.Delete(ctx, &share.DeleteOptions{DeleteSnapshots: to.Ptr(share.DeleteSnapshotsOptionTypeInclude)})
	check(t, err)
	_, err = sh.GetProperties(ctx, nil)
	wantCode(t, err, 404, "ShareNotFound")
}

// list names the shares with quota and team, and their snapshots, over pages of one.
func (l *lab) list(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for p := l.svc.NewListSharesPager(&service.ListSharesOptions{MaxResults: to.Ptr(int32(1)), Include: service.ListSharesInclude{Metadata: true, Snapshots: true}}); p.More(); {
		page, err := p.NextPage(tb.Context())
		check(tb, err)
		for _, s := range page.Shares {
			if s.Snapshot != nil {
				out = append(out, *s.Name+"@"+*s.Snapshot)
				continue
			}
			team := ""
			if v := s.Metadata["team"]; v != nil {
				team = *v
			}
			out = append(out, fmt.Sprintf("%s/%d/%s", *s.Name, *s.Properties.Quota, team))
		}
	}
	return out
}

func TestDeletedSharesAreRestored(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	check(t, l.Configure(kittest.Account("acct"), map[string]any{"shareDeleteRetentionPolicy": map[string]any{"enabled": true, "days": 5.0}}))
	sh := l.share(t, "docs")
	upload(t, sh.NewRootDirectoryClient().NewFileClient("a"), "12345")
	_, err := sh.Delete(ctx, nil)
	check(t, err)
	page, err := l.svc.NewListSharesPager(&service.ListSharesOptions{Include: service.ListSharesInclude{Deleted: true}}).NextPage(ctx)
	check(t, err)
	if len(page.Shares) != 1 || !*page.Shares[0].Deleted || *page.Shares[0].Properties.RemainingRetentionDays != 5 {
		t.Fatalf("deleted shares: %+v", page.Shares)
	}
	_, err = sh.Restore(ctx, "none", nil)
	wantCode(t, err, 404, "ShareNotFound")
	_, err = sh.Restore(ctx, *page.Shares[0].Version, nil)
	check(t, err)
	if got := download(t, sh.NewRootDirectoryClient().NewFileClient("a")); got != "12345" {
		t.Errorf("restored %q", got)
	}
	_, err = sh.Delete(ctx, nil)
	check(t, err)
	l.Advance(5 * 24 * time.Hour)
	page, err = l.svc.NewListSharesPager(&service.ListSharesOptions{Include: service.ListSharesInclude{Deleted: true}}).NextPage(ctx)
	check(t, err)
	if len(page.Shares) != 0 {
		t.Errorf("deleted shares after five days: %+v", page.Shares)
	}
}

func TestDirectoriesAndFiles(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	sh := l.share(t, "docs")
	key, err := sh.CreatePermission(ctx, sddl, nil)
	check(t, err)
	back, err := sh.GetPermission(ctx, *key.FilePermissionKey, nil)
	check(t, err)
	if *back.Permission != sddl {
		t.Errorf("permission: %s", *back.Permission)
	}
	created := time.Date(2020, 1, 2, 3, 4, 5, 600, time.UTC)
	d := sh.NewDirectoryClient("Dir é")
	_, err = d.Create(ctx, &directory.CreateOptions{
		FileSMBProperties: &azf.SMBProperties{Attributes: &azf.NTFSFileAttributes{Hidden: true}, CreationTime: &created, LastWriteTime: &created},
		FilePermissions:   &azf.Permissions{PermissionKey: key.FilePermissionKey}, Metadata: map[string]*string{"a": to.Ptr("b")},
	})
	check(t, err)
	_, err = d.Create(ctx, nil)
	wantCode(t, err, 409, "ResourceAlreadyExists")
	_, err = sh.NewDirectoryClient("no/such").Create(ctx, nil)
	wantCode(t, err, 404, "ParentNotFound")
	props, err := d.GetProperties(ctx, nil)
	check(t, err)
	if *props.FileAttributes != "Hidden | Directory" || !props.FileCreationTime.Equal(created) || *props.FilePermissionKey != *key.FilePermissionKey || len(props.Metadata) != 1 {
		t.Errorf("directory: %+v", props)
	}
	f := d.NewFileClient("File.")
	sum := md5.Sum([]byte("0123456789"))
	_, err = f.Create(ctx, 10, &azf.CreateOptions{
		SMBProperties: &azf.SMBProperties{Attributes: &azf.NTFSFileAttributes{None: true}, LastWriteTime: &created}, Permissions: &azf.Permissions{Permission: to.Ptr(sddl)},
		HTTPHeaders: &azf.HTTPHeaders{ContentType: to.Ptr("text/plain"), ContentMD5: sum[:], CacheControl: to.Ptr("no-store")}, Metadata: map[string]*string{"k": to.Ptr("v")},
	})
	check(t, err)
	_, err = f.UploadRange(ctx, 0, body("0123456789"), &azf.UploadRangeOptions{LastWrittenMode: to.Ptr(azf.LastWrittenModePreserve)})
	check(t, err)
	p, err := sh.NewDirectoryClient("DIR É").NewFileClient("FILE.").GetProperties(ctx, nil)
	check(t, err)
	if *p.ContentLength != 10 || *p.FileAttributes != "Archive" || !p.FileLastWriteTime.Equal(created) || *p.ContentType != "text/plain" || !bytes.Equal(p.ContentMD5, sum[:]) || *p.ParentID != *props.ID || *p.FilePermissionKey != *key.FilePermissionKey {
		t.Errorf("file: %+v", p)
	}
	part, err := f.DownloadStream(ctx, &azf.DownloadStreamOptions{Range: azf.HTTPRange{Offset: 3, Count: 4}, RangeGetContentMD5: to.Ptr(true)})
	check(t, err)
	data, err := io.ReadAll(part.Body)
	check(t, err)
	want := md5.Sum([]byte("3456"))
	if string(data) != "3456" || *part.ContentRange != "bytes 3-6/10" || !bytes.Equal(part.ContentMD5, want[:]) {
		t.Errorf("range: %q %s", data, *part.ContentRange)
	}
	_, err = f.SetHTTPHeaders(ctx, &azf.SetHTTPHeadersOptions{HTTPHeaders: &azf.HTTPHeaders{ContentLanguage: to.Ptr("de")}, SMBProperties: &azf.SMBProperties{Attributes: &azf.NTFSFileAttributes{ReadOnly: true, Archive: true}}})
	check(t, err)
	p, err = f.GetProperties(ctx, nil)
	check(t, err)
	if p.CacheControl != nil || *p.ContentLanguage != "de" || *p.FileAttributes != "ReadOnly | Archive" || !p.FileLastWriteTime.Equal(created) {
		t.Errorf("after setting headers: %+v", p)
	}
	_, err = f.UploadRange(ctx, 0, body("x"), nil)
	wantCode(t, err, 409, "ReadOnlyAttribute")
	_, err = f.Delete(ctx, nil)
	wantCode(t, err, 409, "ReadOnlyAttribute")
	_, err = d.Delete(ctx, nil)
	wantCode(t, err, 409, "DirectoryNotEmpty")
	_, err = f.SetHTTPHeaders(ctx, &azf.SetHTTPHeadersOptions{SMBProperties: &azf.SMBProperties{Attributes: &azf.NTFSFileAttributes{None: true}}})
	check(t, err)
	_, err = f.SetMetadata(ctx, &azf.SetMetadataOptions{Metadata: map[string]*string{"new": to.Ptr("1")}})
	check(t, err)
	_, err = d.SetMetadata(ctx, nil)
	check(t, err)
	_, err = d.SetProperties(ctx, &directory.SetPropertiesOptions{FileSMBProperties: &azf.SMBProperties{Attributes: &azf.NTFSFileAttributes{System: true}}})
	check(t, err)
	_, err = f.Resize(ctx, 4, nil)
	check(t, err)
	if got := download(t, f); got != "0123" {
		t.Errorf("resized: %q", got)
	}
	_, err = f.Delete(ctx, nil)
	check(t, err)
	_, err = d.Delete(ctx, nil)
	check(t, err)
	_, err = f.GetProperties(ctx, nil)
	wantCode(t, err, 404, "ParentNotFound")
}

func TestListing(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	root := l.share(t, "docs").NewRootDirectoryClient()
	for _, n := range []string{"b", "B2", "a-dir", "z\uFFFE"} {
		_, err := root.NewSubdirectoryClient(n).Create(ctx, nil)
		check(t, err)
		upload(t, root.NewSubdirectoryClient(n).NewFileClient("inside"), "x")
	}
	for _, n := range []string{"a", "c.txt", "b!"} {
		upload(t, root.NewFileClient(n), "12345")
	}
	list := func(opt *directory.ListFilesAndDirectoriesOptions) (out []string) {
		for p := root.NewListFilesAndDirectoriesPager(opt); p.More(); {
			page, err := p.NextPage(ctx)
			check(t, err)
			for _, d := range page.Segment.Directories {
				out = append(out, *d.Name+"/")
				if opt.IncludeExtendedInfo != nil && (d.ID == nil || *d.Attributes != "Directory" || d.PermissionKey == nil || d.Properties.CreationTime == nil || d.Properties.ETag == nil) {
					t.Errorf("directory: %+v", d)
				}
			}
			for _, f := range page.Segment.Files {
				out = append(out, fmt.Sprintf("%s=%d", *f.Name, *f.Properties.ContentLength))
			}
		}
		return out
	}
	for most := int32(1); most < 9; most += 3 {
		got := list(&directory.ListFilesAndDirectoriesOptions{MaxResults: &most, IncludeExtendedInfo: to.Ptr(true), Include: directory.ListFilesInclude{Timestamps: true, ETag: true, Attributes: true, PermissionKey: true}})
		slices.Sort(got)
		if diff := cmp.Diff([]string{"B2/", "a-dir/", "a=5", "b!=5", "b/", "c.txt=5", "z\uFFFE/"}, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", most, diff)
		}
	}
	if got := list(&directory.ListFilesAndDirectoriesOptions{Prefix: to.Ptr("B")}); !slices.Equal(got, []string{"b/", "B2/", "b!=5"}) {
		t.Errorf("prefix: %v", got)
	}
	h, err := root.ListHandles(ctx, nil)
	check(t, err)
	closed, err := root.NewFileClient("a").ForceCloseHandles(ctx, "*", nil)
	check(t, err)
	if len(h.Handles) != 0 || *closed.NumberOfHandlesClosed != 0 {
		t.Error("handles that nobody opened")
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	sh := l.share(t, "docs")
	f := sh.NewRootDirectoryClient().NewFileClient("big")
	const mib = 1 << 20
	_, err := f.Create(ctx, 8*mib, nil)
	check(t, err)
	ranges := func(opt *azf.GetRangeListOptions) string {
		t.Helper()
		got, err := f.GetRangeList(ctx, opt)
		check(t, err)
		var out []string
		for _, r := range got.Ranges {
			out = append(out, fmt.Sprintf("%d-%d", *r.Start, *r.End))
		}
		for _, r := range got.ClearRanges {
			out = append(out, fmt.Sprintf("clear %d-%d", *r.Start, *r.End))
		}
		return strings.Join(out, " ")
	}
	_, err = f.UploadRange(ctx, 1000, body(strings.Repeat("x", 100)), nil)
	check(t, err)
	_, err = f.UploadRange(ctx, 4*mib, body(strings.Repeat("y", 4*mib)), nil)
	check(t, err)
	if got := ranges(nil); got != "512-1535 4194304-8388607" {
		t.Errorf("ranges: %s", got)
	}
	snap, err := sh.CreateSnapshot(ctx, nil)
	check(t, err)
	_, err = f.ClearRange(ctx, azf.HTTPRange{Offset: 5 * mib, Count: mib}, nil)
	check(t, err)
	_, err = f.UploadRange(ctx, 2*mib, body("new"), nil)
	check(t, err)
	if got := ranges(&azf.GetRangeListOptions{PrevShareSnapshot: snap.Snapshot}); got != "2097152-2097663 clear 5242880-6291455" {
		t.Errorf("difference: %s", got)
	}
	if got := ranges(&azf.GetRangeListOptions{Range: azf.HTTPRange{Offset: 0, Count: 1024}}); got != "512-1023" {
		t.Errorf("of a part: %s", got)
	}
	_, err = f.ClearRange(ctx, azf.HTTPRange{Offset: 1010, Count: 5}, nil)
	check(t, err)
	if got := ranges(&azf.GetRangeListOptions{Range: azf.HTTPRange{Offset: 0, Count: 4096}}); got != "512-1535" {
		t.Errorf("after clearing less than a sector: %s", got)
	}
	part, err := f.DownloadStream(ctx, &azf.DownloadStreamOptions{Range: azf.HTTPRange{Offset: 1008, Count: 8}})
	check(t, err)
	if data, err := io.ReadAll(part.Body); err != nil || string(data) != "xx\x00\x00\x00\x00\x00x" {
		t.Errorf("content: %q %v", data, err)
	}
	_, err = f.UploadRange(ctx, 8*mib-1, body("ab"), nil)
	wantCode(t, err, 416, "InvalidRange")
	_, err = f.UploadRange(ctx, 0, body("ab"), &azf.UploadRangeOptions{TransactionalValidation: azf.TransferValidationTypeMD5(bytes.Repeat([]byte{1}, 16))})
	wantCode(t, err, 400, "Md5Mismatch")
	_, err = f.DownloadStream(ctx, &azf.DownloadStreamOptions{Range: azf.HTTPRange{Offset: 8 * mib}})
	wantCode(t, err, 416, "InvalidRange")
	_, err = f.GetRangeList(ctx, &azf.GetRangeListOptions{PrevShareSnapshot: to.Ptr("2000-01-01T00:00:00.0000000Z")})
	wantCode(t, err, 404, "PreviousSnapshotNotFound")
}

func TestCopies(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	root := l.share(t, "docs").NewRootDirectoryClient()
	src := root.NewFileClient("source")
	_, err := src.Create(ctx, 10, &azf.CreateOptions{HTTPHeaders: &azf.HTTPHeaders{ContentType: to.Ptr("text/plain")}, Metadata: map[string]*string{"k": to.Ptr("v")}, Permissions: &azf.Permissions{Permission: to.Ptr(sddl)}})
	check(t, err)
	_, err = src.UploadRange(ctx, 0, body("0123456789"), nil)
	check(t, err)
	for name, source := range map[string]string{"own": src.URL(), "signed": src.URL() + "?sig=good"} {
		dst := root.NewFileClient(name)
		resp, err := dst.StartCopyFromURL(ctx, source, &azf.StartCopyFromURLOptions{CopyFileSMBInfo: &azf.CopyFileSMBInfo{PermissionCopyMode: to.Ptr(azf.PermissionCopyModeTypeSource), Attributes: azf.SourceCopyFileAttributes{}, CreationTime: azf.SourceCopyFileCreationTime{}}})
		check(t, err)
		p, err := dst.GetProperties(ctx, nil)
		check(t, err)
		if *resp.CopyStatus != azf.CopyStatusTypeSuccess || *p.CopyID != *resp.CopyID || *p.CopySource != src.URL() || *p.CopyProgress != "10/10" || *p.ContentType != "text/plain" || len(p.Metadata) != 1 || download(t, dst) != "0123456789" {
			t.Errorf("%s: %+v", name, p)
		}
		_, err = dst.AbortCopy(ctx, *resp.CopyID, nil)
		wantCode(t, err, 409, "NoPendingCopyOperation")
		_, err = dst.AbortCopy(ctx, "other", nil)
		wantCode(t, err, 409, "CopyIdMismatch")
	}
	dst := root.NewFileClient("ranges")
	_, err = dst.Create(ctx, 6, nil)
	check(t, err)
	for off, source := range map[int64]string{0: src.URL(), 3: src.URL() + "?sig=good"} {
		_, err = dst.UploadRangeFromURL(ctx, source, 2+off, off, 3, nil)
		check(t, err)
	}
	if got := download(t, dst); got != "234567" {
		t.Errorf("ranges from addresses: %q", got)
	}
	_, err = dst.UploadRangeFromURL(ctx, src.URL()+"?sig=bad", 0, 0, 3, nil)
	wantCode(t, err, 403, "CannotVerifyCopySource")
	_, err = dst.UploadRangeFromURL(ctx, root.NewFileClient("none").URL()+"?sig=good", 0, 0, 3, nil)
	wantCode(t, err, 404, "CannotVerifyCopySource")
	_, err = dst.UploadRangeFromURL(ctx, src.URL(), 9, 0, 3, nil)
	wantCode(t, err, 416, "InvalidRange")
	_, err = dst.UploadRangeFromURL(ctx, src.URL(), 0, 0, 3, &azf.UploadRangeFromURLOptions{SourceModifiedAccessConditions: &azf.SourceModifiedAccessConditions{SourceIfMatchCRC64: []byte("12345678")}})
	wantCode(t, err, 412, "SourceConditionNotMet")
	_, err = dst.StartCopyFromURL(ctx, root.NewFileClient("none").URL(), nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

func TestRename(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	ctx := t.Context()
	root := l.share(t, "docs").NewRootDirectoryClient()
	for _, d := range []string{"a", "a/sub", "b"} {
		_, err := root.NewSubdirectoryClient(d).Create(ctx, nil)
		check(t, err)
	}
	upload(t, root.NewSubdirectoryClient("a/sub").NewFileClient("deep"), "deep")
	upload(t, root.NewFileClient("one"), "one")
	upload(t, root.NewFileClient("two"), "two")
	_, err := root.NewSubdirectoryClient("a").Rename(ctx, "b/A2", nil)
	check(t, err)
	if got := download(t, root.NewSubdirectoryClient("b/A2/sub").NewFileClient("deep")); got != "deep" {
		t.Errorf("moved: %q", got)
	}
	_, err = root.NewSubdirectoryClient("a").GetProperties(ctx, nil)
	wantCode(t, err, 404, "ResourceNotFound")
	_, err = root.NewSubdirectoryClient("b").Rename(ctx, "b/A2/b", nil)
	wantCode(t, err, 400, "InvalidInput")
	_, err = root.NewFileClient("one").Rename(ctx, "two", nil)
	wantCode(t, err, 409, "ResourceAlreadyExists")
	_, err = root.NewFileClient("one").Rename(ctx, "two", &azf.RenameOptions{ReplaceIfExists: to.Ptr(true), ContentType: to.Ptr("text/x"), Metadata: map[string]*string{"m": to.Ptr("1")}})
	check(t, err)
	p, err := root.NewFileClient("two").GetProperties(ctx, nil)
	check(t, err)
	if *p.ContentType != "text/x" || len(p.Metadata) != 1 || download(t, root.NewFileClient("two")) != "one" {
		t.Errorf("renamed: %+v", p)
	}
	_, err = root.NewFileClient("two").Rename(ctx, "TWO", nil)
	check(t, err)
	_, err = root.NewFileClient("none").Rename(ctx, "x", nil)
	wantCode(t, err, 404, "ResourceNotFound")
	_, err = root.NewFileClient("two").Rename(ctx, "no/where", nil)
	wantCode(t, err, 404, "ParentNotFound")
}
