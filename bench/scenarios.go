package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// scenario is something to measure.
type scenario struct {
	name  string
	title string
	long  bool
	run   func(context.Context, *lab) ([]row, error)
}

const (
	latency = 20 * time.Millisecond
	mib     = 1 << 20
)

// The limit of a vault: so many secret writes in any span of that length
// (https://learn.microsoft.com/azure/key-vault/general/service-limits).
const (
	limitWrites = 300
	limitSpan   = 10 * time.Second
)

func scenarios() []scenario {
	return []scenario{
		{"copy", "10,000 secrets, 20 ms latency, no limits", false, func(ctx context.Context, l *lab) ([]row, error) { return copyTwice(ctx, l, 10_000) }},
		{"limits", "3,000 secrets, 20 ms latency, the vault's own limits", false, func(ctx context.Context, l *lab) ([]row, error) { return limited(ctx, l, 3_000) }},
		{"memory", "Memory, 10,000 secrets, no latency", false, func(ctx context.Context, l *lab) ([]row, error) { return memory(ctx, l, 120, 10_000) }},
		{"growth", "Memory, 100,000 and 200,000 secrets, no latency", true, func(ctx context.Context, l *lab) ([]row, error) { return memory(ctx, l, 150, 100_000, 200_000) }},
		{"journal", "Journal", false, journal},
		{"blobs", "Blobs, against AzCopy and rclone", false, blobs},
		{"killed", "Killed in the middle of a blob of 2 GiB, then resumed", false, func(ctx context.Context, l *lab) ([]row, error) { return killed(ctx, l, 2<<30, byServer, through) }},
		{"azurite", "Blobs, against AzCopy and rclone, on Azurite", false, onAzurite},
		{"million", "Unchanged blobs, 100,000 and 1,000,000", true, func(ctx context.Context, l *lab) ([]row, error) { return unchanged(ctx, l, 200, 100_000, 1_000_000) }},
	}
}

func names() []string {
	all := scenarios()
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.name
	}
	return out
}

func find(name string) *scenario {
	for _, s := range scenarios() {
		if s.name == name {
			return &s
		}
	}
	return nil
}

// within runs f with an emulator.
func (l *lab) within(ctx context.Context, of emulation, f func(*azure) error) error {
	az, err := l.emulate(ctx, of)
	if err != nil {
		return err
	}
	return errors.Join(f(az), az.close())
}

// first copies into an empty target.
func (az *azure) first(ctx context.Context) (*result, error) {
	r, err := az.apply(ctx)
	if err == nil && r.outcomes["created"] != int64(az.of.secrets) {
		err = fmt.Errorf("the target was empty, but the outcomes are %v", r.outcomes)
	}
	return r, err
}

// again copies to a target that holds everything already.
func (az *azure) again(ctx context.Context) (*result, error) {
	r, err := az.apply(ctx)
	if err == nil && r.outcomes["unchanged"] != int64(az.of.secrets) {
		err = fmt.Errorf("the target was equal, but the outcomes are %v", r.outcomes)
	}
	return r, err
}

// copyTwice measures a first copy and an unchanged second run.
func copyTwice(ctx context.Context, l *lab, secrets int) (rows []row, err error) {
	err = l.within(ctx, emulation{secrets: secrets, latency: latency}, func(az *azure) error {
		one, err := az.first(ctx)
		if err != nil {
			return err
		}
		rows = append(rows, firstRows(one, l.workers, secrets)...)
		two, err := az.again(ctx)
		if err == nil {
			rows = append(rows, againRows(two, l.workers, secrets)...)
		}
		return err
	})
	return rows, err
}

func firstRows(r *result, workers, secrets int) []row {
	copied, verified := r.phases[applyPhase], r.phases[verifyPhase]
	return []row{
		atMost("first copy: wall ÷ computed limit", ratio(r.wall, idle(r.all, workers)), 1.3, "%.2f", basis(r.wall, r.all, workers)),
		note("first copy: the phase that copies, alone", "%.2f", ratio(copied.wall, idle(copied.calls, workers))).from(basis(copied.wall, copied.calls, workers)),
		note("first copy: the phase that verifies, alone", "%.2f", ratio(verified.wall, idle(verified.calls, workers))).from(basis(verified.wall, verified.calls, workers)),
		answered("first copy", r, workers),
		atMost("first copy: calls per secret", per(copied.items(), secrets), 3, "%.3f", kindsOf(copied.calls)),
		note("first copy: calls per secret to verify", "%.3f", per(verified.items(), secrets)).from(kindsOf(verified.calls)),
		atMost("first copy: changes asked of the source", float64(r.all.touched), 0, "%.0f", ""),
		note("first copy: sign-in, inventory and challenges", "%d calls", r.all.other+r.all.challenges),
		atMost("first copy: peak memory, MiB", float64(r.peak)/mib, 120, "%.1f", ""),
		note("first copy: CPU of atg per call", "%.2f ms", float64(r.cpu.Microseconds())/1000/float64(r.all.total())),
	}
}

func againRows(r *result, workers, secrets int) []row {
	looked, verified := r.phases[applyPhase], r.phases[verifyPhase]
	return []row{
		atMost("unchanged re-run: writes", float64(r.all.writes+r.all.touched), 0, "%.0f", ""),
		atMost("unchanged re-run: calls per secret", per(looked.items(), secrets), 2, "%.3f", kindsOf(looked.calls)),
		note("unchanged re-run: wall ÷ computed limit", "%.2f", ratio(r.wall, idle(r.all, workers))).from(basis(r.wall, r.all, workers)),
		note("unchanged re-run: the phase that copies, alone", "%.2f", ratio(looked.wall, idle(looked.calls, workers))).from(basis(looked.wall, looked.calls, workers)),
		note("unchanged re-run: the phase that verifies, alone", "%.2f", ratio(verified.wall, idle(verified.calls, workers))).from(basis(verified.wall, verified.calls, workers)),
		answered("unchanged re-run", r, workers),
	}
}

// answered is the wall time of a run against the time that the emulator took to answer,
// which is longer than the latency where the machine is busy: what is above 1 is atg's own.
func answered(name string, r *result, workers int) row {
	mean := float64(r.all.answering.Microseconds()) / 1000 / float64(r.all.total())
	return note(name+": wall ÷ time of the answers", "%.2f", ratio(r.wall, r.all.answering/time.Duration(workers))).
		from(fmt.Sprintf("the emulator took %.1f ms on average to answer", mean))
}

// limited measures a first copy against a vault that enforces its limits.
func limited(ctx context.Context, l *lab, secrets int) (rows []row, err error) {
	err = l.within(ctx, emulation{secrets: secrets, latency: latency, limits: true}, func(az *azure) error {
		r, err := az.first(ctx)
		if err != nil {
			return err
		}
		need, copied := limitTime(secrets), r.phases[applyPhase]
		share := 100 * per(r.all.throttled, r.all.total())
		rows = []row{
			atMost("wall ÷ the limit's own time", ratio(r.wall, need), 1.15, "%.2f", fmt.Sprintf("%s for %d writes, which take %s at %d per %s", seconds(r.wall), secrets, seconds(need), limitWrites, limitSpan)),
			note("the phase that copies, alone", "%.2f", ratio(copied.wall, need)).from(seconds(copied.wall)),
			{
				measure: "answers 429", value: fmt.Sprintf("%.2f %%", share), target: "< 1 %", verdict: verdictOf(share < 1),
				basis: fmt.Sprintf("%d of %d", r.all.throttled, r.all.total()),
			},
			note("calls per secret", "%.3f", per(copied.items(), secrets)).from(kindsOf(copied.calls)),
			note("peak memory", "%.1f MiB", float64(r.peak)/mib),
		}
		return nil
	})
	return rows, err
}

// memory measures the peak memory of first copies, each held against most MiB, and how it
// grows from each to the next.
func memory(ctx context.Context, l *lab, most float64, sizes ...int) (rows []row, err error) {
	var before int64
	for _, secrets := range sizes {
		err = l.within(ctx, emulation{secrets: secrets}, func(az *azure) error {
			r, err := az.first(ctx)
			if err != nil {
				return err
			}
			rows = append(rows, atMost(fmt.Sprintf("peak memory at %d secrets, MiB", secrets), float64(r.peak)/mib, most, "%.1f",
				fmt.Sprintf("%d calls in %s", r.all.total(), seconds(r.wall))))
			if before > 0 {
				growth := 100 * (float64(r.peak)/float64(before) - 1)
				rows = append(rows, row{
					measure: fmt.Sprintf("growth to %d secrets", secrets), value: fmt.Sprintf("%.1f %%", growth), target: "< 10 %", verdict: verdictOf(growth < 10),
				})
			}
			before = r.peak
			return nil
		})
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// idle is the time that calls take if concurrency is used to the full and nothing costs
// time but the latency.
func idle(c calls, workers int) time.Duration {
	return time.Duration(c.total()) * latency / time.Duration(workers)
}

// limitTime is the time before which a vault does not take the last of that many writes:
// one span for each full number of limitWrites that come before it.
func limitTime(writes int) time.Duration {
	return time.Duration((writes-1)/limitWrites) * limitSpan
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func per(n, of int) float64 { return float64(n) / float64(of) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// basis says what a ratio of wall time was computed from.
func basis(wall time.Duration, c calls, workers int) string {
	return fmt.Sprintf("%s for %d calls × %s ÷ %d = %s", seconds(wall), c.total(), latency, workers, seconds(idle(c, workers)))
}

func kindsOf(c calls) string {
	return fmt.Sprintf("%d reads, %d looks, %d writes; besides, %d pages of listings", c.reads, c.looks, c.writes, c.listing)
}

// from adds what a measure was computed from.
func (r row) from(basis string) row {
	r.basis = basis
	return r
}
