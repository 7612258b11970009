package journal

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// The size of a batch: what is handed over is on disk after maxDelay, or once there are
// maxBatch records, or as soon as somebody waits for it.
const (
	maxBatch = 2000
	maxDelay = 20 * time.Millisecond
	queue    = 4096 // records handed over and not yet written
)

var errClosed = errors.New("the journal is closed")

// record is one thing to write. It runs within the transaction of its batch.
type record struct {
	write func(*batch) error
	done  chan<- error // told once the record is on disk; nil: nobody waits
}

// writer is the one goroutine that writes.
type writer struct {
	id       string
	db       *sql.DB
	onRecord func(n int64) // for tests: told after each record, each in a batch of its own
	records  chan record
	quit     chan struct{} // closed by stop
	ended    chan struct{} // closed when the goroutine has ended
	failed   chan struct{} // closed when the journal cannot be written any more

	mu  sync.Mutex // guards err
	err error      // why the journal cannot be written any more

	written int64 // used by the goroutine alone
}

// batch is what records write to.
type batch struct {
	ctx    context.Context // the life of a batch is one call of writer.flush
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	counts map[countKey]countDelta
	// cursors are where listing can go on, by pair.
	cursors map[int]string
	// saved are the items that have a checkpoint on disk.
	saved map[Ref]bool
}

type countKey struct {
	pair  int
	kind  string
	state int
}

type countDelta struct{ items, bytes int64 }

func newWriter(id string, db *sql.DB, onRecord func(int64)) *writer {
	return &writer{
		id: id, db: db, onRecord: onRecord, records: make(chan record, queue),
		quit: make(chan struct{}), ended: make(chan struct{}), failed: make(chan struct{}),
	}
}

// add hands a record over. It waits only if the queue is full.
func (w *writer) add(write func(*batch) error) {
	select {
	case w.records <- record{write: write}:
	case <-w.quit:
	}
}

// wait hands a record over and returns once it is on disk.
func (w *writer) wait(ctx context.Context, write func(*batch) error) error {
	done := make(chan error, 1)
	select {
	case w.records <- record{write, done}:
	case <-w.quit:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.ended:
	}
	select {
	case err := <-done: // it was among the last ones
		return err
	default:
		return errClosed
	}
}

// stop writes what was handed over and ends the goroutine.
func (w *writer) stop() {
	close(w.quit)
	<-w.ended
}

// failure returns why the journal cannot be written any more, or nil.
func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = failure("write the journal", w.id, err)
		close(w.failed)
	}
}

// run writes batches until stop is called. saved are the items with a checkpoint.
func (w *writer) run(ctx context.Context, saved map[Ref]bool) {
	defer close(w.ended)
	conn, err := w.db.Conn(ctx)
	if err != nil {
		w.fail(err)
	}
	b := &batch{ctx: ctx, conn: conn, stmts: map[string]*sql.Stmt{}, counts: map[countKey]countDelta{}, cursors: map[int]string{}, saved: saved}
	for {
		select {
		case r := <-w.records:
			w.flush(b, r)
			continue
		default:
		}
		select {
		case r := <-w.records:
			w.flush(b, r)
		case <-w.quit:
			w.drain(b)
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
	}
}

// drain writes what was handed over before stop.
func (w *writer) drain(b *batch) {
	for {
		select {
		case r := <-w.records:
			w.flush(b, r)
		default:
			return
		}
	}
}

// flush writes one batch that begins with first, and tells those who wait.
func (w *writer) flush(b *batch, first record) {
	if w.failure() != nil {
		tell([]record{first}, w.failure())
		return
	}
	taken, err := w.fill(b, first)
	if err != nil {
		_ = b.exec("ROLLBACK")
		w.fail(err)
		err = w.failure()
	}
	tell(taken, err)
	if w.onRecord != nil && err == nil {
		w.written++
		w.onRecord(w.written)
	}
}

func tell(records []record, err error) {
	for _, r := range records {
		if r.done != nil {
			r.done <- err
		}
	}
}

// fill writes first and what comes after it in one transaction.
func (w *writer) fill(b *batch, first record) (taken []record, err error) {
	taken = []record{first}
	if err := b.exec("BEGIN IMMEDIATE"); err != nil {
		return taken, err
	}
	clear(b.counts)
	clear(b.cursors)
	if err := first.write(b); err != nil {
		return taken, err
	}
	late := time.NewTimer(maxDelay)
	defer late.Stop()
	waited := first.done != nil
	for n := 1; n < maxBatch && w.onRecord == nil; n++ {
		r, ok := w.next(waited, late.C)
		if !ok {
			break
		}
		if r.done != nil {
			taken, waited = append(taken, r), true
		}
		if err := r.write(b); err != nil {
			return taken, err
		}
	}
	if err := b.sum(); err != nil {
		return taken, err
	}
	return taken, b.exec("COMMIT")
}

// next takes the next record of a batch: one that is there or, if nobody waits for the
// batch, one that comes in time.
func (w *writer) next(waited bool, late <-chan time.Time) (record, bool) {
	select {
	case r := <-w.records:
		return r, true
	default:
	}
	if waited {
		return record{}, false
	}
	select {
	case r := <-w.records:
		return r, true
	case <-late:
	case <-w.quit:
	}
	return record{}, false
}

// exec runs one statement, which is prepared when it is first used.
func (b *batch) exec(query string, args ...any) error {
	stmt := b.stmts[query]
	if stmt == nil {
		var err error
		if stmt, err = b.conn.PrepareContext(b.ctx, query); err != nil {
			return err
		}
		b.stmts[query] = stmt
	}
	_, err := stmt.ExecContext(b.ctx, args...)
	return err
}

// count notes that items of a kind came to a state (n > 0) or left it (n < 0).
func (b *batch) count(pair int, kind string, s State, n, bytes int64) {
	k := countKey{pair, kind, numbers[s]}
	d := b.counts[k]
	b.counts[k] = countDelta{d.items + n, d.bytes + bytes}
}

// sum writes what the records of a batch add up to.
func (b *batch) sum() error {
	for pair, cursor := range b.cursors {
		if err := b.exec(`UPDATE pairs SET cursor = ? WHERE pair = ?`, cursor, pair); err != nil {
			return err
		}
	}
	const q = `INSERT INTO counts (pair, kind, state, items, bytes) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes`
	for k, d := range b.counts {
		if d == (countDelta{}) {
			continue
		}
		if err := b.exec(q, k.pair, k.kind, k.state, d.items, d.bytes); err != nil {
			return err
		}
	}
	return nil
}
