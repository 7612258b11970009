package main

import (
	"context"
	"fmt"
)

// unchanged measures atg where both accounts hold the same blobs: memory, held against most
// MiB, how it grows from each size to the next, and that nothing but lists is asked for.
func unchanged(ctx context.Context, l *lab, most float64, sizes ...int) (rows []row, err error) {
	var before int64
	for _, n := range sizes {
		text, err := accountsOf(cell{count: n, size: 1 << 10}, true)
		if err != nil {
			return rows, err
		}
		err = l.within(ctx, emulation{world: text}, func(az *azure) error {
			u, seen, err := az.nothingNew(ctx, n)
			if err != nil {
				return err
			}
			rows = append(rows, unchangedRows(n, most, u, seen)...)
			if before > 0 {
				growth := 100 * (float64(u.peak)/float64(before) - 1)
				rows = append(rows, row{
					measure: fmt.Sprintf("growth to %d blobs", n), value: fmt.Sprintf("%.1f %%", growth), target: "< 10 %", verdict: verdictOf(growth < 10),
				})
			}
			before = u.peak
			return nil
		})
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// nothingNew runs atg apply, which lists both accounts twice: to copy and to verify. A run
// that did not find everything unchanged and equal gives no number.
func (az *azure) nothingNew(ctx context.Context, n int) (usage, accountCalls, error) {
	if _, err := az.log.ofAccounts(); err != nil {
		return usage{}, accountCalls{}, err
	}
	s, u, err := watch(az.lab.command(ctx, az.env, az.applyBlobs(byServer)...))
	if err != nil {
		return u, accountCalls{}, err
	}
	want := int64(n) + 1
	if r := s.report; r == nil || r.Outcomes["unchanged"] != want || r.Fidelity.Verified != want {
		return u, accountCalls{}, fmt.Errorf("not all of %d items were unchanged and equal: %+v", want, r)
	}
	seen, err := az.log.ofAccounts()
	return u, seen, err
}

func unchangedRows(n int, most float64, u usage, seen accountCalls) []row {
	what := fmt.Sprintf("%d blobs", n)
	other := seen.requests - seen.listing
	return []row{
		atMost(what+": peak memory, MiB", float64(u.peak)/mib, most, "%.1f", fmt.Sprintf("%d requests in %s", seen.requests, seconds(u.wall))),
		atMost(what+": writes", float64(seen.writes+seen.touched), 0, "%.0f", ""),
		// Each phase lists the containers and reads the access policies of each, at both sides.
		atMost(what+": requests that are no lists", float64(other), 8, "%.0f", fmt.Sprintf("%d pages of listings", seen.listing)),
	}
}
