package dashboard

import (
	"cmp"
	"slices"
	"strings"
)

// shape says which columns the table of resources has.
type shape struct {
	bar     int  // columns of the bar at least; 0 for none
	percent bool // beside the bar
	long    bool // full titles
	rate    bool
	brief   bool // of the outcomes, failures alone
	name    int  // columns for the names at least, where they need as much
}

// shapes are tried from the widest to the narrowest.
var shapes = []shape{
	{bar: 24, percent: true, long: true, rate: true, name: 40},
	{bar: 12, percent: true, long: true, rate: true, name: 32},
	{bar: 10, percent: true, long: true, name: 28},
	{bar: 8, percent: true, rate: true, name: 30},
	{bar: 8, percent: true, name: 28},
	{bar: 6, name: 25},
	{bar: 6, brief: true, name: 16},
	{brief: true, name: 10},
}

// progressWidth is the width of the bar's column.
func (sh shape) progressWidth() int {
	if sh.percent {
		return sh.bar + columns(" 100%")
	}
	return sh.bar
}

const (
	gap      = 2  // between columns
	maxBar   = 30 // columns of a bar in the table
	maxAtEnd = 20 // rows of the table once the run is over: its report follows
)

// column is one column of numbers.
type column struct {
	title string
	cells []string
}

func (c *column) width() int {
	w := columns(c.title)
	for _, cell := range c.cells {
		w = max(w, columns(cell))
	}
	return w
}

// table draws the resources in at most room lines: all of them, or the busiest and how
// many more there are.
func (f *frame) table(room int) []string {
	if len(f.order) == 0 || room < 2 || f.pairsOnly(f.stage()) {
		return nil
	}
	rows, rest := f.choose(room - 1)
	sum := f.sums()
	longest := columns("Resource")
	for _, r := range rows {
		longest = max(longest, columns(route(r.source, r.target, 1<<16)))
	}
	for i, sh := range shapes {
		if !f.ended.IsZero() {
			sh.bar = 0 // full ones, every one
		}
		cols := f.columns(rows, sum, sh)
		fixed := 2
		for _, c := range cols {
			fixed += gap + c.width()
		}
		if sh.bar > 0 {
			fixed += gap + sh.progressWidth()
		}
		if f.width-fixed < min(longest, sh.name) && i < len(shapes)-1 {
			continue
		}
		free := f.width - fixed
		name := max(min(longest, free), 0)
		if sh.bar > 0 {
			sh.bar = min(maxBar, sh.bar+free-name)
		}
		return f.print(rows, cols, sh, name, rest)
	}
	return nil
}

// choose returns the resources that are shown, in the order in which they came, and says
// what the others are. With fewer slots than resources those at work come first, the
// fastest of them before all others; then those in trouble, the latest that are done, and
// those that wait.
func (f *frame) choose(slots int) (rows []*resource, rest string) {
	if !f.ended.IsZero() {
		slots = min(slots, maxAtEnd)
	}
	if len(f.order) <= slots {
		return f.order, ""
	}
	slots-- // the line about the others
	var byUrgency [leftOut + 1][]candidate
	for _, r := range f.order {
		u := urgency(r)
		byUrgency[u] = append(byUrgency[u], candidate{r, f.pull(r)})
	}
	others := map[standing]int64{}
	for _, some := range byUrgency {
		if room := slots - len(rows); len(some) > room {
			slices.SortStableFunc(some, func(a, b candidate) int { return cmp.Compare(b.pull, a.pull) })
			for _, c := range some[room:] {
				others[c.standing]++
			}
			some = some[:room]
		}
		for _, c := range some {
			rows = append(rows, c.resource)
		}
	}
	slices.SortFunc(rows, func(a, b *resource) int { return cmp.Compare(a.place, b.place) })
	return rows, "… and " + number(int64(len(f.order)-slots)) + " more: " + kinds(others)
}

// candidate is a resource that may be shown; of equally urgent ones those with the
// strongest pull are.
type candidate struct {
	*resource
	pull float64
}

// pull is a resource's rate while it is at work, its size at the end of the run, its turn
// while it waits, else how lately something happened to it.
func (f *frame) pull(r *resource) float64 {
	switch {
	case !f.ended.IsZero():
		return float64(f.items(r))
	case r.standing == working:
		return r.rate.perSecond(f.now)
	case r.standing == waiting:
		return -float64(r.place)
	default:
		return float64(r.touched.Unix())
	}
}

// urgency is the lower, the more a reader wants to see the resource.
func urgency(r *resource) int {
	switch {
	case r.standing == working:
		return 0
	case r.trouble(), r.standing == cutOff:
		return 1
	case r.standing == done:
		return 2
	case r.standing == waiting:
		return 3
	default:
		return 4
	}
}

// kinds says how resources stand.
func kinds(n map[standing]int64) string {
	var parts []string
	for st, word := range standings {
		if n := n[standing(st)]; n > 0 {
			parts = append(parts, number(n)+" "+word)
		}
	}
	return strings.Join(parts, ", ")
}

// shown is what the table says of a resource: what became of the items in the phase at
// hand; at the end of a run that wrote, what was written, and what was proven of it.
func (f *frame) shown(r *resource) tally {
	if f.ended.IsZero() || !r.wrote {
		return r.sum
	}
	sum := r.applied
	sum[proven] = r.sum[proven]
	return sum
}

// items is how many items of the resource have ended. A run that was resumed wrote those
// that were left, and compared all.
func (f *frame) items(r *resource) int64 {
	switch {
	case f.ended.IsZero() || !r.wrote:
		return r.sum.items()
	case f.resumed:
		return max(r.applied.items(), r.sum.items())
	default:
		return r.applied.items()
	}
}

// sums is what became of the items of all resources, as the table counts them.
func (f *frame) sums() tally {
	if f.ended.IsZero() {
		return f.stage().sum
	}
	var sum tally
	for _, r := range f.order {
		for o, n := range f.shown(r) {
			sum[o] += n
		}
	}
	return sum
}

// columns fills the columns of a shape. Outcomes that nothing had are left out.
func (f *frame) columns(rows []*resource, sum tally, sh shape) []column {
	count := column{title: "Items"}
	speed := column{title: "Rate"}
	for _, r := range rows {
		count.cells = append(count.cells, f.count(r))
		speed.cells = append(speed.cells, f.speed(r))
	}
	cols := []column{count}
	for o, n := range sum {
		if (n == 0 || sh.brief) && outcome(o) != failed {
			continue
		}
		c := column{title: words[o].short}
		if sh.long {
			c.title = words[o].title
		}
		for _, r := range rows {
			c.cells = append(c.cells, number(f.shown(r)[o]))
		}
		cols = append(cols, c)
	}
	if sh.rate && f.ended.IsZero() {
		cols = append(cols, speed)
	}
	return cols
}

// count is "done/total", with ≥ where more items may come, or the number alone once there
// are no others.
func (f *frame) count(r *resource) string {
	ended := f.items(r)
	total, exact := r.total()
	switch {
	case r.standing == leftOut:
		return ""
	case !f.ended.IsZero() && r.wrote:
		return number(ended)
	case !exact && total == 0:
		return "-"
	case !exact:
		return number(ended) + "/≥" + number(total)
	case ended == total && r.standing == done:
		return number(total)
	default:
		return number(ended) + "/" + number(total)
	}
}

func (f *frame) speed(r *resource) string {
	if v := r.rate.perSecond(f.now); v > 0 && r.standing == working {
		return pace(v)
	}
	return ""
}

// print draws the head of the table, the rows, and what is not shown.
func (f *frame) print(rows []*resource, cols []column, sh shape, name int, rest string) []string {
	head := "  " + left(clip("Resource", name), name)
	if sh.bar > 0 {
		title := "Progress"
		if sh.progressWidth() < columns(title) {
			title = "Done"
		}
		head += blank(gap) + left(title, sh.progressWidth())
	}
	for _, c := range cols {
		head += blank(gap) + right(c.title, c.width())
	}
	lines := []string{f.ink.dim(head)}
	for i, r := range rows {
		lines = append(lines, f.row(r, i, cols, sh, name))
	}
	if rest != "" {
		lines = append(lines, f.ink.dim(clip("  "+rest, f.width)))
	}
	return lines
}

func (f *frame) row(r *resource, i int, cols []column, sh shape, name int) string {
	var b strings.Builder
	b.WriteString(f.mark(r) + " " + left(route(r.source, r.target, name), name))
	if r.standing == leftOut {
		text := "left out: " + r.reason
		return b.String() + blank(gap) + f.ink.dim(clip(text, f.width-2-name-gap))
	}
	if sh.bar > 0 {
		share := r.share()
		text := "    "
		if share >= 0 {
			text = percent(share)
		}
		b.WriteString(blank(gap) + f.bar(share, sh.bar))
		if sh.percent {
			b.WriteString(" " + text)
		}
	}
	for j, c := range cols {
		cell := right(c.cells[i], c.width())
		if c.cells[i] == "0" {
			cell = f.ink.dim(cell)
		} else if j > 0 && (c.title == words[failed].title || c.title == words[failed].short) {
			cell = f.ink.red(cell)
		}
		b.WriteString(blank(gap) + cell)
	}
	return b.String()
}

// share is the part of the resource's items that is done, or -1 if their number is not known.
func (r *resource) share() float64 {
	total, exact := r.total()
	switch {
	case !exact:
		return -1
	case total > 0:
		return float64(r.sum.items()) / float64(total)
	case r.standing == done:
		return 1
	default:
		return 0
	}
}

// mark tells by one sign how a resource stands.
func (f *frame) mark(r *resource) string {
	switch {
	case r.standing == leftOut:
		return "-"
	case r.trouble() && r.standing != working:
		return f.ink.red("!")
	case r.standing == done:
		return f.ink.green("✓")
	case r.standing == cutOff, r.standing == working && !f.ended.IsZero():
		return f.ink.yellow("…")
	case r.standing == working:
		return f.ink.cyan("•")
	default:
		return " "
	}
}
