package view

import (
	"fmt"
	"slices"
	"strings"
)

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand at the right
	flex  bool // may be cut where the terminal is narrow
	spare bool // is left out where the terminal is narrow, before anything is cut
}

const (
	gap     = "  "
	minFlex = 8 // a flexible column is never cut to less
)

// table is a grid of text with a head.
type table struct {
	cols []column
	rows [][]string
}

// add appends a row. Cells beyond the columns are dropped, missing ones are empty.
func (t *table) add(cells ...string) {
	row := make([]string, len(t.cols))
	for i := range row {
		if i < len(cells) {
			row[i] = printable(cells[i])
		}
	}
	t.rows = append(t.rows, row)
}

// write prints the table within st.Width: without its spare columns where they have no
// room, with the flexible ones cut, and at last with the cells below each other.
func (t *table) write(b *strings.Builder, st Style) {
	widths := t.widths()
	if st.Width > 0 && sum(widths) > st.Width {
		t.drop()
		widths = t.widths()
	}
	t.squeeze(widths, st.Width)
	if st.Width > 0 && sum(widths) > st.Width {
		t.stack(b, st)
		return
	}
	titles := make([]string, len(t.cols))
	for i, c := range t.cols {
		titles[i] = c.title
	}
	b.WriteString(st.paint(bold, t.line(titles, widths)) + "\n")
	for _, row := range t.rows {
		b.WriteString(t.line(row, widths) + "\n")
	}
}

// stack writes each row as its first cell and, below it, what the others say: for a
// terminal that has no room for the columns. Counts of zero are left out.
func (t *table) stack(b *strings.Builder, st Style) {
	for _, row := range t.rows {
		fmt.Fprintf(b, "%s\n", st.paint(bold, row[0]))
		var parts []string
		for i, c := range t.cols[1:] {
			if cell := row[i+1]; cell != "" && cell != "0" {
				parts = append(parts, strings.ToLower(c.title)+" "+cell)
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(b, "  %s\n", wrap(strings.Join(parts, ", "), 2, st.Width))
		}
	}
}

func (t *table) line(cells []string, widths []int) string {
	parts := make([]string, len(cells))
	for i, cell := range cells {
		cell = cut(cell, widths[i])
		pad := strings.Repeat(" ", widths[i]-columns(cell))
		if t.cols[i].right {
			parts[i] = pad + cell
		} else {
			parts[i] = cell + pad
		}
	}
	return strings.TrimRight(strings.Join(parts, gap), " ")
}

// drop removes the spare columns.
func (t *table) drop() {
	for i := len(t.cols) - 1; i >= 0; i-- {
		if !t.cols[i].spare {
			continue
		}
		t.cols = slices.Delete(t.cols, i, i+1)
		for j := range t.rows {
			t.rows[j] = slices.Delete(t.rows[j], i, i+1)
		}
	}
}

// widths returns what the content of each column needs.
func (t *table) widths() []int {
	out := make([]int, len(t.cols))
	for i, c := range t.cols {
		out[i] = columns(c.title)
		for _, row := range t.rows {
			out[i] = max(out[i], columns(row[i]))
		}
	}
	return out
}

// squeeze takes from the widest flexible columns until the table fits into limit.
func (t *table) squeeze(widths []int, limit int) {
	for limit > 0 && sum(widths) > limit {
		widest := -1
		for i, c := range t.cols {
			if c.flex && widths[i] > minFlex && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// sum is the width of a table with columns of the given widths.
func sum(widths []int) int {
	total := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total
}
