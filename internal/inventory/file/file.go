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
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
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
			yield(plugin.Resource{}, f.fail(f.locate(err)))
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

// at is an error at a place in the file, in bytes from its start.
type at struct {
	offset int64
	err    error
}

func (e *at) Error() string { return e.err.Error() }
func (e *at) Unwrap() error { return e.err }

// locate puts the line before an error that has a place. Lines are counted only then.
func (f *Finder) locate(err error) error {
	var place *at
	if !errors.As(err, &place) {
		return err
	}
	line, countErr := lineAt(f.path, place.offset)
	if countErr != nil {
		return err // the file went away meanwhile: the error without its line is all there is
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// lineAt returns the number of the line that holds the byte at offset, counted from 1.
func lineAt(path string, offset int64) (int, error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	counter := &lines{n: 1}
	_, err = io.CopyN(counter, in, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return counter.n, err
}

// lines is a writer that counts line ends.
type lines struct{ n int }

func (l *lines) Write(p []byte) (int, error) {
	l.n += strings.Count(string(p), "\n")
	return len(p), nil
}
