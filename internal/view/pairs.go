package view

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// PairsSchema is the version of the JSON form of Pairs.
const PairsSchema = 1

// Pairs says which target stands for which source.
type Pairs struct {
	Schema       int           `json:"schema"`
	SourceTenant string        `json:"sourceTenant,omitempty"` // absent if nobody had to sign in there
	TargetTenant string        `json:"targetTenant,omitempty"` // likewise
	Pairs        []PairRow     `json:"pairs"`
	Unpaired     []UnpairedRow `json:"unpaired"`
	// Number of pairs that each rule made.
	Rules map[string]int `json:"rules"`
	// Number of source resources that no plugin handles, by type.
	Unclaimed map[string]int `json:"unclaimed,omitempty"`
	Notes     []string       `json:"notes,omitempty"` // what the inventories had to say
}

// PairRow is one pair.
type PairRow struct {
	Type   string `json:"type"`
	Source string `json:"source"` // resource ID
	Target string `json:"target"` // resource ID
	Rule   string `json:"rule"`   // the one that made the pair
}

// UnpairedRow is a source resource without a target.
type UnpairedRow struct {
	Type   string    `json:"type"`
	Source string    `json:"source"` // resource ID
	Reason string    `json:"reason"`
	Near   []NearRow `json:"near,omitempty"` // targets that nearly matched, at most 5
}

// NearRow is a target that nearly matched.
type NearRow struct {
	Target string `json:"target"` // resource ID
	Why    string `json:"why"`    // it was not taken
}

// JSON writes the document, row by row: a tenant may have a hundred thousand resources.
func (p Pairs) JSON(w io.Writer) error {
	out := bufio.NewWriter(w)
	rest := p
	rest.Pairs, rest.Unpaired = []PairRow{}, []UnpairedRow{}
	var frame strings.Builder
	if err := JSON(&frame, rest); err != nil {
		return err
	}
	head, tail, _ := strings.Cut(frame.String(), `"pairs": []`)
	between, end, _ := strings.Cut(tail, `"unpaired": []`)
	_, _ = out.WriteString(head + `"pairs": `) // the writer keeps its first error until Flush
	err := writeRows(out, p.Pairs)
	_, _ = out.WriteString(between + `"unpaired": `)
	err = errors.Join(err, writeRows(out, p.Unpaired))
	_, _ = out.WriteString(end)
	return errors.Join(err, out.Flush())
}

// writeRows writes a list with one row on each line.
func writeRows[T any](out *bufio.Writer, rows []T) error {
	if len(rows) == 0 {
		_, err := out.WriteString("[]")
		return err
	}
	for i, row := range rows {
		sep := "[\n    "
		if i > 0 {
			sep = ",\n    "
		}
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		_, _ = out.WriteString(sep)
		_, _ = out.Write(text)
	}
	_, err := out.WriteString("\n  ]")
	return err
}

// Write writes the pairs for people. mapping is the mapping file that was written, or "".
func (p Pairs) Write(w io.Writer, mapping string, st Style) error {
	var b strings.Builder
	p.table(&b, st)
	for _, u := range p.Unpaired {
		u.write(&b, st)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "%s %s\n", st.paint(yellow, "note:"), wrap(printable(n), 6, st.Width))
	}
	fmt.Fprintf(&b, "%s", plural(int64(len(p.Pairs)), "pair"))
	if rules := counts(p.Rules); rules != "" {
		fmt.Fprintf(&b, " (%s)", rules)
	}
	fmt.Fprintf(&b, ", %s without a target", plural(int64(len(p.Unpaired)), "source resource"))
	if types := counts(p.Unclaimed); types != "" {
		fmt.Fprintf(&b, "; no plugin is for: %s", types)
	}
	b.WriteString("\n")
	switch {
	case mapping != "":
		fmt.Fprintf(&b, "edit %s and give it back with --mapping %s\n", printable(mapping), Quote(mapping))
	case len(p.Unpaired) > 0:
		b.WriteString("--write-mapping FILE writes a file to name targets in\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Pairs) table(b *strings.Builder, st Style) {
	if len(p.Pairs) == 0 {
		return
	}
	t := table{cols: []column{{title: "SOURCE", flex: true}, {title: "TARGET", flex: true}, {title: "TYPE", flex: true, spare: true}, {title: "RULE"}}}
	for _, row := range p.Pairs {
		t.add(short(row.Source), short(row.Target), row.Type, row.Rule)
	}
	t.write(b, st)
	b.WriteString("\n")
}

func (u UnpairedRow) write(b *strings.Builder, st Style) {
	fmt.Fprintf(b, "%s %s (%s)\n", st.paint(yellow, "no target:"), printable(short(u.Source)), printable(u.Type))
	fmt.Fprintf(b, "  %s\n", wrap(printable(u.Reason), 2, st.Width))
	for _, n := range u.Near {
		fmt.Fprintf(b, "  near: %s\n", wrap(printable(short(n.Target)+": "+n.Why), 8, st.Width))
	}
	b.WriteString("\n")
}

// short is a resource ID without subscription and type: "group/server/database".
func short(id string) string {
	segments := strings.Split(strings.Trim(id, "/"), "/")
	var out []string
	names := 0 // position behind the last "providers"
	for i, s := range segments {
		switch {
		case strings.EqualFold(s, "providers"):
			names = i + 1
		case i > 0 && strings.EqualFold(segments[i-1], "resourceGroups"),
			names > 0 && i > names && (i-names)%2 == 0:
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return id
	}
	return strings.Join(out, "/")
}

// counts writes numbers by name, the largest first.
func counts(in map[string]int) string {
	names := slices.Collect(maps.Keys(in))
	slices.SortFunc(names, func(a, b string) int {
		if in[a] != in[b] {
			return in[b] - in[a]
		}
		return strings.Compare(a, b)
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %s", printable(n), number(int64(in[n])))
	}
	return strings.Join(names, ", ")
}
