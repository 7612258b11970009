// Package messages holds the messages of one queue: when each is visible, who may delete
// it, and when it expires (Azure: Put Message, Get Messages, Update Message).
package messages

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Never is when a message expires that does not expire.
var Never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Message is one message as it was at the moment it was read.
type Message struct {
	ID         string
	Text       string
	Inserted   time.Time
	Expires    time.Time
	Visible    time.Time // when it is next visible
	PopReceipt string
	Dequeued   int

	number uint64 // of its insertion
}

// List holds messages. It has no lock: its owner has. New makes one.
type List struct {
	byID    map[string]*Message
	visible *btree.BTreeG[*Message] // by the moment they are next visible
	expiry  *btree.BTreeG[*Message] // by the moment they expire
	number  uint64
}

// New makes an empty list.
func New() *List {
	l := &List{}
	l.Clear()
	return l
}

// Clear removes all messages.
func (l *List) Clear() {
	opt := btree.Options{NoLocks: true}
	l.byID = map[string]*Message{}
	l.visible = btree.NewBTreeGOptions(func(a, b *Message) bool { return before(a.Visible, b.Visible, a, b) }, opt)
	l.expiry = btree.NewBTreeGOptions(func(a, b *Message) bool { return before(a.Expires, b.Expires, a, b) }, opt)
}

// before orders two moments; of equal ones the message that came first is first.
func before(x, y time.Time, a, b *Message) bool {
	if x.Equal(y) {
		return a.number < b.number
	}
	return x.Before(y)
}

// expire removes the messages whose time is over.
func (l *List) expire(now time.Time) {
	for {
		m, ok := l.expiry.Min()
		if !ok || now.Before(m.Expires) {
			return
		}
		l.remove(m)
	}
}

func (l *List) remove(m *Message) {
	l.visible.Delete(m)
	l.expiry.Delete(m)
	delete(l.byID, m.ID)
}

// Len is how many messages there are, visible or not.
func (l *List) Len(now time.Time) int {
	l.expire(now)
	return len(l.byID)
}

// Put adds a message that is visible after hidden and expires after ttl; a negative ttl is
// never.
func (l *List) Put(now time.Time, text string, hidden, ttl time.Duration) Message {
	l.number++
	now = now.UTC()
	m := &Message{ID: uuid.NewString(), Text: text, Inserted: now, Visible: now.Add(hidden), Expires: Never, PopReceipt: receipt(now), number: l.number}
	if ttl >= 0 {
		m.Expires = now.Add(ttl)
	}
	l.add(m)
	return *m
}

func (l *List) add(m *Message) {
	l.byID[m.ID] = m
	l.visible.Set(m)
	l.expiry.Set(m)
}

// Peek returns up to n visible messages and changes nothing.
func (l *List) Peek(now time.Time, n int) []Message {
	l.expire(now)
	var out []Message
	l.visible.Scan(func(m *Message) bool {
		if len(out) == n || m.Visible.After(now) {
			return false
		}
		out = append(out, *m)
		return true
	})
	return out
}

// Get takes up to n visible messages and hides them.
func (l *List) Get(now time.Time, n int, hidden time.Duration) []Message {
	out := l.Peek(now, n)
	for i := range out {
		m := l.byID[out[i].ID]
		m.Dequeued++
		l.hide(m, now, hidden)
		out[i] = *m
	}
	return out
}

// hide makes a message visible after hidden and gives it a new receipt.
func (l *List) hide(m *Message, now time.Time, hidden time.Duration) {
	l.visible.Delete(m)
	m.Visible, m.PopReceipt = now.UTC().Add(hidden), receipt(now)
	l.visible.Set(m)
}

// Update hides a message anew, with another text unless it is nil. The errors are
// MessageNotFound and PopReceiptMismatch, or OutOfRangeQueryParameterValue if it would
// expire before it is visible.
func (l *List) Update(now time.Time, id, pop string, hidden time.Duration, text *string) (Message, *wire.Error) {
	m, err := l.held(now, id, pop)
	if err != nil {
		return Message{}, err
	}
	if now.Add(hidden).After(m.Expires) {
		return Message{}, &wire.Error{Status: http.StatusBadRequest, Code: "OutOfRangeQueryParameterValue", Message: "One of the query parameters specified in the request URI is outside the permissible range."}
	}
	if text != nil {
		m.Text = *text
	}
	l.hide(m, now, hidden)
	return *m, nil
}

// Delete removes a message. The errors are those of Update without the last.
func (l *List) Delete(now time.Time, id, pop string) *wire.Error {
	m, err := l.held(now, id, pop)
	if err == nil {
		l.remove(m)
	}
	return err
}

// held finds the message that a receipt is for.
func (l *List) held(now time.Time, id, pop string) (*Message, *wire.Error) {
	l.expire(now)
	m, ok := l.byID[id]
	switch {
	case !ok:
		return nil, &wire.Error{Status: http.StatusNotFound, Code: "MessageNotFound", Message: "The specified message does not exist."}
	case m.PopReceipt != pop:
		return nil, &wire.Error{Status: http.StatusBadRequest, Code: "PopReceiptMismatch", Message: "The specified pop receipt did not match the pop receipt for a dequeued message."}
	}
	return m, nil
}

// All returns every message that has not expired, in the order of insertion.
func (l *List) All(now time.Time) []Message {
	l.expire(now)
	byNumber := btree.NewBTreeGOptions(func(a, b *Message) bool { return a.number < b.number }, btree.Options{NoLocks: true})
	for _, m := range l.byID {
		byNumber.Set(m)
	}
	out := make([]Message, 0, len(l.byID))
	byNumber.Scan(func(m *Message) bool {
		out = append(out, *m)
		return true
	})
	return out
}

// receipt is opaque: a moment and chance.
func receipt(now time.Time) string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(now.UnixNano()))
	_, _ = rand.Read(b[8:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// IsReceipt tells whether a text has the form of a receipt.
func IsReceipt(s string) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(b) > 0
}
