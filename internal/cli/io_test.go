package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/view"
)

func TestStyle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		env  map[string]string
		tty  bool
		want view.Style
	}{
		"terminal":     {nil, true, view.Style{Width: 80, Color: true}},
		"pipe":         {nil, false, view.Style{}},
		"no color":     {map[string]string{"NO_COLOR": "1"}, true, view.Style{Width: 80}},
		"dumb":         {map[string]string{"TERM": "dumb"}, true, view.Style{Width: 80}},
		"forced":       {map[string]string{"CLICOLOR_FORCE": "1"}, false, view.Style{Color: true}},
		"not forced":   {map[string]string{"CLICOLOR_FORCE": "0"}, false, view.Style{}},
		"contradicted": {map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, true, view.Style{Width: 80}},
	} {
		f := newTerminal(t, "")
		f.env = tc.env
		if got := f.app.style(tc.tty); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestSystemIO(t *testing.T) {
	t.Parallel()
	o := SystemIO()
	if o.In == nil || o.Out == nil || o.Err == nil || o.Width() < 0 {
		t.Errorf("%+v", o)
	}
	if path, ok := o.Env("PATH"); !ok || path != os.Getenv("PATH") {
		t.Error("the environment is not that of the process")
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	path := filepath.Join(t.TempDir(), "atg.log")
	log, done, err := f.app.logger(&runOptions{logFile: path, debug: true}, f.app.Err)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("request", slog.String("host", "kv"))
	done()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"msg":"request","host":"kv"`) {
		t.Errorf("%s, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	log, done, err = f.app.logger(&runOptions{debug: true}, f.app.Err)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("seen")
	done()
	if !strings.Contains(f.err.String(), "msg=seen") {
		t.Errorf("standard error: %s", f.err)
	}
	log, _, err = f.app.logger(&runOptions{}, f.app.Err)
	if err != nil || log.Enabled(t.Context(), slog.LevelError) {
		t.Errorf("a log that nobody asked for: %v", err)
	}
}
