package storage

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/test/components"
)

// wholesale is a run over blobs with the real AzCopy.
func wholesale(t *testing.T, settings ...string) run {
	t.Helper()
	found := components.Find(t, "azcopy", "ATG_AZCOPY", "azcopy-*/node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64")
	return blobs(append([]string{"copy", "azcopy", "azcopy", found}, settings...)...)
}

// TestMain gives AzCopy's files a place of their own, and says how many random trees are
// tried, before tests run side by side.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "atg-storage-test-")
	if err == nil {
		err = os.Setenv("XDG_CACHE_HOME", dir)
	}
	if err == nil {
		err = flag.Set("rapid.checks", few)
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// state is a checkpoint of a container.
type state struct{ Job, Dir, Status string }

func stateOf(t *testing.T, checkpoint []byte) (s state) {
	t.Helper()
	if err := json.Unmarshal(checkpoint, &s); err != nil {
		t.Fatalf("the checkpoint is %s: %v", checkpoint, err)
	}
	return s
}

// files is where AzCopy keeps what it knows of the job.
func (s state) files() string {
	return filepath.Join(os.Getenv("XDG_CACHE_HOME"), "atg", "azcopy", s.Dir)
}

// unsigned demands that no signature is in what AzCopy keeps.
func (s state) unsigned(t *testing.T) {
	t.Helper()
	files, none := 0, strings.NewReplacer("sig=none", "", "sig=-REDACTED-", "")
	err := filepath.WalkDir(s.files(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		for _, needle := range []string{"sig=", "sig%3D", "skoid", "Bearer"} {
			if strings.Contains(none.Replace(string(raw)), needle) {
				at := strings.Index(string(raw), needle)
				t.Errorf("%q is in AzCopy's %s: %q", needle, filepath.Base(path), raw[max(0, at-50):min(len(raw), at+50)])
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("AzCopy keeps %d files, %v", files, err)
	}
}

// byAzCopy are the keys of the items that AzCopy copied, as their outcomes say.
func byAzCopy(all map[plugin.Key]plugin.Outcome) []plugin.Key {
	var out []plugin.Key
	for key, o := range all {
		if o.Path == "azcopy" {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

func TestAzCopyCopiesEverything(t *testing.T) {
	t.Parallel()
	public := map[string]any{"allowBlobPublicAccess": true}
	for _, key := range []string{"entra", "key"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			r := wholesale(t, "sign-in", key)
			l := newLab(t, side{data: everything, properties: public}, side{properties: public})
			var writes, theirs atomic.Int64
			l.calls.done = func(req *http.Request) {
				if req.Method != http.MethodPut || req.URL.Query().Has("restype") || !strings.Contains(req.URL.Host, "fabrikam") {
					return
				}
				writes.Add(1)
				if strings.Contains(req.UserAgent(), "AzCopy/") {
					theirs.Add(1)
				}
			}
			all := l.all(r)
			for k, out := range all {
				if out.Status != plugin.Created || len(out.Warnings) > 0 {
					t.Errorf("%s: %+v", k, out)
				}
			}
			// The page blob, three append blobs and the marker of a directory are not for AzCopy.
			if got := byAzCopy(all); len(got) != len(all)-6 || slices.Contains(got, "blobs/data/disk.vhd") || !slices.Contains(got, "blobs/data/big") {
				t.Errorf("AzCopy copied %d of %d items: %s", len(got), len(all), got)
			}
			if theirs.Load() < 12 || theirs.Load() >= writes.Load() {
				t.Errorf("%d of %d writes are AzCopy's", theirs.Load(), writes.Load())
			}
			if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
				t.Errorf("%s (-source +target)\n%s", key, diff)
			}
			before := writes.Load()
			for k, out := range l.all(r) {
				if out.Status != plugin.Unchanged || out.Path != "" {
					t.Errorf("a second time, %s: %+v", k, out)
				}
			}
			if again := writes.Load() - before; again > 0 {
				t.Errorf("a second time: %d writes", again)
			}
		})
	}
}

// What the target has already is left to be judged as without AzCopy, and what AzCopy
// cannot copy is copied without it.
func TestAzCopyBringsOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := wholesale(t)
	l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "bad", "content": "1"}, {"name": "cold", "content": "2", "tier": "Archive"}, {"name": "good", "content": "3"}, {"name": "hot", "content": "6", "tier": "Hot"}, {"name": "other", "content": "4"}, {"name": "same", "content": "5"}`)},
		side{data: fmt.Sprintf(there, `{"name": "other", "content": "not 4"}, {"name": "same", "content": "5"}`)})
	l.calls.answer(http.StatusBadRequest, "InvalidInput", func(req *http.Request) bool {
		return req.Method == http.MethodPut && req.URL.Path == "/ccc/bad" && strings.Contains(req.UserAgent(), "AzCopy/")
	})
	got := map[plugin.Key]plugin.Outcome{}
	for _, it := range l.items(r) {
		out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
		if (errs.KindOf(err) == errs.Conflict) != (it.Key == "blobs/ccc/other") {
			t.Errorf("%s: %+v, %v", it.Key, out, err)
		}
		got[it.Key] = out
	}
	c := got["containers/ccc"]
	if c.Status != plugin.Updated || c.Bytes != 2 || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "2 blobs copied and 2 not") {
		t.Errorf("%+v", c)
	}
	for key, want := range map[plugin.Key]plugin.Outcome{
		"blobs/ccc/bad":  {Status: plugin.Created, Path: "server to server", Bytes: 1},
		"blobs/ccc/good": {Status: plugin.Created, Path: "azcopy"},
		"blobs/ccc/same": {Status: plugin.Unchanged},
		"blobs/ccc/hot":  {Status: plugin.Created, Path: "azcopy"},
	} {
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	list, err := l.Objects(l.target.Resource.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list { // a tier that the account gives is not made the blob's own
		if want := map[string]string{"blobs/ccc/good": "true", "blobs/ccc/hot": "false"}[o.Key]; want != "" && o.Fields["tierInferred"] != want {
			t.Errorf("%s: tierInferred is %s", o.Key, o.Fields["tierInferred"])
		}
	}
	if got["blobs/ccc/cold"].Status != plugin.Skipped {
		t.Errorf("%+v", got["blobs/ccc/cold"])
	}
	if out, err := l.replicate(r.over(), "blobs/ccc/other"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAzCopyIsLeftOut(t *testing.T) {
	t.Parallel()
	flat, deep := side{data: fmt.Sprintf(there, `{"name": "x", "content": "x"}`)}, side{data: fmt.Sprintf(there, `{"name": "x", "content": "x"}`), properties: map[string]any{"isHnsEnabled": true}}
	for name, tt := range map[string]struct {
		source   side
		settings []string
		confined bool
		want     string
	}{
		"a filter":                 {flat, nil, true, "filter"},
		"snapshots":                {flat, []string{"history", "snapshots"}, false, "snapshots"},
		"a hierarchical namespace": {deep, nil, false, "hierarchical"},
	} {
		r := wholesale(t, tt.settings...)
		l := newLab(t, tt.source, side{properties: tt.source.properties})
		task := l.task(r, l.item(r, "containers/ccc"))
		task.Confined = tt.confined
		out, err := l.plugin.Replicate(t.Context(), task)
		if err != nil || out.Status != plugin.Created || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], tt.want) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		if got := l.objects(l.target)["blobs/ccc/x"]; got != nil {
			t.Errorf("%s: AzCopy was used all the same", name)
		}
	}
	l := newLab(t, flat, side{})
	r := blobs("copy", "azcopy", "azcopy", filepath.Join(t.TempDir(), "azcopy"))
	if _, failed := r.list(l, ""); len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid || !strings.Contains(errs.HintOf(failed[0]), "install") {
		t.Errorf("without an AzCopy: %v", failed)
	}
}

// A job that was cut is gone on with: AzCopy knows which blobs it has copied. A job that it
// does not know is begun anew.
func TestAzCopyGoesOnWithAJob(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"that it knows": true, "that it does not know": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := wholesale(t)
			l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 300, "size": 1024}}`}, side{})
			task := l.task(r, l.item(r, "containers/ccc"))
			var saved []byte
			task.Save = func(b []byte) error { saved = slices.Clone(b); return nil }
			ctx, cancel := context.WithCancel(t.Context())
			var copied atomic.Int64
			l.calls.done = func(req *http.Request) {
				if req.Method == http.MethodPut && !req.URL.Query().Has("restype") && copied.Add(1) == 100 {
					cancel()
				}
			}
			start := time.Now()
			if out, err := l.plugin.Replicate(ctx, task); errs.KindOf(err) != errs.Canceled {
				t.Fatalf("it was not cut: %+v, %v", out, err)
			}
			t.Logf("it took %s to stop AzCopy", time.Since(start))
			kept := stateOf(t, saved)
			if len(kept.Job) != 36 || kept.Status != "created" {
				t.Fatalf("the checkpoint is %s", saved)
			}
			kept.unsigned(t)
			first := copied.Load()
			task.Checkpoint = saved
			if c, err := l.plugin.Compare(t.Context(), task); err != nil || c.State != plugin.Different {
				t.Errorf("a part is taken for a whole: %+v, %v", c, err)
			}
			if !known {
				if err := os.RemoveAll(kept.files()); err != nil {
					t.Fatal(err)
				}
			}
			l.plugin = New()
			var moved atomic.Int64
			task.Progress = moved.Store
			out, err := l.plugin.Replicate(t.Context(), task)
			if err != nil || out.Status != plugin.Created || out.Path != "azcopy" || len(out.Warnings) > 0 {
				t.Errorf("known %t: %+v, %v", known, out, err)
			}
			if moved.Load() != out.Bytes || known && (out.Bytes > 300*1024 || out.Bytes < (300-64)*1024) {
				t.Errorf("known %t: %d bytes are told as progress, %d as the outcome", known, moved.Load(), out.Bytes)
			}
			// The answers to those in flight when it was cut may not have arrived.
			if all := copied.Load(); all > 300 || all < 300-64 || first < 100 || first > 250 {
				t.Errorf("known %t: %d blobs were copied, %d of them before it was cut", known, all, first)
			}
			if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
				t.Errorf("known %t (-source +target)\n%s", known, diff)
			}
			if _, err := os.Stat(kept.files()); !os.IsNotExist(err) {
				t.Errorf("AzCopy's files are still there: %v", err)
			}
		})
	}
}
