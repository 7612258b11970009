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
	{bar: 8, percent: true, rate: true, name: 24},
	{bar: 8, percent: true, name: 24},
	{bar: 6, name: 22},
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
	if len(f.order) == 0 || room < 2 || f.pairsOnly(f.state.stage()) {
		return nil
	}
	rows, rest := f.choose(room - 1)
	for i, sh := range shapes {
		if !f.ended.IsZero() {
			sh.bar = 0 // full ones, every one
		}
		cols := f.columns(rows, sh)
		fixed := 2
		for _, c := range cols {
			fixed += gap + c.width()
		}
		if sh.bar > 0 {
			fixed += gap + sh.progressWidth()
		}
		longest := len("Resource")
		for _, r := range rows {
			longest = max(longest, columns(route(r.source, r.target, 1<<16)))
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
	ranks := map[*resource]int{}
	var speed func(r *resource) float64
	if f.ended.IsZero() {
		speed = func(r *resource) float64 { return r.rate.perSecond(f.now) }
	} else {
		speed = func(r *resource) float64 { return float64(f.shown(r).items()) }
	}
	all := slices.Clone(f.order)
	speeds := make(map[*resource]float64, len(all))
	for i, r := range all {
		ranks[r], speeds[r] = i, speed(r)
	}
	slices.SortStableFunc(all, func(a, b *resource) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)), cmp.Compare(speeds[b], speeds[a]), late(a, b))
	})
	rows = all[:slots]
	slices.SortFunc(rows, func(a, b *resource) int { return cmp.Compare(ranks[a], ranks[b]) })
	return rows, "… and " + number(int64(len(all)-slots)) + " more" + kinds(all[slots:])
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

// late orders done resources by their end, the latest first.
func late(a, b *resource) int {
	if a.standing != done || b.standing != done {
		return 0
	}
	return b.touched.Compare(a.touched)
}

// kinds says what the resources are that are not shown.
func kinds(rest []*resource) string {
	var n [leftOut + 1]int64
	for _, r := range rest {
		n[r.standing]++
	}
	var parts []string
	for standing, word := range [leftOut + 1]string{waiting: "waiting", working: "at work", done: "done", cutOff: "cut off", leftOut: "left out"} {
		if n[standing] > 0 {
			parts = append(parts, number(n[standing])+" "+word)
		}
	}
	return ": " + strings.Join(parts, ", ")
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

// columns fills the columns of a shape. Outcomes that nothing had are left out.
func (f *frame) columns(rows []*resource, sh shape) []column {
	var sum tally
	count := column{title: "Items"}
	speed := column{title: "Rate"}
	for _, r := range f.order {
		for o, n := range f.shown(r) {
			sum[o] += n
		}
	}
	for _, r := range rows {
		count.cells = append(count.cells, f.count(r))
		speed.cells = append(speed.cells, f.speed(r))
	}
	cols := []column{count}
	for o, n := range sum {
		if n == 0 && outcome(o) != failed || sh.brief && outcome(o) != failed {
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
	n := f.shown(r)
	ended := n.items() - f.alsoCounted(r)
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

// alsoCounted is how many items of shown are there twice: as written and as proven.
func (f *frame) alsoCounted(r *resource) int64 {
	if f.ended.IsZero() || !r.wrote {
		return 0
	}
	return r.sum[proven]
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
