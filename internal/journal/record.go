package journal

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// RecordPairs records the pairs of a run that has none yet, in the order that all other
// methods count by, and returns once they are on disk.
func (j *Journal) RecordPairs(ctx context.Context, pairs []Pair) error {
	docs := make([]string, len(pairs))
	for i, p := range pairs {
		p.Cursor, p.Listed = "", false
		doc, err := json.Marshal(p)
		if err != nil {
			return &errs.Error{Op: "record the pairs", Kind: errs.Internal, Err: err}
		}
		docs[i] = string(doc)
	}
	err := j.writer.wait(ctx, func(b *batch) error {
		for i, doc := range docs {
			if err := b.exec(`INSERT INTO pairs (pair, doc) VALUES (?, ?)`, i, doc); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next = make([]int64, len(pairs))
	for i := range j.next {
		j.next[i] = 1
	}
	return nil
}

// RecordDiscovered records an item that is new to the run as pending, and where listing
// can go on behind it: cursor is its own, or "" if listing cannot go on there. It fails,
// and records nothing, if the item seems to hold a secret.
func (j *Journal) RecordDiscovered(pair int, it plugin.Item, cursor string) (Ref, error) {
	doc, err := json.Marshal(it)
	if err != nil {
		return Ref{}, &errs.Error{Op: "record the item", Kind: errs.Internal, Item: string(it.Key), Err: err}
	}
	if suspicious(string(doc)) {
		return Ref{}, errSuspicious("record the item", string(it.Key))
	}
	j.mu.Lock()
	defer j.mu.Unlock() // so that records stand in the order of their places
	ref := Ref{pair, j.next[pair]}
	j.next[pair]++
	j.writer.add(func(b *batch) error {
		b.count(ref.Pair, it.Kind, Pending, 1, 0)
		if cursor != "" {
			b.cursors[ref.Pair] = cursor
		}
		return b.exec(`INSERT INTO items (pair, seq, key, kind, doc) VALUES (?, ?, ?, ?, ?)`,
			ref.Pair, ref.Seq, string(it.Key), it.Kind, doc)
	})
	return ref, nil
}

// RecordListed records that a pair's source was listed to its end, without a gap. err is
// why it was not, if it was not.
func (j *Journal) RecordListed(pair int, err error) {
	now := j.now()
	j.writer.add(func(b *batch) error {
		if err != nil {
			return b.fault(pair, "", Failure{Phase: "list", Time: now}, err)
		}
		if err := b.exec(`DELETE FROM errors WHERE pair = ? AND key = ''`, pair); err != nil {
			return err
		}
		return b.exec(`UPDATE pairs SET listed = 1 WHERE pair = ?`, pair)
	})
}

// RecordStarted records that an attempt at an item begins. From is its state so far.
func (j *Journal) RecordStarted(ref Ref, it plugin.Item, from State, attempts int) {
	j.writer.add(func(b *batch) error {
		b.count(ref.Pair, it.Kind, from, -1, 0)
		b.count(ref.Pair, it.Kind, Started, 1, 0)
		return b.exec(`UPDATE items SET state = ?, attempts = ? WHERE pair = ? AND seq = ?`,
			numbers[Started], attempts, ref.Pair, ref.Seq)
	})
}

// RecordEnded records how an attempt at an item ended, or how the item did.
func (j *Journal) RecordEnded(ref Ref, it plugin.Item, e Ending) {
	now := j.now()
	reason := scrub(e.Reason)
	j.writer.add(func(b *batch) error {
		b.count(ref.Pair, it.Kind, e.From, -1, 0)
		b.count(ref.Pair, it.Kind, e.To, 1, e.Bytes)
		err := b.exec(`UPDATE items SET state = ?, attempts = ?, bytes = ?, reason = nullif(?, '') WHERE pair = ? AND seq = ?`,
			numbers[e.To], e.Attempts, e.Bytes, reason, ref.Pair, ref.Seq)
		if err != nil {
			return err
		}
		if e.Err != nil {
			return b.fault(ref.Pair, it.Key, Failure{Phase: "apply", Kind: it.Kind, Time: now}, e.Err)
		}
		return b.succeed(ref, it, e)
	})
}

// succeed clears what stood in the way of an item, and keeps its warnings.
func (b *batch) succeed(ref Ref, it plugin.Item, e Ending) error {
	if e.Attempts > 1 {
		if err := b.exec(`DELETE FROM errors WHERE pair = ? AND key = ? AND phase = 'apply'`, ref.Pair, string(it.Key)); err != nil {
			return err
		}
	}
	if b.saved[ref] {
		delete(b.saved, ref)
		if err := b.exec(`DELETE FROM checkpoints WHERE pair = ? AND seq = ?`, ref.Pair, ref.Seq); err != nil {
			return err
		}
	}
	for _, w := range e.Warnings {
		err := b.exec(`INSERT OR IGNORE INTO warnings (pair, key, text, kind) VALUES (?, ?, ?, ?)`,
			ref.Pair, string(it.Key), scrub(w), it.Kind)
		if err != nil {
			return err
		}
	}
	return nil
}

// fault records the last error of an item in a phase; key is "" for a resource as a whole.
func (b *batch) fault(pair int, key plugin.Key, f Failure, err error) error {
	doc, err := json.Marshal(f.of(err))
	if err != nil {
		return err
	}
	return b.exec(`INSERT OR REPLACE INTO errors (pair, key, phase, doc) VALUES (?, ?, ?, ?)`, pair, string(key), f.Phase, string(doc))
}

// of fills in what an error says.
func (f Failure) of(err error) Failure {
	f.ErrorKind, f.Message = string(errs.KindOf(err)), scrub(err.Error())
	f.Hint, f.Wait = scrub(errs.HintOf(err)), errs.RetryAfter(err)
	for e := errs.Find(err); e != nil; e = errs.Find(e.Err) {
		f.Side, f.Code, f.RequestID = either(f.Side, e.Side), either(f.Code, e.Code), either(f.RequestID, e.RequestID)
		f.Action, f.Status = either(f.Action, e.Action), either(f.Status, e.Status)
	}
	return f
}

func either[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// SaveCheckpoint keeps how far one item came. It is on disk when SaveCheckpoint returns
// nil. It refuses data that seem to hold a secret.
func (j *Journal) SaveCheckpoint(ctx context.Context, ref Ref, data []byte) error {
	if suspicious(string(data)) {
		return errSuspicious("save the checkpoint", "")
	}
	return j.writer.wait(ctx, func(b *batch) error {
		b.saved[ref] = true
		return b.exec(`INSERT OR REPLACE INTO checkpoints (pair, seq, data) VALUES (?, ?, ?)`, ref.Pair, ref.Seq, data)
	})
}

// RecordVerifying records that a verification begins: what an earlier one found is
// forgotten.
func (j *Journal) RecordVerifying() {
	j.writer.add(func(b *batch) error {
		if err := b.exec(`DELETE FROM verdicts`); err != nil {
			return err
		}
		return b.exec(`DELETE FROM errors WHERE phase = 'verify'`)
	})
}

// RecordVerdict records why an item is not proven equal.
func (j *Journal) RecordVerdict(v Verdict) {
	v.Reason = scrub(v.Reason)
	j.writer.add(func(b *batch) error {
		doc, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return b.exec(`INSERT OR REPLACE INTO verdicts (pair, key, doc) VALUES (?, ?, ?)`, v.Pair, string(v.Key), string(doc))
	})
}

// RecordUnverified records why an item could not be compared.
func (j *Journal) RecordUnverified(pair int, it plugin.Item, err error) {
	now := j.now()
	j.writer.add(func(b *batch) error {
		return b.fault(pair, it.Key, Failure{Phase: "verify", Kind: it.Kind, Time: now}, err)
	})
}

// secrets are the names that Azure gives keys and signatures in URLs and connection strings.
var secrets = []string{"sig", "AccountKey", "SharedAccessKey", "SharedAccessSignature", "client_secret", "Password", "Pwd"}

// signature matches them with their values, also where JSON has written an ampersand as \u0026.
var signature = regexp.MustCompile(`(?i)((?:\b|\\u0026)(?:` + strings.Join(secrets, "|") + `)(?:=|%3D))[^&;\s"'\\<>]{8,}`)

// suspicious tells whether a text seems to hold a secret.
func suspicious(s string) bool { return assigns(s) && signature.MatchString(s) }

// scrub cuts what seems to be a secret out of a text for people.
func scrub(s string) string {
	if !assigns(s) {
		return s
	}
	return signature.ReplaceAllString(s, "${1}[redacted]")
}

// assigns tells whether something is set in s to what one of the secrets' names ends with.
// Few texts pass, and matching is slow: every item has to.
func assigns(s string) bool {
	for i := range len(s) {
		if s[i] != '=' && s[i] != '%' {
			continue
		}
		for _, name := range secrets {
			if at := i - len(name); at >= 0 && strings.EqualFold(s[at:i], name) {
				return true
			}
		}
	}
	return false
}

func errSuspicious(op, item string) error {
	return &errs.Error{
		Op: op, Kind: errs.Internal, Item: item, Code: "SecretInJournal",
		Err: errors.New("it seems to hold a key or signature, which is never stored"),
	}
}

// millis turns a stored time back into a time.
func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
