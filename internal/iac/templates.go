package iac

import (
	"fmt"
	"slices"
	"strings"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// The limits of a template:
// https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits.
// Its size, 4 MB, and that of the whole job, 1 MB, are kept with room for the values of
// the parameters.
const (
	maxParameters = 256
	maxResources  = 800
	maxBytes      = 512 << 10
)

// template is one Bicep or ARM file: a deployment to one resource group.
type template struct {
	place   Place  // of its resource group
	path    string // without the file's own suffix
	entries []*entry
	params  []decl.Param
}

// templateFiles writes, for each resource group, as many templates as the limits ask for,
// each in a folder of the group.
func (p Project) templateFiles(entries []*entry, ps *params) ([]File, error) {
	list, err := p.templates(entries, ps)
	if err != nil {
		return nil, err
	}
	files := []File{{"README.md", p.templateReadme(list)}, {".gitignore", []byte(templateIgnore)}}
	for _, t := range list {
		text, err := p.text(t.entries, t.params)
		if err != nil {
			return nil, err
		}
		files = append(files, File{t.path + p.suffix(), text})
		if len(t.params) > 0 {
			values, err := parametersExample(t.params)
			if err != nil {
				return nil, err
			}
			files = append(files, File{t.path + parametersSuffix + ".example", values})
		}
	}
	return files, nil
}

// parametersSuffix ends the name of a template's parameter file.
const parametersSuffix = ".parameters.json"

// templateIgnore keeps values out of version control.
const templateIgnore = `# Written by "atg generate": these hold secrets.
*` + parametersSuffix + "\n"

func (p Project) suffix() string {
	if p.Format == decl.Bicep {
		return ".bicep"
	}
	return ".json"
}

func (p Project) text(entries []*entry, all []decl.Param) ([]byte, error) {
	if p.Format == decl.Bicep {
		text, err := bicepOf(entries, all)
		return append([]byte("// "+header+"\n\n"), text...), err
	}
	t, err := armTemplate(entries, all)
	if err != nil {
		return nil, err
	}
	return encode(t)
}

// templates divides entries by resource group and by the limits.
func (p Project) templates(entries []*entry, ps *params) ([]*template, error) {
	var list []*template
	folders := fileNames{}
	var groups []string // of list, in lower case
	for _, e := range entries {
		place := p.Units[e.unit].Target
		group := strings.ToLower(place.SubscriptionID + "/" + place.ResourceGroup)
		if slices.Contains(groups, group) {
			continue
		}
		groups = append(groups, group)
		own := slices.DeleteFunc(slices.Clone(entries), func(e *entry) bool {
			place := p.Units[e.unit].Target
			return strings.ToLower(place.SubscriptionID+"/"+place.ResourceGroup) != group
		})
		folder := folders.give(place.ResourceGroup)
		parts, err := p.divide(own)
		if err != nil {
			return nil, err
		}
		for i, part := range parts {
			name := "main"
			if i > 0 {
				name = fmt.Sprintf("main-%d", i+1)
			}
			list = append(list, &template{place: place, path: folder + "/" + name, entries: part, params: p.paramsOf(part, ps.all)})
		}
	}
	return list, nil
}

// divide cuts entries into parts within the limits. A part may rely on those before it.
func (p Project) divide(entries []*entry) ([][]*entry, error) {
	var parts [][]*entry
	var part []*entry
	used, resources, bytes := map[string]bool{}, 0, 0
	for _, e := range entries {
		size, err := sizeOf(e)
		if err != nil {
			return nil, err
		}
		more := 0
		for _, name := range e.params {
			if p.Has(e.Block) && !used[name] {
				more++
			}
		}
		if len(part) > 0 && (len(used)+more > maxParameters || resources+1 > maxResources || bytes+size > maxBytes) {
			parts, part = append(parts, part), nil
			used, resources, bytes = map[string]bool{}, 0, 0
		}
		part = append(part, e)
		if p.Has(e.Block) {
			resources++
			for _, name := range e.params {
				used[name] = true
			}
		}
		bytes += size
	}
	return append(parts, part), nil
}

// sizeOf is about how many bytes e takes in a template.
func sizeOf(e *entry) (int, error) {
	size := len(e.Note)
	if e.ARM == nil {
		return size, nil
	}
	attrs, err := armObject(e.ARM.Attrs, e.params)
	if err != nil {
		return 0, fmt.Errorf("block %q: %w", e.Name, err)
	}
	text, err := encode(attrs)
	for _, param := range e.Params {
		size += len(param.Description) + 2*len(param.Name)
	}
	return size + len(text), err
}

// parametersExample lists the parameters without values. Azure refuses null where a value
// is needed, so that nothing is set that nobody has filled in. Form:
// https://learn.microsoft.com/azure/azure-resource-manager/templates/parameter-files.
func parametersExample(all []decl.Param) ([]byte, error) {
	values := ordered{}
	for _, param := range all {
		values = append(values, member{param.Name, ordered{{"value", nil}}})
	}
	return encode(ordered{
		{"$schema", "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"},
		{"contentVersion", "1.0.0.0"},
		{"parameters", values},
	})
}
