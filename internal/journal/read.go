package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// pageSize is how many rows a stream reads at once.
const pageSize = 500

// Reader reads a journal. It sees what is on disk, also while another process writes.
type Reader struct {
	id string
	db *sql.DB
}

// View opens the journal of a run for reading alone. It takes no lock. Errors are those
// of Open, but for RunLocked.
func View(ctx context.Context, stateDir, id string) (*Reader, error) {
	path, err := existing(stateDir, id)
	if err != nil {
		return nil, err
	}
	r, err := newReader(id, path)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(ctx, r.db, id)
	if err == nil && version < len(migrations) {
		err = modernise(ctx, stateDir, id, path)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// modernise brings a file to the present schema, which only the holder of its lock may.
func modernise(ctx context.Context, stateDir, id, path string) error {
	l, err := acquire(ctx, stateDir, id, lockWait)
	if err != nil {
		return err
	}
	db, err := open(path, "busy_timeout(10000)", "journal_mode(WAL)")
	if err != nil {
		return errors.Join(err, l.release())
	}
	return errors.Join(migrate(ctx, db, id), db.Close(), l.release())
}

func newReader(id, path string) (*Reader, error) {
	db, err := open(path, "busy_timeout(10000)", "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &Reader{id: id, db: db}, nil
}

// Close closes the files of a Reader.
func (r *Reader) Close() error { return r.db.Close() }

// Run returns what the journal says about the run as a whole.
func (r *Reader) Run(ctx context.Context) (Run, error) {
	var run Run
	var doc, spec, status, report string
	var updated int64
	err := r.db.QueryRowContext(ctx, `SELECT doc, spec, status, updated, report FROM run`).Scan(&doc, &spec, &status, &updated, &report)
	if errors.Is(err, sql.ErrNoRows) {
		return run, &errs.Error{
			Op: "read the journal", Kind: errs.NotFound, Resource: r.id,
			Err: errors.New("the run ended before it began"), Hint: "atg run rm " + r.id,
		}
	}
	if err != nil {
		return run, r.failed(err)
	}
	if err := json.Unmarshal([]byte(doc), &run); err != nil {
		return run, r.failed(err)
	}
	run.Status, run.Updated = Status(status), millis(updated)
	if spec != "" {
		run.Spec = json.RawMessage(spec)
	}
	if report != "" {
		run.Report = json.RawMessage(report)
	}
	return run, nil
}

func (r *Reader) failed(err error) error { return failure("read the journal", r.id, err) }

// rows runs a query and calls f for each row, while f returns true.
func (r *Reader) rows(ctx context.Context, f func(*sql.Rows) (bool, error), query string, args ...any) error {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return r.failed(err)
	}
	defer rows.Close()
	for rows.Next() {
		more, err := f(rows)
		if err != nil {
			return r.failed(err)
		}
		if !more {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return r.failed(err)
	}
	return nil
}

// Pairs returns the pairs in the order in which they were recorded.
func (r *Reader) Pairs(ctx context.Context) ([]Pair, error) {
	var out []Pair
	err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
		var doc, cursor string
		var listed bool
		if err := rows.Scan(&doc, &cursor, &listed); err != nil {
			return false, err
		}
		var p Pair
		err := json.Unmarshal([]byte(doc), &p)
		p.Cursor, p.Listed = cursor, listed
		out = append(out, p)
		return err == nil, err
	}, `SELECT doc, cursor, listed FROM pairs ORDER BY pair`)
	return out, err
}

// Counts returns how many items there are by pair, kind and state.
func (r *Reader) Counts(ctx context.Context) ([]Count, error) {
	var out []Count
	err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
		var c Count
		var state int
		err := rows.Scan(&c.Pair, &c.Kind, &state, &c.Items, &c.Bytes)
		c.State = names[state]
		out = append(out, c)
		return err == nil, err
	}, `SELECT pair, kind, state, items, bytes FROM counts WHERE items <> 0 ORDER BY pair, kind, state`)
	return out, err
}

// Known tells whether an item of a pair is recorded.
func (r *Reader) Known(ctx context.Context, pair int, key plugin.Key) (bool, error) {
	var one int
	err := r.db.QueryRowContext(ctx, `SELECT 1 FROM items WHERE pair = ? AND key = ?`, pair, string(key)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, r.failed(err)
	}
	return true, nil
}

// Unfinished streams the items of a pair that have no good end: pending, started or
// failed, in the order of discovery. It reads page by page: items may be recorded on
// while it goes. An error ends it.
func (r *Reader) Unfinished(ctx context.Context, pair int) iter.Seq2[Item, error] {
	const query = `SELECT i.seq, i.doc, i.state, i.attempts, c.data FROM items i
LEFT JOIN checkpoints c ON c.pair = i.pair AND c.seq = i.seq
WHERE i.pair = ? AND i.seq > ? AND i.state IN (0, 1, 6) ORDER BY i.seq LIMIT ?`
	return func(yield func(Item, error) bool) {
		for last := int64(0); ; {
			page := make([]Item, 0, pageSize)
			err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
				it, err := scanItem(rows)
				it.Pair = pair
				page = append(page, it)
				return err == nil, err
			}, query, pair, last, pageSize)
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, it := range page {
				if !yield(it, nil) {
					return
				}
				last = it.Seq
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func scanItem(rows *sql.Rows) (Item, error) {
	var it Item
	var doc []byte
	var state int
	if err := rows.Scan(&it.Seq, &doc, &state, &it.Attempts, &it.Checkpoint); err != nil {
		return it, err
	}
	it.State = names[state]
	return it, json.Unmarshal(doc, &it.Item)
}

// checkpoints returns the items that have a checkpoint.
func (r *Reader) checkpoints(ctx context.Context) (map[Ref]bool, error) {
	out := map[Ref]bool{}
	err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
		var ref Ref
		err := rows.Scan(&ref.Pair, &ref.Seq)
		out[ref] = true
		return err == nil, err
	}, `SELECT pair, seq FROM checkpoints`)
	return out, err
}

// places returns, for each pair, the place of the next item.
func (r *Reader) places(ctx context.Context) ([]int64, error) {
	var out []int64
	err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
		var n int64
		err := rows.Scan(&n)
		out = append(out, n+1)
		return err == nil, err
	}, `SELECT (SELECT coalesce(max(seq), 0) FROM items WHERE items.pair = pairs.pair) FROM pairs ORDER BY pair`)
	return out, err
}
