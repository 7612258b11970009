// Package bicep compiles Bicep files to the JSON of Resource Manager templates, by the
// Bicep CLI or, where only that is installed, by the Azure CLI
// (https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli).
package bicep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// Compiler runs the compiler.
type Compiler struct {
	// LookPath finds a program; nil: exec.LookPath.
	LookPath func(string) (string, error)
	Timeout  time.Duration // of one compilation; 0: none
	Emit     event.Sink    // gets the compiler's lines; may be nil
}

// Template compiles a *.bicep file and returns the template. The errors are of kind
// Invalid, with what the compiler said.
func (c Compiler) Template(ctx context.Context, path string) ([]byte, error) {
	return c.compile(ctx, "build", path)
}

// Parameters compiles a *.bicepparam file and returns the parameter file as JSON.
func (c Compiler) Parameters(ctx context.Context, path string) ([]byte, error) {
	return c.compile(ctx, "build-params", path)
}

// compile writes into a private directory, which is gone afterwards: parameters may be
// secrets.
func (c Compiler) compile(ctx context.Context, verb, path string) ([]byte, error) {
	op := "compile " + filepath.Base(path)
	tool, err := c.find()
	if err != nil {
		return nil, &errs.Error{
			Op: op, Kind: errs.Invalid, Err: err,
			Hint: "install the Bicep CLI (learn.microsoft.com/azure/azure-resource-manager/bicep/install), or the Azure CLI and `az bicep install`",
		}
	}
	dir, err := os.MkdirTemp("", "atg-bicep-")
	if err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Unavailable, Err: err, Hint: "set TMPDIR to a directory that can be written to"}
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "out.json")
	if c.Emit != nil {
		c.Emit(event.DeployStep{Step: "compile", Text: "compiling " + filepath.Base(path)})
	}
	if err := c.run(ctx, op, tool.command(verb, path, out)); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Invalid, Err: fmt.Errorf("%s wrote no output", filepath.Base(tool.path)), Hint: "check the compiler: `" + filepath.Base(tool.path) + " --version`"}
	}
	return text, nil
}

// tool is what compiles: the Bicep CLI, or the Azure CLI.
type tool struct {
	path string
	az   bool
}

func (c Compiler) find() (tool, error) {
	look := c.LookPath
	if look == nil {
		look = exec.LookPath
	}
	if path, err := look("bicep"); err == nil {
		return tool{path: path}, nil
	}
	if path, err := look("az"); err == nil {
		return tool{path: path, az: true}, nil
	}
	return tool{}, errors.New("neither bicep nor az is on the PATH")
}

// command is the command line: the same arguments, which the two tools spell differently.
func (t tool) command(verb, path, out string) []string {
	if t.az {
		return []string{t.path, "bicep", verb, "--file", path, "--outfile", out}
	}
	return []string{t.path, verb, path, "--outfile", out}
}

func (c Compiler) run(ctx context.Context, op string, command []string) error {
	inner := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	cmd := exec.CommandContext(inner, command[0], command[1:]...) //nolint:gosec // the compiler that was found or named
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	c.tell(said.String())
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &errs.Error{Op: op, Kind: errs.Canceled, Err: context.Cause(ctx)}
	case inner.Err() != nil:
		return &errs.Error{Op: op, Kind: errs.Canceled, Err: fmt.Errorf("not done after %s", c.Timeout), Hint: "give it more time by --plan-timeout"}
	}
	found := problems(said.String())
	if len(found) == 0 {
		found = Problems{err.Error()}
	}
	return &errs.Error{Op: op, Kind: errs.Invalid, Code: found.code(), Err: found, Hint: "mend the Bicep file at the place that is named above"}
}

func (c Compiler) tell(text string) {
	if c.Emit == nil {
		return
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			c.Emit(event.DeployOutput{Line: line})
		}
	}
}

// Problems are errors that the compiler reported, one text each: "main.bicep(3,7): BCP057:
// the name is not known".
type Problems []string

// problem is a line of the compiler: "/d/main.bicep(3,7) : Error BCP057: text [link]".
var problem = regexp.MustCompile(`^(?:ERROR: )?(.+\(\d+,\d+\)) : Error (\S+?): (.*)$`)

// problems finds the errors in the compiler's output.
func problems(said string) Problems {
	var out Problems
	for line := range strings.Lines(said) {
		if m := problem.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			out = append(out, fmt.Sprintf("%s: %s: %s", filepath.Base(m[1]), m[2], m[3]))
		}
	}
	return out
}

// code is that of the first problem, if it has one.
func (p Problems) code() string {
	if _, rest, ok := strings.Cut(p[0], "): "); ok {
		code, _, _ := strings.Cut(rest, ":")
		return code
	}
	return ""
}

// Error returns all of them in one line.
func (p Problems) Error() string { return strings.Join(p, "; ") }

// maxShown is how many problems an error shows.
const maxShown = 5

// Clauses returns the problems for a text of several lines, only the first ones unless all
// are wanted.
func (p Problems) Clauses(all bool) []string {
	if all || len(p) <= maxShown {
		return p
	}
	return append(append([]string{}, p[:maxShown]...), fmt.Sprintf("and %d more", len(p)-maxShown))
}
