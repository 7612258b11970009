package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The ways of a blob from one account to the other.
const (
	byServer = "server to server"
	through  = "through the client"
)

// copier is a program that copies a cell's blobs.
type copier struct {
	name string
	// run copies them and returns what that took.
	run func(ctx context.Context, az *azure, c cell, way string) (usage, error)
}

// usage is what a run took.
type usage struct {
	copied time.Duration // until everything was at the target
	wall   time.Duration // until the process ended: atg verifies, too
	cpu    time.Duration
	peak   int64 // bytes of memory that were resident at most
}

// programs returns atg and its peers.
func programs() ([]copier, error) {
	azcopy, err := program("ATG_AZCOPY", "azcopy", "azcopy-*/node_modules/@azure-tools/azcopy-*/dist/bin/azcopy_*")
	if err != nil {
		return nil, err
	}
	rclone, err := program("ATG_RCLONE", "rclone", "rclone-*/rclone")
	if err != nil {
		return nil, err
	}
	return []copier{{"atg", copyByATG}, {"AzCopy", copyByAzCopy(azcopy)}, {"rclone", copyByRclone(rclone)}}, nil
}

// program finds one that scripts/components installed, or that a variable names.
func program(variable, name, pattern string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	found, err := filepath.Glob(filepath.Join(".cache", "components", filepath.FromSlash(pattern)))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("there is no %s to compare with: run scripts/components %s, or name it with %s", name, name, variable)
	}
	return filepath.Abs(found[len(found)-1])
}

func copyByATG(ctx context.Context, az *azure, c cell, way string) (usage, error) {
	s, u, err := watch(az.lab.command(ctx, az.env, append(az.applyBlobs(way), az.more...)...))
	if err != nil {
		return u, err
	}
	if s.report == nil || s.report.Failures > 0 || s.report.Outcomes["created"] != int64(c.count)+1 {
		return u, fmt.Errorf("atg did not create everything: %+v", s.report)
	}
	return u, nil
}

// applyBlobs are the arguments of a run that copies blobs.
func (az *azure) applyBlobs(way string) []string {
	return []string{
		"apply", "--mode", "replication", "--yes", "--no-input", "--progress", "none", "-o", "jsonl",
		"--workers", strconv.Itoa(az.lab.workers), "--pace", "adaptive", "--set", "storage.parts=blobs",
		"--set", "storage.copy=" + map[string]string{byServer: "server", through: "stream"}[way],
	}
}

// watch runs atg and reads what it tells: the copy is over when its phase is.
func watch(cmd *exec.Cmd) (*story, usage, error) {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, usage{}, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, usage{}, err
	}
	watched := watchPeak(cmd.Process.Pid)
	s, err := follow(out)
	err = errors.Join(err, cmd.Wait())
	u := usageOf(cmd, time.Since(start), watched())
	for _, p := range s.phases {
		if p.name == applyPhase {
			u.copied = p.ended.Sub(start)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said.String())
	}
	return s, u, err
}

func usageOf(cmd *exec.Cmd, wall time.Duration, watched int64) usage {
	return usage{copied: wall, wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peakOf(cmd, watched)}
}

// runPeer runs another program to its end.
func (az *azure) runPeer(ctx context.Context, env []string, path string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // a program that was installed for this
	cmd.Env = append(append([]string{"HOME=" + az.lab.dir, "TMPDIR=" + az.lab.dir, "PATH=" + os.Getenv("PATH")}, az.env...), env...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	watched := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	u := usageOf(cmd, time.Since(start), watched())
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, said.String())
	}
	return u, err
}

// plus is one run after another.
func (u usage) plus(o usage) usage {
	return usage{u.copied + o.copied, u.wall + o.wall, u.cpu + o.cpu, max(u.peak, o.peak)}
}

// copyByAzCopy copies from server to server, or, since AzCopy has no other way through the
// client, to files and from there.
func copyByAzCopy(path string) func(context.Context, *azure, cell, string) (usage, error) {
	return func(ctx context.Context, az *azure, _ cell, way string) (usage, error) {
		dir, err := os.MkdirTemp(az.lab.dir, "azcopy-")
		if err != nil {
			return usage{}, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		from, err := signed(sourceAccount, box)
		if err != nil {
			return usage{}, err
		}
		to, err := signed(targetAccount, box)
		if err != nil {
			return usage{}, err
		}
		if err := az.makeBox(ctx); err != nil { // AzCopy copies into one that is there
			return usage{}, err
		}
		env := []string{"AZCOPY_LOG_LOCATION=" + dir, "AZCOPY_JOB_PLAN_LOCATION=" + dir}
		job := func(from, to string) (usage, error) {
			return az.runPeer(ctx, env, path, "copy", from, to, "--recursive", "--skip-version-check", "--log-level=ERROR", "--output-level=essential")
		}
		if way == byServer {
			return job(strings.Replace(from, box, box+"/*", 1), to)
		}
		files := filepath.Join(dir, "files")
		if err := os.Mkdir(files, 0o700); err != nil {
			return usage{}, err
		}
		down, err := job(from, files)
		if err != nil {
			return down, err
		}
		up, err := job(filepath.Join(files, box, "*"), to)
		return down.plus(up), err
	}
}

func copyByRclone(path string) func(context.Context, *azure, cell, string) (usage, error) {
	return func(ctx context.Context, az *azure, _ cell, way string) (usage, error) {
		file := filepath.Join(az.lab.dir, "rclone.conf")
		text := ""
		for remote, account := range map[string]string{"from": sourceAccount, "to": targetAccount} {
			text += fmt.Sprintf("[%s]\ntype = azureblob\naccount = %s\nkey = %s\n\n", remote, account, keyOf(account))
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return usage{}, err
		}
		n := strconv.Itoa(az.lab.workers)
		args := []string{"copy", "from:" + box, "to:" + box, "--config", file, "--transfers", n, "--checkers", n}
		if way == through {
			args = append(args, "--disable", "copy")
		}
		return az.runPeer(ctx, nil, path, args...)
	}
}
