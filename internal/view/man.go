package view

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ManPage is a manual page.
type ManPage struct {
	Name    string // "atg-plan"
	Section int
	Short   string
	Parts   []ManPart
}

// ManPart is a section of a manual page. Verbatim text keeps its lines; other text is
// paragraphs with empty lines between them. Rows follow the text.
type ManPart struct {
	Title    string
	Sub      bool // a subsection of the part before it
	Text     string
	Verbatim bool
	Rows     []Row
}

// Man writes p in the language of man(7). It holds no date and no version, so that a page
// changes only with what it says.
func Man(p ManPage) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q %q \"\" \"atg\" \"atg manual\"\n", strings.ToUpper(p.Name), fmt.Sprint(p.Section))
	b.WriteString(".nh\n.ad l\n") // no word is split: it may be one to type
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(p.Name), roff(p.Short))
	for _, part := range p.Parts {
		macro := ".SH"
		if part.Sub {
			macro = ".SS"
		}
		fmt.Fprintf(&b, "%s %s\n", macro, roff(part.Title))
		manText(&b, part)
		for _, r := range part.Rows {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", roff(r.Name), roff(r.Text))
		}
	}
	return b.String()
}

func manText(b *strings.Builder, p ManPart) {
	text := strings.Trim(p.Text, "\n")
	switch {
	case text == "":
	case p.Verbatim:
		fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(text))
	default:
		for i, paragraph := range strings.Split(text, "\n\n") {
			if i > 0 {
				b.WriteString(".PP\n")
			}
			b.WriteString(roff(strings.TrimSpace(paragraph)) + "\n")
		}
	}
}

// wide is a letter that not every formatter reads as it is.
var wide = regexp.MustCompile(`[^\x00-\x7f]`)

// roff protects text from the formatter: backslashes, hyphens (which it would set as
// typographic ones) and control characters at the start of a line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	s = wide.ReplaceAllStringFunc(s, func(c string) string {
		r, _ := utf8.DecodeRuneInString(c)
		return fmt.Sprintf(`\[u%04X]`, r)
	})
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
