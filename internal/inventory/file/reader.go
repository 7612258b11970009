package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory/position"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// reader reads one file as a stream of JSON tokens and entries.
type reader struct {
	dec    *json.Decoder
	tenant string
	seen   map[string]struct{} // IDs in lower case
	start  int64               // where the entry at hand begins, in bytes
}

// read hands each resource to use, until use returns an error.
func (r *reader) read(ctx context.Context, use func(plugin.Resource) error) error {
	open, err := r.token()
	if err != nil {
		return err
	}
	switch open {
	case json.Delim('['):
		err = r.entries(ctx, use)
	case json.Delim('{'):
		err = r.object(ctx, use)
	default:
		err = r.here(errors.New(`the file must hold an object {"resources":[…]} or an array`))
	}
	if err != nil {
		return err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return r.here(errors.New("there is something behind the end of the inventory"))
	}
	return nil
}

// object reads what follows the "{" of {"resources":[…]}.
func (r *reader) object(ctx context.Context, use func(plugin.Resource) error) error {
	found := false
	for r.dec.More() {
		name, err := r.token()
		if err != nil {
			return err
		}
		if name != "resources" {
			return r.here(fmt.Errorf(`there is no field %q here; "resources" is the only one`, name))
		}
		if found {
			return r.here(errors.New(`"resources" is there twice`))
		}
		found = true
		open, err := r.token()
		if err != nil {
			return err
		}
		if open != json.Delim('[') {
			return r.here(errors.New(`"resources" must be an array`))
		}
		if err := r.entries(ctx, use); err != nil {
			return err
		}
	}
	if !found {
		return r.here(errors.New(`"resources" is missing`))
	}
	_, err := r.token()
	return err
}

// entries reads what follows a "[", and its "]".
func (r *reader) entries(ctx context.Context, use func(plugin.Resource) error) error {
	for n := 1; r.dec.More(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		res, err := r.entry()
		if err != nil {
			return fmt.Errorf("resource %d: %w", n, err)
		}
		if err := use(res); err != nil {
			return err
		}
	}
	_, err := r.token()
	return err
}

// entry reads one resource.
func (r *reader) entry() (plugin.Resource, error) {
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return plugin.Resource{}, r.here(err)
	}
	r.start = r.dec.InputOffset() - int64(len(raw))
	e, field, err := parse(raw)
	if err != nil {
		return plugin.Resource{}, &position.Error{Offset: r.start + field, Err: err}
	}
	res, err := e.resource()
	if err != nil {
		return res, &position.Error{Offset: r.start, Err: err}
	}
	key := strings.ToLower(res.ID)
	if _, twice := r.seen[key]; twice {
		return res, &position.Error{Offset: r.start, Err: fmt.Errorf("%s is listed twice", res.ID)}
	}
	r.seen[key] = struct{}{}
	if res.TenantID == "" {
		res.TenantID = r.tenant
	}
	return res, nil
}

func (r *reader) token() (json.Token, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, r.here(err)
	}
	return t, nil
}

// here places an error at the point up to which the file has been read.
func (r *reader) here(err error) error { return position.Of(r.dec, err) }
