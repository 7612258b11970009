// Package iac holds neutral declarations of resources: what a plugin says about an
// item, before internal rendering turns it into Terraform, Bicep or ARM JSON.
// A declaration never holds a secret: a secret is a Param, given at deployment.
//
// It is a leaf: it imports nothing of this project.
package iac

import "context"

// Format is a language in which declarations can be written.
type Format string

// The formats.
const (
	Terraform Format = "terraform"
	Bicep     Format = "bicep"
	ARM       Format = "arm"
)

// Formats lists every format.
func Formats() []Format { return []Format{Terraform, Bicep, ARM} }

// Block declares one thing. A form that is nil means that the language has no type
// for the thing; Note then says so to the reader of the generated code.
type Block struct {
	Name   string  // wished symbolic name; the renderer makes it legal and unique
	Note   string  // a comment above the block; empty for none
	Params []Param // parameters that the attributes refer to
	// After names things of the same resource that must exist first, by the keys of their
	// items ("issuers/digicert"). The item's parent need not be named; a key of which nothing
	// is declared means nothing.
	After []string
	TF    *TFForm
	ARM   *ARMForm
}

// TFForm is the Terraform face of a Block.
type TFForm struct {
	Type     string // "azurerm_key_vault_secret"
	Attrs    Object
	ImportID string // ID for an import block; empty if the thing cannot be imported, or Import asks for it
	// Import asks the target for the ID where only the target knows it: IDs of Key Vault
	// name a version. It returns "" if the target does not have the thing. Nil: ImportID is
	// all there is to know.
	Import func(context.Context) (string, error) `json:"-"`
	// IgnoreChanges lists attributes for lifecycle.ignore_changes.
	IgnoreChanges []string
}

// ARMForm is the ARM and Bicep face of a Block. Scope names the resource that must
// exist already: the parent's type and name are the leading segments of Type and Name.
type ARMForm struct {
	Type       string // "Microsoft.KeyVault/vaults/secrets"
	APIVersion string // "2023-07-01"
	Name       string // "kv-prod/db-password"
	Attrs      Object // everything beside type, apiVersion and name: tags, properties, …
}

// Param is a value that the person who deploys must give.
type Param struct {
	Name        string
	Description string
	Sensitive   bool
}

// Object is an ordered list of attributes.
type Object []Attr

// Attr is one attribute. Value is a string, bool, int, int64, []string, []any, Object
// (a map attribute), Nested (a Terraform nested block; an object in ARM) or Ref.
type Attr struct {
	Name  string
	Value any
}

// Nested is a Terraform nested block; ARM renders it as an object.
type Nested Object

// Ref is a reference to a Param by its name.
type Ref string
