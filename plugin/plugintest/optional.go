package plugintest

import (
	"context"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// exercise calls what a plugin offers for one item beside Replicate, and tells observe
// (which may be nil) of every result. It returns the errors.
func (p *pair) exercise(ctx context.Context, it plugin.Item, r run, observe func(what string, v any)) []error {
	if observe == nil {
		observe = func(string, any) {}
	}
	var failed []error
	note := func(what string, v any, err error) {
		if err != nil {
			failed = append(failed, err)
			observe("an error of "+what, err)
			return
		}
		observe(what, v)
	}
	if c, ok := p.subject.Plugin.(plugin.Comparer); ok {
		cmp, err := c.Compare(ctx, p.task(it, r))
		note("Compare", cmp, err)
	}
	if d, ok := p.subject.Plugin.(plugin.Declarer); ok {
		blocks, err := d.Declare(ctx, p.task(it, r))
		note("Declare", blocks, err)
	}
	return failed
}

// estimate calls Estimate, if the plugin has it.
func (p *pair) estimate(ctx context.Context, mode plugin.Mode) (plugin.Estimate, bool, error) {
	e, ok := p.subject.Plugin.(plugin.Estimator)
	if !ok {
		return plugin.Estimate{}, false, nil
	}
	est, err := e.Estimate(ctx, p.from.Endpoint, mode)
	return est, true, err
}
