package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rounds is how often each program copies each cell in each way. Programs take turns.
const rounds = 5

const (
	leastSmall  = 1.5 // of the better peer's speed, for small blobs from server to server
	leastOthers = 1.0
	leastOfPair = 0.6 // of the speed of one plain GET and one plain PUT at a time
)

// cells are what is copied.
func cells() []cell {
	return []cell{{"20,000 × 1 KiB", 20_000, 1 << 10}, {"64 × 8 MiB", 64, 8 << 20}, {"one of 2 GiB", 1, 2 << 30}}
}

// taken is one run of one program.
type taken struct {
	usage
	requests int // of the two accounts
}

// blobs holds atg against its peers.
func blobs(ctx context.Context, l *lab) ([]row, error) {
	all, err := programs()
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, c := range cells() {
		for _, way := range []string{byServer, through} {
			runs, pair, err := race(ctx, l, all, c, way, rounds)
			if err != nil {
				return rows, fmt.Errorf("%s, %s: %w", c.name, way, err)
			}
			rows = append(rows, compared(c, way, all, runs)...)
			if way == through {
				rows = append(rows, againstPair(c, median(runs[0], copied), pair))
			}
		}
	}
	return rows, nil
}

// race lets the programs copy a cell in turns, each time to an empty account of a fresh
// emulator. pair is the median time of plain requests, where the way is through the client.
func race(ctx context.Context, l *lab, all []copier, c cell, way string, rounds int) (runs [][]taken, pair time.Duration, err error) {
	text, err := accountsOf(c, false)
	if err != nil {
		return nil, 0, err
	}
	runs = make([][]taken, len(all))
	var pairs []time.Duration
	for range rounds {
		for i, p := range all {
			err = l.within(ctx, emulation{world: text}, func(az *azure) error {
				t, err := az.copyBy(ctx, p, c, way)
				runs[i] = append(runs[i], t)
				return err
			})
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if way != through {
			continue
		}
		err = l.within(ctx, emulation{world: text}, func(az *azure) error {
			took, err := az.passOn(ctx, c)
			pairs = append(pairs, took)
			return err
		})
		if err != nil {
			return nil, 0, fmt.Errorf("plain requests: %w", err)
		}
	}
	if len(pairs) > 0 {
		slices.Sort(pairs)
		pair = pairs[len(pairs)/2]
	}
	return runs, pair, nil
}

// copyBy runs one program. What did not bring everything over gives no number.
func (az *azure) copyBy(ctx context.Context, p copier, c cell, way string) (taken, error) {
	if err := az.settled(ctx); err != nil {
		return taken{}, err
	}
	u, err := p.run(ctx, az, c, way)
	if err != nil {
		return taken{}, err
	}
	seen, err := az.log.ofAccounts()
	if err != nil {
		return taken{}, err
	}
	return taken{u, seen.requests}, az.arrived(ctx, c)
}

func copied(t taken) time.Duration { return t.copied }
func wall(t taken) time.Duration   { return t.wall }

// median is that of one measure of runs.
func median[T cmp.Ordered](runs []taken, of func(taken) T) T {
	all := make([]T, len(runs))
	for i, r := range runs {
		all[i] = of(r)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// compared holds the first program, atg, against the others.
func compared(c cell, way string, all []copier, runs [][]taken) []row {
	what := c.name + ", " + way
	mine, better := median(runs[0], copied), time.Duration(0)
	var times, memory, requests, cpu []string
	for i, p := range all {
		took := median(runs[i], copied)
		if i > 0 && (better == 0 || took < better) {
			better = took
		}
		times = append(times, fmt.Sprintf("%s %.2f s", p.name, took.Seconds()))
		memory = append(memory, fmt.Sprintf("%s %.0f", p.name, float64(median(runs[i], func(t taken) int64 { return t.peak }))/mib))
		requests = append(requests, fmt.Sprintf("%s %.2f", p.name, float64(median(runs[i], func(t taken) int { return t.requests }))/float64(c.count)))
		cpu = append(cpu, fmt.Sprintf("%s %.2f s", p.name, median(runs[i], func(t taken) time.Duration { return t.cpu }).Seconds()))
	}
	least := leastOthers
	if way == byServer && c.size < mib {
		least = leastSmall
	}
	basis := fmt.Sprintf("%s; median of %d", strings.Join(times, ", "), len(runs[0]))
	return []row{
		atLeast(what+": speed of atg ÷ that of the better peer", ratio(better, mine), least, "%.2f", basis),
		note(what+": the same, with atg's verification", "%.2f", ratio(better, median(runs[0], wall))).from("no peer verifies"),
		note(what+": peak memory, MiB", "%s", strings.Join(memory, ", ")),
		note(what+": requests per blob", "%s", strings.Join(requests, ", ")),
		note(what+": processor time", "%s", strings.Join(cpu, ", ")),
	}
}

func againstPair(c cell, mine, pair time.Duration) row {
	basis := fmt.Sprintf("%.0f MB/s ÷ %.0f MB/s, which one GET and one PUT of net/http at a time reach", rate(c, mine), rate(c, pair))
	return atLeast(c.name+", "+through+": speed of atg ÷ that of plain requests", ratio(pair, mine), leastOfPair, "%.2f", basis)
}

// rate is in megabytes per second.
func rate(c cell, took time.Duration) float64 { return float64(c.bytes()) / 1e6 / took.Seconds() }
