package journal

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Summary is a run in a list of runs.
type Summary struct {
	Run
	Items map[State]int64 // how many items came how far
	// Busy says that a process works on the run now.
	Busy bool
	// Err is why the journal cannot be read; all but ID is then empty.
	Err error
}

// List returns the runs of a state directory, the latest first. A directory that is not
// there has none. A journal that cannot be read is listed with its error.
func List(ctx context.Context, stateDir string) ([]Summary, error) {
	entries, err := os.ReadDir(filepath.Join(stateDir, runsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failure("list the runs", stateDir, err)
	}
	var out []Summary
	for _, e := range entries {
		if e.IsDir() && idForm.MatchString(e.Name()) {
			out = append(out, summary(ctx, stateDir, e.Name()))
		}
	}
	slices.SortStableFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.ID, b.ID))
	})
	return out, ctx.Err()
}

func summary(ctx context.Context, stateDir, id string) Summary {
	s := Summary{Run: Run{ID: id}, Items: map[State]int64{}}
	r, err := View(ctx, stateDir, id)
	if err != nil {
		s.Err = err
		return s
	}
	defer func() { s.Err = errors.Join(s.Err, r.Close()) }()
	run, err := r.Run(ctx)
	if err != nil {
		s.Err = err
		return s
	}
	counts, err := r.Counts(ctx)
	s.Run, s.Err, s.Busy = run, err, busy(ctx, stateDir, id)
	for _, c := range counts {
		s.Items[c.State] += c.Items
	}
	return s
}

// busy tells whether a process holds the lock of a run.
func busy(ctx context.Context, stateDir, id string) bool {
	l, err := acquire(ctx, stateDir, id, 0)
	if err == nil {
		err = l.release()
	}
	return errs.KindOf(err) == errs.Conflict
}

// Remove deletes the journal of a run. It fails with kind NotFound if there is none and
// Conflict if a process works on it.
func Remove(ctx context.Context, stateDir, id string) error {
	dir, err := folder(stateDir, id)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return &errs.Error{Op: "remove the run", Kind: errs.NotFound, Resource: id, Err: errors.New("there is no such run"), Hint: "atg run list"}
	}
	l, err := acquire(ctx, stateDir, id, lockWait)
	if err != nil {
		return err
	}
	// The lock goes first: not every system removes an open file.
	if err := errors.Join(l.release(), os.RemoveAll(dir)); err != nil {
		return failure("remove the run", id, err)
	}
	return nil
}
