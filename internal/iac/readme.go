package iac

import (
	"fmt"
	"strings"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// readme composes a project's README.md.
type readme struct{ strings.Builder }

func (r *readme) line(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

// start writes what the directory is.
func (r *readme) start(p Project) {
	r.line("# Data plane declarations: %s", Title(p.Format))
	r.line("")
	r.line("Written by `atg generate`. It describes what lives inside of resources that are deployed")
	r.line("already. It holds no secret: values are parameters.")
	r.line("")
	r.line("| source | target | declared |")
	r.line("|---|---|---|")
	for _, u := range p.Units {
		n := 0
		for _, it := range u.Items {
			for _, b := range it.Blocks {
				if p.Has(b) {
					n++
				}
			}
		}
		r.line("| %s | %s | %d |", cell(u.Source.Name), cell(u.Target.Name), n)
	}
}

// cell escapes what would end a table's cell.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(s) }

// undeclared lists what the code lacks.
func (r *readme) undeclared(p Project) {
	if len(p.Undeclared) == 0 {
		return
	}
	r.line("")
	r.line("## What is not here")
	r.line("")
	for _, s := range p.Undeclared {
		r.line("- %s", cell(s))
	}
}

// set says which values somebody has to give. n is how many there are.
func (r *readme) set(n int, how ...string) {
	r.line("")
	r.line("## What to set")
	r.line("")
	if n == 0 {
		r.line("Nothing: no value is missing.")
		return
	}
	for _, line := range how {
		r.line("%s", line)
	}
}

func (p Project) terraformReadme(all []decl.Param) []byte {
	var r readme
	r.start(p)
	r.set(len(all),
		fmt.Sprintf("Copy `%s` to `%s` and give all %d values. A value that should come", tfExample, tfValues, len(all)),
		"from the source can be a stand-in here: Terraform does not look at secrets' values again once they are",
		"set, and `atg apply --mode replication --overwrite` copies the true ones.",
		"Terraform keeps what it was given in its state: keep that as secret as the values.")
	r.line("")
	r.line("## How to use it")
	r.line("")
	r.line("```sh")
	r.line("az login --tenant TENANT   # or ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID")
	r.line("terraform init")
	r.line("terraform plan")
	r.line("terraform apply")
	r.line("```")
	r.line("")
	r.line("Things that the targets have already are in the way of `terraform apply`, unless they are imported:")
	r.line("`atg generate --import` writes the blocks for that.")
	r.undeclared(p)
	return []byte(r.String())
}

func (p Project) templateReadme(list []*template) []byte {
	var r readme
	r.start(p)
	n := 0
	for _, t := range list {
		n += len(t.params)
	}
	r.set(n,
		"Copy each `*"+parametersSuffix+".example` to `*"+parametersSuffix+"` and give all values in place of `null`. A deployment",
		"sets every value anew: where `atg apply` has copied the true ones, deploy again only with those.")
	r.line("")
	r.line("## How to use it")
	r.line("")
	r.line("A template deploys to one resource group and may have 256 parameters and 800 resources; what is more")
	r.line("has files of its own. Deploy them in this order:")
	r.line("")
	r.line("```sh")
	for _, t := range list {
		values := ""
		if len(t.params) > 0 {
			values = " --parameters @" + t.path + parametersSuffix
		}
		r.line("az deployment group create --subscription %s --resource-group '%s' --template-file %s%s", t.place.SubscriptionID, t.place.ResourceGroup, t.path+p.suffix(), values)
	}
	r.line("```")
	r.undeclared(p)
	return []byte(r.String())
}

// Title is a format's name for people.
func Title(f decl.Format) string {
	switch f {
	case decl.Terraform:
		return "Terraform"
	case decl.Bicep:
		return "Bicep"
	case decl.ARM:
		return "ARM templates"
	default:
		return string(f)
	}
}
