package storage

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// apply runs the engine over tables. It returns the report and what the applying phase
// asked of both accounts.
func (l *lab) apply() (*engine.Report, []string) {
	l.Helper()
	var asked []string
	l.calls.take()
	pair := engine.Pair{Plugin: l.plugin, Source: l.source, Target: l.target, Rule: "test"}
	r, err := local.New().Apply(l.Context(), []engine.Pair{pair}, engine.Options{
		Mode: plugin.Replication, Settings: map[string]plugin.Settings{"storage": {"parts": "tables"}},
		Emit: func(e event.Event) {
			if p, ok := e.(event.PhaseStarted); ok && p.Phase == event.Verifying {
				asked = l.calls.take()
			}
		},
	})
	if err != nil {
		l.Fatal(err)
	}
	return r, asked
}

// sum adds up what calls.take returned.
func sum(asked []string) int {
	all := 0
	for _, what := range asked {
		n := 0
		_, _ = fmt.Sscan(what, &n)
		all += n
	}
	return all
}

// sameEntities fails the test if the accounts do not hold the same entities.
func (l *lab) sameEntities() {
	l.Helper()
	source, target := l.objects(l.source), l.objects(l.target)
	for _, side := range []map[string]map[string]string{source, target} {
		for _, fields := range side {
			delete(fields, "Timestamp")
		}
	}
	if diff := cmp.Diff(source, target); diff != "" {
		l.Errorf("source and target (-source +target):\n%.2000s", diff)
	}
}

// TestEntitiesGoTogether counts the requests of a run through the engine.
func TestEntitiesGoTogether(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"tables":[{"name":"Big","generate":{"count":1000,"perPartition":334}}]}`}, side{})
	r, asked := l.apply()
	if r.Outcomes[plugin.Created] != 1001 || r.Fidelity.Verified != 1001 || r.FailTotal != 0 {
		t.Errorf("%v, %+v, %+v", r.Outcomes, r.Fidelity.Count, r.Failures)
	}
	if n := sum(asked); n > 60 || n < 20 {
		t.Errorf("%d requests to both accounts, want at most 60: %v", n, asked)
	}
	l.sameEntities()
	if r, asked = l.apply(); r.Outcomes[plugin.Unchanged] != 1001 || sum(asked) > 15 {
		t.Errorf("second run: %v, %v", r.Outcomes, asked)
	}
}

// TestBatchesUnderFaults: every other try of a batch is refused, and the end is the same.
func TestBatchesUnderFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"tables":[{"name":"Big","generate":{"count":1000,"perPartition":90}}]}`}, side{})
	var n atomic.Int64
	l.calls.answer(http.StatusServiceUnavailable, "ServerBusy", func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "$batch") && n.Add(1)%2 == 1
	})
	r, _ := l.apply()
	if r.FailTotal != 0 || r.Outcomes[plugin.Created]+r.Outcomes[plugin.Unchanged] != 1001 || r.Fidelity.Verified != 1001 || n.Load() < 12 {
		t.Errorf("%v, %+v, %+v", r.Outcomes, r.Fidelity.Count, r.Failures)
	}
	l.sameEntities()
}
