package tfstate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	tfjson "github.com/hashicorp/terraform-json"
)

// block is a resource of a state file; it has an instance for each index.
type block struct {
	module, mode, typ, name string
	late                    json.RawMessage // instances that stand before the rest
}

// resource reads an element of "resources" in a state file.
func (r *reader) resource() error {
	return r.optional(func() error {
		var b block
		err := r.object(func(key string) error {
			switch key {
			case "module":
				return r.decode(&b.module)
			case "mode":
				return r.decode(&b.mode)
			case "type":
				return r.decode(&b.typ)
			case "name":
				return r.decode(&b.name)
			case "instances":
				return r.instances(&b)
			}
			return r.skip()
		})
		if err != nil || b.late == nil {
			return err
		}
		return r.lateInstances(b)
	})
}

// instances reads the instances of a block. Terraform writes what the block is before
// them; of a file that something else has sorted they are kept until that is known.
func (r *reader) instances(b *block) error {
	if b.mode == "" || b.typ == "" || b.name == "" {
		return r.decode(&b.late)
	}
	if !b.counts() {
		return r.skip()
	}
	return r.array(func() error {
		var in stateInstance
		if err := r.decode(&in); err != nil {
			return err
		}
		if err := r.use(b.instance(in)); err != nil {
			return r.here(err)
		}
		return nil
	})
}

func (r *reader) lateInstances(b block) error {
	if !b.counts() {
		return nil
	}
	var all []stateInstance
	if err := json.Unmarshal(b.late, &all); err != nil {
		return r.here(fmt.Errorf("the instances of %s: %w", b.address(nil), err))
	}
	for _, in := range all {
		if err := r.use(b.instance(in)); err != nil {
			return r.here(err)
		}
	}
	return nil
}

// counts tells whether the block is managed and of a known type.
func (b *block) counts() bool { return b.mode == "managed" && known(b.typ) }

// stateInstance is an instance as a state file has it.
type stateInstance struct {
	IndexKey   json.RawMessage `json:"index_key"`
	Status     string          `json:"status"`
	Deposed    string          `json:"deposed"`
	Attributes attributes      `json:"attributes"`
}

func (b *block) instance(in stateInstance) instance {
	return instance{
		address: b.address(in.IndexKey), typ: b.typ, name: b.name, attributes: in.Attributes,
		tainted: in.Status == "tainted", deposed: in.Deposed != "",
	}
}

// address is how Terraform names an instance.
func (b *block) address(index json.RawMessage) string {
	out := b.typ + "." + b.name
	if b.module != "" {
		out = b.module + "." + out
	}
	if len(index) > 0 && !bytes.Equal(index, []byte("null")) {
		out += "[" + string(index) + "]"
	}
	return out
}

// values reads a key of "values" in the output of "show -json".
func (r *reader) values(key string) error {
	if key != "root_module" {
		return r.skip()
	}
	return r.module()
}

// module reads a module with those inside it.
func (r *reader) module() error {
	return r.optional(func() error {
		return r.object(func(key string) error {
			switch key {
			case "resources":
				return r.array(r.shown)
			case "child_modules":
				return r.array(r.module)
			}
			return r.skip()
		})
	})
}

// shown reads a resource of the output of "show -json".
func (r *reader) shown() error {
	var in tfjson.StateResource
	if err := r.decode(&in); err != nil {
		return err
	}
	if in.Mode != tfjson.ManagedResourceMode || !known(in.Type) {
		return nil
	}
	values, err := shownAttributes(in.AttributeValues)
	if err == nil {
		err = r.use(instance{address: in.Address, typ: in.Type, name: in.Name, tainted: in.Tainted, deposed: in.DeposedKey != "", attributes: values})
	}
	if err != nil {
		return r.here(err)
	}
	return nil
}

// shownAttributes turns the attributes that count back into what a state file has.
func shownAttributes(in map[string]any) (attributes, error) {
	out := attributes{}
	for _, name := range []string{
		"id", "location", "tags", "kind", "account_kind", "sku", "sku_name",
		"account_tier", "account_replication_type", "storage_account_type", "body",
	} {
		if in[name] == nil {
			continue
		}
		raw, err := json.Marshal(in[name])
		if err != nil {
			return nil, errors.Join(fmt.Errorf("attribute %s", name), err)
		}
		out[name] = raw
	}
	return out, nil
}
