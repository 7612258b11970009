package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
)

const (
	template   = `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": []}`
	parameters = `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", "parameters": {}}`
)

// directory writes files and returns where they are.
func directory(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files  map[string]string
		wanted Format
		want   Format
		err    string
	}{
		"terraform":         {files: map[string]string{"main.tf": ""}, want: Terraform},
		"terraform in JSON": {files: map[string]string{"main.tf.json": "{}", "package.json": "{}"}, want: Terraform},
		"bicep":             {files: map[string]string{"x.bicep": "", "x.bicepparam": ""}, want: Bicep},
		"arm":               {files: map[string]string{"x.json": template, "p.json": parameters}, want: ARM},
		"arm, subscription": {files: map[string]string{"x.json": strings.Replace(template, "deploymentT", "subscriptionDeploymentT", 1)}, want: ARM},
		"arm with comments": {files: map[string]string{"x.json": "\ufeff// first\n" + template}, want: ARM},
		"nothing":           {files: map[string]string{"package.json": "{}", "broken.json": "{"}, err: "no *.tf, no *.bicep and no JSON file"},
		"below the top":     {files: map[string]string{"modules/main.tf": ""}, err: "no *.tf"},
		"several":           {files: map[string]string{"main.tf": "", "main.bicep": "", "a.json": template}, err: "terraform (main.tf), bicep (main.bicep), arm (a.json)"},
		"one of several":    {files: map[string]string{"main.tf": "", "main.bicep": ""}, wanted: Bicep, want: Bicep},
		"not there":         {files: map[string]string{"main.tf": ""}, wanted: ARM, err: "holds no arm files: terraform (main.tf)"},
		"not there at all":  {files: map[string]string{"x.txt": ""}, wanted: ARM, err: "it holds none of any format"},
		"many":              {files: map[string]string{"1.tf": "", "2.tf": "", "3.tf": "", "4.tf": "", "5.tf": "", "6.tf": "", "7.tf": "", "x.bicep": ""}, err: "5.tf and 2 more)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Detect(Options{Dir: directory(t, c.files), Format: c.wanted})
			if got != c.want || (err == nil) != (c.err == "") {
				t.Fatalf("%s, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.err) || errs.KindOf(err) != errs.Invalid || errs.HintOf(err) == "") {
				t.Errorf("%v; hint %q", err, errs.HintOf(err))
			}
		})
	}
	if _, err := Detect(Options{Dir: filepath.Join(t.TempDir(), "none")}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no directory: %v", err)
	}
}

func TestMainAndParameters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files      map[string]string
		format     Format
		main       string
		parameters string
		err        string
	}{
		"the only one":      {files: map[string]string{"x.json": template}, format: ARM, main: "x.json"},
		"azuredeploy":       {files: map[string]string{"x.json": template, "azuredeploy.json": template, "azuredeploy.parameters.json": parameters, "z.json": parameters}, format: ARM, main: "azuredeploy.json", parameters: "azuredeploy.parameters.json"},
		"main.bicep":        {files: map[string]string{"a.bicep": "", "main.bicep": "", "main.bicepparam": ""}, format: Bicep, main: "main.bicep", parameters: "main.bicepparam"},
		"only parameters":   {files: map[string]string{"x.json": template, "values.json": parameters}, format: ARM, main: "x.json", parameters: "values.json"},
		"several templates": {files: map[string]string{"x.json": template, "y.json": template}, format: ARM, err: "none is called azuredeploy.json"},
		"several bicep":     {files: map[string]string{"x.bicep": "", "y.bicep": ""}, format: Bicep, err: "none is called main.bicep: x.bicep, y.bicep"},
		"which parameters":  {files: map[string]string{"x.json": template, "a.json": parameters, "b.json": parameters}, format: ARM, main: "x.json", err: "none is called x.parameters.json: a.json, b.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := directory(t, c.files)
			found, err := Look(dir)
			if err != nil {
				t.Fatal(err)
			}
			main, err := found.Main(dir, c.format)
			file := ""
			if err == nil {
				file, err = found.ParameterFile(dir, main)
			}
			if (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v", err)
			}
			if filepath.Base(main) != filepath.Base(c.main) && c.main != "" {
				t.Errorf("main file %s", main)
			}
			if c.parameters != "" && filepath.Base(file) != c.parameters {
				t.Errorf("parameter file %s", file)
			}
		})
	}
}
