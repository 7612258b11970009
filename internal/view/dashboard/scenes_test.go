package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	sourceTenant = "1b0c3f52-7d0e-4c1e-9a53-0d0f5b1f6a01"
	targetTenant = "f3a7c9d4-22b1-4f0a-8f6e-64b1c2d3e4f5"
	idPrefix     = "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/"
)

// play folds events into a state along a clock of its own.
type play struct {
	*state
	now time.Time
}

func newPlay() *play {
	return &play{newState(error.Error), time.Date(2026, 3, 4, 14, 0, 0, 0, time.UTC)}
}

func (p *play) emit(events ...event.Event) {
	for _, e := range events {
		p.fold(e, p.now)
	}
}

func (p *play) pass(d time.Duration) { p.now = p.now.Add(d) }

// start opens a run and pairs the sources, each with the target of the same place.
func (p *play) start(command string, sources, targets []string) {
	p.emit(
		event.RunStarted{Run: "7F3K01XY", Command: command, Mode: plugin.Replication, SourceTenant: sourceTenant, TargetTenant: targetTenant},
		event.PhaseStarted{Phase: event.Inventory},
	)
	p.pass(3 * time.Second)
	p.emit(event.PhaseStarted{Phase: event.Pairing})
	for i, s := range sources {
		p.emit(event.Paired{Source: idPrefix + s, Target: idPrefix + targets[i], Rule: "name"})
	}
	p.pass(time.Second)
}

func (p *play) open(phase event.Phase, sources ...string) {
	for _, s := range sources {
		target := "unknown"
		if r := p.resources[idPrefix+s]; r != nil {
			target = r.target
		}
		p.emit(event.ResourceStarted{Phase: phase, Plugin: "keyvault", Source: idPrefix + s, Target: idPrefix + target})
	}
}

func (p *play) done(phase event.Phase, source string, items int64) {
	p.emit(event.ResourceDone{Phase: phase, Source: idPrefix + source, Items: items})
}

// plan plans n items of a source, of which same are the same already.
func (p *play) plan(source string, n, same int) {
	p.open(event.Planning, source)
	for i := range n {
		st := plugin.Missing
		if i < same {
			st = plugin.Same
		}
		p.emit(event.ItemPlanned{Resource: idPrefix + source, Item: key(i), Kind: "secret", State: st})
	}
	p.done(event.Planning, source, int64(n))
}

// work carries items [from, to) to the status, one each step.
func (p *play) work(source string, from, to int, status plugin.Status, step time.Duration) {
	for i := from; i < to; i++ {
		p.emit(event.ItemStarted{Resource: idPrefix + source, Item: key(i), Kind: "secret"})
		p.pass(step)
		p.emit(event.ItemDone{Resource: idPrefix + source, Item: key(i), Kind: "secret", Status: status})
	}
}

func (p *play) fails(source string, item plugin.Key, err error) {
	p.emit(
		event.ItemStarted{Resource: idPrefix + source, Item: item, Kind: "secret"},
		event.ItemDone{Resource: idPrefix + source, Item: item, Kind: "secret", Status: plugin.Failed, Err: err},
	)
}

func (p *play) verify(source string, n int, st plugin.State) {
	for i := range n {
		p.emit(event.ItemVerified{Resource: idPrefix + source, Item: key(i), Kind: "secret", State: st, Proven: st == plugin.Same})
	}
}

func key(i int) plugin.Key { return plugin.Key(fmt.Sprintf("secrets/s%05d", i)) }

var (
	sources = []string{"kv-prod-weu", "kv-geheimnisse-für-münchen-größe", "kv-金庫-東京-本番環境", "kv-a-name-that-is-much-longer-than-any-that-the-service-would-ever-let-pass"}
	targets = []string{"kv-prod-weu-t", "kv-geheimnisse-für-münchen-größe-neu", "kv-金庫-大阪-本番環境", "kv-a-name-that-is-much-longer-than-any-that-the-service-would-ever-let-pass-2"}
)

var errForbidden = errors.New("write the secret in kv-prod-weu-t (target): 403 Forbidden: the caller lacks Microsoft.KeyVault/vaults/secrets/setSecret/action")

// scenes are the situations that frames are pinned for.
var scenes = map[string]func() *play{
	"starting":        starting,
	"listing":         listing,
	"running":         running,
	"success":         success,
	"partial":         partial,
	"throttled":       throttled,
	"stopping":        stopping,
	"cancelled":       cancelled,
	"resuming":        resuming,
	"resumed":         resumed,
	"nothing to do":   nothingToDo,
	"forty resources": forty,
	"forty done":      fortyDone,
	"plan":            planned,
}

func starting() *play {
	p := newPlay()
	p.emit(
		event.RunStarted{Run: "7F3K01XY", Command: "plan", Mode: plugin.Template, SourceTenant: sourceTenant, TargetTenant: targetTenant},
		event.PhaseStarted{Phase: event.Inventory},
	)
	p.pass(7 * time.Second)
	return p
}

// listing is an apply without a plan: how many items there are is not known yet.
func listing() *play {
	p := newPlay()
	p.start("apply", sources[:3], targets[:3])
	p.emit(event.PhaseStarted{Phase: event.Applying})
	p.open(event.Applying, sources[0], sources[1])
	p.work(sources[0], 0, 200, plugin.Created, 20*time.Millisecond)
	p.work(sources[1], 0, 12, plugin.Unchanged, 100*time.Millisecond)
	p.done(event.Applying, sources[1], 12)
	p.emit(event.ItemStarted{Resource: idPrefix + sources[0], Item: "x"}, event.ItemStarted{Resource: idPrefix + sources[0], Item: "y"})
	return p
}

// planFour plans all four vaults: 3,000, 200, 40 and 0 items.
func planFour(p *play) {
	p.emit(event.PhaseStarted{Phase: event.Planning})
	for i, n := range []int{3000, 200, 40, 0} {
		p.plan(sources[i], n, n/10)
		p.pass(2 * time.Second)
	}
	p.emit(event.PhaseStarted{Phase: event.Applying})
}

func running() *play {
	p := newPlay()
	p.start("apply", sources, targets)
	planFour(p)
	p.open(event.Applying, sources...)
	p.work(sources[0], 0, 300, plugin.Unchanged, 2*time.Millisecond)
	p.done(event.Applying, sources[3], 0)
	p.work(sources[0], 300, 1500, plugin.Created, 10*time.Millisecond)
	p.work(sources[1], 0, 100, plugin.Created, 20*time.Millisecond)
	p.work(sources[1], 100, 110, plugin.Skipped, 20*time.Millisecond)
	p.work(sources[2], 0, 10, plugin.Updated, 20*time.Millisecond)
	p.emit(
		event.ItemProgress{Resource: idPrefix + sources[2], Item: "big", Bytes: 40 << 20, Size: 100 << 20},
		event.Retrying{Resource: idPrefix + sources[2], Item: "x", Attempt: 1, Wait: time.Second, Err: errForbidden},
	)
	return p
}

// finish verifies what was written and ends the run.
func finish(p *play, lost int) {
	p.emit(event.PhaseStarted{Phase: event.Verifying})
	p.open(event.Verifying, sources...)
	for i, n := range []int{3000, 200, 40, 0} {
		if i == 0 {
			n -= lost
			p.verify(sources[i], lost, plugin.Missing)
		}
		p.verify(sources[i], n, plugin.Same)
		p.pass(5 * time.Second)
		p.done(event.Verifying, sources[i], int64(n))
	}
	p.emit(event.RunFinished{Run: "7F3K01XY"})
}

func success() *play {
	p := running()
	p.work(sources[0], 1500, 3000, plugin.Created, 10*time.Millisecond)
	p.work(sources[1], 110, 200, plugin.Created, 10*time.Millisecond)
	p.work(sources[2], 10, 40, plugin.Created, 10*time.Millisecond)
	for i, n := range []int64{3000, 200, 40} {
		p.done(event.Applying, sources[i], n)
	}
	finish(p, 0)
	return p
}

func partlyApplied() *play {
	p := running()
	p.work(sources[0], 1500, 2000, plugin.Created, 10*time.Millisecond)
	for i := range 5 {
		p.fails(sources[0], key(2000+i), errForbidden)
		p.pass(time.Second)
	}
	p.emit(event.ResourceDone{Phase: event.Applying, Source: idPrefix + sources[2], Items: 10, Err: errors.New("list the items in kv-金庫: 503 Service Unavailable\x1b[2J\r\nretry later")})
	return p
}

func partial() *play { return partlyApplied() }

func throttled() *play {
	p := running()
	p.emit(
		event.Throttled{Host: "kv-prod-weu-t.vault.azure.net", Wait: 30 * time.Second},
		event.Throttled{Host: "kv-geheimnisse-t.vault.azure.net", Wait: 4 * time.Second},
	)
	p.pass(11500 * time.Millisecond)
	p.emit(
		event.Throttled{Host: "kv-prod-weu-t.vault.azure.net", Wait: 10 * time.Second},
		event.Throttled{Host: "management.azure.com", Wait: 2500 * time.Millisecond},
		event.Throttled{Host: "kv-osaka.vault.azure.net", Wait: 2 * time.Second},
	)
	return p
}

func stopping() *play {
	p := partlyApplied()
	p.emit(stopRequested{})
	p.pass(2 * time.Second)
	return p
}

func cancelled() *play {
	p := stopping()
	p.work(sources[0], 2005, 2009, plugin.Created, 50*time.Millisecond)
	p.done(event.Applying, sources[0], 2100)
	p.done(event.Applying, sources[1], 110)
	p.spill(true)
	p.emit(event.RunFinished{Run: "7F3K01XY"})
	return p
}

// resuming goes on with a run of which most was done: the last 60 items or so are left.
func resuming() *play {
	p := newPlay()
	p.resumed = true
	p.start("apply", sources[:2], targets[:2])
	p.emit(event.PhaseStarted{Phase: event.Applying})
	p.open(event.Applying, sources[0], sources[1])
	p.work(sources[0], 2960, 3000, plugin.Created, 50*time.Millisecond)
	p.done(event.Applying, sources[1], 0)
	p.emit(event.ItemStarted{Resource: idPrefix + sources[0], Item: "x"})
	return p
}

func resumed() *play {
	p := resuming()
	p.work(sources[0], 3000, 3020, plugin.Unchanged, 20*time.Millisecond)
	p.done(event.Applying, sources[0], 60)
	p.emit(event.PhaseStarted{Phase: event.Verifying})
	p.open(event.Verifying, sources[0], sources[1])
	p.verify(sources[0], 900, plugin.Same)
	p.pass(2 * time.Second)
	p.verify(sources[0], 2120, plugin.Same)
	p.done(event.Verifying, sources[0], 3020)
	p.verify(sources[1], 210, plugin.Same)
	p.done(event.Verifying, sources[1], 210)
	p.emit(event.RunFinished{Run: "7F3K01XY"})
	return p
}

func nothingToDo() *play {
	p := newPlay()
	p.start("apply", sources[:2], targets[:2])
	p.emit(event.PhaseStarted{Phase: event.Applying})
	p.open(event.Applying, sources[0], sources[1])
	p.work(sources[0], 0, 120, plugin.Unchanged, 10*time.Millisecond)
	p.done(event.Applying, sources[0], 120)
	p.done(event.Applying, sources[1], 0)
	p.emit(event.PhaseStarted{Phase: event.Verifying})
	p.open(event.Verifying, sources[0], sources[1])
	p.verify(sources[0], 120, plugin.Same)
	p.pass(time.Second)
	p.done(event.Verifying, sources[0], 120)
	p.done(event.Verifying, sources[1], 0)
	p.emit(event.RunFinished{Run: "7F3K01XY"})
	return p
}

// forty resources in parallel: seven at work, one left out, some done, some waiting.
func forty() *play {
	p := newPlay()
	var from, to []string
	for i := range 40 {
		from = append(from, fmt.Sprintf("kv-team-%02d", i))
		to = append(to, fmt.Sprintf("kv-team-%02d-%s", i, strings.Repeat("x", i%5)))
	}
	p.start("apply", from, to)
	p.emit(event.PhaseStarted{Phase: event.Planning})
	for i, s := range from {
		p.plan(s, 50+i, i%3)
	}
	p.pass(4 * time.Second)
	p.emit(event.PhaseStarted{Phase: event.Applying})
	p.emit(event.ResourceSkipped{Phase: event.Applying, Source: idPrefix + from[3], Target: idPrefix + to[3], Reason: "keyvault does not support replication mode"})
	for i, s := range from[:20] {
		if i == 3 {
			continue
		}
		p.open(event.Applying, s)
		p.work(s, 0, 50+i, plugin.Created, time.Millisecond)
		if i == 9 {
			p.fails(s, "secrets/odd", errForbidden)
		}
		p.done(event.Applying, s, int64(50+i))
	}
	p.open(event.Applying, from[20:27]...)
	for i, s := range from[20:27] {
		p.work(s, 0, 5+5*i, plugin.Created, time.Millisecond)
	}
	p.pass(time.Second)
	return p
}

func fortyDone() *play {
	p := forty()
	for i := 20; i < 40; i++ {
		s := fmt.Sprintf("kv-team-%02d", i)
		p.open(event.Applying, s)
		p.work(s, 0, 50+i, plugin.Created, time.Millisecond)
		p.done(event.Applying, s, int64(50+i))
	}
	p.spill(true)
	p.emit(event.RunFinished{Run: "7F3K01XY"})
	return p
}

func planned() *play {
	p := newPlay()
	p.start("plan", sources, targets)
	p.emit(event.Unpaired{Source: idPrefix + "kv-z", Reason: "nothing matches"})
	p.emit(event.PhaseStarted{Phase: event.Planning})
	p.plan(sources[0], 1200, 1000)
	p.pass(2 * time.Second)
	p.open(event.Planning, sources[1:]...)
	for i, st := range []plugin.State{plugin.Missing, plugin.Different, plugin.Cannot, plugin.Same} {
		for j := range 10 * (i + 1) {
			p.emit(event.ItemPlanned{Resource: idPrefix + sources[1], Item: key(j), Kind: "secret", State: st})
		}
		p.pass(500 * time.Millisecond)
	}
	p.emit(event.ItemPlanned{Resource: idPrefix + sources[2], Item: "secrets/x", State: plugin.Cannot, Err: errForbidden})
	return p
}
