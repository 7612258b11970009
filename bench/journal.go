package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// journalTarget is how many records about items a journal must take in a second.
const journalTarget = 20_000

// journal runs the journal's own benchmark, which records each item three times: found,
// started, ended.
func journal(ctx context.Context, _ *lab) ([]row, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkItems$", "-benchtime", "100000x", "-count", "3", "-vet", "off", "./internal/journal")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchmark of the journal: %w\n%s", err, out)
	}
	records, items, err := slowest(string(out))
	if err != nil {
		return nil, err
	}
	return []row{
		{
			measure: "records about items per second", value: fmt.Sprintf("%.0f", records), target: fmt.Sprintf("≥ %d", journalTarget),
			basis: fmt.Sprintf("%.0f items per second, 3 records each; the slowest of 3 passes over 100000 items", items), verdict: verdictOf(records >= journalTarget),
		},
	}, nil
}

var metric = regexp.MustCompile(`([0-9.]+) (items|records)/s`)

// slowest is the slowest pass of a benchmark.
func slowest(out string) (records, items float64, err error) {
	found := map[string]float64{}
	for _, m := range metric.FindAllStringSubmatch(out, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, 0, err
		}
		if old, ok := found[m[2]]; !ok || n < old {
			found[m[2]] = n
		}
	}
	if found["records"] == 0 || found["items"] == 0 {
		return 0, 0, errors.New("the benchmark of the journal reports no items/s and records/s")
	}
	return found["records"], found["items"], nil
}
