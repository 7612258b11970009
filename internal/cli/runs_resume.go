package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newRunResumeCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume [ID]",
		Short: "Go on with a run that was stopped, that crashed or of which something failed",
		Args:  cobra.MaximumNArgs(1),
		Long: `Goes on with a recorded run, by default with the last one that is not finished.
What is copied, and how, stands in the journal; only the sign-in has to be given
again, by the same flags or environment variables as for apply. Items that were
being written when the run stopped are compared first. Nothing is asked: the
consent was given when the run began.

A run of another tenant, in another mode or of another version of a plugin is
refused. If the run is finished there is nothing to do, and the exit code is 0.`,
		Example:           "  atg run resume\n  atg run resume 7F3KQ2AB --workers 4",
		ValidArgsFunction: a.completeRun,
	}
	flags := addReachFlags(cmd)
	flags.mode = choiceFlag(cmd, "mode", "", "refuse a run in another mode than this", string(plugin.Template), string(plugin.Replication))
	flags.mode.value, cmd.Flags().Lookup("mode").DefValue = "", ""
	credential(cmd.Flags(), "mode") // a variable ATG_MODE says how to begin runs, not which one to go on with
	hideScope(cmd.Flags())
	flags.stateDir = addStateDir(cmd)
	addSkipAccess(cmd, flags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.fromEnv(cmd); err != nil {
			return err
		}
		opt, err := a.options("run resume", cmd, flags)
		if err != nil {
			return err
		}
		if opt.run, err = runArg(args); err != nil {
			return err
		}
		if runF != nil {
			return runF(cmd.Context(), opt)
		}
		return a.resume(cmd.Context(), opt)
	}
	return cmd
}

// hideScope hides the flags that say where resources are looked for: the pairs and the
// cloud of a recorded run are known. They are taken all the same, so that the flags with
// which apply signed in can be given again as they are.
func hideScope(f *pflag.FlagSet) {
	for _, side := range []string{"source-", "target-"} {
		for _, name := range []string{"subscription-id", "resource-group", "inventory"} {
			_ = f.MarkHidden(side + name)
		}
	}
	for _, name := range append([]string{"cloud"}, neo4jNames...) {
		_ = f.MarkHidden(name)
	}
}

// resume runs atg run resume.
func (a *App) resume(ctx context.Context, opt *runOptions) error {
	s, err := a.resumable(ctx, opt)
	if err != nil {
		return err
	}
	if s.Status == journal.Finished && s.Err == nil {
		return view.Note(a.Err, "run "+s.ID+" is finished: nothing is left to do", a.errStyle())
	}
	opt.Command, opt.run = s.Command, s.ID
	opt.next = view.Next{Again: opt.next.Again}
	opt.open = func(ctx context.Context, o session.Options) (*session.Session, error) {
		return session.Resume(ctx, s.ID, o)
	}
	err = a.journaled(ctx, opt, func(s *session.Session) (*engine.Report, error) { return s.Apply(ctx) })
	var finished session.Finished // by another process, since it was looked at
	if errors.As(err, &finished) {
		return view.Note(a.Err, finished.Error(), a.errStyle())
	}
	return err
}

// resumable finds the run to go on with: the one that was named, or else the last one
// that is not finished and not at work in another process, or else the last one at all.
func (a *App) resumable(ctx context.Context, opt *runOptions) (journal.Summary, error) {
	s, err := recorded(ctx, opt.StateDir, opt.run, func(s journal.Summary) bool { return s.Status != journal.Finished && !s.Busy })
	if err == nil || opt.run != "" {
		return s, err
	}
	return recorded(ctx, opt.StateDir, "", func(journal.Summary) bool { return true })
}

// journaled works in a session that keeps a journal. It ends with the run's ID: where its
// record is or, if it was stopped, how to go on.
func (a *App) journaled(ctx context.Context, opt *runOptions, work func(*session.Session) (*engine.Report, error)) error {
	j := &journaling{app: a, opt: opt}
	return j.tell(a.withSession(ctx, opt, j.note(work)))
}

// journaling notes whether a run has kept a journal, and tells it at the end.
type journaling struct {
	app      *App
	opt      *runOptions
	recorded *engine.Report // nil: there is no journal
}

// note is work, and a look at what became of the journal. Where j is nil, nobody wants to
// know.
func (j *journaling) note(work func(*session.Session) (*engine.Report, error)) func(*session.Session) (*engine.Report, error) {
	if j == nil {
		return work
	}
	return func(s *session.Session) (*engine.Report, error) {
		r, err := work(s)
		if s.Journaled() && r != nil {
			j.recorded = r
			j.opt.next.Resume = j.opt.resumeCommand(j.app.defaultState(), s.Run())
		}
		return r, err
	}
}

// tell says where the journal is or how to go on, and passes on the error of the run.
func (j *journaling) tell(err error) error {
	a, opt := j.app, j.opt
	if j.recorded == nil {
		return err
	}
	var told error
	switch {
	case j.recorded.Run.Canceled:
		told = view.Stopped(a.Err, j.recorded, opt.next.Resume, a.errStyle())
	case opt.progress != progressNone:
		told = view.Recorded(a.Err, j.recorded, journalFile(opt.StateDir, j.recorded.Run.ID), a.errStyle())
	}
	return errors.Join(err, told)
}

// resumeCommand is the command that goes on with a run, with the flags that sign in and
// reach Azure as this command did. Secrets are left out: they have to be given again.
func (o *runOptions) resumeCommand(defaultState, id string) string {
	line := resumeLine(o.StateDir, defaultState, id)
	if len(o.reach) > 0 {
		line += " " + strings.Join(o.reach, " ")
	}
	return line
}

// resumeLine is the command that goes on with a run, without flags to sign in.
func resumeLine(stateDir, defaultState, id string) string {
	line := "atg run resume " + id
	if stateDir != defaultState {
		line += fmt.Sprintf(" --%s %s", stateDirFlag, view.Quote(stateDir))
	}
	return line
}

// defaultState is the state directory where no flag names another, or "" if there is none.
func (a *App) defaultState() string {
	dir, err := a.stateDir(a.env(envPrefix + "STATE_DIR"))
	if err != nil {
		return ""
	}
	return dir
}

// reachFlags are the flags that a resumed run wants again: who signs in, and how Azure is
// reached. Those that hold a secret are left out.
func reachFlags(f *pflag.FlagSet) []string {
	var out []string
	f.VisitAll(func(f *pflag.Flag) {
		_, signIn := f.Annotations[credentialFlag]
		secret := strings.HasSuffix(f.Name, "sp-client-secret")
		if f.Changed && f.Name != "mode" && !secret && (signIn || f.Name == "emulator" || f.Name == "workers" || f.Name == "pace") {
			out = append(out, flagText(f)...)
		}
	})
	return out
}
