package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

// generateOptions are those of generate.
type generateOptions struct {
	runOptions
	format  decl.Format
	dir     string
	imports bool
	force   bool
}

func newGenerateCmd(a *App, runF func(context.Context, *generateOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "generate",
		Short:   "Write what the source holds as Terraform, Bicep or ARM code for the target",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `Writes a directory of code that declares, for every pair, what the source holds
as a part of the target. It reads no secret and writes none: values are sensitive
variables (Terraform), @secure() parameters (Bicep) or securestring parameters
(ARM), and an example file lists them. README.md in the directory says what to
set and how to deploy. The same source gives the same bytes.

--import adds import blocks for what the target has already (Terraform). Running
it again writes the directory anew; a file that somebody else wrote or changed is
in the way, unless --force is given. If something cannot be declared, an earlier
generation is left as it is: code without it would delete it.

--no-target signs in to the source alone and declares every one of its resources
under its own name: as it stands, or in the subscription and resource group that
--target-subscription-id and --target-resource-group name.
` + pairingHelp,
		Example: `  atg generate --format terraform --out code
  atg generate --format bicep --out code --type keyvault
  atg generate --out code --import --mapping pairs.json
  atg generate --out code --no-target --target-resource-group rg-copy`,
	}
	flags := addRunFlags(a, cmd)
	flags.output.legal = []string{outputText, outputJSON}
	formats := decl.Formats()
	legal := make([]string, len(formats))
	for i, f := range formats {
		legal[i] = string(f)
	}
	format := choiceFlag(cmd, "format", "", "language of the code", legal...)
	opt := &generateOptions{}
	cmd.Flags().StringVar(&opt.dir, "out", "", "`directory` to write to; it is made if need be")
	cmd.Flags().BoolVar(&opt.imports, "import", false, "add import blocks for what the target has already; Terraform only")
	cmd.Flags().BoolVar(&opt.force, "force", false, "write over files that somebody else wrote or changed, and an earlier generation with an incomplete one")
	alone := cmd.Flags().Bool("no-target", false, "declare the source's resources under their own names, without a target to sign in to")
	_ = cmd.MarkFlagRequired("out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.runE("generate", flags, nil, func(ctx context.Context, run *runOptions) error {
			opt.runOptions, opt.format = *run, decl.Format(format.value)
			if *alone {
				opt.Alone = &session.Place{TenantID: opt.Target.TenantID, SubscriptionID: opt.Target.SubscriptionID, ResourceGroup: opt.Target.ResourceGroup}
			}
			if err := opt.check(); err != nil {
				return err
			}
			if runF != nil {
				return runF(ctx, opt)
			}
			return a.generate(ctx, opt)
		})(cmd, args)
	}
	return cmd
}

// check refuses flags that contradict each other.
func (o *generateOptions) check() error {
	switch {
	case o.dir == "":
		return usagef("--out needs a directory")
	case o.imports && o.format != decl.Terraform:
		return usagef("--import: only Terraform has import blocks, not %s", o.format)
	case o.Alone == nil:
		return nil
	case o.Mapping != "" || o.Target.Inventory != "":
		return usagef("--no-target: --mapping and --target-inventory are about a target")
	case o.imports && *o.Alone != (session.Place{}):
		return usagef("--import: without a target nobody can tell what is at another place")
	}
	return nil
}

// errIncomplete keeps an earlier generation.
var errIncomplete = errors.New("some items could not be declared, and what is not in the code would be deleted by it")

// generate runs atg generate.
func (a *App) generate(ctx context.Context, opt *generateOptions) error {
	var g *generation
	err := a.withSession(ctx, &opt.runOptions, func(s *session.Session) (*engine.Report, error) {
		found, err := s.Declare(ctx, opt.imports)
		if err != nil {
			return nil, err
		}
		g = newGeneration(opt, found, s.Unpaired())
		return nil, errNoReport
	})
	if !errors.Is(err, errNoReport) {
		return err
	}
	err = g.write(opt)
	if opt.output == outputJSON {
		err = errors.Join(err, view.JSON(a.Out, g.result))
	} else {
		err = errors.Join(err, view.Generation(a.Out, g.result, a.outStyle()))
	}
	if err != nil {
		return err
	}
	if g.result.Failed > 0 || g.result.Unpaired > 0 {
		return resultError{exitPartial}
	}
	return nil
}

// nextSteps are the commands that follow.
func nextSteps(format decl.Format, dir string) []string {
	if format != decl.Terraform {
		return []string{"cat " + view.Quote(strings.TrimSuffix(dir, "/")+"/README.md")}
	}
	return []string{"terraform -chdir=" + view.Quote(dir) + " init", "terraform -chdir=" + view.Quote(dir) + " plan"}
}
