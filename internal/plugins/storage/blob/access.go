package blob

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
)

// access is who may do what with a path of a hierarchical namespace
// (https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-access-control).
type access struct {
	Owner string `json:"o,omitempty"`
	Group string `json:"g,omitempty"`
	ACL   string `json:"a,omitempty"`
}

// accessOf returns what a listing shows; nil if it was not asked for or shows none.
func accessOf(e *listing.Entry, asked bool) *access {
	if !asked || (e.Owner == "" && e.ACL == "") {
		return nil
	}
	return &access{e.Owner, e.Group, e.ACL}
}

// identities maps object IDs of the source's tenant, in lower case, to those of the target's.
type identities map[string]string

// readIdentities reads the file that the setting names: a JSON object of strings. It
// returns nil for "".
func readIdentities(file string) (identities, error) {
	if file == "" {
		return nil, nil
	}
	refuse := func(err error) (identities, error) {
		return nil, &errs.Error{
			Op: "read the map of object IDs", Kind: errs.Invalid, Err: err,
			Hint: `give a file like {"SOURCE-OBJECT-ID": "TARGET-OBJECT-ID"} as --set storage.acl-map=FILE`,
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return refuse(err)
	}
	var given map[string]string
	if err := json.Unmarshal(raw, &given); err != nil {
		return refuse(fmt.Errorf("%s: %w", file, err))
	}
	ids := make(identities, len(given))
	for k, v := range given {
		ids[strings.ToLower(k)] = v
	}
	return ids, nil
}

// of returns the target's ID for one of the source's. The super user is everywhere the same.
func (ids identities) of(id string) (string, bool) {
	if id == "" || strings.HasPrefix(id, "$") {
		return id, true
	}
	to, ok := ids[strings.ToLower(id)]
	return to, ok
}

// mapped returns a as the target is to have it, and the IDs that the map does not have:
// what speaks of them is left away.
func (ids identities) mapped(a access) (access, []string) {
	var out access
	var unknown []string
	one := func(id string) string {
		to, ok := ids.of(id)
		if !ok {
			unknown = append(unknown, id)
			return ""
		}
		return to
	}
	out.Owner, out.Group = one(a.Owner), one(a.Group)
	var entries []string
	for entry := range strings.SplitSeq(a.ACL, ",") {
		parts := strings.Split(entry, ":") // [default:]type:id:permissions
		if len(parts) < 3 {
			continue
		}
		at := len(parts) - 2
		id := parts[at]
		if parts[at] = one(id); id != "" && parts[at] == "" {
			continue
		}
		entries = append(entries, strings.Join(parts, ":"))
	}
	out.ACL = strings.Join(entries, ",")
	slices.Sort(unknown)
	return out, slices.Compact(unknown)
}

// differs tells whether a target has not what a wants. An owner that could not be mapped
// is not missed.
func (a *access) differs(at *access) bool {
	if a == nil {
		return false
	}
	if at == nil {
		return true
	}
	return (a.Owner != "" && a.Owner != at.Owner) || (a.Group != "" && a.Group != at.Group) || !sameACL(a.ACL, at.ACL)
}

// sameACL compares lists without regard to order.
func sameACL(a, b string) bool {
	x, y := strings.Split(a, ","), strings.Split(b, ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
