package storage

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Discover implements plugin.Plugin: one part after another. A cursor is the name of a
// part, a colon and the part's own cursor.
func (p *Plugin) Discover(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		l, chosen, err := p.listing(src, opt)
		if err != nil {
			yield(plugin.Item{}, err)
			return
		}
		for _, x := range chosen {
			about := x.About()
			if about.Service != "" && !l.Source.Has(about.Service) {
				continue
			}
			mine := l
			if l.Target != nil && about.Service != "" && !l.Target.Has(about.Service) {
				mine.Target = nil
			}
			named := func(it plugin.Item, err error) bool {
				if it.Cursor != "" {
					it.Cursor = about.Name + ":" + it.Cursor
				}
				return yield(it, err)
			}
			if !x.Discover(ctx, mine, named) {
				return
			}
			l.After = ""
		}
	}
}

// listing returns what to list, and the chosen parts from the one that the cursor is of.
func (p *Plugin) listing(src plugin.Endpoint, opt plugin.DiscoverOptions) (part.Listing, []part.Part, error) {
	l := part.Listing{Mode: opt.Mode, Setting: p.setting(opt.Settings)}
	chosen, err := p.chosen(l.Setting(setParts))
	if err != nil {
		return l, nil, err
	}
	if opt.After != "" {
		name, own, _ := strings.Cut(opt.After, ":")
		first := slices.IndexFunc(chosen, func(x part.Part) bool { return x.About().Name == name })
		if first < 0 {
			return l, nil, &errs.Error{
				Op: "go on with the listing", Kind: errs.Invalid, Resource: src.Resource.ID,
				Err: fmt.Errorf("%q is no cursor of this plugin and its settings", opt.After),
			}
		}
		l.After, chosen = own, chosen[first:]
	}
	useKey := l.Setting(setSignIn) == withKey
	if l.Source, err = p.cache.For(src, useKey); err != nil {
		return l, nil, classify.Error("list the account", plugin.Source, src.Resource.ID, "", err)
	}
	if opt.Target != nil {
		if l.Target, err = p.cache.For(*opt.Target, useKey); err != nil {
			return l, nil, classify.Error("list the account", plugin.Target, opt.Target.Resource.ID, "", err)
		}
	}
	return l, chosen, nil
}

// chosen returns the parts that a setting names.
func (p *Plugin) chosen(setting string) ([]part.Part, error) {
	if setting == allParts {
		return p.parts, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(setting, ",") {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(p.parts, func(x part.Part) bool { return x.About().Name == name }) {
			return nil, &errs.Error{
				Op: "read the setting " + setParts, Kind: errs.Invalid, Err: fmt.Errorf("%q is no part of a storage account", name),
				Hint: "use all, or some of " + p.names(),
			}
		}
		wanted[name] = true
	}
	return slices.DeleteFunc(slices.Clone(p.parts), func(x part.Part) bool { return !wanted[x.About().Name] }), nil
}

// Estimate implements plugin.Estimator. It counts by listing, so items and bytes are
// exact; the duration is what the services take in a first run, or what a line of
// lineRate lets through if that is longer.
func (p *Plugin) Estimate(ctx context.Context, src plugin.Endpoint, mode plugin.Mode) (plugin.Estimate, error) {
	l, chosen, err := p.listing(src, plugin.DiscoverOptions{Mode: mode})
	if err != nil {
		return plugin.Estimate{}, err
	}
	est := plugin.Estimate{Exact: true}
	for _, x := range chosen {
		about := x.About()
		if about.Service != "" && !l.Source.Has(about.Service) {
			continue
		}
		var items, bytes int64
		var failed error
		x.Discover(ctx, l, func(it plugin.Item, err error) bool {
			failed = err
			items, bytes = items+1, bytes+max(it.Size, 0)
			return err == nil
		})
		if failed != nil {
			return plugin.Estimate{}, failed
		}
		est.Items, est.Bytes = est.Items+items, est.Bytes+bytes
		est.Duration += max(perSecond(items, about.PerSecond), perSecond(bytes, lineRate))
	}
	return est, nil
}

// lineRate is half of what the smallest accounts take in, 25 Gbit/s, in bytes per second
// (https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account).
const lineRate = 25_000_000_000 / 8 / 2

// perSecond is how long n of something take at a rate.
func perSecond(n, rate int64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}
