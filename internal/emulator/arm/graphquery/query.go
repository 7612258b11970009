package graphquery

import (
	"slices"
	"strconv"
	"strings"
)

// Table is what a query asks: its columns and its rows.
type Table struct {
	Columns []string
	Rows    []Row
}

// Source gives a table by its lower-case name; ok is false if there is none.
type Source func(name string) (t Table, ok bool)

// step is an operator that has been read.
type step func([]Row) []Row

// Run answers a query. The error is an *Error.
func Run(query string, source Source) (Table, error) {
	tokens, err := lex(query)
	if err != nil {
		return Table{}, err
	}
	p := &parser{query: query, tokens: tokens}
	table, ok := Table{}, false
	if t := p.peek(); t.kind == name {
		table, ok = source(strings.ToLower(t.text))
	}
	if !ok {
		return Table{}, p.fail("the name of a table expected")
	}
	p.next()
	p.columns = table.Columns
	rows := table.Rows
	for p.peek().kind != end {
		if err := p.want("|"); err != nil {
			return Table{}, err
		}
		apply, err := p.operator()
		if err != nil {
			return Table{}, err
		}
		rows = apply(rows)
	}
	return Table{Columns: p.columns, Rows: rows}, nil
}

// operator reads the operator behind a pipe.
func (p *parser) operator() (step, error) {
	t := p.next()
	switch word := strings.ToLower(t.text); word {
	case "where", "filter":
		return p.where()
	case "extend":
		return p.extend()
	case "project":
		return p.project()
	case "project-away":
		return p.keep(func(c string, listed []string) bool { return !slices.Contains(listed, c) })
	case "project-keep":
		return p.keep(func(c string, listed []string) bool { return slices.Contains(listed, c) })
	case "project-rename":
		return p.rename()
	case "order", "sort":
		if err := p.want("by"); err != nil {
			return nil, err
		}
		return p.sort()
	case "take", "limit":
		n, err := p.count()
		return func(rows []Row) []Row { return rows[:min(n, len(rows))] }, err
	case "top":
		return p.top()
	case "distinct":
		return p.distinct()
	case "count":
		p.columns = []string{"Count"}
		return func(rows []Row) []Row { return []Row{{"Count": float64(len(rows))}} }, nil
	case "summarize":
		return p.summarize()
	}
	return nil, failure(p.query, t.pos, t.text, "the operator '%s' is not known", t.text)
}

func (p *parser) where() (step, error) {
	holds, err := p.condition()
	return func(rows []Row) []Row {
		return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !truth(holds(r)) })
	}, err
}

// assignment is "name = expression", or an expression that names itself.
type assignment struct {
	name string
	eval expression
}

// assignments reads a list up to the next operator.
func (p *parser) assignments() ([]assignment, error) {
	var out []assignment
	for {
		start := p.at
		var a assignment
		if t := p.peek(); t.kind == name && p.tokens[p.at+1].text == "=" && p.tokens[p.at+1].kind == symbol {
			a.name = t.text
			p.at += 2
		}
		var err error
		if a.eval, err = p.condition(); err != nil {
			return nil, err
		}
		if a.name == "" {
			a.name = p.nameOf(start, len(out)+1)
		}
		out = append(out, a)
		if !p.take(",") {
			return out, nil
		}
	}
}

// nameOf names the expression that was read from a token on: a column by itself, a path by
// its parts (properties_sku_name), anything else by its place.
func (p *parser) nameOf(start, place int) string {
	var parts []string
	for _, t := range p.tokens[start:p.at] {
		switch {
		case t.kind == name || t.kind == text:
			parts = append(parts, t.text)
		case t.text != "." && t.text != "[" && t.text != "]":
			return "Column" + strconv.Itoa(place)
		}
	}
	return strings.Join(parts, "_")
}

func (p *parser) addColumn(name string) {
	if !slices.Contains(p.columns, name) {
		p.columns = append(slices.Clone(p.columns), name)
	}
}

func (p *parser) extend() (step, error) {
	list, err := p.assignments()
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		p.addColumn(a.name)
	}
	return each(func(r Row) Row {
		out := make(Row, len(r)+len(list))
		for k, v := range r {
			out[k] = v
		}
		for _, a := range list {
			out[a.name] = a.eval(r)
		}
		return out
	}), nil
}

func (p *parser) project() (step, error) {
	list, err := p.assignments()
	if err != nil {
		return nil, err
	}
	p.columns = nil
	for _, a := range list {
		p.addColumn(a.name)
	}
	return each(func(r Row) Row {
		out := make(Row, len(list))
		for _, a := range list {
			out[a.name] = a.eval(r)
		}
		return out
	}), nil
}

func each(f func(Row) Row) step {
	return func(rows []Row) []Row {
		out := make([]Row, len(rows))
		for i, r := range rows {
			out[i] = f(r)
		}
		return out
	}
}

// names reads columns between commas.
func (p *parser) names() ([]string, error) {
	var out []string
	for {
		t := p.next()
		if t.kind != name || !slices.Contains(p.columns, t.text) {
			return nil, failure(p.query, t.pos, t.text, "the name of a column expected")
		}
		out = append(out, t.text)
		if !p.take(",") {
			return out, nil
		}
	}
}

func (p *parser) keep(kept func(column string, listed []string) bool) (step, error) {
	listed, err := p.names()
	if err != nil {
		return nil, err
	}
	p.columns = slices.DeleteFunc(slices.Clone(p.columns), func(c string) bool { return !kept(c, listed) })
	return only(p.columns), nil
}

func only(columns []string) step {
	return each(func(r Row) Row {
		out := make(Row, len(columns))
		for _, c := range columns {
			out[c] = r[c]
		}
		return out
	})
}

// rename reads "new = old" pairs.
func (p *parser) rename() (step, error) {
	old := map[string]string{} // by new name
	columns := slices.Clone(p.columns)
	for {
		t := p.next()
		if t.kind != name {
			return nil, failure(p.query, t.pos, t.text, "a name expected")
		}
		if err := p.want("="); err != nil {
			return nil, err
		}
		o := p.next()
		i := slices.Index(columns, o.text)
		if i < 0 {
			return nil, failure(p.query, o.pos, o.text, "the name of a column expected")
		}
		old[t.text], columns[i] = o.text, t.text
		if !p.take(",") {
			break
		}
	}
	p.columns = columns
	return each(func(r Row) Row {
		out := make(Row, len(columns))
		for _, c := range columns {
			from := c
			if o, renamed := old[c]; renamed {
				from = o
			}
			out[c] = r[from]
		}
		return out
	}), nil
}

func (p *parser) count() (int, error) {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if t.kind != number || err != nil {
		return 0, failure(p.query, t.pos, t.text, "a number expected")
	}
	return n, nil
}

// sort reads what comes behind "order by". The order is descending unless told otherwise.
func (p *parser) sort() (step, error) {
	type by struct {
		eval expression
		desc bool
	}
	var all []by
	for {
		e, err := p.condition()
		if err != nil {
			return nil, err
		}
		b := by{eval: e, desc: !p.take("asc")}
		if b.desc {
			p.take("desc")
		}
		if p.take("nulls") && !p.take("first") && !p.take("last") {
			return nil, p.fail("'first' or 'last' expected")
		}
		all = append(all, b)
		if !p.take(",") {
			break
		}
	}
	return func(rows []Row) []Row {
		out := slices.Clone(rows)
		slices.SortStableFunc(out, func(a, b Row) int {
			for _, o := range all {
				c := compare(o.eval(a), o.eval(b))
				if o.desc {
					c = -c
				}
				if c != 0 {
					return c
				}
			}
			return 0
		})
		return out
	}, nil
}

func (p *parser) top() (step, error) {
	n, err := p.count()
	if err != nil {
		return nil, err
	}
	if err := p.want("by"); err != nil {
		return nil, err
	}
	order, err := p.sort()
	return func(rows []Row) []Row {
		rows = order(rows)
		return rows[:min(n, len(rows))]
	}, err
}

func (p *parser) distinct() (step, error) {
	if !p.take("*") {
		list, err := p.names()
		if err != nil {
			return nil, err
		}
		p.columns = list
	}
	columns := p.columns
	return func(rows []Row) []Row {
		var out []Row
		seen := map[string]bool{}
		for _, r := range only(columns)(rows) {
			if k := identity(r, columns); !seen[k] {
				seen[k] = true
				out = append(out, r)
			}
		}
		return out
	}, nil
}

// identity is a text that only equal rows share.
func identity(r Row, columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(strconv.Quote(Text(r[c])) + ",")
	}
	return b.String()
}
