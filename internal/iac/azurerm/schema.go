// Package azurerm knows what the azurerm provider for Terraform takes: an extract of its
// own schema, as "terraform providers schema -json" prints it, with those resource types
// that declarations may have (gen names them). Check holds code against it without the provider
// and without Terraform.
//
// "scripts/terraform-provider --schema" writes the extract anew.
package azurerm

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

//go:embed schema.jsonl
var extract []byte

// Line is one line of the extract: first the provider's version, then a resource type each.
type Line struct {
	Provider string `json:"provider,omitempty"` // "azurerm 5.2.0"
	Type     string `json:"type,omitempty"`     // "azurerm_key_vault_secret"
	Block    *Block `json:"block,omitempty"`
}

// Block is what a resource, or a block in it, may hold.
type Block struct {
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	Blocks     map[string]Nested    `json:"block_types,omitempty"`
}

// Attribute is one argument or result.
type Attribute struct {
	Type       json.RawMessage `json:"type"` // as cty writes types
	Required   bool            `json:"required,omitempty"`
	Optional   bool            `json:"optional,omitempty"`
	Computed   bool            `json:"computed,omitempty"`
	Deprecated bool            `json:"deprecated,omitempty"`
}

// Nested is a block that may stand in another, and how often.
type Nested struct {
	Mode  string `json:"nesting_mode"`
	Min   int    `json:"min_items,omitempty"`
	Max   int    `json:"max_items,omitempty"` // 0: no limit
	Block Block  `json:"block"`
}

// settable tells whether a user may give the attribute.
func (a Attribute) settable() bool { return a.Required || a.Optional }

func (a Attribute) cty() (cty.Type, error) { return ctyjson.UnmarshalType(a.Type) }

// schema is the extract by resource type.
type schema struct {
	provider  string
	resources map[string]*Block
}

// load reads the extract, once.
var load = sync.OnceValues(func() (schema, error) {
	s := schema{resources: map[string]*Block{}}
	lines := bufio.NewScanner(bytes.NewReader(extract))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return s, fmt.Errorf("azurerm: the schema extract: %w", err)
		}
		if l.Provider != "" {
			s.provider = l.Provider
		}
		if l.Block != nil {
			s.resources[l.Type] = l.Block
		}
	}
	return s, lines.Err()
})

// Provider is the provider's name and version: "azurerm 5.2.0".
func Provider() string {
	s, err := load()
	if err != nil {
		return ""
	}
	return s.provider
}
