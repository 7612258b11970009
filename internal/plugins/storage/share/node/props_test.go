package node

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

func TestAttributes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"None":                            {"", ""},
		"Directory | ReadOnly":            {"ReadOnly", ""},
		"readonly|ARCHIVE":                {"Archive|ReadOnly", ""},
		"Hidden | ReparsePoint | Pinned ": {"Hidden", "ReparsePoint, Pinned"},
	} {
		if known, unknown := Attributes(text); known != want[0] || unknown != want[1] {
			t.Errorf("%q: %q and %q, want %q", text, known, unknown, want)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	a := Props{Kind: File, Size: 1, Written: now, Created: now, MD5: []byte{1}, Metadata: map[string]string{"a": "1"}}
	for want, change := range map[string]func(*Props){
		"kind":                func(p *Props) { p.Kind = Link },
		"size":                func(p *Props) { p.Size = 2 },
		"last write time":     func(p *Props) { p.Written = time.Unix(2, 0) },
		"creation time":       func(p *Props) { p.Created = time.Unix(2, 0) },
		"content":             func(p *Props) { p.MD5 = []byte{2} },
		"content MD5":         func(p *Props) { p.MD5 = nil },
		"attributes":          func(p *Props) { p.Attributes = "Hidden" },
		"permission":          func(p *Props) { p.SDDL = "O:BA" },
		"mode":                func(p *Props) { p.Mode = "0600" },
		"owner":               func(p *Props) { p.Owner = "1" },
		"group":               func(p *Props) { p.Group = "1" },
		"content type":        func(p *Props) { p.ContentType = "text/plain" },
		"content encoding":    func(p *Props) { p.Encoding = "gzip" },
		"content language":    func(p *Props) { p.Language = "de" },
		"content disposition": func(p *Props) { p.Disposition = "inline" },
		"cache control":       func(p *Props) { p.CacheControl = "no-store" },
		"metadata":            func(p *Props) { p.Metadata = nil },
		"link target":         func(p *Props) { p.To = "x" },
	} {
		b := a
		change(&b)
		if got := a.Differences(&b); !slices.Equal(got, []string{want}) {
			t.Errorf("%v, want %s", got, want)
		}
	}
	b := a
	b.Changed, b.Modified, b.ETag, b.ContentType = now, now, `"1"`, octets
	if got := a.Differences(&b); len(got) > 0 {
		t.Errorf("what is the service's own counts as different: %v", got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	at := Place{Account: &account.Account{ID: "/A"}, Share: "s", Path: "p"}
	p := Props{ETag: `"1"`, Size: 1}
	same, other, elsewhere := p, p, at
	other.ETag, elsewhere.Path = `"2"`, "q"
	if p.Token(at) != same.Token(at) || p.Token(at) == other.Token(at) || p.Token(at) == p.Token(elsewhere) {
		t.Error("a token does not name one state of one file")
	}
	half := Props{ContentType: unfinished + p.Token(at)}
	if of, yes := half.Unfinished(); !yes || of != p.Token(at) {
		t.Errorf("%q, %t", of, yes)
	}
}

func TestBooksAreBounded(t *testing.T) {
	t.Parallel()
	b := &book{of: map[string]string{}}
	text := strings.Repeat("x", 64<<10)
	for i := range 1000 {
		b.put(strings.Repeat("k", i+1), text)
		if got, ok := b.get(strings.Repeat("k", i+1)); !ok || got != text {
			t.Fatalf("%d is forgotten at once", i)
		}
		if held := len(b.of) * len(text); held > maxBook {
			t.Fatalf("it holds %d bytes", held)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	if err := Explain(nil); err != nil {
		t.Error(err)
	}
	given := &errs.Error{Op: "x", Kind: errs.Conflict, Code: "ShareBeingDeleted"}
	if e := errs.Find(Explain(given)); e.Kind != errs.Unavailable || e.Hint == "" || given.Hint != "" {
		t.Errorf("%+v", e)
	}
	if e := errs.Find(Explain(&errs.Error{Op: "x", Kind: errs.Conflict, Code: "Other"})); e.Hint != "" || e.Kind != errs.Conflict {
		t.Errorf("%+v", e)
	}
}
