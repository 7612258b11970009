package view

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// SummaryEvery is how often plain progress repeats where the run stands.
const SummaryEvery = 30 * time.Second

// Plain writes progress as lines: one for each phase, pair, finished resource and
// failure, and a summary at a fixed interval. It is safe for concurrent use.
type Plain struct {
	w     io.Writer
	style Style
	stop  chan struct{}
	gone  chan struct{}

	mu        sync.Mutex // guards all below, and writes to w
	phase     event.Phase
	at        map[resourceInPhase]*tally
	sum       tally
	throttled map[string]int // pauses by host
	told      map[string]int // of these, how many a summary or a line has told
}

type resourceInPhase struct {
	phase  event.Phase
	source string
}

// tally counts items by how they ended or compare, in the words of the report.
type tally struct {
	items    int64
	statuses map[plugin.Status]int64
	states   map[plugin.State]int64
	retries  int64
}

// NewPlain starts plain progress on w. Close must be called at the end of the run.
func NewPlain(w io.Writer, st Style) *Plain {
	p := &Plain{
		w: w, style: st, stop: make(chan struct{}), gone: make(chan struct{}),
		at: map[resourceInPhase]*tally{}, throttled: map[string]int{}, told: map[string]int{},
	}
	go p.repeat()
	return p
}

// Close stops the summaries and, on a terminal, sets what follows apart. Events that
// come later are still written.
func (p *Plain) Close() {
	close(p.stop)
	<-p.gone
	if p.style.Width > 0 {
		_, _ = io.WriteString(p.w, "\n")
	}
}

// Stopping says that the run was asked to stop.
func (p *Plain) Stopping() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line("stopping: what is under way may finish; the same signal again stops at once")
}

// Block writes text of several lines, apart from the progress lines.
func (p *Plain) Block(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.w, text+"\n")
}

func (p *Plain) repeat() {
	defer close(p.gone)
	ticker := time.NewTicker(SummaryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.mu.Lock()
			p.line("%s: %s so far%s", orWord(string(p.phase), "run"), p.sum.text(), p.pauses())
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// Event takes one event; it is an event.Sink.
func (p *Plain) Event(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case event.RunStarted:
		p.line("run %s: %s in %s mode, from tenant %s to tenant %s", e.Run, e.Command, e.Mode, e.SourceTenant, e.TargetTenant)
	case event.PhaseStarted:
		p.phase, p.sum = e.Phase, tally{}
		p.line("%s: %s", e.Phase, phaseText(e.Phase))
	case event.Paired:
		p.line("pair %s -> %s (by %s)", nameOf(e.Source), nameOf(e.Target), e.Rule)
	case event.Unpaired:
		p.line("no target for %s: %s", nameOf(e.Source), e.Reason)
	case event.ResourceDone:
		p.resourceDone(e)
	case event.ResourceSkipped:
		p.line("%s %s: left out: %s", e.Phase, nameOf(e.Source), e.Reason)
	case event.Throttled:
		p.throttle(e)
	default:
		if !p.deploy(e) {
			p.item(e)
		}
	}
}

// item counts what happened to one item and writes a line if it failed.
func (p *Plain) item(e event.Event) {
	switch e := e.(type) {
	case event.ItemPlanned:
		p.count(e.Resource, func(t *tally) { t.state(e.State) })
	case event.ItemDone:
		p.count(e.Resource, func(t *tally) { t.status(e.Status) })
		if e.Err != nil {
			p.line("failed %s %s: %s", nameOf(e.Resource), e.Item, Brief(e.Err))
		}
	case event.ItemVerified:
		p.count(e.Resource, func(t *tally) { t.state(e.State) })
		if e.Err != nil {
			p.line("not compared %s %s: %s", nameOf(e.Resource), e.Item, Brief(e.Err))
		}
	case event.Retrying:
		p.count(e.Resource, func(t *tally) { t.retries++ })
	}
}

func (p *Plain) count(source string, add func(*tally)) {
	k := resourceInPhase{p.phase, source}
	if p.at[k] == nil {
		p.at[k] = &tally{}
	}
	add(p.at[k])
	add(&p.sum)
}

func (p *Plain) resourceDone(e event.ResourceDone) {
	k := resourceInPhase{e.Phase, e.Source}
	t := p.at[k]
	if t == nil {
		t = &tally{}
	}
	delete(p.at, k)
	t.items = e.Items
	p.line("%s %s: %s", e.Phase, nameOf(e.Source), t.text())
	if e.Err != nil {
		p.line("failed %s: %s", nameOf(e.Source), Brief(e.Err))
	}
}

// pauses says how many hosts asked for a pause since the last summary, and how often.
func (p *Plain) pauses() string {
	hosts, times := int64(0), int64(0)
	for host, n := range p.throttled {
		if n > p.told[host] {
			hosts, times = hosts+1, times+int64(n-p.told[host])
			p.told[host] = n
		}
	}
	if hosts == 0 {
		return ""
	}
	return fmt.Sprintf("; throttled %s by %s", plural(times, "time"), plural(hosts, "host"))
}

// throttle names a host at its first pause; later ones are only counted.
func (p *Plain) throttle(e event.Throttled) {
	p.throttled[e.Host]++
	if p.throttled[e.Host] == 1 {
		p.told[e.Host] = 1
		p.line("throttled by %s: pausing %s", e.Host, duration(e.Wait))
	}
}

// line writes one line. On a terminal the time is short; elsewhere it is RFC 3339 in UTC.
// A progress line that cannot be written is no reason to stop a run.
func (p *Plain) line(format string, args ...any) {
	stamp := time.Now().UTC().Format(time.RFC3339)
	if p.style.Width > 0 {
		stamp = time.Now().Format("15:04:05")
	}
	text := wrap(printable(fmt.Sprintf(format, args...)), len(stamp)+1, p.style.Width)
	_, _ = fmt.Fprintf(p.w, "%s %s\n", p.style.paint(dim, stamp), text)
}

func (t *tally) status(s plugin.Status) {
	t.items++
	if t.statuses == nil {
		t.statuses = map[plugin.Status]int64{}
	}
	t.statuses[s]++
}

func (t *tally) state(s plugin.State) {
	t.items++
	if t.states == nil {
		t.states = map[plugin.State]int64{}
	}
	t.states[s]++
}

// text is the tally in words: "120 items, 110 created, 10 skipped".
func (t *tally) text() string {
	parts := []string{plural(t.items, "item")}
	for _, s := range plugin.Statuses() {
		if n := t.statuses[s]; n > 0 {
			parts = append(parts, number(n)+" "+string(s))
		}
	}
	for _, s := range []plugin.State{plugin.Same, plugin.Missing, plugin.Different, plugin.Cannot} {
		if n := t.states[s]; n > 0 {
			parts = append(parts, number(n)+" "+stateText(s))
		}
	}
	if t.retries > 0 {
		parts = append(parts, plural(t.retries, "repeat"))
	}
	return strings.Join(parts, ", ")
}

func stateText(s plugin.State) string {
	if s == plugin.Cannot {
		return "not copyable"
	}
	return string(s)
}

func phaseText(p event.Phase) string {
	switch p {
	case event.Inventory:
		return "reading the resources of both tenants"
	case event.Pairing:
		return "finding the target of each source resource"
	case event.Planning:
		return "comparing each item, writing nothing"
	case event.Applying:
		return "copying what the target lacks"
	case event.Verifying:
		return "comparing both sides after the work"
	default:
		return "working"
	}
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
