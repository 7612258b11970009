package dashboard

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// TestControlPlane goes through a deployment and looks at the frame after each event.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	s := newState(error.Error)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, step := range []struct {
		event event.Event
		want  string
	}{
		{event.DeployStarted{Run: "7F3K0001", Tenant: "fabrikam"}, "atg deploy · run 7F3K0001"},
		{event.DeployStep{Step: "plan", Text: "finding out"}, "deploy    plan: finding out"},
		{event.DeployPlanned{Create: 2, Same: 1}, "1 of 3 resources"},
		{event.DeployResource{Resource: "a", State: event.ResourceRunning}, "1 of 3 resources"},
		{event.DeployResource{Resource: "a", State: event.ResourceReady}, "2 of 3 resources"},
		{event.DeployResource{Resource: "b", State: event.ResourceFailed, Err: errors.New("no b")}, "2 of 3 resources, 1 failed"},
		{event.DeployFinished{Status: "failed", Resources: 3, Deployed: 2, Err: errors.New("no")}, "failed, 2 of 3 resources, 1 failed"},
		{event.PhaseStarted{Phase: event.Inventory}, "! deploy    failed, 2 of 3 resources, 1 failed"},
	} {
		s.fold(step.event, now)
		if got := view(s, canvas{width: 80, height: 30}, now); !strings.Contains(got, step.want) {
			t.Errorf("after %T: no %q in\n%s", step.event, step.want, got)
		}
	}
	if frame := view(s, canvas{width: 80, height: 30}, now); !strings.Contains(frame, "to fabrikam") || !strings.Contains(frame, "no b") {
		t.Errorf("the frame:\n%s", frame)
	}
}
