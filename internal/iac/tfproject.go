package iac

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// The names of a Terraform project's files beside those of the units.
const (
	tfProviders = "providers"
	tfVariables = "variables"
	tfExample   = "terraform.tfvars.example"
	tfValues    = "terraform.tfvars"
)

// header stands at the top of every file that can have comments.
const header = `Written by "atg generate". Running it again writes this file anew.`

// terraformFiles writes a file for each unit, one for variables and one for providers.
func (p Project) terraformFiles(entries []*entry, ps *params) ([]File, error) {
	subs := subscriptions(p.Units)
	for _, e := range entries {
		e.provider = subs.alias(p.Units[e.unit].Target)
	}
	all := p.paramsOf(entries, ps.all)
	files := []File{
		{"README.md", p.terraformReadme(all)},
		{".gitignore", []byte(tfIgnore)},
		{tfProviders + ".tf", p.providers(subs)},
	}
	if len(all) > 0 {
		var vars tfFile
		vars.add(annotated(header))
		for _, param := range all {
			vars.add(variable(param))
		}
		files = append(files, File{tfVariables + ".tf", vars.Bytes()}, File{tfExample, example(all)})
	}
	taken := fileNames{tfProviders: true, tfVariables: true}
	for i, u := range p.Units {
		f := tfFile{}
		f.add(annotated(header + "\n" + u.about()))
		if err := f.resources(slices.DeleteFunc(slices.Clone(entries), func(e *entry) bool { return e.unit != i }), Options{Imports: p.Imports}); err != nil {
			return nil, err
		}
		files = append(files, File{taken.give(u.Target.Name) + ".tf", f.Bytes()})
	}
	return files, nil
}

// about says for a reader what a unit is.
func (u Unit) about() string {
	if u.Source.ID == u.Target.ID {
		return "What " + u.Target.Name + " holds: " + u.Target.ID
	}
	return "What " + u.Source.Name + " holds, for " + u.Target.Name + ": " + u.Target.ID
}

// tfIgnore keeps values and state out of version control.
const tfIgnore = `# Written by "atg generate": these hold secrets, or what can be had again.
.terraform/
*.tfstate
*.tfstate.*
*.tfvars
*.tfplan
`

// targets are the subscriptions of a project. The first is that of the default provider.
type targets []target

type target struct{ subscription, tenant, alias string }

func subscriptions(units []Unit) targets {
	var out targets
	taken := names{}
	for _, u := range units {
		known := slices.ContainsFunc(out, func(t target) bool { return strings.EqualFold(t.subscription, u.Target.SubscriptionID) })
		if known {
			continue
		}
		t := target{subscription: u.Target.SubscriptionID, tenant: u.Target.TenantID}
		if len(out) > 0 {
			t.alias = taken.give("subscription_" + firstOf(u.Target.SubscriptionID, "-"))
		}
		out = append(out, t)
	}
	return out
}

func firstOf(s, sep string) string {
	first, _, _ := strings.Cut(s, sep)
	return first
}

func (ts targets) alias(p Place) string {
	for _, t := range ts {
		if strings.EqualFold(t.subscription, p.SubscriptionID) {
			return t.alias
		}
	}
	return ""
}

// terraformVersion is the first that knows import blocks; providerVersions are those
// whose resources have the attributes that are declared.
const (
	terraformVersion = ">= 1.5"
	providerVersions = ">= 4.0, < 6.0"
)

// providers writes a provider for each subscription: the azurerm provider looks things up
// in its own subscription alone.
func (p Project) providers(subs targets) []byte {
	var f tfFile
	f.add(annotated(header))
	file := hclwrite.NewEmptyFile()
	settings := file.Body().AppendNewBlock("terraform", nil).Body()
	settings.SetAttributeValue("required_version", cty.StringVal(terraformVersion))
	settings.AppendNewline()
	settings.AppendNewBlock("required_providers", nil).Body().SetAttributeRaw("azurerm", hclwrite.TokensForObject([]hclwrite.ObjectAttrTokens{
		{Name: hclwrite.TokensForIdentifier("source"), Value: hclwrite.TokensForValue(cty.StringVal("hashicorp/azurerm"))},
		{Name: hclwrite.TokensForIdentifier("version"), Value: hclwrite.TokensForValue(cty.StringVal(providerVersions))},
	}))
	f.add(file)
	for _, t := range subs {
		file := hclwrite.NewEmptyFile()
		body := file.Body().AppendNewBlock("provider", []string{"azurerm"}).Body()
		if t.alias != "" {
			body.SetAttributeValue("alias", cty.StringVal(t.alias))
		}
		for _, a := range [][2]string{{"tenant_id", t.tenant}, {"subscription_id", t.subscription}} {
			if a[1] != "" {
				body.SetAttributeValue(a[0], cty.StringVal(a[1]))
			}
		}
		body.SetAttributeValue("resource_provider_registrations", cty.StringVal("none"))
		if p.declares("azurerm_storage_") {
			body.SetAttributeValue("storage_use_azuread", cty.True)
		}
		body.AppendNewline()
		body.AppendNewBlock("features", nil)
		f.add(file)
	}
	return bytes.ReplaceAll(f.Bytes(), []byte("features {\n  }"), []byte("features {}")) // as everybody writes it
}

// declares tells whether a Terraform type with this prefix is declared.
func (p Project) declares(prefix string) bool {
	for _, u := range p.Units {
		for _, it := range u.Items {
			for _, b := range it.Blocks {
				if b.TF != nil && strings.HasPrefix(b.TF.Type, prefix) {
					return true
				}
			}
		}
	}
	return false
}

// example lists the variables without values. Terraform refuses null where a value is
// needed, so that nothing is set that nobody has filled in.
func example(all []decl.Param) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n# Copy it to %s, fill in every value, and keep that file as secret as they are.\n", header, tfValues)
	for _, p := range all {
		b.WriteByte('\n')
		for _, line := range commentLines(cmp.Or(p.Description, p.Name)) {
			b.WriteString(strings.TrimSpace("# "+line) + "\n")
		}
		fmt.Fprintf(&b, "%s = null\n", p.Name)
	}
	return b.Bytes()
}
