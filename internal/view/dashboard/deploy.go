package dashboard

import (
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// deployed is what the phase of the control plane has come to.
type deployed struct {
	step         string // what is done now; "" at the end
	ready, total int64  // resources
	running      int64
	failed       int64
	status       string // at the end
}

// foldDeploy takes the events of the control plane. A tool's own lines are printed above
// the frame by whoever shows the run.
func (s *state) foldDeploy(e event.Event, now time.Time) {
	switch e := e.(type) {
	case event.DeployStarted:
		s.run, s.command, s.target = printable(e.Run), "deploy", printable(e.Tenant)
		s.begin(event.Deploying, now)
	case event.DeployStep:
		s.stage().deployed.step = printable(e.Step + ": " + e.Text)
	case event.DeployPlanned:
		d := &s.stage().deployed
		d.ready, d.total = e.Same, e.Create+e.Update+e.Replace+e.Same
	case event.DeployResource:
		s.deployResource(e, now)
	case event.DeployFinished:
		d := &s.stage().deployed
		d.step, d.status, d.running = "", printable(e.Status), 0
		d.ready, d.total = e.Deployed, e.Resources
		if e.Err != nil {
			s.stage().broken++
			s.fail(now, s.explain(e.Err))
		}
	}
}

func (s *state) deployResource(e event.DeployResource, now time.Time) {
	d := &s.stage().deployed
	switch e.State {
	case event.ResourceRunning:
		d.running++
	case event.ResourceReady:
		d.ready, d.running = d.ready+1, max(d.running-1, 0)
	case event.ResourceFailed:
		d.failed, d.running = d.failed+1, max(d.running-1, 0)
		if e.Err != nil {
			s.fail(now, s.explain(e.Err))
		}
	}
	d.total = max(d.total, d.ready+d.running+d.failed)
}

// text says where the control plane stands.
func (d deployed) text() string {
	out := d.status
	if d.step != "" {
		out = d.step
	}
	if d.total > 0 {
		if out != "" {
			out += ", "
		}
		out += number(d.ready) + " of " + plural(d.total, "resource")
	}
	if d.failed > 0 {
		out += ", " + number(d.failed) + " failed"
	}
	return out
}
