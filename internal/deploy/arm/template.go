package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Scope is where a template can be deployed.
type Scope string

// The scopes that are supported.
const (
	Group        Scope = "resource group"
	Subscription Scope = "subscription"
)

// Template is a deployment template.
type Template struct {
	Text  json.RawMessage // the whole of it, as JSON without comments
	Scope Scope
}

// Parameters are the values for a template's parameters, by name. A value may be a secret:
// they are never shown.
type Parameters = map[string]*armdeployments.DeploymentParameter

// ReadTemplate reads a template file. The errors are of kind Invalid, or Unsupported for a
// template for a management group or a whole tenant.
func ReadTemplate(path string) (Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Template{}, unreadable("template", path, err)
	}
	return ParseTemplate(text, path)
}

// ParseTemplate reads a template. Its scope is what its $schema says
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax). path is
// named in errors.
func ParseTemplate(text []byte, path string) (Template, error) {
	text = Plain(text)
	var doc struct {
		Schema    string          `json:"$schema"`
		Resources json.RawMessage `json:"resources"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return Template{}, unreadable("template", path, err)
	}
	t := Template{Text: text}
	switch schema := strings.ToLower(doc.Schema); {
	case strings.Contains(schema, "subscriptiondeploymenttemplate"):
		t.Scope = Subscription
	case strings.Contains(schema, "managementgroupdeploymenttemplate"), strings.Contains(schema, "tenantdeploymenttemplate"):
		return t, &errs.Error{
			Op: "deploy the template", Kind: errs.Unsupported, Resource: path, Err: errors.New("it is for a management group or a whole tenant"),
			Hint: "deploy it by the Azure CLI, and the data plane by `atg apply`",
		}
	case strings.Contains(schema, "deploymenttemplate"):
		t.Scope = Group
	default:
		return t, unreadable("template", path, fmt.Errorf("its $schema %q is not that of a deployment template", doc.Schema))
	}
	return t, nil
}

// ReadParameters reads a parameter file
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/parameter-files).
// Values are passed on as they are written; references to Key Vault are left to Azure.
func ReadParameters(path string) (Parameters, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable("parameters", path, err)
	}
	return ParseParameters(text, path)
}

// ParseParameters reads the text of a parameter file; path is named in errors.
func ParseParameters(text []byte, path string) (Parameters, error) {
	var doc struct {
		Parameters map[string]struct {
			Value     json.RawMessage                            `json:"value"`
			Reference *armdeployments.KeyVaultParameterReference `json:"reference"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(Plain(text), &doc); err != nil {
		return nil, unreadable("parameters", path, err)
	}
	if doc.Parameters == nil {
		return nil, unreadable("parameters", path, errors.New("it has no object called parameters"))
	}
	out := Parameters{}
	for name, p := range doc.Parameters {
		if p.Value == nil && p.Reference == nil {
			return nil, unreadable("parameters", path, fmt.Errorf("parameter %s has neither a value nor a reference", name))
		}
		param := &armdeployments.DeploymentParameter{Reference: p.Reference}
		if p.Value != nil {
			param.Value = p.Value
		}
		out[name] = param
	}
	return out, nil
}

func unreadable(what, path string, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		err = fmt.Errorf("it is not valid JSON, near byte %d: %w", syntax.Offset, err)
	}
	return &errs.Error{Op: "read the " + what, Kind: errs.Invalid, Resource: path, Err: err, Hint: "mend the file that is named above"}
}

// Plain returns JSON text without a byte order mark and without comments, which templates
// may have, // and /* */. Comments become spaces, so places in errors stay right.
func Plain(text []byte) []byte {
	out := bytes.TrimPrefix(bytes.Clone(text), []byte("\xef\xbb\xbf"))
	for i := 0; i < len(out); {
		switch {
		case out[i] == '"':
			i = endOfString(out, i)
		case bytes.HasPrefix(out[i:], []byte("//")):
			i = blank(out, i, "\n")
		case bytes.HasPrefix(out[i:], []byte("/*")):
			i = blank(out, i, "*/")
		default:
			i++
		}
	}
	return out
}

// endOfString returns where the string that begins at i is over.
func endOfString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// blank writes spaces from i to the end of the comment, and returns where that is.
func blank(text []byte, i int, end string) int {
	n := len(text) - i
	if at := bytes.Index(text[i+2:], []byte(end)); at >= 0 {
		n = 2 + at + len(end)
	}
	for j := i; j < i+n; j++ {
		if text[j] != '\n' {
			text[j] = ' '
		}
	}
	return i + n
}
