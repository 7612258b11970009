package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// mayAsk refuses a run that writes where nobody can be asked and nobody has agreed.
func (a *App) mayAsk(opt *runOptions) error {
	switch {
	case opt.yes || opt.ask:
		return nil
	case a.canAsk():
		return usagef("apply writes to the target tenant, and --no-input forbids the question: add --yes")
	default:
		return usagef("apply writes to the target tenant, and nobody can be asked here: add --yes")
	}
}

// consent plans, shows the plan and asks, in proportion to what the run would do. The
// report is returned, with or without an error, where the plan was not carried to its end.
func (a *App) consent(ctx context.Context, opt *runOptions, s *session.Session) (*engine.Report, error) {
	planned, err := s.Plan(ctx)
	if err != nil || planned.Run.Canceled {
		return planned, err
	}
	return nil, opt.out.aside(func() error {
		if err := view.Report(a.Err, planned, view.Next{}, a.errStyle()); err != nil {
			return err
		}
		source, target := s.Tenants(ctx)
		return a.confirm(ctx, question{mode: opt.Mode, overwrite: opt.Overwrite, plan: planned, source: source, target: target})
	})
}

// question is what a person is asked to agree to.
type question struct {
	mode           plugin.Mode
	overwrite      bool
	plan           *engine.Report
	source, target session.Tenant
}

// confirm asks in proportion: not at all for a template or if there is nothing to write,
// for the word yes before a replication, for the target's name or ID before something of
// the target is replaced.
func (a *App) confirm(ctx context.Context, q question) error {
	create, replace := q.plan.Plan[plugin.Missing], int64(0)
	if q.overwrite {
		replace = q.plan.Plan[plugin.Different]
	}
	if replace == 0 && (create == 0 || q.mode == plugin.Template) {
		return nil
	}
	c := view.Consent{Source: q.source.String(), Target: q.target.String(), Plan: q.plan, Overwrite: q.overwrite}
	if err := view.ConsentText(a.Err, c, a.errStyle()); err != nil {
		return err
	}
	words, prompt := []string{"yes"}, "Type yes to go on"
	if replace > 0 {
		words, prompt = []string{q.target.ID}, "Type the ID of the target tenant to go on"
		if q.target.Name != "" {
			words, prompt = append(words, q.target.Name), fmt.Sprintf("Type the name of the target tenant, %s, to go on", q.target.Name)
		}
	}
	answer, err := a.ask(ctx, prompt)
	if err != nil {
		return unanswered(err, "--yes")
	}
	for _, w := range words {
		if answer == w || (replace > 0 && strings.EqualFold(answer, w)) {
			return nil
		}
	}
	return &errs.Error{
		Op: "write to the target without consent", Kind: errs.Canceled,
		Err:  fmt.Errorf("the answer was %q, not %s", answer, words[len(words)-1]),
		Hint: "nothing was written; run it again and answer " + words[len(words)-1] + ", or add --yes",
	}
}
