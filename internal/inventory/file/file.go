// Package file reads an inventory from a JSON file: an object {"resources":[…]} or a bare
// array, such as "az resource list -o json" prints. Each entry is an object:
//
//	id              resource ID; the only field that must be there
//	type, name, resourceGroup, subscriptionId
//	                may be left out; where given they must agree with the ID
//	kind, location, tenantId
//	                texts
//	sku             a text, or an object with "name"
//	tags            an object of texts
//	properties      an object, as ARM answers with it
//
// The other fields of ARM's resource envelope (identity, plan, managedBy, systemData, …) are
// accepted and left aside. Any other field, a value of the wrong type and a resource that
// is listed twice are errors that name the line.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/position"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var _ inventory.Finder = (*Finder)(nil)

// Finder reads a file. It holds one resource at a time, and the IDs that it has seen.
type Finder struct {
	path   string
	tenant string
}

// New returns an inventory.Finder over the file at path. Resources that name no tenant get
// tenantID.
func New(path, tenantID string) *Finder { return &Finder{path: path, tenant: tenantID} }

// Find implements inventory.Finder. The stream ends with the first error, which is of kind
// Invalid and names file, line and field: a file is mended, not read in part.
func (f *Finder) Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error] {
	return func(yield func(plugin.Resource, error) bool) {
		in, err := os.Open(f.path)
		if err != nil {
			yield(plugin.Resource{}, f.fail(err))
			return
		}
		defer in.Close()
		r := &reader{dec: json.NewDecoder(in), tenant: f.tenant, seen: map[string]struct{}{}}
		stopped := errors.New("stopped")
		err = r.read(ctx, func(res plugin.Resource) error {
			if !wanted(types, res.Type) || yield(res, nil) {
				return nil
			}
			return stopped
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(plugin.Resource{}, f.fail(position.Locate(f.path, err)))
		}
	}
}

func wanted(types []string, typ string) bool {
	return len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, typ) })
}

func (f *Finder) fail(err error) error {
	e := &errs.Error{Op: "read the inventory " + f.path, Kind: errs.Invalid, Err: err}
	if errors.Is(err, os.ErrNotExist) {
		e.Kind = errs.NotFound
	}
	if errs.KindOf(err) == errs.Canceled {
		e.Kind = errs.Canceled
	}
	return e
}
