package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Names below the state directory: runs/ID/journal.db.
const (
	runsFolder = "runs"
	fileName   = "journal.db"
	lockName   = "lock.db"
)

// idForm is what a run's ID may look like: it becomes a folder's name.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// folder returns the folder of a run. It refuses an ID that is no plain name.
func folder(stateDir, id string) (string, error) {
	if !idForm.MatchString(id) {
		return "", &errs.Error{
			Op: "find the run", Kind: errs.Invalid, Resource: id,
			Err: errors.New("an ID has up to 64 letters, digits, dashes and underscores"),
		}
	}
	return filepath.Join(stateDir, runsFolder, id), nil
}

// create makes the folder of a run and its empty file, for this user alone.
func create(stateDir, id string) (path string, err error) {
	dir, err := folder(stateDir, id)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", failure("make the state directory", filepath.Dir(dir), err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", failure("make the run's folder", dir, err)
	}
	path = filepath.Join(dir, fileName)
	if err := empty(path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return "", &errs.Error{Op: "begin the run", Kind: errs.Conflict, Resource: id, Err: errors.New("there is a run of that ID")}
		}
		return "", failure("make the journal", path, err)
	}
	return path, nil
}

// Writable tells, before anything is done, whether runs can be recorded in a state
// directory: it makes the directory if need be, and a file in it that is gone again
// afterwards. It fails as Begin does.
func Writable(stateDir string) error {
	dir := filepath.Join(stateDir, runsFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return failure("make the state directory", dir, err)
	}
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return failure("write to the state directory", dir, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return failure("write to the state directory", dir, err)
	}
	return nil
}

// empty makes a file that only this user can read. It fails with fs.ErrExist, and opens
// nothing, if there is one.
func empty(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// existing returns the path of a run's file.
func existing(stateDir, id string) (string, error) {
	dir, err := folder(stateDir, id)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", &errs.Error{
				Op: "find the run", Kind: errs.NotFound, Resource: id,
				Err: fmt.Errorf("there is no journal of it in %s", stateDir), Hint: "atg run list",
			}
		}
		return "", failure("open the journal", path, err)
	}
	return path, nil
}

// open opens a database with one connection.
func open(path string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{}
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	// A colon or a question mark in the path must not end it: hence the escaping.
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, failure("open the journal", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// lock is held by the process that works on a run. It is an exclusive transaction on an
// SQLite file of its own, so that it ends with the process on every system.
type lock struct{ db *sql.DB }

// lockWait is how long acquire waits for those who hold a lock only to see if it is held.
const lockWait = 300 * time.Millisecond

func acquire(ctx context.Context, stateDir, id string, wait time.Duration) (*lock, error) {
	dir, err := folder(stateDir, id)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockName)
	// A file that is there is not opened: to close it again would end every lock that this
	// process has on it (POSIX locks belong to process and file, not to the descriptor).
	if err := empty(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, failure("lock the run", id, err)
	}
	db, err := open(path, fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()))
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		_ = db.Close()
		if code(err) == sqlite3.SQLITE_BUSY {
			return nil, &errs.Error{
				Op: "lock the run", Kind: errs.Conflict, Resource: id, Code: "RunLocked",
				Err: errors.New(holderOf(dir)), Hint: "wait until it has ended, or stop it; then: atg run resume " + id,
			}
		}
		return nil, failure("lock the run", id, err)
	}
	return &lock{db}, nil
}

func (l *lock) release() error { return l.db.Close() }

// code returns the primary result code of an SQLite error, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// failure says why a file of a journal cannot be used, and what to do about it.
func failure(op, where string, err error) error {
	e := &errs.Error{Op: op, Kind: errs.Internal, Resource: where, Err: err}
	c := code(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), c == sqlite3.SQLITE_INTERRUPT:
		e.Kind = errs.Canceled
	case errors.Is(err, syscall.ENOSPC), c == sqlite3.SQLITE_FULL:
		e.Kind, e.Code, e.Err = errs.Quota, "DiskFull", errors.New("the disk is full")
		e.Hint = "free space, then continue with: atg run resume"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR),
		c == sqlite3.SQLITE_READONLY, c == sqlite3.SQLITE_CANTOPEN, c == sqlite3.SQLITE_PERM:
		e.Kind, e.Code = errs.Invalid, "StateDirectory"
		e.Err = fmt.Errorf("the state directory cannot be written: %w", err)
		e.Hint = "name another directory with --state-dir"
	case c == sqlite3.SQLITE_NOTADB, c == sqlite3.SQLITE_CORRUPT:
		e.Kind, e.Code = errs.Invalid, "DamagedJournal"
		e.Err = fmt.Errorf("the file is damaged or is no journal: %w", err)
	case c == sqlite3.SQLITE_IOERR:
		e.Kind, e.Code = errs.Unavailable, "DiskError"
	}
	return e
}
