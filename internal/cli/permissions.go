package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

// skipAccessFlag is the flag by which plan and apply go on unchecked.
const skipAccessFlag = "skip-permission-check"

func addSkipAccess(cmd *cobra.Command, flags *runFlags) {
	cmd.Flags().BoolVar(&flags.skipAccess, skipAccessFlag, false, "do not ask Azure beforehand what the principals may do")
}

func newPermissionsCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "permissions",
		Short:   "What the principals of both sides need, have and lack",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPermissionsCheckCmd(a, nil), newPermissionsScriptCmd(a, nil), newPermissionsTableCmd(a))
	return cmd
}

func newPermissionsCheckCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Tell what is held, missing and unknown, and write nothing",
		Args:  cobra.NoArgs,
		Long: `Asks Azure what the principals of both sides may do at both ends of every pair:
roles with their inheritance, what they take back, deny assignments, the access
policies of key vaults. It ends with exit code 5 if something is missing.

Unknown is what nobody can tell before the attempt: a principal that may not read
its own permissions, a condition, a group that may be the principal's. Firewalls
and private endpoints are named, since only the service sees where requests come
from. plan and apply make the same check; apply writes nothing if it fails.
` + pairingHelp,
		Example: `  atg permissions check --source-tenant-id contoso.com --target-tenant-id fabrikam.com
  atg permissions check --mode replication -o json`,
	}
	flags := addRunFlags(a, cmd)
	flags.output.legal = []string{outputText, outputJSON}
	addInventory(cmd, flags)
	cmd.RunE = a.runE("permissions check", flags, runF, a.permissionsCheck)
	return cmd
}

// errNoReport ends a session's work that has no report of a run.
var errNoReport = errors.New("there is no report")

// permissionsCheck runs atg permissions check.
func (a *App) permissionsCheck(ctx context.Context, opt *runOptions) error {
	var report *rbac.Report
	err := a.withSession(ctx, opt, func(s *session.Session) (*engine.Report, error) {
		found, err := s.CheckAccess(ctx)
		if err != nil {
			return nil, err
		}
		report = found
		return nil, errNoReport
	})
	if !errors.Is(err, errNoReport) {
		return err
	}
	if opt.output == outputJSON {
		err = view.JSON(a.Out, report)
	} else {
		err = view.AccessReport(a.Out, accessOf(report), true, a.outStyle())
	}
	if err != nil {
		return err
	}
	return withHint(report, opt.script)
}

// tellAccess shows what the check before plan or apply found amiss. err is how the
// command's work ended; missing permissions outweigh the success of a plan.
func (a *App) tellAccess(s *session.Session, opt *runOptions, err error) error {
	if s == nil || s.Access() == nil || opt.Command == "permissions check" {
		return err
	}
	report := s.Access()
	if shown := view.AccessReport(a.Err, accessOf(report), false, a.errStyle()); shown != nil && err == nil {
		return shown
	}
	if err == nil || errs.KindOf(err) == errs.PermissionDenied {
		if missing := withHint(report, opt.script); missing != nil {
			return missing
		}
	}
	return err
}

// withHint is the error about missing permissions with the command that helps.
func withHint(report *rbac.Report, script string) error {
	err := report.Err()
	if err != nil && !strings.Contains(script, " --mode ") { // it was chosen at a question, or when the run began
		script += " --mode " + string(report.Resources[0].Mode)
	}
	if e := errs.Find(err); e != nil {
		e.Hint = fmt.Sprintf("`%s > grant.sh` writes what gives them; somebody who may assign roles runs it, and Azure takes some minutes to act on it", script)
	}
	return err
}

// accessOf turns a report into what a view shows.
func accessOf(r *rbac.Report) []view.Access {
	out := make([]view.Access, 0, len(r.Resources))
	for _, res := range r.Resources {
		v := view.Access{Side: string(res.Side), Name: res.Name, Type: res.Type, Principal: res.Principal, By: res.By}
		for _, right := range res.Rights {
			v.Rights = append(v.Rights, view.AccessRight{
				State: string(right.State), Action: right.Action, Data: right.Data, Reason: right.Reason, Why: right.Why, Role: right.Role,
			})
		}
		if res.Network != nil {
			v.Fact, v.Hint = res.Network.Fact, res.Network.Hint
		}
		out = append(out, v)
	}
	return out
}

// notForScript are flags that say nothing about what a script is for, or are secrets.
var notForScript = []string{
	"sp-client-secret", "source-sp-client-secret", "target-sp-client-secret", "output", "progress", "debug", "log-file", "no-input", "workers",
}

// scriptCommand writes the command that helps where permissions are missing, with those
// flags of this one that it has too.
func (a *App) scriptCommand(f *pflag.FlagSet) string {
	words := []string{"atg", "permissions", "script"}
	known := newPermissionsScriptCmd(a, nil).Flags()
	f.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) != nil && !slices.Contains(notForScript, f.Name) {
			words = append(words, flagText(f)...)
		}
	})
	return strings.Join(words, " ")
}

func newPermissionsTableCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "table",
		Short:   "Write what every plugin needs as Markdown",
		Args:    cobra.NoArgs,
		Example: "  atg permissions table > permissions.md",
	}
	cmd.RunE = func(*cobra.Command, []string) error {
		text, err := a.permissionsTable()
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.Out, text)
		return err
	}
	return cmd
}

// permissionsTable is what permissions table writes, and a generated document.
func (a *App) permissionsTable() (string, error) {
	reg, err := a.Registry()
	if err != nil {
		return "", err
	}
	return rbac.Table(reg.All()), nil
}
