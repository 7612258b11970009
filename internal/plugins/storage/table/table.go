// Package table is the part of the storage plugin for Table Storage: tables with their
// stored access policies, and their entities, with the type of every property. Entities
// that the target lacks go up to a hundred at once, by transactions that insert those of
// one partition; all others one by one.
package table

import (
	"context"
	"fmt"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The item kinds.
const (
	kindTable  = "table"
	kindEntity = "entity"
)

// The rights that operations need
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
const (
	actions      = "Microsoft.Storage/storageAccounts/tableServices/tables/"
	readTables   = actions + "read"
	writeTables  = actions + "write"
	readPolicy   = actions + "getAcl/action"
	writePolicy  = actions + "setAcl/action"
	readEntities = actions + "entities/read"
	addEntity    = actions + "entities/add/action"
	writeEntity  = actions + "entities/write"
)

// scalability is the page that says the service's limits.
const scalability = "https://learn.microsoft.com/azure/storage/tables/scalability-targets"

// ref is how the part finds a thing again.
type ref struct {
	Table     string     `json:"t"`
	Partition string     `json:"p,omitempty"`
	Row       string     `json:"r,omitempty"`
	Hint      *hint.Hint `json:"h,omitempty"`
}

// tables is the part.Part.
type tables struct{}

var _ part.Batcher = tables{}

// New returns the part for tables.
func New() part.Part { return tables{} }

// About implements part.Part.
func (tables) About() part.About {
	return part.About{
		Name: "tables", Service: account.Table,
		Items: []plugin.ItemKind{
			{Name: kindTable, Plural: "tables", Holds: true},
			{Name: kindEntity, Plural: "entities", Batch: mostChanges},
		},
		Limits:      []plugin.Limit{{Name: "requests to tables", Host: "*.table.*", Count: 20_000, Per: time.Second, Source: scalability}},
		Cannot:      []string{"Timestamps and ETags of entities are the service's own. Tables of metrics ($Metrics…) are not copied."},
		Permissions: permissions,
		PerSecond:   2_000,
	}
}

// permissions are what the part needs.
func permissions(mode plugin.Mode) []plugin.Permission {
	control := func(side plugin.Side, action, reason string) plugin.Permission {
		return plugin.Permission{Side: side, Actions: []string{action}, Reason: reason}
	}
	data := func(side plugin.Side, action, reason string) plugin.Permission {
		return plugin.Permission{Side: side, DataActions: []string{action}, Reason: reason}
	}
	out := []plugin.Permission{
		control(plugin.Source, readTables, "list the tables"),
		control(plugin.Source, readPolicy, "read the tables' stored access policies"),
		control(plugin.Target, writeTables, "create tables"),
		control(plugin.Target, readPolicy, "see the tables' stored access policies"),
		control(plugin.Target, writePolicy, "set stored access policies"),
	}
	if mode == plugin.Template {
		return out
	}
	return append(out,
		data(plugin.Source, readEntities, "read entities"),
		data(plugin.Target, readEntities, "see which entities are there"),
		data(plugin.Target, addEntity, "insert entities"),
	)
}

// Replicate implements part.Part.
func (tables) Replicate(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	r, err := decode(j)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if j.Item.Kind == kindEntity {
		return replicateEntity(ctx, j, r)
	}
	return replicateTable(ctx, j, r)
}

// Compare implements part.Part.
func (tables) Compare(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	r, err := decode(j)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if j.Item.Kind == kindEntity {
		return compareEntity(ctx, j, r)
	}
	return compareTable(ctx, j, r)
}

// Declare implements part.Part. Entities are data: they have no form as code here.
func (tables) Declare(ctx context.Context, j part.Job) ([]iac.Block, error) {
	r, err := decode(j)
	if err != nil || j.Item.Kind != kindTable {
		return nil, err
	}
	return declare(ctx, j, r)
}

func decode(j part.Job) (ref, error) {
	r, err := plugin.Decode[ref](j.Item)
	if err == nil && r.Table == "" {
		err = fmt.Errorf("it names no table")
	}
	if err != nil {
		return r, j.Problem("start", "", errs.Invalid, fmt.Errorf("its reference was not made by this version: plan again: %w", err))
	}
	return r, nil
}
