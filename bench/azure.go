package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// lab is where scenarios run.
type lab struct {
	dir     string   // for files, removed at the end
	atg     string   // the program
	env     []string // further variables for it, KEY=VALUE
	workers int
	worlds  int // emulators started so far
}

// command is atg with an environment that holds nothing of this process's: GOGC, proxies
// and credentials of the developer would change what is measured.
func (l *lab) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.atg, args...) //nolint:gosec // the program that was built, or that the user names
	cmd.Env = append(append([]string{
		"HOME=" + l.dir, "XDG_STATE_HOME=" + filepath.Join(l.dir, "state"), "TMPDIR=" + l.dir,
	}, l.env...), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// emulation says how an emulator is started.
type emulation struct {
	secrets int    // in the source's vault
	world   []byte // another scenario than that of the vaults
	latency time.Duration
	limits  bool
}

// azure is an emulator in a process of its own.
type azure struct {
	lab  *lab
	of   emulation
	cmd  *exec.Cmd
	said *strings.Builder // its standard error
	env  []string         // points atg at it, KEY=VALUE
	more []string         // further arguments of atg apply
	log  *requestLog
}

// emulate starts an emulator and returns when it is ready. The caller closes it.
func (l *lab) emulate(ctx context.Context, of emulation) (*azure, error) {
	l.worlds++
	dir := filepath.Join(l.dir, fmt.Sprint("azure", l.worlds))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	text := of.world
	if text == nil {
		var err error
		if text, err = scenarioOf(of.secrets); err != nil {
			return nil, err
		}
	}
	file, log := filepath.Join(dir, "scenario.json"), filepath.Join(dir, "requests.jsonl")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	args := []string{"emulator", "start", "--scenario", file, "--dir", dir, "--log", log, "--latency", of.latency.String(), "-o", "json"}
	if of.limits {
		args = append(args, "--limits")
	}
	az := &azure{lab: l, of: of, cmd: l.command(ctx, nil, args...), said: new(strings.Builder), log: &requestLog{path: log}}
	az.cmd.Stderr = az.said
	out, err := az.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := az.cmd.Start(); err != nil {
		return nil, err
	}
	var ready struct {
		EnvFile string `json:"envFile"`
	}
	err = json.NewDecoder(out).Decode(&ready) // it is written once the emulator listens
	if err == nil {
		az.env, err = readEnv(ready.EnvFile)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the emulator: %w", err), az.close())
	}
	return az, nil
}

// close stops the emulator and removes its log, which may be large.
func (az *azure) close() error {
	_ = az.cmd.Process.Signal(os.Interrupt) // it may have ended
	err := az.cmd.Wait()
	if err != nil {
		err = fmt.Errorf("emulator: %w: %s", err, az.said)
	}
	return errors.Join(err, os.Remove(az.log.path))
}

// readEnv reads a file of lines as a shell reads them: export NAME=VALUE.
func readEnv(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var env []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		name, value, ok := strings.Cut(strings.TrimPrefix(sc.Text(), "export "), "=")
		if !ok {
			return nil, fmt.Errorf("%s: not a variable: %q", path, sc.Text())
		}
		env = append(env, name+"="+strings.Trim(value, "'"))
	}
	if len(env) == 0 {
		return nil, fmt.Errorf("%s: no variables", path)
	}
	return env, nil
}
