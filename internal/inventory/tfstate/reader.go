package tfstate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory/position"
)

// version is the version of state files that is read: that of Terraform 0.12 and later.
const version = 4

// readFile hands each instance of a known type in the file to use. Errors that have a
// place in the file are of type *position.Error.
func readFile(ctx context.Context, path string, use func(instance) error) error {
	in, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err)
	}
	defer in.Close()
	text := bufio.NewReaderSize(in, 64<<10)
	skipped, err := skipMark(text)
	if err != nil {
		return err
	}
	r := &reader{ctx: ctx, dec: json.NewDecoder(text), use: use}
	if err := r.document(); err != nil {
		var placed *position.Error
		if errors.As(err, &placed) && placed.Offset != position.Syntax {
			placed.Offset += skipped
		}
		return err
	}
	return nil
}

// skipMark skips the mark by which some editors begin files in UTF-8, and refuses UTF-16,
// which older shells on Windows write.
func skipMark(in *bufio.Reader) (int64, error) {
	head, _ := in.Peek(3) // what cannot be read here cannot be read later either
	switch {
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		n, err := in.Discard(len(head))
		return int64(n), err
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return 0, &refusal{errs.Unsupported, "the file is in UTF-16", "write it in UTF-8; in PowerShell: `terraform state pull | Out-File -Encoding utf8 FILE`"}
	}
	return 0, nil
}

// reader reads one document as a stream of JSON tokens and resource instances.
type reader struct {
	ctx context.Context //nolint:containedctx // it lives for one call of readFile
	dec *json.Decoder
	use func(instance) error

	version   int    // of a state file; 0 if it has not been read yet
	format    string // version of the output of "show -json"
	backend   string // type of the backend that a stub names
	resources bool   // there were resources
	other     string // a key that only other documents have
}

// document reads the whole file.
func (r *reader) document() error {
	if open, err := r.token(); err != nil {
		return err
	} else if open != json.Delim('{') {
		return r.here(errors.New("the file is not a Terraform state: it must be a JSON object"))
	}
	if err := r.object(r.top); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return r.here(errors.New("there is something behind the end of the state"))
	}
	return nil
}

// top reads the value of a key of the document.
func (r *reader) top(key string) error {
	switch key {
	case "version":
		return r.decode(&r.version)
	case "format_version":
		return r.decode(&r.format)
	case "resources":
		if r.version != 0 && r.version != version {
			return r.skip()
		}
		r.resources = true
		return r.array(r.resource)
	case "values":
		if err := r.showable(); err != nil {
			return err
		}
		return r.optional(func() error { return r.object(r.values) })
	case "backend":
		return r.optional(func() error { return r.object(r.backendKey) })
	case "planned_values", "resource_changes", "encrypted_data":
		r.other = key
	}
	return r.skip()
}

func (r *reader) backendKey(key string) error {
	if key == "type" {
		return r.decode(&r.backend)
	}
	return r.skip()
}

// check says at the end of the document whether it was a state.
func (r *reader) check() error {
	switch {
	case r.other == "encrypted_data":
		return &refusal{errs.Unsupported, "the state is encrypted", "write it in the clear, with `tofu state pull > FILE`, and delete the file afterwards"}
	case r.other != "":
		return &refusal{errs.Invalid, "the file is a plan, not a state", "print the state: `terraform show -json > FILE`, without the name of a plan"}
	case r.format != "":
		return r.showable()
	case r.backend != "" && !r.resources:
		return remote(r.backend)
	case r.version == 0:
		return errors.New(`the file is not a Terraform state: "version" is missing`)
	case r.version < version:
		return &refusal{
			errs.Unsupported, fmt.Sprintf("the state is of version %d, as Terraform before 0.12 wrote it; only version %d can be read", r.version, version),
			"upgrade it: `terraform init && terraform apply -refresh-only` with Terraform 0.13 writes version 4",
		}
	case r.version > version:
		return &refusal{errs.Unsupported, fmt.Sprintf("the state is of version %d; this program reads version %d", r.version, version), "print it with `terraform show -json > FILE` and give that"}
	}
	return nil
}

// showable tells whether the output of "show -json" has a form that is known.
func (r *reader) showable() error {
	state := &tfjson.State{FormatVersion: r.format}
	if err := state.Validate(); err != nil {
		return &refusal{errs.Unsupported, err.Error(), "print the state with a Terraform or OpenTofu of version 1: `terraform show -json > FILE`"}
	}
	return nil
}

// object reads what follows a "{", key by key, up to and with its "}".
func (r *reader) object(value func(key string) error) error {
	for r.dec.More() {
		key, err := r.token()
		if err != nil {
			return err
		}
		if err := value(key.(string)); err != nil { // a key is always a text
			return err
		}
	}
	_, err := r.token()
	return err
}

// optional reads an object, or null.
func (r *reader) optional(object func() error) error {
	open, err := r.token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('{') {
		return r.here(errors.New("an object must stand here"))
	}
	return object()
}

// array reads an array, or null, and calls element before each of its values.
func (r *reader) array(element func() error) error {
	open, err := r.token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('[') {
		return r.here(errors.New("an array must stand here"))
	}
	for r.dec.More() {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := element(); err != nil {
			return err
		}
	}
	_, err = r.token()
	return err
}

func (r *reader) token() (json.Token, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, r.here(err)
	}
	return t, nil
}

func (r *reader) decode(into any) error {
	if err := r.dec.Decode(into); err != nil {
		return r.here(err)
	}
	return nil
}

// skip reads over a value of any size without keeping it.
func (r *reader) skip() error {
	depth := 0
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// here places an error at the point up to which the file has been read.
func (r *reader) here(err error) error { return position.Of(r.dec, err) }
