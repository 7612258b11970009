// Package contoso is the tenant that the demo copies: a made-up company with three key
// vaults, a storage account and what people really keep in them, the awkward things
// included. Every value is invented; nothing here opens anything.
//
// scenario.json is what Generate(DefaultSeed) gives, and mapping.json pairs the one vault
// whose target carries no tag. Both are kept as files to be read, changed and given to
// "atg emulator start --scenario"; "go test ./examples/contoso -update" writes them anew.
//
// arm has the template that deploys the target's resources, with its parameters. The demo
// begins before that deployment, with the world of Undeployed.
package contoso

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
)

// DefaultSeed is the seed of scenario.json.
const DefaultSeed = 1

//go:embed scenario.json
var scenario []byte

//go:embed mapping.json
var mapping []byte

//go:embed arm/*.json
var templates embed.FS

// Templates returns the files of the folder arm: the template of the target's resources and
// its parameters.
func Templates() fs.FS { return templates }

// Scenario returns an emulator scenario as JSON: that of scenario.json for DefaultSeed,
// for any other seed the same tenants and resources with other content.
func Scenario(seed uint64) ([]byte, error) {
	if seed == DefaultSeed {
		return bytes.Clone(scenario), nil
	}
	return encode(Generate(seed))
}

// Undeployed returns the scenario of a seed as it is before the template is deployed: of
// the target's resources only the vault that is in use is there, and the target's principal
// may deploy.
func Undeployed(seed uint64) ([]byte, error) {
	w := Generate(seed)
	t := &w.Tenants[1]
	group := &t.Subscriptions[0].ResourceGroups[0]
	group.Resources = slices.DeleteFunc(group.Resources, func(r Resource) bool { return r.Data == nil })
	t.RoleAssignments = append(t.RoleAssignments, RoleAssignment{t.Principals[0].Name, "Contributor", "/subscriptions/" + targetSub})
	return encode(w)
}

// TargetGroup is the resource group that the template is for.
const TargetGroup = targetRG

// Mapping returns the mapping file that belongs to every scenario of this package.
func Mapping() []byte { return bytes.Clone(mapping) }

// Settings are what the demo sets, in the form of --set: all versions and snapshots of what
// is copied, and content that is read at both sides to compare it.
func Settings() []string {
	return []string{"keyvault.versions=all", "keyvault.deleted=recover", "storage.history=snapshots", "storage.verify=content"}
}

// The names of the two tenants in every scenario.
const (
	Source = "contoso"
	Target = "fabrikam"
)

// The scenario's form is documented by the emulator; these types write the part of it
// that the demo uses. They share nothing with the emulator's, so that a change of the
// form cannot go unnoticed.
type (
	// World is a whole scenario.
	World struct {
		Tenants []Tenant `json:"tenants"`
	}
	// Tenant is one tenant with its identities, subscriptions and role assignments.
	Tenant struct {
		ID              string           `json:"id"`
		Name            string           `json:"name"`
		Domain          string           `json:"domain"`
		Principals      []Principal      `json:"principals"`
		Subscriptions   []Subscription   `json:"subscriptions"`
		RoleAssignments []RoleAssignment `json:"roleAssignments"`
	}
	// Principal is a service principal.
	Principal struct {
		AppID    string `json:"appId"`
		ObjectID string `json:"objectId"`
		Name     string `json:"name"`
	}
	// Subscription holds resource groups.
	Subscription struct {
		ID             string          `json:"id"`
		Name           string          `json:"name"`
		ResourceGroups []ResourceGroup `json:"resourceGroups"`
	}
	// ResourceGroup holds resources.
	ResourceGroup struct {
		Name      string     `json:"name"`
		Location  string     `json:"location"`
		Resources []Resource `json:"resources"`
	}
	// Resource is a resource with what lives inside it.
	Resource struct {
		Type       string            `json:"type"`
		Name       string            `json:"name"`
		Location   string            `json:"location"`
		Kind       string            `json:"kind,omitempty"`
		SKU        map[string]any    `json:"sku,omitempty"`
		Tags       map[string]string `json:"tags,omitempty"`
		Properties map[string]any    `json:"properties"`
		Data       any               `json:"data,omitempty"` // a *Vault, an *Account; nil: nothing
	}
	// RoleAssignment gives a principal a role.
	RoleAssignment struct {
		Principal string `json:"principal"`
		Role      string `json:"role"`
		Scope     string `json:"scope"`
	}
)

// encode writes v as indented JSON with a line feed at its end, letters as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write the scenario: %w", err)
	}
	return b.Bytes(), nil
}
