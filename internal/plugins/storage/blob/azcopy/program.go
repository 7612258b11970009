// Package azcopy runs AzCopy, a program of Microsoft's that copies blobs in bulk, and
// reads what it says in JSON. It knows nothing of accounts: the addresses that it is
// given need no signature of their own (see package gateway).
package azcopy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Oldest is the first version that this package runs: from it on, copies between accounts
// use Put Blob From URL, and all flags of Copy.args are there
// (https://github.com/Azure/azure-storage-azcopy/blob/main/ChangeLog.md).
const oldest = "10.20"

// Program is an AzCopy that was found. Get one from Find.
type Program struct {
	Path    string
	Version string // "10.32.2"
}

// patience is how long a program may take to say its version.
const patience = 20 * time.Second

// Find looks for the program: name is a path, or a name to look for in PATH. An AzCopy that
// is not there, or is too old, is an error that says what to do.
func Find(ctx context.Context, name string) (Program, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return Program{}, refuse(fmt.Errorf("it is not installed: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version") //nolint:gosec // the user says which program it is
	cmd.Env = environment(cmd.Environ())
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return Program{}, refuse(fmt.Errorf("%s does not say its version: %w%s", path, err, stderrOf(err)))
	}
	p := Program{Path: path}
	if _, p.Version, _ = strings.Cut(strings.TrimSpace(string(out)), "azcopy version "); !atLeast(p.Version, oldest) {
		return Program{}, refuse(fmt.Errorf("%s says %q; version %s or later is needed", path, firstLine(string(out)), oldest))
	}
	return p, nil
}

// stderrOf is what a program wrote before it failed: a library that it lacks, say.
func stderrOf(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || len(exit.Stderr) == 0 {
		return ""
	}
	return ": " + firstLine(string(exit.Stderr))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s[:min(len(s), 200)]
}

func refuse(err error) error {
	return &errs.Error{
		Op: "use AzCopy", Kind: errs.Invalid, Err: err,
		Hint: "install AzCopy (https://aka.ms/azcopy) and put it on PATH, or name it with --azcopy FILE or ATG_AZCOPY=FILE; or leave out --storage-copier azcopy",
	}
}

// atLeast compares versions of which the first two numbers count.
func atLeast(version, least string) bool {
	have, want := numbers(version), numbers(least)
	return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1]
}

func numbers(version string) (n [2]int) {
	for i, part := range strings.SplitN(version, ".", 3) {
		if i < len(n) {
			n[i], _ = strconv.Atoi(part) // what is no number is older than every version
		}
	}
	return n
}

// kept are the variables that AzCopy gets of this program's environment: what every
// program needs, and the user's wishes for AzCopy's use of the machine. No proxy, sign-in
// or credential is among them.
var kept = []string{
	"PATH", "TMPDIR", "TMP", "TEMP", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR",
	"AZCOPY_CONCURRENCY_VALUE", "AZCOPY_CONCURRENT_FILES", "AZCOPY_CONCURRENT_SCAN", "AZCOPY_DISABLE_HIERARCHICAL_SCAN",
	"AZCOPY_BUFFER_GB", "AZCOPY_REQUEST_TRY_TIMEOUT", "AZCOPY_TUNE_TO_CPU",
}

// environment is that of the program: what of all it may see, and more.
func environment(all []string, more ...string) []string {
	var out []string
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		for _, k := range kept {
			if strings.EqualFold(k, name) {
				out = append(out, v)
			}
		}
	}
	return append(out, more...)
}
