package view

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// run emits what a short run emits.
func run(emit event.Sink) {
	kv := rg + "kv-a"
	broken := &errs.Error{Op: "write the secret", Kind: errs.Conflict, Code: "Conflict", Side: "target", Resource: rg + "kv-b", RequestID: "r1"}
	for _, e := range []event.Event{
		event.RunStarted{Run: "7F3K0001", Command: "apply", Mode: plugin.Replication, SourceTenant: "c0", TargetTenant: "f0"},
		event.PhaseStarted{Phase: event.Inventory},
		event.PhaseStarted{Phase: event.Pairing},
		event.Paired{Source: kv, Target: rg + "kv-b", Rule: "tag"},
		event.Unpaired{Source: rg + "kv-z", Reason: "nothing matches"},
		event.PhaseStarted{Phase: event.Planning},
		event.ItemPlanned{Resource: kv, Item: "secrets/a", Kind: "secret", State: plugin.Missing},
		event.ItemPlanned{Resource: kv, Item: "issuers/i", Kind: "issuer", State: plugin.Cannot},
		event.ResourceDone{Phase: event.Planning, Source: kv, Items: 2},
		event.PhaseStarted{Phase: event.Applying},
		event.ResourceStarted{Phase: event.Applying, Plugin: "keyvault", Source: kv, Target: rg + "kv-b"},
		event.ItemStarted{Resource: kv, Item: "secrets/a", Kind: "secret"},
		event.ItemProgress{Resource: kv, Item: "secrets/a", Bytes: 1, Size: 2},
		event.Throttled{Host: "kv-b.vault.azure.net", Wait: 5 * time.Second},
		event.Throttled{Host: "kv-b.vault.azure.net", Wait: 5 * time.Second},
		event.Retrying{Resource: kv, Item: "secrets/a", Attempt: 1, Wait: time.Second, Err: broken},
		event.ItemDone{Resource: kv, Item: "secrets/a", Kind: "secret", Status: plugin.Created, Bytes: 3},
		event.ItemDone{Resource: kv, Item: "secrets/b", Kind: "secret", Status: plugin.Failed, Err: broken},
		event.ResourceDone{Phase: event.Applying, Source: kv, Items: 2},
		event.ResourceDone{Phase: event.Applying, Source: rg + "kv-c", Err: errors.New("cannot list")},
		event.ResourceSkipped{Phase: event.Applying, Source: rg + "kv-d", Target: rg + "kv-e", Reason: "wrong mode"},
		event.PhaseStarted{Phase: event.Verifying},
		event.ItemVerified{Resource: kv, Item: "secrets/a", Kind: "secret", State: plugin.Same, Proven: true},
		event.ItemVerified{Resource: kv, Item: "secrets/b", Kind: "secret", Err: broken},
		event.ResourceDone{Phase: event.Verifying, Source: kv, Items: 2},
		event.RunFinished{Run: "7F3K0001"},
	} {
		emit(e)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := NewPlain(&b, Style{})
		run(p.Event)
		p.Close()
		golden(t, "plain.golden", b.String())
	})
}

func TestPlainOnTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := NewPlain(&b, Style{Width: 80})
		p.Event(event.PhaseStarted{Phase: event.Applying})
		p.Close()
		want := time.Now().Format("15:04:05") + " apply: copying what the target lacks\n\n"
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
}

func TestPlainRepeatsWhereTheRunStands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := NewPlain(&b, Style{})
		written := func() string { // the ticker writes from a goroutine of its own
			p.mu.Lock()
			defer p.mu.Unlock()
			return b.String()
		}
		p.Event(event.PhaseStarted{Phase: event.Applying})
		for range 3 {
			p.Event(event.ItemDone{Resource: "kv", Status: plugin.Created})
		}
		time.Sleep(SummaryEvery - time.Second)
		synctest.Wait()
		if strings.Contains(written(), "so far") {
			t.Error("a summary comes too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := written(); !strings.Contains(got, "apply: 3 items, 3 created so far") {
			t.Errorf("no summary: %s", got)
		}
		p.Close()
	})
}

func TestLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	l := NewLines(&b, "v1", func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) })
	run(l.Event)
	if err := l.Close(goodReport()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	var types []string
	failed := 0
	for _, line := range lines {
		var rec struct {
			Type  string
			Error *failure
			Event json.RawMessage
			Time  time.Time
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		types = append(types, rec.Type)
		if rec.Event != nil && rec.Time.Hour() != 12 {
			t.Errorf("no time: %s", line)
		}
		if rec.Error != nil {
			failed++
			if rec.Type == "item-done" && (rec.Error.Code != "Conflict" || rec.Error.RequestID != "r1" || rec.Error.Hint == "") {
				t.Errorf("an error in machine form: %+v", rec.Error)
			}
		}
	}
	if types[0] != "version" || types[1] != "run-started" || types[len(types)-1] != "report" {
		t.Errorf("order of records: %v", types)
	}
	if failed != 4 { // a retry, a failure, a comparison, a listing
		t.Errorf("%d records carry an error, want 4", failed)
	}
}

func TestLinesAreWholeUnderConcurrency(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	l := NewLines(&b, "v1", func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { run(l.Event) })
	}
	wg.Wait()
	if err := l.Close(nil); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Fatalf("a torn line: %s", line)
		}
	}
}

func TestExitRecord(t *testing.T) {
	t.Parallel()
	got := render(t, func(b *strings.Builder) error {
		return errors.Join(Exit(b, 0, nil), Exit(b, 4, &errs.Error{Op: "sign in", Kind: errs.Unauthenticated, Side: "source"}))
	})
	want := `{"type":"exit","code":0}
{"type":"exit","code":4,"error":{"errorKind":"unauthenticated","message":"sign in (source)","side":"source","hint":"give the source credential by flags or environment variables: ` + "`atg help environment`" + ` lists them"}}
`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
