package azcopy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Variables that make this test binary an AzCopy. The program gives its child few
// variables, so they are among those that it does give.
const (
	playVar = "AZCOPY_CONCURRENT_FILES" // the file with what it says
	doesVar = "AZCOPY_CONCURRENT_SCAN"  // "": it ends; or one of the words of play
)

func TestMain(m *testing.M) {
	if file := os.Getenv(playVar); file != "" {
		os.Exit(play(file, os.Getenv(doesVar)))
	}
	os.Exit(m.Run())
}

// play says what a file says, in the way of AzCopy.
func play(file, does string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 2
	}
	if does == "wait" { // until it is interrupted
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt)
		_, _ = os.Stdout.Write(text)
		<-stop
		return 1
	}
	if does == "tell" { // how it was called
		home, _ := filepath.Abs(".")
		all := slices.Concat(os.Args[1:], os.Environ(), []string{"DIR=" + home})
		if os.WriteFile(filepath.Join(home, "called"), []byte(strings.Join(all, "\n")), 0o600) != nil {
			return 2
		}
	}
	_, _ = os.Stdout.Write(text)
	if does == "fail" {
		return 1
	}
	return 0
}

// fake returns a job of an AzCopy that says what is recorded in testdata, or that text.
func fake(t *testing.T, recorded, does string) Copy {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "says")
	text, err := os.ReadFile(filepath.Join("testdata", recorded))
	if err != nil {
		text = []byte(recorded)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(playVar, file)
	t.Setenv(doesVar, does)
	return Copy{
		Program: Program{Path: self}, Source: "http://source/c?sig=none", Target: "http://target/c?sig=none",
		Proxy: secret.New("http://atg:pass-word@127.0.0.1:1"), Unsigned: "sig=none", Dir: t.TempDir(),
	}
}

// theJob is that of the recordings.
const theJob = "aa1a334d-9852-3d49-5fac-6e635fdf93c4"

func TestWhatAJobSaysIsRead(t *testing.T) {
	c := fake(t, "errors.jsonl", "fail")
	var begun []string
	var moved []int64
	c.Begun = func(job string) error { begun = append(begun, job); return nil }
	c.Moved = func(n int64) { moved = append(moved, n) }
	got, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Result{Job: theJob, Status: CompletedWithErrors, Total: 4, Completed: 2, Failed: 2, Bytes: 40000001}, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(begun, []string{theJob}) || !slices.Equal(moved, []int64{40000001, 40000001}) {
		t.Errorf("it began as %v, and moved %v", begun, moved)
	}
}

func TestHowAzCopyIsCalled(t *testing.T) {
	t.Setenv("AZURE_CLIENT_SECRET", "canary-secret")
	t.Setenv("AZCOPY_SPA_CLIENT_SECRET", "canary-secret")
	t.Setenv("HTTPS_PROXY", "http://canary-secret")
	t.Setenv("NO_PROXY", "*")
	for _, job := range []string{"", theJob} {
		c := fake(t, "errors.jsonl", "tell")
		c.Job, c.Tags = job, true
		if _, err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(c.Dir, "called"))
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Split(string(raw), "\n")
		want := []string{"copy", c.Source, c.Target, "--overwrite=false", "--exclude-blob-type=PageBlob;AppendBlob", "--s2s-preserve-blob-tags=true", "--s2s-preserve-access-tier=false"}
		if job != "" {
			want = []string{"jobs", "resume", theJob, "--source-sas=sig=none", "--destination-sas=sig=none"}
		}
		want = append(want, "--output-type=json", "--log-level=NONE", "HTTP_PROXY="+c.Proxy.Reveal(), "HOME="+c.Dir, "AZCOPY_JOB_PLAN_LOCATION="+c.Dir)
		for _, w := range want {
			if !slices.Contains(said, w) {
				t.Errorf("it does not get %q but\n%s", w, raw)
			}
		}
		for _, line := range said {
			if strings.Contains(line, "canary") || strings.HasPrefix(line, "NO_PROXY") {
				t.Errorf("it gets %q", line)
			}
			if strings.Contains(line, "pass-word") && !strings.HasPrefix(line, "HTTP_PROXY=") {
				t.Errorf("the password stands in %q", line)
			}
		}
	}
}

func TestJobsThatDoNotEndWell(t *testing.T) {
	unknown := `{"MessageType":"Error","MessageContent":"failed to perform resume command due to error: Job with JobID x does not exist or is invalid"}`
	for name, tt := range map[string]struct {
		says, job string
		want      error
	}{
		"it crashes":             {"panic: out of luck\ngoroutine 1 [running]:\n", "", ErrNoResult},
		"it cannot list":         {`{"MessageType":"Error","MessageContent":"Cannot perform copy due to error: at http://atg:pass-word@127.0.0.1:1"}`, "", ErrNoResult},
		"it does not know a job": {unknown, "x", ErrUnknownJob},
	} {
		c := fake(t, tt.says, "fail")
		c.Job = tt.job
		got, err := c.Run(t.Context())
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "pass-word") {
			t.Errorf("%s: the password is shown: %v", name, err)
		}
	}
}

func TestAJobIsInterrupted(t *testing.T) {
	c := fake(t, "errors.jsonl", "wait")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	c.Moved = func(int64) { cancel(why) }
	start := time.Now()
	if got, err := c.Run(ctx); !errors.Is(err, why) || got.Job != theJob {
		t.Errorf("%+v, %v", got, err)
	}
	if took := time.Since(start); took > graceful/2 {
		t.Errorf("it was killed, after %s", took)
	}
	c.Moved, c.Begun = nil, func(string) error { return why }
	if got, err := c.Run(t.Context()); !errors.Is(err, why) {
		t.Errorf("without a checkpoint: %+v, %v", got, err)
	}
}

func TestFind(t *testing.T) {
	for says, want := range map[string]string{
		"azcopy version 10.32.2": "", "azcopy version 10.20.0\n": "", "azcopy version 11.0.0": "",
		"azcopy version 10.19.9": "10.20 or later", "azcopy version 8.1": "10.20 or later", "rclone v1.76": "10.20 or later",
	} {
		p, err := Find(t.Context(), fake(t, says, "").Program.Path)
		if want == "" && (err != nil || !strings.HasSuffix(strings.TrimSpace(says), p.Version)) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %+v, %v", says, p, err)
		}
	}
	fake(t, "", "fail")
	self, _ := os.Executable()
	for _, name := range []string{self, filepath.Join(t.TempDir(), "azcopy")} {
		if _, err := Find(t.Context(), name); errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.HintOf(err), "ATG_AZCOPY") {
			t.Errorf("%s: %v, hint %q", name, err, errs.HintOf(err))
		}
	}
}

// The last message lists every blob that was skipped: it may be longer than what is kept.
func TestLongMessagesAreReadFromTheFront(t *testing.T) {
	t.Parallel()
	for pad := range 12 { // wherever the line is cut
		var skipped bytes.Buffer
		for i := range 20_000 {
			fmt.Fprintf(&skipped, `{\"Src\":\"http://s/c/\\\\%d\",\"Dst\":\"\\u003c\"},`, i)
		}
		text := `{"MessageType":"EndOfJob","MessageContent":"{\"ErrorMsg\":\"` + strings.Repeat("x", pad) + `\",\"JobID\":\"j\",\"JobStatus\":\"Completed\",\"TotalTransfers\":\"7\",\"TransfersCompleted\":7,\"SkippedTransfers\":[` + skipped.String() + `]}"}` + "\n"
		if len(text) <= maxLine {
			t.Fatal("it is not long enough")
		}
		var s summary
		n := 0
		err := messages(strings.NewReader(text+`{"MessageType":"Info","MessageContent":"after"}`), func(m message) {
			n++
			if m.Type == ended {
				s.read(m.Content)
			}
		})
		if err != nil || n != 2 || s.job != "j" || s.status != "Completed" || s.total != 7 || s.completed != 7 {
			t.Errorf("cut at %d: %d messages, %+v, %v", pad, n, s, err)
		}
	}
}

func TestHome(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	name := NewName()
	dir, err := Enter(name)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	old := time.Now().Add(-abandoned - time.Hour)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
	other, err := Enter("../../" + NewName())
	if err != nil || filepath.Dir(other) != filepath.Dir(dir) {
		t.Errorf("%s, %v", other, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was abandoned is still there: %v", err)
	}
	if err := Leave(filepath.Base(other)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left is still there: %v", err)
	}
}
