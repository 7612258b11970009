package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// get reads one entity (Query Entities by key); nil if it is not there.
func get(ctx context.Context, j part.Job, side plugin.Side, r ref) (*entity.Entity, error) {
	c, err := client(ctx, j, side, r.Table)
	if err != nil {
		return nil, err
	}
	if r.Partition == "" || r.Row == "" {
		return find(ctx, j, side, c, r)
	}
	way, format := &raw{}, aztables.MetadataFormatFull
	_, err = c.GetEntity(through(ctx, way), r.Partition, r.Row, &aztables.GetEntityOptions{Format: &format})
	switch {
	case failed(err, aztables.ResourceNotFound, aztables.EntityNotFound, aztables.TableNotFound):
		return nil, nil //nolint:nilnil // there is no such entity
	case err != nil:
		return nil, j.Fail("read the entity", side, err, readEntities)
	}
	e, err := entity.Parse(way.got)
	if err != nil {
		return nil, j.Problem("read the entity", side, errs.Internal, err)
	}
	return e, nil
}

// find reads an entity by a filter: the SDK refuses to address one whose key is empty.
func find(ctx context.Context, j part.Job, side plugin.Side, c *aztables.Client, r ref) (e *entity.Entity, err error) {
	pages(ctx, c, "PartitionKey eq "+quote(r.Partition)+" and RowKey eq "+quote(r.Row), func(found *entity.Entity, failure error) bool {
		e, err = found, failure
		return false
	})
	switch {
	case failed(err, aztables.TableNotFound, aztables.ResourceNotFound):
		return nil, nil //nolint:nilnil // there is no such entity
	case err != nil:
		return nil, j.Fail("read the entity", side, err, readEntities)
	}
	return e, nil
}

// source reads the source's entity. One that is gone is an error of kind NotFound.
func source(ctx context.Context, j part.Job, r ref) (*entity.Entity, error) {
	e, err := get(ctx, j, plugin.Source, r)
	if err == nil && e == nil {
		err = j.Problem("read the entity", plugin.Source, errs.NotFound, errors.New("it is gone since it was listed"))
	}
	return e, err
}

func replicateEntity(ctx context.Context, j part.Job, r ref) (plugin.Outcome, error) {
	known := r.Hint.For(j.To, time.Now())
	if known == hint.Same {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	src, err := source(ctx, j, r)
	if err != nil {
		return plugin.Outcome{}, err
	}
	var dst *entity.Entity
	for blind := r.Hint.Absent(j.To); dst == nil; blind = false {
		if !blind {
			if dst, err = get(ctx, j, plugin.Target, r); err != nil {
				return plugin.Outcome{}, err
			}
		}
		if dst == nil {
			out, err := insert(ctx, j, r, src)
			if !failed(err, aztables.EntityAlreadyExists) {
				return out, err
			}
		}
	}
	fields := src.Differences(dst)
	switch {
	case len(fields) == 0:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case !j.Overwrite:
		return plugin.Outcome{}, j.Problem("insert the entity", plugin.Target, errs.Conflict, fmt.Errorf("there is one with other properties: %s", summary(fields)))
	}
	return replace(ctx, j, r, src, dst.ETag)
}

// most is how many properties are named.
const most = 5

func summary(fields []string) string {
	if len(fields) > most {
		return fmt.Sprintf("%q and %d more", fields[:most], len(fields)-most)
	}
	return fmt.Sprintf("%q", fields)
}

// body writes an entity in place of what the SDK makes of it, and stub is for the SDK,
// which wants to see the keys.
func body(r ref, e *entity.Entity) (way *raw, stub []byte, err error) {
	text, err := e.JSON()
	if err != nil {
		return nil, nil, err
	}
	stub, err = json.Marshal(map[string]string{"PartitionKey": r.Partition, "RowKey": r.Row})
	return &raw{send: text}, stub, err
}

// insert makes the entity (Insert Entity). An error that it exists is returned as the
// service's, also where it is this call's own, sent twice.
func insert(ctx context.Context, j part.Job, r ref, e *entity.Entity) (plugin.Outcome, error) {
	c, err := client(ctx, j, plugin.Target, r.Table)
	if err != nil {
		return plugin.Outcome{}, err
	}
	way, stub, err := body(r, e)
	if err != nil {
		return plugin.Outcome{}, j.Problem("insert the entity", plugin.Target, errs.Internal, err)
	}
	j.To.Wrote()
	if _, err := c.AddEntity(through(ctx, way), stub, nil); err != nil {
		return plugin.Outcome{}, j.Fail("insert the entity", plugin.Target, err, addEntity)
	}
	return moved(j, plugin.Created, len(way.send)), nil
}

// replace overwrites the entity that was seen (Update Entity with its ETag).
func replace(ctx context.Context, j part.Job, r ref, e *entity.Entity, etag string) (plugin.Outcome, error) {
	c, err := client(ctx, j, plugin.Target, r.Table)
	if err != nil {
		return plugin.Outcome{}, err
	}
	way, stub, err := body(r, e)
	if err != nil {
		return plugin.Outcome{}, j.Problem("replace the entity", plugin.Target, errs.Internal, err)
	}
	if r.Partition == "" || r.Row == "" {
		return plugin.Outcome{}, j.Problem("replace the entity", plugin.Target, errs.Unsupported, errors.New("the Azure SDK cannot address an entity whose key is empty; delete it at the target, and it will be copied"))
	}
	seen := azcore.ETag(etag)
	j.To.Wrote()
	if _, err := c.UpdateEntity(through(ctx, way), stub, &aztables.UpdateEntityOptions{IfMatch: &seen, UpdateMode: aztables.UpdateModeReplace}); err != nil {
		return plugin.Outcome{}, j.Fail("replace the entity", plugin.Target, err, writeEntity)
	}
	return moved(j, plugin.Updated, len(way.send)), nil
}

func moved(j part.Job, status plugin.Status, size int) plugin.Outcome {
	n := int64(size)
	if j.Progress != nil {
		j.Progress(n)
	}
	return plugin.Outcome{Status: status, Bytes: n}
}

func compareEntity(ctx context.Context, j part.Job, r ref) (plugin.Comparison, error) {
	switch r.Hint.For(j.To, time.Now()) {
	case hint.Same:
		return part.Verdict(nil), nil
	case hint.Absent:
		return plugin.Comparison{State: plugin.Missing}, nil
	case hint.Other:
	}
	src, err := source(ctx, j, r)
	if err != nil {
		return plugin.Comparison{}, err
	}
	dst, err := get(ctx, j, plugin.Target, r)
	if err != nil || dst == nil {
		return plugin.Comparison{State: plugin.Missing}, err
	}
	return part.Verdict(src.Differences(dst)), nil
}
