package filter

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// match tells whether a valid glob matches.
func match(glob, text string) bool {
	ok, _ := doublestar.Match(glob, text) // fails for invalid globs only
	return ok
}

// ofItems is embedded by the conditions that are about single items.
type ofItems struct{}

func (ofItems) could(Subject) bool { return true }
func (ofItems) whole() bool        { return false }

// keyCondition compares an item's key; upper and lower case differ, as they do in Azure's names of blobs.
type keyCondition struct {
	ofItems
	glob string
}

func keyGlob(glob string) condition { return keyCondition{glob: glob} }

func (c keyCondition) holds(_ Subject, it plugin.Item) bool { return match(c.glob, string(it.Key)) }
func (c keyCondition) text() string                         { return "item:" + c.glob }

type kindCondition struct {
	ofItems
	glob string
}

func kindGlob(glob string) condition { return kindCondition{glob: glob} }

func (c kindCondition) holds(_ Subject, it plugin.Item) bool { return match(c.glob, it.Kind) }
func (c kindCondition) text() string                         { return "kind:" + c.glob }

// typeGlob compares the plugin's name and the ARM type, in lower case.
type typeGlob string

func (c typeGlob) holds(of Subject, _ plugin.Item) bool { return c.could(of) }
func (c typeGlob) whole() bool                          { return true }
func (c typeGlob) text() string                         { return "type:" + string(c) }

func (c typeGlob) could(of Subject) bool {
	return match(string(c), of.Plugin) || match(string(c), strings.ToLower(of.Resource.Type))
}

// resourceGlob compares the resource's name and its ID, in lower case.
type resourceGlob string

func (c resourceGlob) holds(of Subject, _ plugin.Item) bool { return c.could(of) }
func (c resourceGlob) whole() bool                          { return true }
func (c resourceGlob) text() string                         { return "resource:" + string(c) }

func (c resourceGlob) could(of Subject) bool {
	return match(string(c), strings.ToLower(of.Resource.Name)) || match(string(c), strings.ToLower(of.Resource.ID))
}

type sizeCondition struct {
	ofItems
	op    comparison
	bytes int64
}

func size(op comparison, bytes int64) condition { return sizeCondition{op: op, bytes: bytes} }

func (c sizeCondition) text() string { return "size:" + string(c.op) + strconv.FormatInt(c.bytes, 10) }

func (c sizeCondition) holds(_ Subject, it plugin.Item) bool {
	return it.Size >= 0 && c.op.holds(cmp.Compare(it.Size, c.bytes))
}

type timeCondition struct {
	ofItems
	op comparison
	at time.Time
}

func modified(op comparison, at time.Time) condition { return timeCondition{op: op, at: at} }

func (c timeCondition) text() string {
	return "modified:" + string(c.op) + c.at.Format(time.RFC3339Nano)
}

func (c timeCondition) holds(_ Subject, it plugin.Item) bool {
	return !it.Modified.IsZero() && c.op.holds(it.Modified.Compare(c.at))
}
