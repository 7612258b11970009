package terraform

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/inventory/tfstate"
)

// quiet keeps what the program prints for this room alone.
func (d *Driver) quiet() {
	d.tf.SetStdout(io.Discard)
	d.tf.SetStderr(io.Discard)
}

// read reads the plan file.
func (d *Driver) read(ctx context.Context, file string) (change.Plan, error) {
	d.quiet()
	plan, err := d.tf.ShowPlanFile(ctx, file)
	if err != nil {
		return change.Plan{}, d.explain(ctx, "show", &listener{}, err)
	}
	return planOf(plan, cmp.Or(d.opt.SubscriptionID, d.opt.Place)), nil
}

// planOf keeps what the plan says of managed resources.
func planOf(plan *tfjson.Plan, subscription string) change.Plan {
	var out change.Plan
	for _, r := range plan.ResourceChanges {
		if r.Mode != tfjson.ManagedResourceMode || r.Change == nil || r.DeposedKey != "" || r.Change.Actions.Forget() {
			continue
		}
		c := change.Change{
			Action: actionOf(r.Change.Actions), Name: r.Address, Type: r.Type,
			Broken: r.ActionReason == tfjson.ActionReasonReplaceBecauseTainted,
		}
		if values, err := json.Marshal(r.Change.After); err == nil && c.Action == change.Create {
			c.Resource, _ = tfstate.Planned(r.Type, values, subscription)
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}

// actionOf names what Terraform's list of actions amounts to.
func actionOf(a tfjson.Actions) change.Action {
	switch {
	case a.NoOp(), a.Read():
		return change.Same
	case a.Replace():
		return change.Replace
	case a.Create():
		return change.Create
	case a.Update():
		return change.Update
	case a.Delete():
		return change.Delete
	default:
		return change.Unclear
	}
}

// groups returns the resource groups in which the deployed resources are. The state is
// asked for it; if it cannot be read the answer is none, which only widens what the
// data plane looks at.
func (d *Driver) groups(ctx context.Context) []string {
	d.quiet()
	state, err := d.tf.Show(ctx)
	if err != nil || state == nil || state.Values == nil {
		return nil
	}
	var out []string
	var walk func(m *tfjson.StateModule)
	walk = func(m *tfjson.StateModule) {
		if m == nil {
			return
		}
		for _, r := range m.Resources {
			if id, ok := r.AttributeValues["id"].(string); ok && r.Mode == tfjson.ManagedResourceMode {
				if group := groupOf(id); group != "" {
					out = append(out, group)
				}
			}
		}
		for _, child := range m.ChildModules {
			walk(child)
		}
	}
	walk(state.Values.RootModule)
	slices.Sort(out)
	return slices.Compact(out)
}

// groupOf is the resource group that a resource ID names, in lower case, or "".
func groupOf(id string) string {
	parts := strings.Split(strings.ToLower(id), "/")
	if len(parts) > 4 && parts[0] == "" && parts[1] == "subscriptions" && parts[3] == "resourcegroups" {
		return parts[4]
	}
	return ""
}

// subscription is the value for the variable subscription_id, or "" if the module does
// not declare it: Terraform refuses values for variables that are not declared.
func (d *Driver) subscription() (string, error) {
	if d.opt.SubscriptionID == "" {
		return "", nil
	}
	declared, err := Declares(d.opt.Dir, "subscription_id")
	if err != nil || !declared {
		return "", err
	}
	return d.opt.SubscriptionID, nil
}

// Declares tells whether the root module in dir declares a variable. It reads *.tf and
// *.tf.json as Terraform does, and fails on a file that cannot be parsed.
func Declares(dir, name string) (bool, error) {
	files, err := sources(dir)
	if err != nil {
		return false, err
	}
	parser := hclparse.NewParser()
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "variable", LabelNames: []string{"name"}}}}
	for _, path := range files {
		parse := parser.ParseHCLFile
		if strings.HasSuffix(path, ".json") {
			parse = parser.ParseJSONFile
		}
		file, problems := parse(path)
		if problems.HasErrors() {
			return false, unreadable(path, problems)
		}
		content, _, problems := file.Body.PartialContent(schema)
		if problems.HasErrors() {
			return false, unreadable(path, problems)
		}
		if slices.ContainsFunc(content.Blocks, func(b *hcl.Block) bool { return b.Labels[0] == name }) {
			return true, nil
		}
	}
	return false, nil
}

func unreadable(path string, problems hcl.Diagnostics) error {
	return &errs.Error{
		Op: "read the Terraform files", Kind: errs.Invalid, Resource: path,
		Err: fmt.Errorf("%w", problems), Hint: "mend the file: `terraform validate` shows the place",
	}
}

// sources lists the files of the root module.
func sources(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &errs.Error{Op: "read the Terraform files", Kind: errs.Invalid, Resource: dir, Err: err}
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && (strings.HasSuffix(e.Name(), ".tf") || strings.HasSuffix(e.Name(), ".tf.json")) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}
