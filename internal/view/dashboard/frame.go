package dashboard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// canvas is what a frame is drawn on.
type canvas struct {
	width, height int
	ink           ink
}

const (
	// spare is how many rows of the terminal a frame leaves free: lines that are printed
	// above it need room to be inserted.
	spare   = 2
	minRows = 5  // of the terminal, for which a frame is laid out
	airy    = 20 // rows of a terminal from which on parts are set off
	enough  = 8  // resources that are worth more than what is over

	maxOverall = 100 // columns of the overall bar: a longer one says no more
)

// frame lays out one picture of the state.
type frame struct {
	*state
	canvas
	now   time.Time
	lines []string
}

// view draws the state as lines of at most c.width columns, each with a line feed, in at
// most c.height-spare rows. Before the run has a name there is nothing to draw. It
// changes nothing.
func view(s *state, c canvas, now time.Time) string {
	if s.run == "" {
		return ""
	}
	if !s.ended.IsZero() {
		now = s.ended
	}
	f := &frame{state: s, canvas: c, now: now}
	f.draw()
	for i, line := range f.lines {
		f.lines[i] = clip(strings.TrimRight(line, " "), c.width) // for terminals narrower than 50 columns
	}
	return strings.Join(f.lines[:min(f.rows(), len(f.lines))], "\n") + "\n"
}

// rows is how many lines the frame may have.
func (f *frame) rows() int { return max(f.height, minRows) - spare - 1 }

// draw lays the parts out: those with a fixed size first, then the table of resources in
// the room that is left. For the table's sake, phases that are over and some of the
// failures are left out.
func (f *frame) draw() {
	f.head()
	past, current := f.stageLines()
	below := f.below(max(1, f.height/6))
	blanks := 0
	if f.height >= airy {
		blanks = 3
	}
	wanted := len(f.lines) + len(current) + min(len(f.order), enough) + 1 + blanks
	if f.ended.IsZero() {
		for len(past) > 0 && wanted+len(past)+len(below) > f.rows() {
			past = past[1:]
		}
		if f.height >= airy && wanted+len(below) > f.rows() {
			below = f.below(2)
		}
	}
	f.part(past)
	if len(past) == 0 {
		f.part(current)
	} else {
		f.add(current...)
	}
	if rest := f.rows() - len(f.lines) - len(below) - min(blanks, 2); rest >= 2 {
		f.part(f.table(rest))
	}
	f.part(below)
}

// part adds lines, set off by a blank one if there is room.
func (f *frame) part(lines []string) {
	if f.height >= airy && len(lines) > 0 {
		f.add("")
	}
	f.add(lines...)
}

func (f *frame) add(lines ...string) { f.lines = append(f.lines, lines...) }

// head is what the run is, and for how long it has been going.
func (f *frame) head() {
	took := lasting(f.now.Sub(f.began))
	switch {
	case f.ended.IsZero():
	case f.stopping:
		took = "stopped after " + took
	default:
		took = "finished in " + took
	}
	name := "atg " + f.command
	rest := " · run " + f.run
	if f.resumed {
		rest += " · resumed"
	}
	room := f.width - columns(took) - 2
	if mode := " · " + string(f.mode); columns(name+rest+mode) <= room {
		rest += mode
	}
	name = clip(name, room-columns(rest))
	f.add(f.ink.bold(name) + left(rest, room+2-columns(name)) + took)
	f.add(f.ink.dim(route(f.source, f.target, f.width)))
}

// below is what stands under the table: pauses, failures in at most room lines, and that
// the run is stopping.
func (f *frame) below(room int) []string {
	if !f.ended.IsZero() {
		return f.verdict()
	}
	out := f.pauses()
	out = append(out, f.failures(room)...)
	if f.stopping {
		text := "stopping: what is at work may finish; Ctrl-C again stops at once"
		if columns(text) > f.width {
			text = "stopping; Ctrl-C again stops at once"
		}
		out = append(out, f.ink.yellow(clip(text, f.width)))
	}
	return out
}

// verdict says so if a run found nothing to do.
func (f *frame) verdict() []string {
	for _, st := range slices.Backward(f.stages) {
		if st.phase != event.Applying && st.phase != event.Planning {
			continue
		}
		n := st.sum
		if n[created]+n[updated]+n[missing]+n[different]+n[failed]+st.broken == 0 && n.items() > 0 && !f.stopping {
			return wrap("Nothing to do: the target has everything that can be copied.", f.width)
		}
		break
	}
	return nil
}

// failures are the last ones, as many as room lines hold, each in two lines at most.
func (f *frame) failures(room int) []string {
	var out []string
	for _, one := range slices.Backward(f.recent) {
		lines := squeeze(wrap(one.line(), f.width), min(2, room), f.width)
		if len(out)+len(lines) > room {
			break
		}
		out = append(lines, out...)
	}
	for i, line := range out {
		out[i] = f.ink.red(line)
	}
	return out
}

// line is the failure as progress lines have it.
func (f failure) line() string { return f.at.Format("15:04:05") + " " + f.text }

// pauses names the hosts that asked for a pause, the longest one first.
func (f *frame) pauses() []string {
	names := slices.SortedFunc(maps.Keys(f.hosts), func(a, b string) int {
		return cmp.Or(f.hosts[b].until.Compare(f.hosts[a].until), cmp.Compare(a, b))
	})
	names = slices.DeleteFunc(names, func(name string) bool { return !f.hosts[name].until.After(f.now) })
	room := 1
	if f.height >= airy {
		room = 3
	}
	var lines []string
	line := throttledWord
	for i, name := range names {
		others := ""
		if n := len(names) - i - 1; n > 0 {
			others = ", and " + plural(int64(n), "other")
		}
		wait := " for " + lasting(upTo(f.hosts[name].until.Sub(f.now))) + " more"
		switch {
		case i == 0:
		case columns(line+", "+name+wait+others) <= f.width:
			line += ", "
		case len(lines) < room-1:
			lines = append(lines, f.ink.yellow(line+","))
			line = blank(columns(throttledWord))
		default:
			others = ", and " + plural(int64(len(names)-i), "other")
			return append(lines, f.ink.yellow(line+others))
		}
		line += cut(name, f.width-columns(line+wait+others)) + wait
	}
	if len(names) == 0 {
		return nil
	}
	return append(lines, f.ink.yellow(line))
}

const throttledWord = "throttled: "

// stageLines are the phases: a line for each that is over, more for the one at hand. Once
// there are pairs, that the inventories were read goes without saying.
func (f *frame) stageLines() (past, current []string) {
	for i, st := range f.stages {
		switch {
		case st.ended.IsZero():
			current = f.current(st)
		case st.phase != event.Inventory || i == len(f.stages)-1:
			past = append(past, f.past(st))
		}
	}
	if len(f.stages) == 0 {
		current = []string{f.ink.dim("starting")}
	}
	if f.height < airy && f.ended.IsZero() {
		past = nil
	}
	return past, current
}

// pairsOnly tells whether a phase knows no items.
func (f *frame) pairsOnly(st *stage) bool {
	return st.phase == event.Deploying || st.phase == event.Inventory || st.phase == event.Pairing || st.phase == ""
}

func label(st *stage) string { return left(string(st.phase), 9) + " " }

// past is a phase that is over.
func (f *frame) past(st *stage) string {
	took := lasting(st.ended.Sub(st.began))
	room := f.width - 2 - columns(took) - 2
	text := f.scope(st) + stageText(st)
	if st == f.stages[len(f.stages)-1] && f.stopping {
		text = "stopped at " + text
	}
	return f.stageMark(st) + left(clip(label(st)+text, room), room+2) + f.ink.dim(took)
}

// scope says so where the counts are not those of the whole run.
func (f *frame) scope(st *stage) string {
	if f.resumed && st.phase == event.Applying {
		return "left to do: "
	}
	return ""
}

func (f *frame) stageMark(st *stage) string {
	switch {
	case st.ended.IsZero():
		return f.ink.cyan("•") + " "
	case st.sum[failed] > 0 || st.broken > 0:
		return f.ink.red("!") + " "
	case f.stopping && st == f.stages[len(f.stages)-1]:
		return f.ink.yellow("…") + " "
	default:
		return f.ink.green("✓") + " "
	}
}

// stageText says what a phase does, or what it found.
func stageText(st *stage) string {
	switch n := st.sum.items(); {
	case st.phase == event.Deploying:
		return st.deployed.text()
	case st.phase == event.Inventory && st.ended.IsZero():
		return "reading the resources of both tenants"
	case st.phase == event.Inventory:
		return "read the resources of both tenants"
	case st.phase == event.Pairing:
		text := plural(st.pairs, "pair")
		if st.unpaired > 0 {
			text += ", " + number(st.unpaired) + " without a target"
		}
		return text
	case n == 0:
		return "no items" + st.extras()
	default:
		return plural(n, "item") + ", " + st.sum.text() + st.extras()
	}
}

// extras is what is worth saying beyond the outcomes.
func (st *stage) extras() string {
	var b strings.Builder
	if st.broken > 0 {
		fmt.Fprintf(&b, ", %s not listed to the end", plural(st.broken, "resource"))
	}
	if st.retries > 0 {
		b.WriteString(", " + plural(st.retries, "repeat"))
	}
	if st.bytes > 0 {
		b.WriteString(", " + volume(st.bytes))
	}
	return b.String()
}

// current is the phase at hand: its bar, how far it is, and what became of the items.
func (f *frame) current(st *stage) []string {
	if f.pairsOnly(st) {
		return []string{f.stageMark(st) + clip(label(st)+stageText(st), f.width-2)}
	}
	p := f.progress()
	share, text := p.share(), "    "
	if share >= 0 {
		text = percent(share)
	}
	mark := f.stageMark(st)
	if p.all > 0 && p.over == p.all && st.sum[failed] == 0 && st.broken == 0 {
		mark = f.ink.green("✓") + " " // its end has not been told yet
	}
	name := label(st)
	bar := f.bar(share, min(maxOverall, f.width-2-columns(name)-1-columns(text)))
	lines := []string{
		mark + name + bar + " " + text,
		"  " + clip(f.figures(p, f.scope(st)), f.width-2),
	}
	if sums := strings.TrimPrefix(st.sum.text()+st.extras(), ", "); sums != "" {
		for _, line := range squeeze(wrap(sums, f.width-2), 2, f.width-2) {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}
