package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Options steer how a journal is written.
type Options struct {
	Now func() time.Time // default time.Now
	// OnRecord, for tests of crashes, is called by the writing goroutine after each
	// record is on disk, with the number of records so far. Every record is then a batch
	// of its own.
	OnRecord func(n int64)
}

// Journal is the record of one run, open for writing. It is safe for concurrent use.
type Journal struct {
	*Reader
	lock   *lock
	db     *sql.DB
	writer *writer
	now    func() time.Time

	closing sync.Once

	mu   sync.Mutex // guards next
	next []int64    // by pair: the place of the next item
}

// Begin starts the journal of a new run in a state directory, which is made if need be.
// It fails with kind Conflict if there is a run of that ID, Invalid if the directory
// cannot be written, Quota if the disk is full.
func Begin(ctx context.Context, stateDir string, run Run, opt Options) (*Journal, error) {
	path, err := create(stateDir, run.ID)
	if err != nil {
		return nil, err
	}
	j, err := load(ctx, stateDir, run.ID, opt)
	if err == nil {
		err = j.begin(ctx, run)
		if err != nil {
			_ = j.Close()
		}
	}
	if err != nil {
		_ = os.RemoveAll(filepath.Dir(path)) // it was made above, and holds nothing
		return nil, err
	}
	return j, nil
}

func (j *Journal) begin(ctx context.Context, run Run) error {
	spec := string(run.Spec)
	run.Spec, run.Report, run.Status, run.Updated = nil, nil, "", time.Time{}
	doc, err := json.Marshal(run)
	if err != nil {
		return &errs.Error{Op: "begin the run", Kind: errs.Internal, Err: err}
	}
	if suspicious(string(doc) + spec) {
		return errSuspicious("begin the run", run.ID)
	}
	now := j.now().UnixMilli()
	return j.writer.wait(ctx, func(b *batch) error {
		return b.exec(`INSERT INTO run (one, doc, spec, status, updated) VALUES (1, ?, ?, ?, ?)`,
			string(doc), spec, string(Unfinished), now)
	})
}

// Open opens the journal of a run that was begun before, to go on with it. It fails with
// kind NotFound if there is none, Conflict (code "RunLocked") if another process works on
// it, Unsupported (code "NewerJournal") if a newer version of this program wrote it.
func Open(ctx context.Context, stateDir, id string, opt Options) (*Journal, error) {
	if _, err := existing(stateDir, id); err != nil {
		return nil, err
	}
	j, err := load(ctx, stateDir, id, opt)
	if err != nil {
		return nil, err
	}
	if _, err := j.Run(ctx); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if err := j.setStatus(ctx, Unfinished); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// load locks a run, opens its file, brings it to the present schema and starts writing.
func load(ctx context.Context, stateDir, id string, opt Options) (*Journal, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	l, err := acquire(ctx, stateDir, id, lockWait)
	if err != nil {
		return nil, err
	}
	if dir, err := folder(stateDir, id); err == nil {
		sign(dir, opt.Now())
	}
	j := &Journal{lock: l, now: opt.Now}
	if err := j.connect(ctx, stateDir, id, opt); err != nil {
		return nil, errors.Join(err, j.closeFiles())
	}
	return j, nil
}

func (j *Journal) connect(ctx context.Context, stateDir, id string, opt Options) error {
	path, err := existing(stateDir, id)
	if err != nil {
		return err
	}
	// FULL: a batch that counts as written survives a loss of power.
	if j.db, err = open(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"); err != nil {
		return err
	}
	if err := migrate(ctx, j.db, id); err != nil {
		return err
	}
	if j.Reader, err = newReader(id, path); err != nil {
		return err
	}
	saved, err := j.checkpoints(ctx)
	if err != nil {
		return err
	}
	if j.next, err = j.places(ctx); err != nil {
		return err
	}
	j.writer = newWriter(id, j.db, opt.OnRecord)
	go j.writer.run(context.WithoutCancel(ctx), saved)
	return nil
}

// Failed is closed when the journal cannot be written any more; Err then says why.
func (j *Journal) Failed() <-chan struct{} { return j.writer.failed }

// Err returns why the journal cannot be written any more, or nil.
func (j *Journal) Err() error { return j.writer.failure() }

// Sync returns once all that was recorded is on disk.
func (j *Journal) Sync(ctx context.Context) error {
	return j.writer.wait(ctx, func(*batch) error { return nil })
}

// Finish records how the run ended, with the engine's report as JSON.
func (j *Journal) Finish(ctx context.Context, status Status, report json.RawMessage) error {
	text := scrub(string(report))
	now := j.now().UnixMilli()
	return j.writer.wait(ctx, func(b *batch) error {
		return b.exec(`UPDATE run SET status = ?, report = ?, updated = ?`, string(status), text, now)
	})
}

func (j *Journal) setStatus(ctx context.Context, status Status) error {
	now := j.now().UnixMilli()
	return j.writer.wait(ctx, func(b *batch) error {
		return b.exec(`UPDATE run SET status = ?, updated = ?`, string(status), now)
	})
}

// Close writes what was recorded, releases the lock and closes the files. It returns why
// the journal could not be written, if it could not. Only the first call does anything.
func (j *Journal) Close() error {
	var err error
	j.closing.Do(func() {
		j.writer.stop()
		err = errors.Join(j.Err(), j.closeFiles())
	})
	return err
}

func (j *Journal) closeFiles() error {
	var all []error
	if j.Reader != nil {
		all = append(all, j.Reader.Close())
	}
	if j.db != nil {
		all = append(all, j.db.Close())
	}
	if err := errors.Join(append(all, j.lock.release())...); err != nil {
		return failure("close the journal", "", err)
	}
	return nil
}
