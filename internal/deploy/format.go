// Package deploy is the control plane of a deploy: it finds out which format the files of
// a directory have and hands them to the driver of that format. terraform runs Terraform
// or OpenTofu, arm talks to the deployments API of Azure Resource Manager, bicep compiles
// and leaves the rest to arm; change is what all of them say.
package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/arm"
)

// Format is a language of infrastructure as code.
type Format string

// The formats.
const (
	Terraform Format = "terraform"
	Bicep     Format = "bicep"
	ARM       Format = "arm"
)

// Formats lists every format.
func Formats() []Format { return []Format{Terraform, Bicep, ARM} }

// Found is what a directory holds, by file name in alphabetical order.
type Found struct {
	Terraform  []string // *.tf, *.tf.json
	Bicep      []string // *.bicep
	Templates  []string // JSON files whose $schema is that of a deployment template
	Parameters []string // JSON files whose $schema is that of deployment parameters
	BicepParam []string // *.bicepparam
}

// maxSniffed is how much of a JSON file is read to find its $schema. Templates that are
// larger are refused by Azure: its limit is 4 MB.
const maxSniffed = 8 << 20

// Look reads the top level of dir, as upstream does: what is below belongs to modules.
func Look(dir string) (Found, error) {
	const op = "read the directory"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Found{}, &errs.Error{Op: op, Kind: errs.Invalid, Resource: dir, Err: unwrapPath(err), Hint: "--iac-dir names the directory with the Terraform, Bicep or ARM files"}
	}
	var f Found
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := f.sort(dir, e.Name()); err != nil {
			return Found{}, &errs.Error{Op: op, Kind: errs.Invalid, Resource: dir, Err: err}
		}
	}
	return f, nil
}

// sort puts a file where it belongs; most belong nowhere.
func (f *Found) sort(dir, name string) error {
	switch {
	case strings.HasSuffix(name, ".tf"), strings.HasSuffix(name, ".tf.json"):
		f.Terraform = append(f.Terraform, name)
	case strings.HasSuffix(name, ".bicep"):
		f.Bicep = append(f.Bicep, name)
	case strings.HasSuffix(name, ".bicepparam"):
		f.BicepParam = append(f.BicepParam, name)
	case strings.HasSuffix(name, ".json"):
		schema, err := schemaOf(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		switch schema = strings.ToLower(schema); {
		case strings.Contains(schema, "deploymenttemplate"):
			f.Templates = append(f.Templates, name)
		case strings.Contains(schema, "deploymentparameters"):
			f.Parameters = append(f.Parameters, name)
		}
	}
	return nil
}

// schemaOf returns the $schema of a JSON file, and "" for a file that is no JSON object: it
// is somebody else's.
func schemaOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxSniffed {
		return "", unwrapPath(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Base(path), unwrapPath(err))
	}
	var doc struct {
		Schema string `json:"$schema"`
	}
	if json.Unmarshal(arm.Plain(text), &doc) != nil {
		return "", nil
	}
	return doc.Schema, nil
}

// unwrapPath drops the path from a file error: whoever shows it has named it.
func unwrapPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Choose returns the format of what was found. wanted, if it is set, wins, as long as
// there is a file of it. No format, or several, is an error that lists the files.
func (f Found) Choose(dir string, wanted Format) (Format, error) {
	names := map[Format][]string{Terraform: f.Terraform, Bicep: f.Bicep, ARM: f.Templates}
	var there []Format
	for _, format := range Formats() {
		if len(names[format]) > 0 {
			there = append(there, format)
		}
	}
	switch {
	case wanted != "" && slices.Contains(there, wanted):
		return wanted, nil
	case wanted != "":
		return "", f.unclear(dir, fmt.Errorf("it holds no %s files: %s", wanted, f.list(there, names)), "give the --iac-format that is there, or another --iac-dir")
	case len(there) == 1:
		return there[0], nil
	case len(there) == 0:
		return "", f.unclear(dir, errors.New("it holds no *.tf, no *.bicep and no JSON file whose $schema is that of a deployment template"), "give the directory with the files by --iac-dir")
	default:
		return "", f.unclear(dir, fmt.Errorf("it holds several formats: %s", f.list(there, names)), fmt.Sprintf("say which one by --iac-format %s", there[0]))
	}
}

func (f Found) unclear(dir string, why error, hint string) error {
	return &errs.Error{Op: "tell the format of the files", Kind: errs.Invalid, Resource: dir, Err: why, Hint: hint}
}

// maxListed is how many files of a format an error names.
const maxListed = 5

func (f Found) list(there []Format, names map[Format][]string) string {
	if len(there) == 0 {
		return "it holds none of any format"
	}
	parts := make([]string, len(there))
	for i, format := range there {
		parts[i] = fmt.Sprintf("%s (%s)", format, some(names[format]))
	}
	return strings.Join(parts, ", ")
}

// some lists the first names and counts the others.
func some(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// Main returns the file to deploy: the only one of the format, or the one with a name that
// convention gives to the entry. Several others are an error that lists them.
func (f Found) Main(dir string, format Format) (string, error) {
	names, entries := f.Templates, []string{"azuredeploy.json", "mainTemplate.json", "main.json"}
	if format == Bicep {
		names, entries = f.Bicep, []string{"main.bicep"}
	}
	if len(names) == 1 {
		return filepath.Join(dir, names[0]), nil
	}
	for _, entry := range entries {
		if slices.Contains(names, entry) {
			return filepath.Join(dir, entry), nil
		}
	}
	return "", f.unclear(dir, fmt.Errorf("it holds several %s files and none is called %s: %s", format, strings.Join(entries, " or "), some(names)),
		fmt.Sprintf("call the one to deploy %s, or put it into a directory of its own", entries[0]))
}

// ParameterFile returns the parameters that belong to the main file: those that have its
// name, NAME.parameters.json, NAME.bicepparam or parameters.json, else the only ones there
// are. It returns "" if there are none, and an error if it is unclear which.
func (f Found) ParameterFile(dir, main string) (string, error) {
	stem := strings.TrimSuffix(filepath.Base(main), filepath.Ext(main))
	all := slices.Concat(f.Parameters, f.BicepParam)
	for _, name := range []string{stem + ".parameters.json", stem + ".bicepparam", "parameters.json"} {
		if slices.Contains(all, name) {
			return filepath.Join(dir, name), nil
		}
	}
	switch len(all) {
	case 0:
		return "", nil
	case 1:
		return filepath.Join(dir, all[0]), nil
	default:
		return "", &errs.Error{
			Op: "tell which parameters belong to the template", Kind: errs.Invalid, Resource: dir,
			Err:  fmt.Errorf("it holds several parameter files and none is called %s.parameters.json: %s", stem, some(all)),
			Hint: "name one by --parameters FILE",
		}
	}
}
