package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// pluginCheck runs atg plugin check.
func (a *App) pluginCheck(ctx context.Context, opt *pluginOptions) error {
	p, err := a.named(opt.name)
	if err != nil {
		return err
	}
	info := p.Info()
	subject, ok := a.Subject(p)
	if !ok {
		return usagef("plugin %s does not say how it can be checked: it has no conformance subject", info.Name)
	}
	only, err := onlyThese(opt.only)
	if err != nil {
		return err
	}
	suite := plugintest.Options{Only: only}
	if opt.output == outputJSON {
		report := plugintest.Run(ctx, subject, suite)
		return verdict(report, view.JSON(a.Out, report))
	}
	tree := view.NewChecks(a.Out, "conformance of "+info.Name+" "+info.Version, a.outStyle())
	suite.Done = func(r plugintest.Result) {
		tree.Done(view.Check{Name: r.Name, Claim: r.Claim, Status: string(r.Status), Duration: r.Duration, Messages: r.Messages})
	}
	report := plugintest.Run(ctx, subject, suite)
	return verdict(report, tree.Close())
}

// verdict is the error that ends the command: that of writing, or a failed check.
func verdict(r plugintest.Report, shown error) error {
	if shown == nil && !r.OK() {
		return resultError{exitFailed}
	}
	return shown
}

// onlyThese chooses checks by name; none means all.
func onlyThese(names []string) (func(string) bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var known []string
	for _, c := range plugintest.Checks() {
		known = append(known, c.Name)
	}
	var wrong error
	for _, n := range names {
		if !slices.Contains(known, n) {
			wrong = errors.Join(wrong, usagef("--only %s: there is no such check; without --only all are run and named", n))
		}
	}
	return func(name string) bool { return slices.Contains(names, name) }, wrong
}
