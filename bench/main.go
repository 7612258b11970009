package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// options are the command line.
type options struct {
	only    string
	out     string
	atg     string
	workers int
	long    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opt, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	rows, err := measure(ctx, opt, stderr)
	if err == nil || len(rows) > 0 {
		writeTable(stdout, rows)
	}
	if err == nil && opt.out != "" {
		err = writePage(opt.out, rows, opt.workers)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	if missed(rows) {
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	var opt options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&opt.only, "only", "", "run one scenario, and write no file unless -out says which: "+strings.Join(names(), ", "))
	f.StringVar(&opt.out, "out", filepath.Join("bench", "results.md"), "`file` for the results; empty for none")
	f.StringVar(&opt.atg, "atg", "", "measure this `program` instead of building one")
	f.IntVar(&opt.workers, "workers", 16, "--workers of atg: the concurrency that limits are computed from")
	f.BoolVar(&opt.long, "long", false, "run the scenarios that take long, too")
	if err := f.Parse(args); err != nil {
		return opt, err
	}
	var err error
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	case opt.workers < 1:
		err = fmt.Errorf("-workers %d: want 1 or more", opt.workers)
	case opt.only != "" && find(opt.only) == nil:
		err = fmt.Errorf("-only %s: want one of %s", opt.only, strings.Join(names(), ", "))
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
	}
	if opt.only != "" {
		opt.long = true
		if !given(f, "out") {
			opt.out = ""
		}
	}
	return opt, err
}

// given tells whether a flag stands on the command line.
func given(f *flag.FlagSet, name string) (found bool) {
	f.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// writePage writes the rows to the page. Scenarios that were not run keep what it says of
// them.
func writePage(path string, rows []row, workers int) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(document(rows, workers, string(old))), 0o644) //nolint:gosec // a page of the repository
}

// measure runs the scenarios. What was measured before an error is returned beside it.
func measure(ctx context.Context, opt options, stderr io.Writer) (rows []row, err error) {
	dir, err := os.MkdirTemp("", "atg-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := &lab{dir: dir, atg: opt.atg, workers: opt.workers}
	if l.atg == "" {
		l.atg = filepath.Join(dir, "atg")
		fmt.Fprintln(stderr, "building atg")
		if err := build(ctx, l.atg, stderr); err != nil {
			return nil, err
		}
	}
	for _, s := range scenarios() {
		switch {
		case opt.only != "" && s.name != opt.only:
			continue
		case s.long && !opt.long:
			rows = append(rows, row{scenario: s.title, measure: "everything", verdict: notRun})
			continue
		}
		fmt.Fprintln(stderr, s.name+":", s.title)
		got, err := s.run(ctx, l)
		for i := range got {
			got[i].scenario = s.title
		}
		rows = append(rows, got...)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return rows, nil
}

// build compiles atg as a release is compiled.
func build(ctx context.Context, to string, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", to, "./cmd/atg") //nolint:gosec // to is a file of our own
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build atg (bench runs in the root of the repository): %w", err)
	}
	return nil
}
