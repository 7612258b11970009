package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

// takePlan reads the plan that apply was given, if it was given one. Flags that say what
// is copied are refused beside it: the plan says that.
func takePlan(cmd *cobra.Command, flags *runFlags, args []string) error {
	if len(args) == 0 {
		return nil
	}
	f := cmd.Flags()
	for _, name := range append(settingNames(f), "type", "mapping") {
		if f.Changed(name) {
			return usagef("--%s cannot be given with a plan: the plan says what is copied", name)
		}
	}
	plan, err := session.ReadPlanFile(args[0])
	if err != nil {
		return err
	}
	if f.Changed("mode") && flags.mode.value != string(plan.Mode) {
		return usagef("the plan %s was made in %s mode, not %s: plan again", args[0], plan.Mode, flags.mode.value)
	}
	if f.Changed("overwrite") && flags.overwrite != plan.Overwrite {
		return usagef("the plan %s was made with --overwrite=%t: plan again", args[0], plan.Overwrite)
	}
	flags.plan, flags.yes, flags.overwrite = plan, true, plan.Overwrite // the plan is the consent
	return f.Set("mode", string(plan.Mode))
}

// applyPlan runs atg apply FILE.
func (a *App) applyPlan(ctx context.Context, opt *runOptions) error {
	opt.open = func(ctx context.Context, o session.Options) (*session.Session, error) {
		return session.OpenPlan(ctx, opt.plan, o)
	}
	return a.journaled(ctx, opt, func(s *session.Session) (*engine.Report, error) { return s.Apply(ctx) })
}

// planToFile runs atg plan --out FILE.
func (a *App) planToFile(ctx context.Context, opt *runOptions) error {
	if info, err := os.Stat(filepath.Dir(opt.planOut)); err != nil || !info.IsDir() {
		return usagef("--out %s: there is no directory %s", opt.planOut, filepath.Dir(opt.planOut))
	}
	err := a.withSession(ctx, opt, func(s *session.Session) (*engine.Report, error) {
		r, plan, err := s.PlanToFile(ctx)
		if plan == nil {
			return r, err
		}
		opt.next.Apply = strings.Join(append([]string{"atg apply", view.Quote(opt.planOut)}, opt.reach...), " ")
		return r, plan.Write(opt.planOut)
	})
	return err
}
