package deployment

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Modes of a deployment.
const (
	incremental = "Incremental"
	complete    = "Complete"
)

// content is the body of a deployment, read.
type content struct {
	location   string
	tags       map[string]any
	mode       string
	debug      string // debugSetting's detailLevel
	format     string // of a what-if: ResourceIdOnly or FullResourcePayloads
	text       json.RawMessage
	template   *template.Template
	parameters map[string]any // by name, as they are given to the template
}

// body is the form of a deployment's PUT, validate and whatIf.
type body struct {
	Location   string         `json:"location"`
	Tags       map[string]any `json:"tags"`
	Properties *struct {
		Mode           string                        `json:"mode"`
		Template       json.RawMessage               `json:"template"`
		TemplateLink   *link                         `json:"templateLink"`
		Parameters     json.RawMessage               `json:"parameters"`
		ParametersLink *link                         `json:"parametersLink"`
		Debug          *struct{ DetailLevel string } `json:"debugSetting"`
		OnError        json.RawMessage               `json:"onErrorDeployment"`
		WhatIf         struct{ ResultFormat string } `json:"whatIfSettings"`
	} `json:"properties"`
}

type link struct {
	URI          string `json:"uri"`
	ID           string `json:"id"`
	RelativePath string `json:"relativePath"`
}

func (l *link) refusal() *wire.Error {
	for _, target := range []string{l.URI, l.ID, l.RelativePath} {
		if target != "" {
			return errLink(target)
		}
	}
	return errContent("the link has neither a uri nor an id")
}

// secrets reads the value that a parameter's reference to a vault names.
type secrets func(reference map[string]any) (any, *wire.Error)

// readContent reads the body of a deployment.
func readContent(raw json.RawMessage, vault secrets) (*content, *wire.Error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, errContent("%v", err)
	}
	p := b.Properties
	if p == nil {
		return nil, errContent("Required property 'properties' not found in JSON.")
	}
	c := &content{location: strings.ToLower(strings.ReplaceAll(b.Location, " ", "")), tags: b.Tags, mode: incremental, format: p.WhatIf.ResultFormat}
	switch {
	case p.TemplateLink != nil:
		return nil, p.TemplateLink.refusal()
	case p.ParametersLink != nil:
		return nil, p.ParametersLink.refusal()
	case given(p.OnError):
		return nil, errNotImplemented("onErrorDeployment")
	case strings.EqualFold(p.Mode, complete):
		c.mode = complete
	case p.Mode != "" && !strings.EqualFold(p.Mode, incremental):
		return nil, errContent("Error converting value \"%s\" to type 'DeploymentMode'. Path 'properties.mode'.", p.Mode)
	case !given(p.Template):
		return nil, refusal(400, "InvalidTemplate", "Deployment template validation failed: 'The template or the template link must be provided.'.")
	}
	if p.Debug != nil {
		c.debug = p.Debug.DetailLevel
	}
	c.text = unquoted(p.Template)
	var err error
	if c.template, err = template.Parse(c.text); err != nil {
		return nil, wireError(err)
	}
	var refused *wire.Error
	c.parameters, refused = readParameters(unquoted(p.Parameters), vault)
	return c, refused
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// unquoted: the API takes template and parameters as objects or as texts of JSON.
func unquoted(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		return json.RawMessage(text)
	}
	return raw
}

// readParameters reads {"name": {"value": …}}, or a whole parameter file.
func readParameters(raw json.RawMessage, vault secrets) (map[string]any, *wire.Error) {
	out := map[string]any{}
	if !given(raw) {
		return out, nil
	}
	v, err := function.Decode(raw)
	all, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, errContent("the parameters are not a JSON object")
	}
	if inner, isFile := all["parameters"].(map[string]any); isFile && all["$schema"] != nil {
		all = inner
	}
	for name, p := range all {
		m, ok := p.(map[string]any)
		if !ok {
			return nil, errContent("Error converting value of the parameter '%s' to type 'DeploymentParameterDefinition'.", name)
		}
		if reference, ok := m["reference"].(map[string]any); ok {
			v, refused := vault(reference)
			if refused != nil {
				return nil, refused
			}
			out[name] = v
			continue
		}
		out[name] = m["value"]
	}
	return out, nil
}

// Hash gives a template without spaces, and its hash: a number that is the same for the
// same content. Azure's algorithm is not known.
func Hash(template any) (minified, hash string) {
	minified = function.Encode(template)
	h := fnv.New64a()
	_, _ = h.Write([]byte(minified)) // never fails
	return minified, strconv.FormatUint(h.Sum64(), 10)
}

// hash is Hash of a template's text, which can be decoded.
func hash(text json.RawMessage) string {
	v, err := function.Decode(text)
	if err != nil {
		return ""
	}
	_, sum := Hash(v)
	return sum
}
