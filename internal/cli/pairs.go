package cli

import (
	"context"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

// newPairsCmd is "atg pairs". runF, if it is set, runs instead of it.
func newPairsCmd(a *App, runF func(context.Context, *runOptions, string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "pairs",
		Short:   "Show which target stands for which source, and why",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `Reads both inventories and shows every pair with the rule that made it, and every
source resource without a target, with the targets that nearly matched and why
they were not taken. Nothing is read of the resources themselves, and nobody has to
sign in to a side whose resources come from a file or a Terraform state.

The rules, in order:
  mapping        --mapping says so
  tag            the target's tag atg-source-id has the source's resource ID
  graph-link     the graph of Azure Tenant Grapher leads from target to source
  graph-name     the target is named after the source's node in that graph
  same-path      same resource group, type and name
  same-name      same type and name
  upstream-name  the name that Azure Tenant Grapher gives to a copy of the source
Where a rule finds more than one answer, nothing is guessed.`,
		Example: `  atg pairs --source-tenant-id contoso.com --target-tenant-id fabrikam.com
  atg pairs --source-inventory neo4j --source-subscription-id ID \
    --target-inventory tfstate:./terraform --write-mapping pairs.json`,
	}
	flags := addRunFlags(a, cmd)
	flags.output.legal = []string{outputText, outputJSON}
	for _, name := range append(settingNames(cmd.Flags()), "mode", "progress", "pace", "workers") {
		_ = cmd.Flags().MarkHidden(name)
	}
	addInventory(cmd, flags)
	cmd.Flags().BoolVar(&flags.exitCode, "exit-code", false, "end with exit code 3 if a source resource has no target")
	mapping := cmd.Flags().String("write-mapping", "", "write the pairs to this `file`, to edit and to give back with --mapping")
	run := func(ctx context.Context, opt *runOptions) error {
		if runF != nil {
			return runF(ctx, opt, *mapping)
		}
		return a.pairs(ctx, opt, *mapping)
	}
	cmd.RunE = a.runE("pairs", flags, nil, run)
	return cmd
}

// pairs runs atg pairs.
func (a *App) pairs(ctx context.Context, opt *runOptions, mapping string) error {
	if opt.emulator != "" {
		transport, err := emulator.Connect(ctx, opt.emulator)
		if err != nil {
			return usagef("--emulator: %w", err)
		}
		opt.Transport = &http.Client{Transport: transport}
	}
	logger, closeLog, err := a.logger(opt, a.Err)
	if err != nil {
		return err
	}
	defer closeLog()
	opt.Logger = logger
	found, err := session.FindPairs(ctx, opt.Options)
	if err != nil {
		return err
	}
	if err := writeMapping(mapping, found.Result); err != nil {
		return err
	}
	shown := pairsOf(found)
	if opt.output == outputJSON {
		err = shown.JSON(a.Out)
	} else {
		err = shown.Write(a.Out, mapping, a.outStyle())
	}
	if err == nil && opt.exitCode && len(shown.Unpaired) > 0 {
		return resultError{exitPartial}
	}
	return err
}

// writeMapping writes a mapping file. A file that is there already is not replaced: it may
// hold what somebody edited.
func writeMapping(path string, found pairing.Result) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return &errs.Error{Op: "write the mapping", Kind: errs.Invalid, Resource: path, Err: err, Hint: "name a file that is not there yet, in a directory that can be written"}
	}
	err = pairing.WriteMapping(f, found)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// pairsOf turns what was found into what a view shows.
func pairsOf(found *session.Pairs) view.Pairs {
	out := view.Pairs{
		Schema: view.PairsSchema, SourceTenant: found.SourceTenant, TargetTenant: found.TargetTenant,
		Pairs: make([]view.PairRow, 0, len(found.Matches)), Unpaired: make([]view.UnpairedRow, 0, len(found.Unpaired)), Rules: map[string]int{}, Unclaimed: found.Unclaimed, Notes: found.Notes,
	}
	for _, m := range found.Matches {
		out.Pairs = append(out.Pairs, view.PairRow{Type: m.Source.Type, Source: m.Source.ID, Target: m.Target.ID, Rule: m.Rule})
		out.Rules[m.Rule]++
	}
	for _, u := range found.Unpaired {
		row := view.UnpairedRow{Type: u.Source.Type, Source: u.Source.ID, Reason: u.Reason}
		for _, n := range u.Near {
			row.Near = append(row.Near, view.NearRow{Target: n.ID, Why: n.Why})
		}
		out.Unpaired = append(out.Unpaired, row)
	}
	return out
}
