package view

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// TestPlainStates shows in lines what happens to a run that is throttled, asked where it
// stands, and stopped.
func TestPlainStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := NewPlain(&b, Style{})
		p.Event(event.PhaseStarted{Phase: event.Applying})
		for range 3 {
			p.Event(event.Throttled{Host: "kv-a.vault.azure.net", Wait: 4 * time.Second})
			p.Event(event.ItemDone{Resource: "kv", Status: plugin.Created})
		}
		p.Event(event.Throttled{Host: "kv-b.vault.azure.net", Wait: time.Minute})
		time.Sleep(SummaryEvery + time.Second)
		synctest.Wait()
		p.Event(event.Throttled{Host: "kv-b.vault.azure.net", Wait: time.Minute})
		p.Block("where it stands:\n  3 items")
		p.Stopping()
		time.Sleep(SummaryEvery)
		synctest.Wait()
		time.Sleep(SummaryEvery)
		synctest.Wait()
		p.Close()
		golden(t, "plain.states.golden", b.String())
	})
}
