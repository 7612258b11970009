package storage

import (
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const nfsTree = `{"shares": [{"name": "sss", "protocol": "NFS", "rootSquash": "AllSquash", "quota": 200, "metadata": {"a": "b"},
 "directories": [{"path": "d", "mode": "0700", "owner": "7", "group": "8", "created": "2020-01-02T03:04:05Z", "written": "2021-01-02T03:04:05Z"}],
 "files": [
  {"path": "d/File", "content": "one", "mode": "0640", "owner": "1000", "group": "100", "written": "2021-01-02T03:04:05.7654321Z", "metadata": {"k": "v"}},
  {"path": "d/file", "content": "other"},
  {"path": "hole", "size": 5000000},
  {"path": "link", "link": "../d/F ile?%41é", "owner": "5", "group": "6", "written": "2021-01-02T03:04:05Z"}
 ]}]}`

// premium is an account that can have shares of NFS.
func premium(data string) side { return side{data: data, kind: "FileStorage", sku: "Premium_LRS"} }

// without leaves fields away that the service sets, or that a copy cannot carry.
func without(objects map[string]map[string]string, fields ...string) map[string]map[string]string {
	for _, o := range objects {
		for _, f := range fields {
			delete(o, f)
		}
	}
	return objects
}

func TestSharesOfNFS(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, premium(nfsTree), premium(""))
			l.must(l.file(l.source, "hard").CreateHardLink(t.Context(), "/d/File", nil))
			r := files("copy", path, "verify", "content")
			warned := 0
			for key, out := range l.all(r) {
				if out.Status != plugin.Created {
					t.Errorf("%s: %+v", key, out)
				}
				for _, w := range out.Warnings {
					if strings.Contains(w, "hard links") {
						warned++
					}
				}
			}
			if warned != 2 {
				t.Errorf("%d warnings about hard links, want one for each name", warned)
			}
			for key, out := range l.all(r) {
				if out.Status != plugin.Unchanged {
					t.Errorf("again: %s: %+v", key, out)
				}
				if c := l.compare(r, key); c.State != plugin.Same || !c.Proven {
					t.Errorf("%s: %+v", key, c)
				}
			}
			// The time of a change cannot be set over NFS.
			if diff := cmp.Diff(without(l.objects(l.source), "changed", "links"), without(l.objects(l.target), "changed", "links")); diff != "" {
				t.Errorf("(-source +target)\n%s", diff)
			}
		})
	}
}

func TestSharesOfNFSGoNowhereElse(t *testing.T) {
	t.Parallel()
	l := newLab(t, premium(nfsTree), side{})
	for key, out := range l.all(files()) {
		if out.Status != plugin.Skipped || !strings.Contains(out.Reason, "premium FileStorage") {
			t.Errorf("%s: %+v", key, out)
		}
		if c := l.compare(files(), key); c.State != plugin.Cannot || c.Reason == "" {
			t.Errorf("%s: %+v", key, c)
		}
	}
	l = newLab(t, premium(nfsTree), premium(`{"shares": [{"name": "sss"}]}`))
	if e := l.refused(files().over(), "shares/sss"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "NFS") || !strings.Contains(e.Hint, "share-rm delete") {
		t.Errorf("%v, hint %q", e, e.Hint)
	}
}

// TestLinksThatLeadElsewhere: a link cannot be changed, and nothing is deleted.
func TestLinksThatLeadElsewhere(t *testing.T) {
	t.Parallel()
	l := newLab(t, premium(nfsTree), premium(`{"shares": [{"name": "sss", "protocol": "NFS", "files": [{"path": "link", "link": "elsewhere"}, {"path": "hole", "link": "x"}]}]}`))
	for key, want := range map[plugin.Key]string{"shares/sss/link": "leads somewhere else", "shares/sss/hole": "a link stands where the file should"} {
		if e := l.refused(files().over(), key); e.Kind != errs.Conflict || !strings.Contains(e.Error(), want) || !strings.Contains(e.Hint, "delete") {
			t.Errorf("%s: %v, hint %q", key, e, e.Hint)
		}
	}
	l = newLab(t, premium(nfsTree), premium(`{"shares": [{"name": "sss", "protocol": "NFS", "files": [{"path": "link", "link": "../d/F ile?%41é", "owner": "9"}]}]}`))
	if out, err := l.replicate(files().over(), "shares/sss/link"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(files(), "shares/sss/link"); c.State != plugin.Same {
		t.Errorf("%+v", c)
	}
}

// TestSharesOfOtherAccounts: what a kind of account does not have is left away and said.
func TestSharesOfOtherAccounts(t *testing.T) {
	t.Parallel()
	source := `{"shares": [{"name": "sss", "quota": 3, "tier": "Hot", "snapshots": 2}]}`
	l := newLab(t, side{data: source}, premium(""))
	out := l.all(files())["shares/sss"]
	if got := strings.Join(out.Warnings, ""); out.Status != plugin.Created || !strings.Contains(got, "tier Hot") || !strings.Contains(got, "quota of 3") || !strings.Contains(got, "snapshots (2)") {
		t.Errorf("%+v", out)
	}
	if got := l.objects(l.target)["shares/sss"]; got["quota"] != "100" || got["tier"] != "Premium" {
		t.Errorf("%v", got)
	}
	for _, r := range []run{files(), {mode: plugin.Template, settings: plugin.Settings{"parts": "files"}}} {
		if c := l.compare(r, "shares/sss"); c.State != plugin.Same {
			t.Errorf("%s: %+v", r.mode, c)
		}
	}
	l = newLab(t, premium(`{"shares": [{"name": "sss", "quota": 300}]}`), side{})
	if out := l.all(files())["shares/sss"]; out.Status != plugin.Created || len(out.Warnings) > 0 {
		t.Errorf("%+v", out)
	}
	if got := l.objects(l.target)["shares/sss"]; got["quota"] != "300" || got["tier"] != "TransactionOptimized" {
		t.Errorf("%v", got)
	}
}

// TestSharesAreUpdated: all that can be changed of a share is, with leave to overwrite.
func TestSharesAreUpdated(t *testing.T) {
	t.Parallel()
	source := `{"shares": [{"name": "sss", "quota": 7, "tier": "Cool", "metadata": {"a": "1"}, "policies": [{"id": "p", "permission": "r"}],
	 "directories": [{"path": "", "attributes": "Hidden", "permission": "O:BAG:BAD:(A;;FA;;;SY)", "metadata": {"root": "1"}}]}]}`
	l := newLab(t, side{data: source}, side{data: `{"shares": [{"name": "sss", "metadata": {"b": "1"}}]}`})
	want := []string{"quota", "tier", "metadata", "stored access policies", "root directory"}
	if c := l.compare(files(), "shares/sss"); !slices.Equal(c.Fields, want) {
		t.Errorf("%+v, want %v", c, want)
	}
	if e := l.refused(files(), "shares/sss"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "quota, tier") {
		t.Errorf("%v", e)
	}
	if out, err := l.replicate(files().over(), "shares/sss"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(files(), "shares/sss"); c.State != plugin.Same || !c.Proven {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
		t.Errorf("(-source +target)\n%s", diff)
	}
}

// TestRootDirectories: one that nobody touched since its share was made gets the rights of
// the source's; one that has rights of its own keeps them.
func TestRootDirectories(t *testing.T) {
	t.Parallel()
	root := func(sddl string) string {
		return `{"shares": [{"name": "sss", "directories": [{"path": "", "created": "2020-01-02T03:04:05Z", "permission": "` + sddl + `"}]}]}`
	}
	const rights = "O:BAG:BAD:(A;;FA;;;SY)"
	l := newLab(t, side{data: root(rights)}, side{data: `{"shares": [{"name": "sss"}]}`})
	if out, err := l.replicate(files(), "shares/sss"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := l.replicate(files(), "shares/sss"); err != nil || out.Status != plugin.Unchanged {
		t.Errorf("again: %+v, %v", out, err)
	}
	l = newLab(t, side{data: root(rights)}, side{data: root("O:SYG:SYD:(A;;FA;;;BA)")})
	if e := l.refused(files(), "shares/sss"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "root directory") {
		t.Errorf("%v", e)
	}
	if out, err := l.replicate(files().over(), "shares/sss"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestFilesAreReplaced: only with leave, read-only ones included; what is of another kind
// stays.
func TestFilesAreReplaced(t *testing.T) {
	t.Parallel()
	source := `{"shares": [{"name": "sss", "files": [
	 {"path": "changed", "content": "new", "attributes": "ReadOnly"}, {"path": "touched", "content": "same", "written": "2021-01-02T03:04:05Z", "created": "2021-01-02T03:04:05Z", "contentType": "text/plain", "metadata": {"a": "b"}, "attributes": "ReadOnly"},
	 {"path": "kept", "content": "same", "written": "2021-01-02T03:04:05Z", "created": "2021-01-02T03:04:05Z", "metadata": {"a": "b"}},
	 {"path": "shape", "content": "x"}, {"path": "dir/file", "content": "x"}], "directories": [{"path": "dir", "attributes": "Hidden", "metadata": {"a": "b"}}]}]}`
	target := `{"shares": [{"name": "sss", "files": [
	 {"path": "changed", "content": "old content", "attributes": "ReadOnly|System"}, {"path": "touched", "content": "same", "written": "2021-01-02T03:04:05Z", "created": "2021-01-02T03:04:05Z"},
	 {"path": "kept", "content": "same", "written": "2021-01-02T03:04:05Z", "created": "2021-01-02T03:04:05Z", "attributes": "ReadOnly"}],
	 "directories": [{"path": "shape"}, {"path": "dir", "created": "2020-01-02T03:04:05Z"}]}]}`
	l := newLab(t, side{data: source}, side{data: target})
	for _, key := range []plugin.Key{"shares/sss/changed", "shares/sss/touched", "shares/sss/kept", "shares/sss/dir"} {
		if e := l.refused(files(), key); e.Kind != errs.Conflict {
			t.Errorf("%s: %v", key, e)
		}
		if c := l.compare(files(), key); c.State != plugin.Different {
			t.Errorf("%s: %+v", key, c)
		}
		out, err := l.replicate(files().over(), key)
		if err != nil || out.Status != plugin.Updated || (out.Bytes > 0) != (key == "shares/sss/changed") {
			t.Errorf("%s: %+v, %v", key, out, err)
		}
		if diff := cmp.Diff(l.objects(l.source)[string(key)], l.objects(l.target)[string(key)]); diff != "" {
			t.Errorf("%s (-source +target)\n%s", key, diff)
		}
	}
	if e := l.refused(files().over(), "shares/sss/shape"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "a directory stands where the file should") {
		t.Errorf("%v", e)
	}
}

// TestPartsAtTheSource: what another run has not finished is no file yet.
func TestPartsAtTheSource(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"shares": [{"name": "sss"}]}`}, side{data: `{"shares": [{"name": "sss"}]}`})
	l.must(l.file(l.source, "x").Create(t.Context(), 5, &file.CreateOptions{HTTPHeaders: &file.HTTPHeaders{ContentType: to.Ptr("application/x-atg-unfinished; of=abc")}}))
	if out, err := l.replicate(files(), "shares/sss/x"); err != nil || out.Status != plugin.Skipped || out.Reason == "" {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(files("verify", "content"), "shares/sss/x"); c.State != plugin.Cannot {
		t.Errorf("%+v", c)
	}
}

func TestFilesAreReadToCompare(t *testing.T) {
	t.Parallel()
	at := `"written": "2021-01-02T03:04:05Z", "created": "2021-01-02T03:04:05Z"`
	source := `{"shares": [{"name": "sss", "files": [{"path": "x", "content": "one", ` + at + `}, {"path": "summed", "content": "one", "md5": true, ` + at + `}]}]}`
	l := newLab(t, side{data: source}, side{})
	l.all(files())
	l.seed(l.target, `{"shares": [{"name": "sss", "files": [{"path": "x", "content": "two", `+at+`}]}]}`)
	for verify, want := range map[string]plugin.State{"listing": plugin.Same, "unsummed": plugin.Different, "content": plugin.Different} {
		if c := l.compare(files("verify", verify), "shares/sss/x"); c.State != want || c.Proven {
			t.Errorf("%s: %+v, want %s", verify, c, want)
		}
		c := l.compare(files("verify", verify), "shares/sss/summed")
		if c.State != plugin.Same || c.Proven != (verify == "content") {
			t.Errorf("%s: %+v", verify, c)
		}
	}
}
