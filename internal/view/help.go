package view

import (
	"fmt"
	"io"
	"strings"
)

// helpWidth is the width of help texts, on any terminal: they are documents too.
const helpWidth = 80

// Row is a name and what there is to say about it.
type Row struct{ Name, Text string }

// Rows lays rows out as two columns, wrapped to 80 columns.
func Rows(rows []Row) string {
	width := 0
	for _, r := range rows {
		width = max(width, min(columns(r.Name), 22))
	}
	var b strings.Builder
	for _, r := range rows {
		lead := fmt.Sprintf("  %-*s  ", width, r.Name)
		if columns(r.Name) > width {
			lead = "  " + r.Name + "\n" + strings.Repeat(" ", width+4)
		}
		b.WriteString(lead + wrap(r.Text, width+4, helpWidth) + "\n")
	}
	return b.String()
}

// Version is the version of the program and of the formats that it writes.
type Version struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Contract int    `json:"pluginContract"`
	Report   int    `json:"reportSchema"`
	Stream   int    `json:"streamSchema"`
}

// VersionText writes v for people.
func VersionText(w io.Writer, v Version) error {
	_, err := fmt.Fprintf(w, "atg %s (%s, %s)\nplugin contract %d, report schema %d, stream schema %d\n",
		v.Version, v.Go, v.Platform, v.Contract, v.Report, v.Stream)
	return err
}
