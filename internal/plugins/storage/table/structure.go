package table

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/policy"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func client(ctx context.Context, j part.Job, side plugin.Side, name string) (*aztables.Client, error) {
	c, err := service(ctx, j.On(side))
	if err != nil {
		return nil, j.Fail("reach the table service", side, err)
	}
	return c.NewClient(name), nil
}

// failed tells whether the service answered with one of the codes.
func failed(err error, codes ...aztables.TableErrorCode) bool {
	var e *azcore.ResponseError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.ErrorCode == string(c) {
			return true
		}
	}
	return false
}

// policies reads a table's stored access policies (Get Table ACL); there is false if the
// table is not there.
func policies(ctx context.Context, j part.Job, side plugin.Side, name string) (ps []policy.Policy, there bool, err error) {
	c, err := client(ctx, j, side, name)
	if err != nil {
		return nil, false, err
	}
	resp, err := c.GetAccessPolicy(ctx, nil)
	switch {
	case failed(err, aztables.TableNotFound, aztables.ResourceNotFound, aztables.TableBeingDeleted):
		return nil, false, nil
	case err != nil:
		return nil, false, j.Fail("read the table's stored access policies", side, err, readPolicy)
	}
	for _, id := range resp.SignedIdentifiers {
		if id == nil {
			continue
		}
		var p aztables.AccessPolicy
		if id.AccessPolicy != nil {
			p = *id.AccessPolicy
		}
		ps = append(ps, policy.Of(id.ID, p.Start, p.Expiry, p.Permission))
	}
	return ps, true, nil
}

// both reads the policies of both sides. A table that is gone from the source is an error
// of kind NotFound.
func both(ctx context.Context, j part.Job, r ref) (src, dst []policy.Policy, there bool, err error) {
	src, there, err = policies(ctx, j, plugin.Source, r.Table)
	if err != nil {
		return nil, nil, false, err
	}
	if !there {
		return nil, nil, false, j.Problem("read the table", plugin.Source, errs.NotFound, errors.New("it is gone since it was listed"))
	}
	dst, there, err = policies(ctx, j, plugin.Target, r.Table)
	return src, dst, there, err
}

func compareTable(ctx context.Context, j part.Job, r ref) (plugin.Comparison, error) {
	src, dst, there, err := both(ctx, j, r)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case !there:
		return plugin.Comparison{State: plugin.Missing}, nil
	case !policy.Same(src, dst):
		return part.Verdict([]string{"stored access policies"}), nil
	}
	return part.Verdict(nil), nil
}

func replicateTable(ctx context.Context, j part.Job, r ref) (plugin.Outcome, error) {
	src, dst, there, err := both(ctx, j, r)
	if err != nil {
		return plugin.Outcome{}, err
	}
	out := plugin.Outcome{Status: plugin.Unchanged}
	switch same := policy.Same(src, dst); {
	case there && same:
		return out, nil
	case there && !j.Overwrite && (len(dst) > 0 || j.Checkpoint == nil): // without policies and with a checkpoint it is this item's own
		return out, j.Problem("create the table", plugin.Target, errs.Conflict, errors.New("there is one of that name with other stored access policies"))
	case there:
		out.Status = plugin.Updated
	default:
		out.Status = plugin.Created
		if err := create(ctx, j, r, len(src) > 0); err != nil {
			return plugin.Outcome{}, err
		}
	}
	if !policy.Same(src, dst) {
		err = setPolicies(ctx, j, r, src)
	}
	return out, err
}

// create makes the table. The checkpoint tells a later attempt that it is its own.
func create(ctx context.Context, j part.Job, r ref, more bool) error {
	c, err := client(ctx, j, plugin.Target, r.Table)
	if err != nil {
		return err
	}
	if j.Save != nil && more {
		if err := j.Save([]byte("creating")); err != nil {
			return err
		}
	}
	j.To.Wrote()
	if _, err := c.CreateTable(ctx, nil); err != nil && !failed(err, aztables.TableAlreadyExists) { // a lost answer, sent again
		return j.Fail("create the table", plugin.Target, err, writeTables)
	}
	return nil
}

func setPolicies(ctx context.Context, j part.Job, r ref, ps []policy.Policy) error {
	c, err := client(ctx, j, plugin.Target, r.Table)
	if err != nil {
		return err
	}
	ids := make([]*aztables.SignedIdentifier, len(ps))
	for i, p := range ps {
		id, start, expiry, permission := p.Fields()
		ids[i] = &aztables.SignedIdentifier{ID: id, AccessPolicy: &aztables.AccessPolicy{Start: start, Expiry: expiry, Permission: permission}}
	}
	if _, err := c.SetAccessPolicy(ctx, &aztables.SetAccessPolicyOptions{TableACL: ids}); err != nil {
		return j.Fail("set the table's stored access policies", plugin.Target, err, writePolicy)
	}
	return nil
}

// armVersion is the API version in the declarations, whose properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.storage/2023-05-01/storageaccounts/tableservices/tables.
const armVersion = "2023-05-01"

// declare describes the table.
func declare(ctx context.Context, j part.Job, r ref) ([]iac.Block, error) {
	ps, _, err := policies(ctx, j, plugin.Source, r.Table)
	if err != nil {
		return nil, err
	}
	b := iac.Block{
		Name: r.Table,
		TF: &iac.TFForm{
			Type:     "azurerm_storage_table",
			Attrs:    iac.Object{{Name: "name", Value: r.Table}, {Name: "storage_account_id", Value: j.Target.Resource.ID}},
			ImportID: j.Target.Resource.ID + "/tableServices/default/tables/" + r.Table,
		},
		ARM: &iac.ARMForm{
			Type: "Microsoft.Storage/storageAccounts/tableServices/tables", APIVersion: armVersion,
			Name: j.Target.Resource.Name + "/default/" + r.Table, Attrs: iac.Object{{Name: "properties", Value: iac.Object{}}},
		},
	}
	if len(ps) > 0 {
		b.Note = "Its stored access policies are not part of this code: a run copies them."
	}
	return []iac.Block{b}, nil
}
