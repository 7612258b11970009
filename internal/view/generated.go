package view

import (
	"fmt"
	"io"
	"strings"
)

// Generated is what atg generate wrote.
type Generated struct {
	Schema     int               `json:"schema"` // GeneratedSchema
	Format     string            `json:"format"`
	Directory  string            `json:"directory"`
	Files      []string          `json:"files"`   // below the directory; empty if nothing was written
	Changed    int               `json:"changed"` // how many files are new or other than before
	Removed    []string          `json:"removed,omitempty"`
	Resources  []GeneratedFor    `json:"resources"`
	Declared   int               `json:"declared"`   // things in the code
	Imports    int               `json:"imports"`    // import blocks
	Parameters int               `json:"parameters"` // values that somebody has to give
	Secrets    int               `json:"secrets"`    // how many of them are secrets
	Undeclared []string          `json:"undeclared,omitempty"`
	Failed     int64             `json:"failed"` // items that could not be declared
	Failures   []GeneratedFailed `json:"failures,omitempty"`
	Unpaired   int               `json:"unpaired"` // source resources without a target
	Command    []string          `json:"-"`        // what to type next
}

// GeneratedSchema is the version of the JSON form of Generated.
const GeneratedSchema = 1

// GeneratedFor is one target resource.
type GeneratedFor struct {
	Source   string `json:"source"` // resource ID
	Target   string `json:"target"`
	Type     string `json:"type"`
	Items    int64  `json:"items"` // items at the source
	Declared int    `json:"declared"`
}

// GeneratedFailed is an item that could not be declared. Item is "" for a part of a listing.
type GeneratedFailed struct {
	Resource string `json:"resource"`
	Item     string `json:"item,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Generation writes g for people.
func Generation(w io.Writer, g Generated, st Style) error {
	var b strings.Builder
	t := table{cols: []column{{title: "SOURCE", flex: true}, {title: "TARGET", flex: true}, {title: "ITEMS", right: true}, {title: "DECLARED", right: true}}}
	for _, r := range g.Resources {
		t.add(nameOf(r.Source), nameOf(r.Target), number(r.Items), number(int64(r.Declared)))
	}
	t.write(&b, st)
	b.WriteByte('\n')
	for _, f := range g.Failures {
		f.write(&b, st)
	}
	if more := g.Failed - int64(len(g.Failures)); more > 0 {
		fmt.Fprintf(&b, "%sand %s more\n", strings.Repeat(" ", leadWidth), number(more))
	}
	for _, u := range g.Undeclared {
		fmt.Fprintf(&b, "%s%s\n", lead("Not there", yellow, st), wrap(printable(u), leadWidth, st.Width))
	}
	if len(g.Files) > 0 {
		g.written(&b, st)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f GeneratedFailed) write(b *strings.Builder, st Style) {
	fmt.Fprintf(b, "%s%s\n", lead("Failed", red, st), wrap(printable(f.Message), leadWidth, st.Width))
	if f.Hint != "" {
		fmt.Fprintf(b, "%s%s\n", strings.Repeat(" ", leadWidth), wrap("hint: "+printable(f.Hint), leadWidth+6, st.Width))
	}
}

// written says what is in the directory now and what to do with it.
func (g Generated) written(b *strings.Builder, st Style) {
	text := fmt.Sprintf("%s in %s (%s, %d of them changed)", plural(int64(g.Declared), "declaration"), printable(g.Directory), plural(int64(len(g.Files)), "file"), g.Changed)
	if g.Imports > 0 {
		text += ", " + plural(int64(g.Imports), "import")
	}
	if len(g.Removed) > 0 {
		text += fmt.Sprintf("; %s of an earlier time removed", plural(int64(len(g.Removed)), "file"))
	}
	b.WriteString(lead("Written", green, st) + wrap(text, leadWidth, st.Width) + "\n")
	if g.Parameters > 0 {
		text := fmt.Sprintf("%s to give, %d of them secret: README.md says how", plural(int64(g.Parameters), "value"), g.Secrets)
		b.WriteString(lead("To set", bold, st) + wrap(text, leadWidth, st.Width) + "\n")
	}
	for i, command := range g.Command {
		word := "Next"
		if i > 0 {
			word = ""
		}
		b.WriteString(lead(word, bold, st) + printable(command) + "\n")
	}
}
