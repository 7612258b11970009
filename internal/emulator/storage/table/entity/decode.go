package entity

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Draft is an entity as a request's body has it. A key that the body lacks is nil.
type Draft struct {
	PartitionKey, RowKey *string
	Properties           []Property
}

// member is one name and value of a JSON object.
type member struct {
	name string
	raw  json.RawMessage
}

// Decode reads a JSON entity. Annotations of types are taken, other annotations and the
// Timestamp are ignored, and so are properties that are null.
func Decode(body []byte) (Draft, *wire.Error) {
	var d Draft
	list, types, err := members(body)
	if err != nil {
		return d, err
	}
	for _, m := range list {
		if err := d.take(m, types[m.name]); err != nil {
			return d, err
		}
	}
	return d, nil
}

// members splits an object into its properties and the types that it names for them.
func members(body []byte) ([]member, map[string]string, *wire.Error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fault.Input("")
	}
	var list []member
	types, seen := map[string]string{}, map[string]bool{}
	for dec.More() {
		m, err := next(dec)
		if err != nil {
			return nil, nil, fault.Input("")
		}
		if seen[m.name] {
			return nil, nil, fault.Duplicate()
		}
		seen[m.name] = true
		if name, ok := strings.CutSuffix(m.name, "@odata.type"); ok {
			if err := json.Unmarshal(m.raw, new(string)); err != nil {
				return nil, nil, fault.Input("")
			}
			types[name] = strings.Trim(string(m.raw), `"`)
			continue
		}
		if !strings.HasPrefix(m.name, "odata.") && !strings.Contains(m.name, "@odata.") && m.name != "Timestamp" {
			list = append(list, m)
		}
	}
	if _, err := dec.Token(); err != nil || dec.More() {
		return nil, nil, fault.Input("")
	}
	return list, types, nil
}

func next(dec *json.Decoder) (member, error) {
	var m member
	t, err := dec.Token()
	if err != nil {
		return m, err
	}
	name, ok := t.(string)
	if !ok {
		return m, errors.New("a member without a name")
	}
	m.name = name
	return m, dec.Decode(&m.raw)
}

func (d *Draft) take(m member, annotation string) *wire.Error {
	v, ok, err := edm.FromJSON(m.raw, annotation)
	switch {
	case errors.Is(err, edm.ErrRange):
		return fault.OutOfRange(m.name, strings.Trim(string(m.raw), `"`))
	case err != nil:
		return fault.Input("")
	case !ok:
		return nil
	}
	switch m.name {
	case "PartitionKey":
		return key(&d.PartitionKey, v)
	case "RowKey":
		return key(&d.RowKey, v)
	}
	d.Properties = append(d.Properties, Property{Name: m.name, Value: v})
	return nil
}

func key(dst **string, v edm.Value) *wire.Error {
	if v.Type() != edm.String {
		return fault.Input("")
	}
	s := v.String()
	*dst = &s
	return nil
}
