package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

func newAuthCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "auth",
		Short:   "Who signs in on each side, and how",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuthStatusCmd(a, nil))
	return cmd
}

// authFlags are what auth status was told beside the flags of every command that signs in.
type authFlags struct{ check bool }

func newAuthStatusCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Sign in on both sides and tell as whom",
		Args:  cobra.NoArgs,
		Long: `Signs in on both sides as plan and apply would, and tells for each: which flags,
variables or identity of this machine won, as whom, in which tenant and until
when; and what each one that comes before it said. No token is shown or kept.

--check also asks Azure which subscriptions the two principals see. The exit code
is 4 if a side cannot sign in, and 5 if its principal sees no subscription; if
both sides fail, that of the source counts.

Flags of plan and apply that do not matter here are taken and left aside.`,
		Example: `  atg auth status
  atg auth status --check --source-tenant-id contoso.com --target-tenant-id fabrikam.com -o json`,
	}
	flags, more := addReachFlags(cmd), &authFlags{}
	flags.output.legal = []string{outputText, outputJSON}
	flags.mode = &choice{}
	cmd.Flags().BoolVar(&more.check, "check", false, "ask Azure which subscriptions the principals see")
	hideRun(cmd.Flags())
	cmd.RunE = a.runE("auth status", flags, runF, func(ctx context.Context, opt *runOptions) error {
		return a.authStatus(ctx, opt, more.check)
	})
	return cmd
}

// hideRun hides the flags that say where resources are looked for and how a run goes.
func hideRun(f *pflag.FlagSet) {
	names := append([]string{"progress", "pace", "workers"}, neo4jNames...)
	for _, side := range []string{"source-", "target-"} {
		names = append(names, side+"subscription-id", side+"resource-group", side+"inventory", side+"secrets")
	}
	for _, name := range names {
		_ = f.MarkHidden(name)
	}
}

// authStatus runs atg auth status.
func (a *App) authStatus(ctx context.Context, opt *runOptions, check bool) error {
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
	where, sides, err := session.Identify(ctx, opt.Options, check)
	if err != nil {
		return err
	}
	status := statusOf(where, sides, check)
	if opt.output == outputJSON {
		err = view.JSON(a.Out, status)
	} else {
		err = status.Write(a.Out, a.outStyle())
	}
	for _, s := range sides {
		if err == nil && s.Err != nil {
			err = resultError{codeOf(s.Err)}
		}
	}
	return err
}

// statusOf turns identities into what a view shows.
func statusOf(where cloud.Endpoints, sides []session.Identity, checked bool) view.AuthStatus {
	out := view.AuthStatus{
		Schema: view.AuthStatusSchema, Cloud: where.Cloud, Authority: where.Authority, ResourceManager: where.ResourceManager, Checked: checked,
	}
	for _, s := range sides {
		v := view.SignInStatus{Side: string(s.Side), Attempts: []view.SignInLink{}}
		if r := s.Result; r != nil {
			until := r.Expires.UTC()
			v.SignedIn, v.Link, v.TenantID, v.Expires = true, r.Link, r.TenantID, &until
			v.Principal, v.AppID, v.ObjectID = r.Principal, r.AppID, r.ObjectID
		}
		for _, t := range s.Attempts {
			v.Attempts = append(v.Attempts, view.SignInLink{Link: t.Link, Result: resultOfLink(t), Said: t.Said})
		}
		for _, sub := range s.Subscriptions {
			v.Subscriptions = append(v.Subscriptions, view.Subscription{ID: sub.ID, Name: sub.Name, State: sub.State, TenantID: sub.TenantID})
		}
		if s.Err != nil {
			v.Fail(s.Err)
		}
		out.Sides = append(out.Sides, v)
	}
	return out
}

func resultOfLink(t auth.Attempt) string {
	switch {
	case t.Won:
		return view.LinkWon
	case t.Absent:
		return view.LinkNotTried
	default:
		return view.LinkFailed
	}
}

// The values of --sign-in.
const (
	byCode    = "code"
	byBrowser = "browser"
	byNobody  = "none"
)

// interactive says how a person may sign in where nothing else works, or why nobody may.
func (a *App) interactive(opt *runOptions, f *runFlags) {
	switch how := f.interactive.value; {
	case how == byNobody:
		opt.NoSignIn = "not allowed by --sign-in none"
	case f.noInput:
		opt.NoSignIn = "not allowed by --no-input"
	case opt.output != outputText:
		opt.NoSignIn = "not allowed with -o " + opt.output + ", which is for programs"
	case !a.canAsk():
		opt.NoSignIn = "there is no terminal"
	case how == byBrowser:
		opt.Browser = true
	default:
		opt.DevicePrompt = func(message string) { _ = view.Note(a.Err, message, a.errStyle()) }
	}
}

// interactiveFlag adds --sign-in.
func interactiveFlag(cmd *cobra.Command) *choice {
	return choiceFlag(cmd, "sign-in", "", "how a person signs in where nothing else works: by a device code or a browser; on a terminal alone", byCode, byBrowser, byNobody)
}

// oneReader refuses more than one flag that reads standard input.
func (f *runFlags) oneReader() error {
	n := 0
	for _, path := range []string{f.source.secretFile, f.target.secretFile, f.source.secrets, f.target.secrets, f.neo4j.passwordFile} {
		if path == "-" {
			n++
		}
	}
	if n > 1 {
		return usagef("standard input can be read for one flag only")
	}
	return nil
}
