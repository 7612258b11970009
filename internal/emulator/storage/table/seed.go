package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// seeded is one table of a scenario; the package comment documents it.
type seeded struct {
	Name     string            `json:"name"`
	Policies json.RawMessage   `json:"policies"`
	Entities []json.RawMessage `json:"entities"`
	Generate *struct {
		Prefix       string `json:"prefix"`
		Count        int64  `json:"count"`
		PerPartition int64  `json:"perPartition"`
		Seed         uint64 `json:"seed"`
		Bytes        int    `json:"bytes"`
	} `json:"generate"`
}

// SeedKeys implements kit.Seeder.
func (s *Server) SeedKeys() []string { return []string{"tables"} }

// Seed adds the "tables" of a scenario's data; tables that exist get the entities added.
func (s *Server) Seed(a kit.Account, data json.RawMessage, now time.Time) error {
	var in struct {
		Tables []json.RawMessage `json:"tables"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	for i, raw := range in.Tables {
		var t seeded
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&t); err != nil {
			return fmt.Errorf("tables[%d]: %w", i, err)
		}
		if err := s.seed(a, t, now); err != nil {
			return fmt.Errorf("tables[%d] %q: %w", i, t.Name, err)
		}
	}
	return nil
}

func (s *Server) seed(a kit.Account, in seeded, now time.Time) error {
	policies, err := acl.Seed(in.Policies, letters)
	if err != nil {
		return err
	}
	if err := checkName(in.Name); err != nil {
		return err
	}
	acct := s.account(a.ID)
	acct.mu.Lock()
	defer acct.mu.Unlock()
	if acct.find(in.Name) == nil {
		if err := acct.create(in.Name); err != nil {
			return err
		}
	}
	t := acct.find(in.Name)
	if in.Policies != nil {
		t.policies = policies
	}
	for i, raw := range in.Entities {
		if err := t.seed(raw, now); err != nil {
			return fmt.Errorf("entities[%d]: %w", i, err)
		}
	}
	if g := in.Generate; g != nil {
		prefix := g.Prefix
		if prefix == "" {
			prefix = "p"
		}
		per := g.PerPartition
		if per == 0 {
			per = 1000
		}
		t.rows.Generate(entity.Generated{Prefix: prefix, Count: g.Count, PerPartition: per, Seed: g.Seed, Bytes: g.Bytes, Stamp: now})
	}
	return nil
}

func (t *table) seed(raw json.RawMessage, now time.Time) error {
	d, err := entity.Decode(raw)
	if err != nil {
		return err
	}
	if d.PartitionKey == nil || d.RowKey == nil {
		return errors.New("PartitionKey or RowKey is missing")
	}
	ch := entity.Change{Kind: entity.Replace, PartitionKey: *d.PartitionKey, RowKey: *d.RowKey, Properties: d.Properties}
	if _, _, err := t.rows.Apply(now, ch); err != nil {
		return err
	}
	return nil
}

// Objects returns the tables and entities of an account, generated ones included.
func (s *Server) Objects(a kit.Account) ([]wire.Object, error) {
	acct := s.account(a.ID)
	acct.mu.RLock()
	defer acct.mu.RUnlock()
	var out []wire.Object
	if text := acct.settings.Text(); text != settings.New(true).Text() {
		out = append(out, wire.Object{Key: "tables", Kind: "tableService", Fields: map[string]string{"settings": text}})
	}
	for _, t := range acct.sorted() {
		out = append(out, t.objects()...)
	}
	return out, nil
}

func (t *table) objects() []wire.Object {
	n := 0
	key := "tables/" + t.name
	list := []wire.Object{{Key: key, Kind: "table", Fields: map[string]string{"name": t.name, "policies": acl.Text(t.policies)}}}
	t.rows.Ascend("", "", func(e *entity.Entity) bool {
		n++
		list = append(list, wire.Object{Key: key + "/" + e.PartitionKey + "/" + e.RowKey, Kind: "entity", Fields: fields(e)})
		return true
	})
	list[0].Fields["entities"] = strconv.Itoa(n)
	return list
}

// fields are "Edm.Type value" by property, and the keys.
func fields(e *entity.Entity) map[string]string {
	f := map[string]string{"PartitionKey": e.PartitionKey, "RowKey": e.RowKey}
	for _, p := range e.Properties {
		f[p.Name] = p.Value.Type().Name() + " " + p.Value.String()
	}
	return f
}
