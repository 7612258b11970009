package graphquery

import (
	"slices"
	"strings"
)

// aggregate folds the values of a group into one.
type aggregate struct {
	name string
	eval expression // nil for count()
	fold func([]any) any
}

// aggregates are the functions of summarize, by lower-case name.
var aggregates = map[string]func([]any) any{
	"count":     func(v []any) any { return float64(len(v)) },
	"countif":   func(v []any) any { return float64(len(slices.DeleteFunc(v, func(e any) bool { return !truth(e) }))) },
	"dcount":    func(v []any) any { return float64(len(set(v))) },
	"sum":       func(v []any) any { return total(v) },
	"avg":       average,
	"min":       func(v []any) any { return extreme(v, -1) },
	"max":       func(v []any) any { return extreme(v, 1) },
	"any":       first,
	"take_any":  first,
	"make_set":  func(v []any) any { return set(v) },
	"make_list": func(v []any) any { return slices.DeleteFunc(v, func(e any) bool { return e == nil }) },
}

func set(values []any) []any {
	out := []any{}
	for _, v := range values {
		if v != nil && !slices.ContainsFunc(out, func(o any) bool { return equal(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

func total(values []any) float64 {
	sum := 0.0
	for _, v := range values {
		n, _ := v.(float64)
		sum += n
	}
	return sum
}

func average(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return total(values) / float64(len(values))
}

func extreme(values []any, sign int) any {
	var best any
	for _, v := range values {
		if v != nil && (best == nil || compare(v, best)*sign > 0) {
			best = v
		}
	}
	return best
}

func first(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// summarize reads aggregates and what they are grouped by.
func (p *parser) summarize() (step, error) {
	var all []aggregate
	for p.peek().kind == name && !strings.EqualFold(p.peek().text, "by") {
		a, err := p.aggregate()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
		if !p.take(",") {
			break
		}
	}
	var by []assignment
	if p.take("by") {
		var err error
		if by, err = p.assignments(); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 && len(by) == 0 {
		return nil, p.fail("an aggregate expected")
	}
	p.columns = nil
	for _, b := range by {
		p.addColumn(b.name)
	}
	groupedBy := p.columns
	for _, a := range all {
		p.addColumn(a.name)
	}
	return func(rows []Row) []Row { return fold(rows, by, groupedBy, all) }, nil
}

func (p *parser) aggregate() (aggregate, error) {
	var out aggregate
	if p.tokens[p.at+1].text == "=" {
		out.name = p.next().text
		p.next()
	}
	t := p.next()
	f, ok := aggregates[strings.ToLower(t.text)]
	if !ok || !p.take("(") {
		return out, failure(p.query, t.pos, t.text, "an aggregate expected")
	}
	out.fold = f
	start := p.at
	args, err := p.arguments(")")
	if err != nil {
		return out, err
	}
	if len(args) > 0 {
		out.eval = args[0]
	}
	if (len(args) == 0) != strings.EqualFold(t.text, "count") {
		return out, failure(p.query, t.pos, t.text, "%s(): another number of arguments expected", t.text)
	}
	if out.name == "" {
		out.name = strings.ToLower(t.text) + "_"
		if len(args) > 0 && p.tokens[start].kind == name {
			out.name += p.tokens[start].text
		}
	}
	return out, nil
}

// fold groups rows, in the order in which the groups come first. Without a "by" there is
// one group, also of no rows.
func fold(rows []Row, by []assignment, groupedBy []string, all []aggregate) []Row {
	var order []string
	heads, groups := map[string]Row{}, map[string][]Row{}
	for _, r := range rows {
		head := Row{}
		for _, b := range by {
			head[b.name] = b.eval(r)
		}
		k := identity(head, groupedBy)
		if groups[k] == nil {
			order = append(order, k)
			heads[k] = head
		}
		groups[k] = append(groups[k], r)
	}
	if len(by) == 0 && len(order) == 0 {
		order, heads[""] = []string{""}, Row{}
	}
	out := make([]Row, 0, len(order))
	for _, k := range order {
		row := heads[k]
		for _, a := range all {
			values := make([]any, len(groups[k]))
			for i, r := range groups[k] {
				if a.eval != nil {
					values[i] = a.eval(r)
				}
			}
			row[a.name] = a.fold(values)
		}
		out = append(out, row)
	}
	return out
}
