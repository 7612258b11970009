package view

import "strings"

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand at the right
	flex  bool // may be cut where the terminal is narrow
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

// write prints the table within st.Width where its flexible columns allow.
func (t *table) write(b *strings.Builder, st Style) {
	widths := t.widths(st.Width)
	titles := make([]string, len(t.cols))
	for i, c := range t.cols {
		titles[i] = c.title
	}
	b.WriteString(st.paint(bold, t.line(titles, widths)) + "\n")
	for _, row := range t.rows {
		b.WriteString(t.line(row, widths) + "\n")
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

// widths returns the columns' widths: what the content needs, less what has to be taken
// from the widest flexible columns to fit into limit.
func (t *table) widths(limit int) []int {
	out := make([]int, len(t.cols))
	total := len(gap) * (len(t.cols) - 1)
	for i, c := range t.cols {
		out[i] = columns(c.title)
		for _, row := range t.rows {
			out[i] = max(out[i], columns(row[i]))
		}
		total += out[i]
	}
	for limit > 0 && total > limit {
		widest := -1
		for i, c := range t.cols {
			if c.flex && out[i] > minFlex && (widest < 0 || out[i] > out[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		out[widest]--
		total--
	}
	return out
}
