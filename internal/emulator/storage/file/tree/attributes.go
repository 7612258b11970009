package tree

import "strings"

// Attributes are those that NTFS has of a file or directory.
type Attributes uint16

// The attributes that the service knows, in the order in which it names them.
const (
	ReadOnly Attributes = 1 << iota
	Hidden
	System
	DirectoryFlag
	Archive
	Temporary
	Offline
	NotContentIndexed
	NoScrubData
)

var attributeNames = [...]string{"ReadOnly", "Hidden", "System", "Directory", "Archive", "Temporary", "Offline", "NotContentIndexed", "NoScrubData"}

// ParseAttributes reads "ReadOnly|Hidden"; "None" is none. ok is false for unknown names.
func ParseAttributes(s string) (a Attributes, ok bool) {
	for name := range strings.SplitSeq(s, "|") {
		name = strings.TrimSpace(name)
		if strings.EqualFold(name, "None") {
			continue
		}
		found := false
		for i, n := range attributeNames {
			if strings.EqualFold(n, name) {
				a |= 1 << i
				found = true
			}
		}
		if !found {
			return 0, false
		}
	}
	return a, true
}

// String is the form of answers.
func (a Attributes) String() string {
	var names []string
	for i, n := range attributeNames {
		if a&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	if names == nil {
		return "None"
	}
	return strings.Join(names, " | ")
}
