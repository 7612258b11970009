package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/grant"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/file"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The forms of a script.
const (
	formBash = "bash"
	formJSON = "json"
)

// scriptOptions are those of permissions script.
type scriptOptions struct {
	runOptions
	form      string
	sides     []plugin.Side
	assignees map[plugin.Side]string // who gets the rights instead of who is signed in
	grant     grant.Options
}

func newPermissionsScriptCmd(a *App, runF func(context.Context, *scriptOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "script",
		Short: "Write the script that gives both sides what they need",
		Args:  cobra.NoArgs,
		Long: `Writes a bash script for the Azure CLI that assigns, at both ends of every pair,
the built-in roles that grant what is needed and as little else as can be, or
with --custom-role a role with exactly that. Key vaults with access policies get
an entry in those. Nothing is carried out: somebody who may assign roles reads
the script and runs it.

The roles are for the principals that are signed in, unless --source-assignee or
--target-assignee names another. A side with an inventory file and an assignee is
not signed in to, so the script can be made before anybody has any right; for
one side alone that takes --side. --format json writes the custom role alone.
` + pairingHelp,
		Example: `  atg permissions script --mode replication > grant.sh
  atg permissions script --side target --custom-role
  az resource list > resources.json
  atg permissions script --side source --source-inventory resources.json --source-assignee OBJECT-ID`,
	}
	flags := addRunFlags(a, cmd)
	flags.output.legal = []string{outputText} // a script has one form on standard output
	_ = cmd.Flags().MarkHidden("output")
	credential(cmd.Flags(), "output") // a variable ATG_OUTPUT is about reports
	form := choiceFlag(cmd, "format", "", "form of the script: bash, or the custom role as JSON", formBash, formJSON)
	side := choiceFlag(cmd, "side", "", "which side's rights", "both", string(plugin.Source), string(plugin.Target))
	prefer := choiceFlag(cmd, "prefer", "", "among the built-in roles that suffice: as few as can be, or those that grant least", preferences()...)
	addInventory(cmd, flags)
	opt := &scriptOptions{}
	cmd.Flags().BoolVar(&opt.grant.CustomRole, "custom-role", false, "define a custom role with exactly what is needed")
	source := cmd.Flags().String("source-assignee", "", "object `ID`, application ID or sign-in name of who gets the source's rights")
	target := cmd.Flags().String("target-assignee", "", "object `ID`, application ID or sign-in name of who gets the target's rights")
	inGroup(cmd.Flags(), "Source", "source-assignee")
	inGroup(cmd.Flags(), "Target", "target-assignee")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.runE("permissions script", flags, nil, func(ctx context.Context, run *runOptions) error {
			opt.runOptions, opt.form = *run, form.value
			opt.grant.Prefer, opt.grant.Version = catalog.Preference(prefer.value), a.Version
			opt.assignees = map[plugin.Side]string{plugin.Source: *source, plugin.Target: *target}
			opt.sides = []plugin.Side{plugin.Side(side.value)}
			if side.value == "both" {
				opt.sides = []plugin.Side{plugin.Source, plugin.Target}
			}
			if runF != nil {
				return runF(ctx, opt)
			}
			return a.permissionsScript(ctx, opt)
		})(cmd, args)
	}
	return cmd
}

func preferences() []string {
	all := catalog.Preferences()
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = string(p)
	}
	return out
}

// permissionsScript runs atg permissions script.
func (a *App) permissionsScript(ctx context.Context, opt *scriptOptions) error {
	items, err := a.grants(ctx, opt)
	if err != nil {
		return err
	}
	if opt.form == formJSON {
		roles, err := grant.CustomRoles(items)
		if err != nil {
			return err
		}
		text, err := grant.RolesJSON(roles)
		if err != nil {
			return err
		}
		_, err = a.Out.Write(text)
		return err
	}
	text, err := grant.Bash(items, opt.grant)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, text)
	return err
}

// grants lists who needs what where: from the inventory files alone where every side has
// one and an assignee, else from the pairs.
func (a *App) grants(ctx context.Context, opt *scriptOptions) ([]grant.Item, error) {
	said := map[plugin.Side]session.Side{plugin.Source: opt.Source, plugin.Target: opt.Target}
	var out []grant.Item
	for _, side := range opt.sides {
		place, err := inventory.ParsePlace(said[side].Inventory)
		if err != nil || place.Kind != inventory.File || opt.assignees[side] == "" {
			return a.grantsOfPairs(ctx, opt)
		}
		items, err := grantsOfFile(ctx, opt, side, place.Path, said[side].TenantID)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

func (a *App) grantsOfPairs(ctx context.Context, opt *scriptOptions) ([]grant.Item, error) {
	var items []grant.Item
	err := a.withSession(ctx, &opt.runOptions, func(s *session.Session) (*engine.Report, error) {
		found, err := s.Grants(ctx, opt.sides, opt.assignees)
		if err != nil {
			return nil, err
		}
		items = found
		return nil, errNoReport
	})
	if !errors.Is(err, errNoReport) {
		return nil, err
	}
	return items, nil
}

// grantsOfFile lists the resources of an inventory file.
func grantsOfFile(ctx context.Context, opt *scriptOptions, side plugin.Side, path, tenantID string) ([]grant.Item, error) {
	types := opt.Types
	if len(types) == 0 {
		types = opt.Registry.Types()
	}
	assignee := opt.assignees[side]
	var out []grant.Item
	for res, err := range file.New(path, tenantID).Find(ctx, types) {
		if err != nil {
			return nil, err
		}
		p := opt.Registry.For(res.Type, res.Kind)
		if p == nil {
			continue
		}
		it := grant.Item{
			Side: side, TenantID: res.TenantID, Plugin: p, Mode: opt.Mode, Resource: res, Who: grant.Grantee{Name: assignee},
		}
		if len(res.Properties) > 0 {
			subject := rbac.Subject{Side: side, Plugin: p, Mode: opt.Mode, Endpoint: plugin.Endpoint{Resource: res}}
			if it.Access, err = rbac.AccessOf(ctx, subject, plugin.Caller{TenantID: res.TenantID, ObjectID: assignee}); err != nil {
				return nil, err
			}
		}
		out = append(out, it)
	}
	return out, nil
}
