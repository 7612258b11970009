package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestUnchanged runs the scenario of unchanged blobs with few: its memory says little, its
// counts do.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 4}
	rows, err := unchanged(t.Context(), l, 1, 10, 6000)
	if err != nil {
		t.Fatal(err)
	}
	got := byMeasure(rows)
	for measure, want := range map[string]row{
		"10 blobs: writes":                       {value: "0", target: "≤ 0", verdict: met},
		"6000 blobs: writes":                     {value: "0", target: "≤ 0", verdict: met},
		"6000 blobs: requests that are no lists": {value: "4", target: "≤ 8", verdict: met, basis: "12 pages of listings"},
	} {
		if r := got[measure]; r.value != want.value || r.target != want.target || r.verdict != want.verdict || !strings.Contains(r.basis, want.basis) {
			t.Errorf("%s: %+v", measure, r)
		}
	}
	if r := got["10 blobs: peak memory, MiB"]; r.verdict != failed {
		t.Errorf("%+v: no run takes less than one MiB", r)
	}
}

func byMeasure(rows []row) map[string]row {
	out := map[string]row{}
	for _, r := range rows {
		out[r.measure] = r
	}
	return out
}

// TestKilled kills and resumes as the scenario does, with a blob that is small.
func TestKilled(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 4}
	rows, err := killed(t.Context(), l, 128*mib, through)
	if err != nil {
		t.Fatal(err)
	}
	if r := byMeasure(rows)[through+": blocks sent"]; r.value != "16" || r.verdict != met {
		t.Errorf("%+v, want 16", r)
	}
}

// TestRace lets atg race against plain requests alone: peers may not be there.
func TestRace(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 4}
	all := []copier{{"atg", copyByATG}, {"again", copyByATG}}
	c := cell{"30 × 1 KiB", 30, 1 << 10}
	for _, way := range []string{byServer, through} {
		runs, pair, err := race(t.Context(), l, all, c, way, 1)
		if err != nil {
			t.Fatal(err)
		}
		rows := byMeasure(compared(c, way, all, runs))
		want := map[string]string{byServer: "atg 1.", through: "atg 2."}[way]
		if r := rows[c.name+", "+way+": requests per blob"]; !strings.HasPrefix(r.value, want) {
			t.Errorf("%s: %+v, want %s… and what listings cost", way, r, want)
		}
		if (pair > 0) != (way == through) || runs[0][0].copied <= 0 || runs[0][0].copied >= runs[0][0].wall {
			t.Errorf("%s: %+v, plain requests %s", way, runs, pair)
		}
	}
}

// TestCompared holds ratios and verdicts against times that are given.
func TestCompared(t *testing.T) {
	t.Parallel()
	second := func(n ...int) (out []taken) {
		for _, s := range n {
			d := time.Duration(s) * time.Second
			out = append(out, taken{usage{copied: d, wall: 2 * d, cpu: d, peak: int64(s) * mib}, 10 * s})
		}
		return out
	}
	all := []copier{{name: "atg"}, {name: "a"}, {name: "b"}}
	runs := [][]taken{second(9, 2, 1), second(3, 3, 3), second(8, 1, 7)}
	for _, tt := range []struct {
		c       cell
		way     string
		verdict verdict
		target  string
	}{
		{cell{"small", 10, 1}, byServer, met, "≥ 1.50"},
		{cell{"small", 10, 1}, through, met, "≥ 1.00"},
		{cell{"large", 10, 8 * mib}, byServer, met, "≥ 1.00"},
	} {
		rows := byMeasure(compared(tt.c, tt.way, all, runs))
		r := rows[fmt.Sprintf("%s, %s: speed of atg ÷ that of the better peer", tt.c.name, tt.way)]
		if r.value != "1.50" || r.verdict != tt.verdict || r.target != tt.target || r.basis != "atg 2.00 s, a 3.00 s, b 7.00 s; median of 3" {
			t.Errorf("%+v", r)
		}
		if r := rows[fmt.Sprintf("%s, %s: requests per blob", tt.c.name, tt.way)]; r.value != "atg 2.00, a 3.00, b 7.00" {
			t.Errorf("%+v", r)
		}
	}
	slow := compared(cell{"large", 10, 8 * mib}, byServer, all, [][]taken{second(4), second(3), second(8)})
	if slow[0].verdict != failed || slow[0].value != "0.75" {
		t.Errorf("%+v: a peer was better", slow[0])
	}
	if r := againstPair(cell{"x", 1, 1e6}, 2*time.Second, time.Second); r.value != "0.50" || r.verdict != failed || !strings.HasPrefix(r.basis, "0 MB/s ÷ 1 MB/s") {
		t.Errorf("%+v", r)
	}
}

// TestNotArrived shows that a program which did not copy everything gives no number.
func TestNotArrived(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 2}
	nothing := copier{"nothing", func(ctx context.Context, az *azure, _ cell, _ string) (usage, error) {
		return usage{}, az.makeBox(ctx)
	}}
	if _, _, err := race(t.Context(), l, []copier{nothing}, cell{"", 2, 1}, byServer, 1); err == nil || !strings.Contains(err.Error(), "nothing: 0 of 2 blobs are at the target") {
		t.Errorf("%v", err)
	}
	broken := copier{"broken", func(context.Context, *azure, cell, string) (usage, error) { return usage{}, errors.New("no") }}
	if _, _, err := race(t.Context(), l, []copier{broken}, cell{"", 2, 1}, byServer, 1); err == nil {
		t.Error("a program that failed was taken")
	}
}
