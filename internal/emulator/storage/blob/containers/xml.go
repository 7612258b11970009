package containers

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strconv"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// writer writes the XML of lists. A page has 5,000 blobs of thirty elements: reflection
// would take most of the time of a list.
type writer struct{ bytes.Buffer }

var writers = sync.Pool{New: func() any { return &writer{} }}

func newWriter() *writer {
	x, _ := writers.Get().(*writer)
	x.Reset()
	x.WriteString(`<?xml version="1.0" encoding="utf-8"?>`)
	return x
}

// open begins an element with pairs of attribute names and values.
func (x *writer) open(name string, attributes ...string) {
	x.WriteByte('<')
	x.WriteString(name)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.WriteString(" " + attributes[i] + `="`)
		x.escape(attributes[i+1])
		x.WriteByte('"')
	}
	x.WriteByte('>')
}

func (x *writer) close(name string) {
	x.WriteString("</")
	x.WriteString(name)
	x.WriteByte('>')
}

func (x *writer) text(name, value string) {
	x.WriteByte('<')
	x.WriteString(name)
	if value == "" {
		x.WriteString(" />")
		return
	}
	x.WriteByte('>')
	x.escape(value)
	x.close(name)
}

// optional leaves an empty value out.
func (x *writer) optional(name, value string) {
	if value != "" {
		x.text(name, value)
	}
}

func (x *writer) number(name string, n int64) {
	x.open(name)
	x.Write(strconv.AppendInt(x.AvailableBuffer(), n, 10))
	x.close(name)
}

func (x *writer) escape(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7F || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			_ = xml.EscapeText(x, []byte(s)) // a buffer takes everything
			return
		}
	}
	x.WriteString(s)
}

func (x *writer) metadata(m meta.Map) {
	x.open("Metadata")
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		x.text(k, m[k])
	}
	x.close("Metadata")
}

func (x *writer) tags(tags map[string]string) {
	x.open("TagSet")
	names := make([]string, 0, len(tags))
	for k := range tags {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		x.open("Tag")
		x.text("Key", k)
		x.open("Value")
		x.escape(tags[k])
		x.close("Value")
		x.close("Tag")
	}
	x.close("TagSet")
}

// send answers with what was written; the writer must not be used any more.
func (x *writer) send(r *req.Request, status int) *wire.Error {
	r.Out.Set("Content-Type", "application/xml")
	r.W.WriteHeader(status)
	_, _ = r.W.Write(x.Bytes()) // the client may have gone
	writers.Put(x)
	return nil
}
