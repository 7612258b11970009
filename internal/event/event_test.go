package event_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// TestTypes pins the names of machine output.
func TestTypes(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]event.Event{
		"run-started": event.RunStarted{}, "phase-started": event.PhaseStarted{}, "paired": event.Paired{},
		"unpaired": event.Unpaired{}, "resource-started": event.ResourceStarted{}, "resource-done": event.ResourceDone{},
		"resource-skipped": event.ResourceSkipped{}, "item-planned": event.ItemPlanned{}, "item-started": event.ItemStarted{},
		"item-progress": event.ItemProgress{}, "item-done": event.ItemDone{}, "item-verified": event.ItemVerified{},
		"retrying": event.Retrying{}, "throttled": event.Throttled{}, "run-finished": event.RunFinished{},
	} {
		if e.Type() != want {
			t.Errorf("%T is called %q, want %q", e, e.Type(), want)
		}
	}
}
