package local

import (
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
)

// order sorts the indexes of pairs into waves: a pair stands in a later wave than every
// pair whose type its plugin names in After. Within a wave the order given is kept. It
// fails with kind Invalid if the plugins wait for each other.
func order(pairs []engine.Pair) ([][]int, error) {
	after, types := map[string][]string{}, map[string][]string{}
	for _, p := range pairs {
		info := p.Plugin.Info()
		if _, known := after[info.Name]; known {
			continue
		}
		after[info.Name] = info.After
		typ := strings.ToLower(info.Type)
		types[typ] = append(types[typ], info.Name)
	}
	levels, open := map[string]int{}, map[string]bool{}
	var level func(name string) (int, error)
	level = func(name string) (int, error) {
		if n, done := levels[name]; done {
			return n, nil
		}
		if open[name] {
			return 0, &errs.Error{
				Op: "order the resource types", Kind: errs.Invalid,
				Err: fmt.Errorf("plugin %q waits for itself", name),
			}
		}
		open[name] = true
		n := 0
		for _, typ := range after[name] {
			for _, earlier := range types[strings.ToLower(typ)] {
				m, err := level(earlier)
				if err != nil {
					return 0, err
				}
				n = max(n, m+1)
			}
		}
		levels[name] = n
		return n, nil
	}
	var waves [][]int
	for i, p := range pairs {
		n, err := level(p.Plugin.Info().Name)
		if err != nil {
			return nil, err
		}
		for len(waves) <= n {
			waves = append(waves, nil)
		}
		waves[n] = append(waves[n], i)
	}
	return waves, nil
}
