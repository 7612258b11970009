package queue

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	page   = 32              // messages that one request shows
	hold   = 5 * time.Minute // how long Get Messages hides what it shows
	toMany = "its %d messages cannot be shown by peeking, which shows 32: --set storage.messages=get reads them, and changes the source"
)

// message is what can be carried over of one.
type message struct {
	text    string
	expires time.Time
}

// set counts messages by the digest of their text. It stays in memory.
type set map[[sha256.Size]byte]int

func (s set) add(m message) { s[sha256.Sum256([]byte(m.text))]++ }

// take removes one message like m and tells whether there was one.
func (s set) take(m message) bool {
	d := sha256.Sum256([]byte(m.text))
	if s[d] == 0 {
		return false
	}
	if s[d]--; s[d] == 0 {
		delete(s, d)
	}
	return true
}

// replicateMessages copies the messages of a queue into one that has none. Where a run was
// cut in the middle, a later attempt looks which of them are there already.
func replicateMessages(ctx context.Context, j part.Job, r ref) (plugin.Outcome, error) {
	src, dst, err := both(ctx, j, r)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if src.count > page && j.Setting(setMessages) != messagesAll {
		return part.Skipped(fmt.Sprintf(toMany, src.count))
	}
	there := set{}
	if dst.count > 0 {
		if there, err = standing(ctx, j, r, src, dst); err != nil {
			return plugin.Outcome{}, err
		}
	}
	if there == nil || src.count == 0 {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	if j.Save != nil {
		if err := j.Save([]byte("copying")); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return copyMessages(ctx, j, r, src.count, there)
}

// standing returns the messages at the target that this item put there before; nil if they
// are all of them. Messages that something else put there are a conflict, or are removed
// if they may be.
func standing(ctx context.Context, j part.Job, r ref, src, dst shape) (set, error) {
	if j.Checkpoint == nil {
		same, err := equal(ctx, j, r, src, dst)
		switch {
		case err != nil || same:
			return nil, err
		case !j.Overwrite:
			return nil, j.Problem("copy the messages", plugin.Target, errs.Conflict, fmt.Errorf("the queue has %d messages of its own", dst.count))
		}
		c, err := client(ctx, j, plugin.Target, r.Name)
		if err != nil {
			return nil, err
		}
		if _, err := c.ClearMessages(ctx, nil); err != nil {
			return nil, j.Fail("remove the target's messages", plugin.Target, err)
		}
		return set{}, nil
	}
	there := set{}
	err := each(ctx, j, plugin.Target, r.Name, dst.count, func(m message) error {
		there.add(m)
		return nil
	})
	return there, err
}

// copyMessages puts what the source has and there has not.
func copyMessages(ctx context.Context, j part.Job, r ref, expected int64, there set) (plugin.Outcome, error) {
	c, err := client(ctx, j, plugin.Target, r.Name)
	if err != nil {
		return plugin.Outcome{}, err
	}
	out := plugin.Outcome{Status: plugin.Created}
	var seen int64
	err = each(ctx, j, plugin.Source, r.Name, expected, func(m message) error {
		seen++
		if there.take(m) {
			return nil
		}
		if _, err := c.EnqueueMessage(ctx, m.text, &azqueue.EnqueueMessageOptions{TimeToLive: m.left(time.Now())}); err != nil {
			return j.Fail("put a message", plugin.Target, err, putMessages)
		}
		out.Bytes += int64(len(m.text))
		if j.Progress != nil {
			j.Progress(out.Bytes)
		}
		return nil
	})
	if hidden := expected - seen; err == nil && hidden > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d of %d messages are hidden by a consumer and were not copied", hidden, expected))
	}
	return out, err
}

// left is the time to live, in seconds: what remains of it, or -1 for a message that never
// expires, which the service shows as the year 9999.
func (m message) left(now time.Time) *int32 {
	ttl := int32(-1)
	if m.expires.Year() < 9999 {
		seconds := math.Ceil(m.expires.Sub(now).Seconds())
		ttl = int32(min(max(seconds, 1), math.MaxInt32))
	}
	return &ttl
}

// each calls f for every message of a queue that can be seen. It peeks where that shows
// all, which leaves no trace; else it gets them, which hides each for as long as hold.
func each(ctx context.Context, j part.Job, side plugin.Side, name string, count int64, f func(message) error) error {
	c, err := client(ctx, j, side, name)
	if err != nil {
		return err
	}
	if count <= page {
		ms, err := peek(ctx, j, side, c)
		for i := 0; err == nil && i < len(ms); i++ {
			err = f(ms[i])
		}
		return err
	}
	number, hidden := int32(page), int32(hold/time.Second)
	seen := map[string]bool{} // a message that was hidden for too short a time comes again
	for {
		resp, err := c.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{NumberOfMessages: &number, VisibilityTimeout: &hidden})
		if err != nil {
			return j.Fail("get messages", side, err, getMessages)
		}
		fresh := false
		for _, m := range resp.Messages {
			if m == nil || m.MessageID == nil || seen[*m.MessageID] {
				continue
			}
			seen[*m.MessageID], fresh = true, true
			if err := f(messageOf(m.MessageText, m.ExpirationTime)); err != nil {
				return err
			}
		}
		if !fresh {
			return nil
		}
	}
}

func peek(ctx context.Context, j part.Job, side plugin.Side, c *azqueue.QueueClient) ([]message, error) {
	number := int32(page)
	resp, err := c.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: &number})
	if err != nil {
		return nil, j.Fail("peek at the messages", side, err, readMessages)
	}
	out := make([]message, 0, len(resp.Messages))
	for _, m := range resp.Messages {
		if m != nil {
			out = append(out, messageOf(m.MessageText, m.ExpirationTime))
		}
	}
	return out, nil
}

func messageOf(text *string, expires *time.Time) message {
	m := message{expires: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if text != nil {
		m.text = *text
	}
	if expires != nil {
		m.expires = *expires
	}
	return m
}

// equal tells whether two queues that can be peeked at hold the same messages, and whether
// larger ones hold as many.
func equal(ctx context.Context, j part.Job, r ref, src, dst shape) (bool, error) {
	if src.count != dst.count || src.count > page {
		return src.count == dst.count, nil
	}
	var sets [2]set
	for i, side := range []plugin.Side{plugin.Source, plugin.Target} {
		sets[i] = set{}
		err := each(ctx, j, side, r.Name, src.count, func(m message) error {
			sets[i].add(m)
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return maps.Equal(sets[0], sets[1]), nil
}

func compareMessages(ctx context.Context, j part.Job, r ref) (plugin.Comparison, error) {
	src, dst, err := both(ctx, j, r)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if src.count > page && j.Setting(setMessages) != messagesAll {
		return part.Cannot(fmt.Sprintf(toMany, src.count))
	}
	if dst.count == 0 && src.count > 0 {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	same, err := equal(ctx, j, r, src, dst)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case !same:
		return plugin.Comparison{State: plugin.Different, Fields: []string{"messages"}}, nil
	case src.count > page:
		return plugin.Comparison{State: plugin.Same, Reason: "as many messages; reading them again would hide them from their consumers once more"}, nil
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}, nil
}
