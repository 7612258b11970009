package view

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Check is one conformance check and how it ended.
type Check struct {
	Name     string        // "Discover/Resume": group and check
	Claim    string        // what holds if it passed
	Status   string        // "passed", "failed", "skipped" or "waived"
	Duration time.Duration // 0 if it did not run
	Messages []string
}

// Checks writes conformance checks as a tree while they end, and their sum at last.
type Checks struct {
	w     io.Writer
	style Style
	group string
	count map[string]int
	took  time.Duration
	err   error
}

// NewChecks starts a tree on w with its title.
func NewChecks(w io.Writer, title string, st Style) *Checks {
	c := &Checks{w: w, style: st, count: map[string]int{}}
	c.write(st.paint(bold, printable(title)) + "\n")
	return c
}

// Done adds a check. The messages of one that did not pass are shown, and for one that
// failed what it would have proven.
func (c *Checks) Done(k Check) {
	c.count[k.Status]++
	c.took += k.Duration
	group, name, nested := strings.Cut(k.Name, "/")
	if !nested {
		group, name = "", k.Name
	}
	var b strings.Builder
	if group != c.group {
		fmt.Fprintf(&b, "%s\n", group)
		c.group = group
	}
	word, p := markOf(k.Status)
	fmt.Fprintf(&b, "  %s  %-28s", c.style.paint(p, word), name)
	if k.Duration > 0 {
		fmt.Fprintf(&b, "  %6s", duration(k.Duration))
	}
	text := strings.TrimRight(b.String(), " ") + "\n"
	if k.Status == "failed" {
		text += "        " + wrap("claim: "+printable(k.Claim), 8, c.style.Width) + "\n"
	}
	if k.Status != "passed" {
		for _, m := range k.Messages {
			text += "        " + wrap(printable(m), 8, c.style.Width) + "\n"
		}
	}
	c.write(text)
}

// Close writes the sum and returns the first error of any write.
func (c *Checks) Close() error {
	c.write(fmt.Sprintf("%d passed, %d failed, %d skipped, %d waived in %s\n",
		c.count["passed"], c.count["failed"], c.count["skipped"], c.count["waived"], duration(c.took)))
	return c.err
}

func (c *Checks) write(s string) {
	if c.err == nil {
		_, c.err = io.WriteString(c.w, s)
	}
}

func markOf(status string) (string, paint) {
	switch status {
	case "passed":
		return "pass ", green
	case "failed":
		return "FAIL ", red
	case "skipped":
		return "skip ", dim
	default:
		return "waive", yellow
	}
}
