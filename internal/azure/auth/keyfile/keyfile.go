// Package keyfile reads the connection strings and keys that a user gives for single
// resources, for those that take no token or none of this principal.
//
// The file is one JSON object: by resource ID or name, an object of secrets by name, such
// as
//
//	{"st-contoso": {"connectionString": "DefaultEndpointsProtocol=https;…"},
//	 "/subscriptions/…/databaseAccounts/db": {"accountKey": "…"}}
//
// Which names a resource type takes is its plugin's matter. Nobody but the owner may be
// able to read the file.
package keyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// maxFile bounds a file, in bytes: thousands of resources fit in.
const maxFile = 4 << 20

// File holds the secrets of the resources of one side. A nil *File holds none.
type File struct {
	side    plugin.Side
	path    string
	entries []entry
}

// entry is one resource and its secrets.
type entry struct {
	resource string // ID or name
	secrets  map[string]secret.Value
}

// Read reads the file at path for a side; stdin is read where path is Stdin. Errors are
// *errs.Error of kind Invalid and quote no secret.
func Read(side plugin.Side, path string, stdin io.Reader) (*File, error) {
	f := &File{side: side, path: path}
	text, err := content(path, stdin)
	if err != nil {
		return nil, f.invalid(err)
	}
	if f.entries, err = parse(text); err != nil {
		return nil, f.invalid(err)
	}
	return f, nil
}

func content(path string, stdin io.Reader) ([]byte, error) {
	if path != Stdin {
		file, err := os.Open(path)
		if err != nil {
			return nil, errors.Unwrap(err)
		}
		defer func() { _ = file.Close() }()
		if err := private(file); err != nil {
			return nil, err
		}
		stdin = file
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return text, err
}

// readable is the error of a file that others can read.
type readable struct{ mode os.FileMode }

func (r readable) Error() string {
	return fmt.Sprintf("others than its owner can read or write it (mode %04o)", r.mode)
}

// private refuses a file that others can get at. Windows keeps that elsewhere.
func private(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if mode := info.Mode(); runtime.GOOS != "windows" && mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return readable{mode.Perm()}
	}
	return nil
}

// parse goes through the object by hand: a resource that stands there twice is refused,
// rather than the last one taken.
func parse(text []byte) ([]entry, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	var out []entry
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		e := entry{resource: fmt.Sprint(key)}
		var values map[string]string
		if err := d.Decode(&values); err != nil {
			return nil, fmt.Errorf("%s: want an object of texts: %w", e.resource, notJSON(err))
		}
		if slices.ContainsFunc(out, func(o entry) bool { return strings.EqualFold(o.resource, e.resource) }) {
			return nil, fmt.Errorf("%s stands there twice", e.resource)
		}
		if e.secrets, err = secrets(values); err != nil {
			return nil, fmt.Errorf("%s: %w", e.resource, err)
		}
		out = append(out, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its JSON object")
	}
	return out, nil
}

// notJSON says where JSON went wrong, not what stands there.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON at byte %d", syntax.Offset)
	case errors.As(err, &form):
		return fmt.Errorf("there is a %s", form.Value)
	}
	return errors.New("its JSON ends too early")
}

func secrets(values map[string]string) (map[string]secret.Value, error) {
	out := make(map[string]secret.Value, len(values))
	for name, value := range values {
		if value == "" {
			return nil, fmt.Errorf("%q is empty", name)
		}
		out[strings.ToLower(name)] = secret.New(value)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no secret")
	}
	return out, nil
}

// Of returns what plugin.Endpoint.Secret wants for a resource: its secrets by name, in
// any case; nil if the file has none for it.
func (f *File) Of(r plugin.Resource) func(name string) (secret.Value, bool) {
	if f == nil {
		return nil
	}
	all := map[string]secret.Value{}
	for _, e := range f.entries {
		if !e.names(r) {
			continue
		}
		for name, value := range e.secrets {
			if _, taken := all[name]; !taken || e.byID() { // the ID says more than the name
				all[name] = value
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return func(name string) (secret.Value, bool) {
		v, ok := all[strings.ToLower(name)]
		return v, ok
	}
}

func (e entry) byID() bool { return strings.HasPrefix(e.resource, "/") }

// names tells whether the entry is about r.
func (e entry) names(r plugin.Resource) bool {
	if e.byID() {
		return strings.EqualFold(e.resource, r.ID)
	}
	return strings.EqualFold(e.resource, r.Name)
}

// Check holds the file against what the side's inventory found of the given resource
// types. An entry that names no resource, or by its name several, is an error of kind
// Invalid that lists all of them; IDs of other types are left aside.
func (f *File) Check(found []plugin.Resource, types []string) error {
	if f == nil {
		return nil
	}
	var unknown, several []string
	for _, e := range f.entries {
		n := 0
		for _, r := range found {
			if e.names(r) {
				n++
			}
		}
		switch {
		case n == 0 && e.concerns(types):
			unknown = append(unknown, e.resource)
		case n > 1:
			several = append(several, e.resource)
		}
	}
	var problems []error
	if len(unknown) > 0 {
		problems = append(problems, fmt.Errorf("the %s inventory has no resource %s", f.side, strings.Join(unknown, ", ")))
	}
	if len(several) > 0 {
		problems = append(problems, fmt.Errorf("several resources have the name %s", strings.Join(several, ", ")))
	}
	if len(problems) == 0 {
		return nil
	}
	e := f.invalid(errors.Join(problems...))
	e.Hint = "name each resource by its ID or by a name that it alone has, as `az resource list` shows them"
	return e
}

// concerns tells whether the entry may be about a resource of one of the types. A name
// may be about any.
func (e entry) concerns(types []string) bool {
	if !e.byID() || len(types) == 0 {
		return true
	}
	id, err := azarm.ParseResourceID(e.resource)
	return err != nil || slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, id.ResourceType.String()) })
}

func (f *File) invalid(err error) *errs.Error {
	e := &errs.Error{Op: "use the secrets file " + f.path, Kind: errs.Invalid, Side: string(f.side), Err: err}
	if f.path == Stdin {
		e.Op = "use the secrets from standard input"
	}
	if errors.As(err, new(readable)) {
		e.Hint = "keep it to yourself: `chmod 600 " + f.path + "`"
	}
	if e.Hint == "" {
		e.Hint = `the file is a JSON object such as {"RESOURCE ID OR NAME": {"connectionString": "…"}}`
	}
	return e
}
