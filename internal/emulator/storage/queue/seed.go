package queue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue/messages"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// seeded is one queue of a scenario; the package comment documents it.
type seeded struct {
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata"`
	Policies json.RawMessage   `json:"policies"`
	Messages []struct {
		Text   string `json:"text"`
		TTL    int    `json:"ttl"`
		Hidden int    `json:"hidden"`
	} `json:"messages"`
	Generate struct {
		Count int    `json:"count"`
		Bytes int    `json:"bytes"`
		Seed  uint64 `json:"seed"`
	} `json:"generate"`
}

// SeedKeys implements kit.Seeder.
func (s *Server) SeedKeys() []string { return []string{"queues"} }

// Seed adds the "queues" of a scenario's data; queues that exist get the messages added.
func (s *Server) Seed(a kit.Account, data json.RawMessage, now time.Time) error {
	var in struct {
		Queues []json.RawMessage `json:"queues"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("queues: %w", err)
	}
	for i, raw := range in.Queues {
		var q seeded
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&q); err != nil {
			return fmt.Errorf("queues[%d]: %w", i, err)
		}
		if err := s.seed(a, q, now); err != nil {
			return fmt.Errorf("queues[%d] %q: %w", i, q.Name, err)
		}
	}
	return nil
}

func (s *Server) seed(a kit.Account, in seeded, now time.Time) error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	policies, err := acl.Seed(in.Policies, letters)
	if err != nil {
		return err
	}
	md, err := meta.FromSeed(in.Metadata)
	if err != nil {
		return err
	}
	acct := s.account(a.ID)
	acct.mu.Lock()
	defer acct.mu.Unlock()
	q, ok := acct.queues[in.Name]
	if !ok {
		q = &queue{metadata: md, messages: messages.New()}
		acct.queues[in.Name] = q
	}
	if in.Metadata != nil {
		q.metadata = md
	}
	if in.Policies != nil {
		q.policies = policies
	}
	for i, m := range in.Messages {
		if len(m.Text) > largest {
			return fmt.Errorf("messages[%d]: longer than %d bytes", i, largest)
		}
		if m.TTL == 0 {
			m.TTL = week
		}
		q.messages.Put(now, m.Text, seconds(m.Hidden), seconds(m.TTL))
	}
	for i := range in.Generate.Count {
		q.messages.Put(now, text(in.Generate.Seed, i, in.Generate.Bytes), 0, seconds(week))
	}
	return nil
}

// text makes the i-th message of a seed.
func text(seed uint64, i, n int) string {
	const chars = "abcdefghijklmnopqrstuvwxyz0123456789"
	rnd := rand.New(rand.NewPCG(seed, uint64(i)))
	b := make([]byte, min(n, largest))
	for j := range b {
		b[j] = chars[rnd.IntN(len(chars))]
	}
	return string(b)
}

// Objects returns the queues and messages of an account.
func (s *Server) Objects(a kit.Account) ([]wire.Object, error) {
	acct := s.account(a.ID)
	now := s.opt.Clock()
	acct.mu.Lock()
	defer acct.mu.Unlock()
	var out []wire.Object
	if t := acct.settings.Text(); t != settings.New(true).Text() {
		out = append(out, wire.Object{Key: "queues", Kind: "queueService", Fields: map[string]string{"settings": t}})
	}
	for _, name := range acct.names() {
		q := acct.queues[name]
		key := "queues/" + name
		out = append(out, wire.Object{Key: key, Kind: "queue", Fields: map[string]string{
			"metadata": q.metadata.Text(), "policies": acl.Text(q.policies), "messages": strconv.Itoa(q.messages.Len(now)),
		}})
		for i, m := range q.messages.All(now) {
			out = append(out, wire.Object{Key: fmt.Sprintf("%s/%08d", key, i), Kind: "message", Fields: map[string]string{
				"text": m.Text, "inserted": m.Inserted.Format(time.RFC3339), "expires": m.Expires.Format(time.RFC3339),
				"visible": m.Visible.Format(time.RFC3339), "dequeued": strconv.Itoa(m.Dequeued),
			}})
		}
	}
	return out, nil
}
