package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newRunCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "List, explain and resume recorded runs",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `apply keeps a journal of each run: which items there are, how far each came and
why any failed; never a secret. A run that was interrupted, that crashed or of
which something failed goes on with "atg run resume".`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRunListCmd(a, nil), newRunShowCmd(a, nil), newRunResumeCmd(a, nil), newRunRemoveCmd(a, nil))
	return cmd
}

// recordOptions are those of the commands on recorded runs.
type recordOptions struct {
	id       string // "": the last one
	stateDir string
	output   string
	failed   bool
	yes      bool
}

// recordE makes the RunE of a command on recorded runs.
func (a *App) recordE(opt *recordOptions, dir *string, out *choice, runF, run func(context.Context, *recordOptions) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.fromEnv(cmd); err != nil {
			return err
		}
		var err error
		if opt.stateDir, err = a.stateDir(*dir); err != nil {
			return err
		}
		if opt.id, err = runArg(args); err != nil {
			return err
		}
		if out != nil {
			opt.output = out.value
		}
		if runF != nil {
			run = runF
		}
		return run(cmd.Context(), opt)
	}
}

// runArg is the run that the arguments name; "" if they name none.
func runArg(args []string) (string, error) {
	if len(args) == 0 {
		return "", nil
	}
	if args[0] == "" {
		return "", usagef("the ID of the run is empty")
	}
	return args[0], nil
}

func newRunListCmd(a *App, runF func(context.Context, *recordOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the recorded runs, the latest first",
		Args:    cobra.NoArgs,
		Example: "  atg run list\n  atg run list -o json",
	}
	cmd.RunE = a.recordE(&recordOptions{}, addStateDir(cmd), outputFlag(cmd, outputText, outputJSON), runF, a.runList)
	return cmd
}

// runList runs atg run list.
func (a *App) runList(ctx context.Context, opt *recordOptions) error {
	found, err := journal.List(ctx, opt.stateDir)
	if err != nil {
		return err
	}
	rows := make([]view.RunRow, 0, len(found))
	for _, s := range found {
		rows = append(rows, rowOf(s))
	}
	if opt.output == outputJSON {
		return view.JSON(a.Out, rows)
	}
	return view.RunList(a.Out, rows, time.Now(), a.outStyle())
}

func rowOf(s journal.Summary) view.RunRow {
	if s.Err != nil {
		return view.Unreadable(s.ID, s.Err)
	}
	r := view.RunRow{
		ID: s.ID, Command: s.Command, Mode: s.Mode, Started: s.Started, Updated: s.Updated,
		State: stateWord(s), Failed: s.Items[journal.State(plugin.Failed)],
	}
	for state, n := range s.Items {
		r.Total += n
		switch state {
		case journal.Pending, journal.Started, journal.State(plugin.Failed):
		default:
			r.Done += n
		}
	}
	return r
}

// stateWord is a run's state in the words of the list.
func stateWord(s journal.Summary) string {
	switch {
	case s.Busy:
		return "running"
	case s.Status == journal.Canceled:
		return "stopped"
	default:
		return string(s.Status)
	}
}

func newRunShowCmd(a *App, runF func(context.Context, *recordOptions) error) *cobra.Command {
	opt := &recordOptions{}
	cmd := &cobra.Command{
		Use:   "show [ID]",
		Short: "Show how far a run came and, with --failed, why what failed",
		Args:  cobra.MaximumNArgs(1),
		Long: `Shows a recorded run, the last one by default, from its journal alone: Azure is not
asked. With --failed it names every item that failed, by cause, with what to do.`,
		Example:           "  atg run show\n  atg run show 7F3KQ2AB --failed\n  atg run show -o json",
		ValidArgsFunction: a.completeRun,
	}
	cmd.Flags().BoolVar(&opt.failed, "failed", false, "explain every failure")
	cmd.RunE = a.recordE(opt, addStateDir(cmd), outputFlag(cmd, outputText, outputJSON), runF, a.runShow)
	return cmd
}

// runShow runs atg run show.
func (a *App) runShow(ctx context.Context, opt *recordOptions) error {
	s, err := recorded(ctx, opt.stateDir, opt.id, func(journal.Summary) bool { return true })
	if err != nil {
		return err
	}
	if s.Err != nil {
		return s.Err
	}
	r, err := journal.View(ctx, opt.stateDir, s.ID)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	resume := ""
	if s.Status != journal.Finished && !s.Busy {
		resume = resumeLine(opt.stateDir, a.defaultState(), s.ID)
	}
	if opt.failed {
		return a.showFailures(ctx, opt, s, r, resume)
	}
	record, err := recordOf(ctx, opt.stateDir, s, r)
	if err != nil {
		return err
	}
	if opt.output == outputJSON {
		return view.JSON(a.Out, record)
	}
	return view.RunShow(a.Out, record, resume, time.Now(), a.outStyle())
}

func (a *App) showFailures(ctx context.Context, opt *recordOptions, s journal.Summary, r *journal.Reader, resume string) error {
	all := failuresOf(r.Failures(ctx))
	if opt.output == outputJSON {
		return view.RunFailureJSON(a.Out, rowOf(s), all)
	}
	return view.RunFailures(a.Out, s.ID, all, resume, a.outStyle())
}

// failuresOf turns the journal's failures into the view's.
func failuresOf(all iter.Seq2[journal.Failure, error]) iter.Seq2[view.RunFailure, error] {
	return func(yield func(view.RunFailure, error) bool) {
		for f, err := range all {
			out := view.RunFailure{
				Source: f.Source, Target: f.Target, Item: f.Item, Phase: f.Phase, Attempts: f.Attempts, Time: f.Time,
				Kind: errs.Kind(f.ErrorKind), Message: f.Message, Side: f.Side, Code: f.Code,
				RequestID: f.RequestID, Action: f.Action, Hint: f.Hint,
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// recordOf reads all of a run but its failures.
func recordOf(ctx context.Context, stateDir string, s journal.Summary, r *journal.Reader) (view.RunRecord, error) {
	out := view.RunRecord{
		RunRow: rowOf(s), Version: s.Version, SourceTenant: s.SourceTenant, TargetTenant: s.TargetTenant,
		Journal: journalFile(stateDir, s.ID), Items: map[string]int64{}, Pairs: []view.RunPair{},
	}
	pairs, err := r.Pairs(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range pairs {
		out.Pairs = append(out.Pairs, view.RunPair{Source: p.Source, Target: p.Target, Listed: p.Listed, Items: map[string]int64{}})
	}
	counts, err := r.Counts(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range counts {
		out.Items[string(c.State)] += c.Items
		if c.Pair < len(out.Pairs) {
			out.Pairs[c.Pair].Items[string(c.State)] += c.Items
		}
	}
	if len(s.Report) > 0 {
		out.Report = &engine.Report{}
		if err := json.Unmarshal(s.Report, out.Report); err != nil {
			return out, &errs.Error{Op: "read the report", Kind: errs.Invalid, Resource: s.ID, Code: "DamagedJournal", Err: err}
		}
	}
	return out, nil
}

// journalFile is where the journal of a run is, for people to read.
func journalFile(stateDir, id string) string {
	return filepath.Join(stateDir, "runs", id, "journal.db")
}

// errNoRun says that no run is recorded.
func errNoRun(stateDir string) error {
	return &errs.Error{
		Op: "find a run", Kind: errs.NotFound, Resource: stateDir,
		Err: errors.New("none is recorded there"), Hint: "`atg run list` lists the recorded runs; --state-dir names another directory",
	}
}

// recorded finds a run by its ID or, if that is empty, the latest one that fits.
func recorded(ctx context.Context, stateDir, id string, fits func(journal.Summary) bool) (journal.Summary, error) {
	all, err := journal.List(ctx, stateDir)
	if err != nil {
		return journal.Summary{}, err
	}
	for _, s := range all {
		if s.ID == id || id == "" && s.Err == nil && fits(s) {
			return s, nil
		}
	}
	if id != "" {
		_, err := journal.View(ctx, stateDir, id) // which says why there is none
		return journal.Summary{}, err
	}
	for _, s := range all {
		if s.Err != nil { // it might have been the one
			return journal.Summary{}, s.Err
		}
	}
	return journal.Summary{}, errNoRun(stateDir)
}

// completeRun completes the IDs of recorded runs.
func (a *App) completeRun(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	said, err := cmd.Flags().GetString(stateDirFlag)
	if said == "" {
		said = a.env(envPrefix + "STATE_DIR")
	}
	dir, dirErr := a.stateDir(said)
	if errors.Join(err, dirErr) != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := journal.List(cmd.Context(), dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	out := make([]cobra.Completion, 0, len(all))
	for _, s := range all {
		out = append(out, cobra.CompletionWithDesc(s.ID, fmt.Sprintf("%s, %s", s.Command, stateWord(s))))
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func newRunRemoveCmd(a *App, runF func(context.Context, *recordOptions) error) *cobra.Command {
	opt := &recordOptions{}
	cmd := &cobra.Command{
		Use:   "rm ID",
		Short: "Forget a run",
		Args:  cobra.ExactArgs(1),
		Long: `Removes the journal of a run; Azure is left as it is. A run that is not finished
cannot go on afterwards: for it the command asks, or wants --yes.`,
		Example:           "  atg run rm 7F3KQ2AB --yes",
		ValidArgsFunction: a.completeRun,
	}
	cmd.Flags().BoolVarP(&opt.yes, "yes", "y", false, "do not ask before removing a run that is not finished")
	cmd.RunE = a.recordE(opt, addStateDir(cmd), nil, runF, a.runRemove)
	return cmd
}

// runRemove runs atg run rm.
func (a *App) runRemove(ctx context.Context, opt *recordOptions) error {
	s, err := recorded(ctx, opt.stateDir, opt.id, nil)
	if err != nil {
		return err
	}
	if (s.Err != nil || s.Status != journal.Finished) && !s.Busy && !opt.yes {
		if err := a.agreeToForget(ctx, s); err != nil {
			return err
		}
	}
	return journal.Remove(ctx, opt.stateDir, s.ID)
}

func (a *App) agreeToForget(ctx context.Context, s journal.Summary) error {
	row := rowOf(s)
	if !a.canAsk() {
		return usagef("run %s is %s, and nobody can be asked here: add --yes to forget it", s.ID, row.State)
	}
	question := fmt.Sprintf("Run %s is %s, with %d of %d items done; it cannot go on once it is forgotten.\nType yes to forget it", s.ID, row.State, row.Done, row.Total)
	answer, err := a.ask(ctx, question)
	if err != nil {
		return unanswered(err, "--yes")
	}
	if answer != "yes" {
		return &errs.Error{Op: "forget the run without consent", Kind: errs.Canceled, Resource: s.ID, Err: fmt.Errorf("the answer was %q, not yes", answer)}
	}
	return nil
}
