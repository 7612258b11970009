package blob

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
)

var standard = account.Facts{Kind: "StorageV2", SKU: "Standard_LRS"}

func TestJudge(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rich := props{
		MD5: "aaaa", ContentType: "text/plain", Encoding: "gzip", Language: "de", Disposition: "inline", CacheControl: "no-store",
		Tier: "Cool", Metadata: map[string]string{"Key": "v"}, Tags: map[string]string{"t": "1"},
	}
	base := seen{props: rich, size: 10, modified: day}
	with := func(change func(*seen)) seen {
		s := base
		change(&s)
		return s
	}
	unsummed := with(func(s *seen) { s.MD5 = "" })
	tests := []struct {
		name     string
		src, dst seen
		to       account.Facts
		want     hint.State
		fields   []string
	}{
		{"the same", base, base, standard, proven, nil},
		{"names of metadata in another case", base, with(func(s *seen) { s.Metadata = map[string]string{"kEY": "v"} }), standard, proven, nil},
		{"another size", base, with(func(s *seen) { s.size = 11 }), standard, other, []string{"size"}},
		{"another content", base, with(func(s *seen) { s.MD5 = "bbbb" }), standard, other, []string{"content"}},
		{"another type", base, with(func(s *seen) { s.Type = appendBlob }), standard, other, []string{"blob type"}},
		{
			"other headers", base, with(func(s *seen) {
				s.ContentType, s.Encoding, s.Language, s.Disposition, s.CacheControl = "", "", "", "", ""
			}), standard, other,
			[]string{"content type", "content encoding", "content language", "content disposition", "cache control"},
		},
		{"other metadata", base, with(func(s *seen) { s.Metadata = map[string]string{"Key": "w"} }), standard, other, []string{"metadata"}},
		{"more metadata", base, with(func(s *seen) { s.Metadata = map[string]string{"Key": "v", "more": "v"} }), standard, other, []string{"metadata"}},
		{"other metadata by name", base, with(func(s *seen) { s.Metadata = map[string]string{"Other": "v"} }), standard, other, []string{"metadata"}},
		{"no tags", base, with(func(s *seen) { s.Tags = nil }), standard, other, []string{"index tags"}},
		{"tags that the target cannot have", base, with(func(s *seen) { s.Tags = nil }), account.Facts{Kind: "StorageV2", SKU: "Standard_LRS", HNS: true}, proven, nil},
		{"another tier", base, with(func(s *seen) { s.Tier = "Hot" }), standard, other, []string{"tier"}},
		{"a tier that the target cannot have", base, with(func(s *seen) { s.Tier = ""; s.Tags = nil }), account.Facts{Kind: "BlockBlobStorage", SKU: "Premium_LRS"}, proven, nil},
		{"the account's tier at the source", with(func(s *seen) { s.Tier = "" }), base, standard, proven, nil},
		{"another sequence number and seal", with(func(s *seen) { s.Sequence = 1 }), with(func(s *seen) { s.Sealed = true }), standard, other, []string{"sequence number", "seal"}},
		{"no checksum, written later", unsummed, with(func(s *seen) { s.modified = day.Add(time.Second) }), standard, alike, nil},
		{"no checksum, written before", unsummed, with(func(s *seen) { s.modified = day.Add(-time.Second) }), standard, unsure, nil},
		{"no checksum, written in the same second", unsummed, unsummed, standard, unsure, nil},
		{"a checksum at one side alone", base, with(func(s *seen) { s.MD5, s.modified = "", day.Add(time.Minute) }), standard, alike, nil},
		{"nothing in it", with(func(s *seen) { s.size, s.MD5 = 0, "" }), with(func(s *seen) { s.size, s.MD5 = 0, "" }), standard, proven, nil},
		{"a part", base, with(func(s *seen) { s.Metadata = map[string]string{"Key": "v", "ATG_unfinished": `"0x1"`} }), standard, other, []string{"content: a copy that was not finished"}},
	}
	for _, tt := range tests {
		got := judge(tt.src, tt.dst, tt.to)
		if got.state != tt.want || !slices.Equal(got.fields, tt.fields) {
			t.Errorf("%s: %q %q, want %q %q", tt.name, got.state, got.fields, tt.want, tt.fields)
		}
	}
}

func TestPropsOf(t *testing.T) {
	t.Parallel()
	got := propsOf(&listing.Entry{Type: "PageBlob", ContentType: octets, Tier: "Hot", TierInferred: true, Sequence: 4})
	if diff := cmp.Diff(props{Type: pageBlob, Sequence: 4}, got); diff != "" {
		t.Error(diff)
	}
	if got := (props{MD5: "no base64"}).headers().BlobContentMD5; got != nil {
		t.Errorf("%v", got)
	}
	for _, typ := range []string{"BlockBlob", "PageBlob", "AppendBlob"} {
		if got := propsOf(&listing.Entry{Type: typ}).kind(); string(got) != typ {
			t.Errorf("%s became %s", typ, got)
		}
	}
}

func TestFitSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	p := props{Tier: "Cool", Tags: map[string]string{"a": "b"}}
	if got, lost := p.fit(standard); len(lost) > 0 || got.Tier == "" || got.Tags == nil {
		t.Errorf("%+v %v", got, lost)
	}
	got, lost := p.fit(account.Facts{Kind: "Storage", SKU: "Standard_LRS"})
	if len(lost) != 1 || got.Tier != "" || got.Tags != nil || p.Tags == nil {
		t.Errorf("%+v %v", got, lost)
	}
}

func TestImpossible(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typ  string
		to   account.Facts
		want string
	}{
		{pageBlob, standard, ""},
		{blockBlob, standard, ""},
		{pageBlob, account.Facts{Kind: "StorageV2", HNS: true}, "hierarchical namespace"},
		{pageBlob, account.Facts{Kind: "BlockBlobStorage", SKU: "Premium_LRS"}, "no page blobs"},
		{blockBlob, account.Facts{Kind: "BlockBlobStorage", SKU: "Premium_LRS"}, ""},
		{blockBlob, account.Facts{Kind: "StorageV2", SKU: "Premium_LRS"}, "premium performance"},
		{pageBlob, account.Facts{Kind: "StorageV2", SKU: "Premium_LRS"}, ""},
	} {
		b := &blobJob{}
		b.To = &account.Account{Facts: tt.to}
		got := b.impossible(seen{props: props{Type: tt.typ}})
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%q to %+v: %q", tt.typ, tt.to, got)
		}
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	e := &listing.Entry{Invalid: []string{"b-d", "a d"}, Immutable: "Locked", LegalHold: true, Scope: "s"}
	got := strings.Join(lost(e), "; ")
	for _, want := range []string{"a d, b-d", "Locked", "legal hold", "encryption scope s"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if got := lost(&listing.Entry{Scope: "$account-encryption-key"}); got != nil {
		t.Errorf("an ordinary blob loses %v", got)
	}
}

func TestCursors(t *testing.T) {
	t.Parallel()
	for _, c := range []cursor{{}, {container: "c"}, {"c", nameSum("x"), ""}, {"$root", nameSum("x"), "2!a|b!c="}} {
		if got := readCursor(c.String()); got != c {
			t.Errorf("%v became %v", c, got)
		}
	}
	a, b, c := &listing.Entry{Name: "a"}, &listing.Entry{Name: "b"}, &listing.Entry{Name: "c"}
	all := []*listing.Entry{a, b, b, c}
	if got := behind(all, nameSum("b")); len(got) != 1 || got[0] != c {
		t.Errorf("behind b there is %v", got)
	}
	if got := behind(all, nameSum("gone")); len(got) != 4 {
		t.Errorf("where the blob is gone, %d entries are left", len(got))
	}
}

func TestHistoryOf(t *testing.T) {
	t.Parallel()
	s1, s2 := &listing.Entry{Snapshot: "1", Size: 1}, &listing.Entry{Snapshot: "2", Size: 2}
	v1, now := &listing.Entry{Version: "1", Size: 1}, &listing.Entry{Version: "2", Current: true, Size: 3}
	whole := historyOf([]*listing.Entry{s1, s2, v1, now})
	if whole.now != now || len(whole.past) != 3 {
		t.Errorf("%+v", whole)
	}
	src := history{past: []*listing.Entry{s1, s2}, now: now}
	for want, dst := range map[int]history{
		0: {}, 1: {past: []*listing.Entry{s1}}, 2: {past: []*listing.Entry{s1, s2}}, -1: {past: []*listing.Entry{s2}},
	} {
		if got := src.shared(dst); got != want {
			t.Errorf("%d of %+v are shared, want %d", got, dst, want)
		}
		if src.differs(dst) != (want != 2) {
			t.Errorf("differs from %+v: %v", dst, src.differs(dst))
		}
	}
	if src.shared(history{past: []*listing.Entry{s1, s2, s2}}) != -1 {
		t.Error("a target with more of a past is said to match")
	}
	if !src.knows(s2) || src.knows(&listing.Entry{Size: 9}) {
		t.Error("what is of the past is not told from what is not")
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ids.json")
	if err := os.WriteFile(file, []byte(`{"AAA":"xxx","ggg":"yyy"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ids, err := readIdentities(file)
	if err != nil {
		t.Fatal(err)
	}
	got, unknown := ids.mapped(access{
		Owner: "aaa", Group: "$superuser",
		ACL: "user::rwx,user:aaa:r-x,user:bbb:rw-,group::r-x,mask::r-x,other::---,default:group:ggg:r--,default:user:bbb:---",
	})
	want := access{Owner: "xxx", Group: "$superuser", ACL: "user::rwx,user:xxx:r-x,group::r-x,mask::r-x,other::---,default:group:yyy:r--"}
	if diff := cmp.Diff(want, got); diff != "" || !slices.Equal(unknown, []string{"bbb"}) {
		t.Errorf("unknown %v (-want +got)\n%s", unknown, diff)
	}
	if ids, err := readIdentities(""); ids != nil || err != nil {
		t.Errorf("%v, %v", ids, err)
	}
	for _, bad := range []string{file + ".not", filepath.Dir(file)} {
		if _, err := readIdentities(bad); errs.KindOf(err) != errs.Invalid || errs.HintOf(err) == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := os.WriteFile(file, []byte(`["x"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readIdentities(file); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a list is taken for a map: %v", err)
	}
}

func TestAccessDiffers(t *testing.T) {
	t.Parallel()
	one := &access{Owner: "o", Group: "g", ACL: "user::rwx,group::r-x"}
	for _, tt := range []struct {
		want *access
		at   *access
		yes  bool
	}{
		{nil, one, false},
		{one, nil, true},
		{one, &access{Owner: "o", Group: "g", ACL: "group::r-x,user::rwx"}, false},
		{one, &access{Owner: "p", Group: "g", ACL: one.ACL}, true},
		{one, &access{Owner: "o", Group: "h", ACL: one.ACL}, true},
		{one, &access{Owner: "o", Group: "g", ACL: "user::rwx"}, true},
		{&access{ACL: one.ACL}, one, false}, // an owner that could not be mapped
	} {
		if got := tt.want.differs(tt.at); got != tt.yes {
			t.Errorf("%+v and %+v: %v", tt.want, tt.at, got)
		}
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1, "5000": 5000, "": 0, "0": 0, "6000": 0, "x": 0} {
		got, err := single(func(string) string { return text })
		if got != want<<20 || (errs.KindOf(err) == errs.Invalid) != (want == 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if copier.Mark != mark {
		t.Error("the mark of parts is not the copier's")
	}
}
