package listing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// scanner walks through an XML document of Storage: elements with text in them, no mixed
// content, no namespaces.
type scanner struct {
	doc string
	at  int
}

// token is one step: the start of an element, its end, or both at once.
type token struct {
	name  string
	attrs string // between name and >
	text  string // of a start: what stands behind it up to the next tag, as written
	start bool
	end   bool
}

var errCut = errors.New("the listing breaks off")

// next returns the next tag. ok is false at the end of the document.
func (s *scanner) next() (t token, ok bool, err error) {
	for {
		open := strings.IndexByte(s.doc[s.at:], '<')
		if open < 0 {
			return token{}, false, nil
		}
		s.at += open + 1
		shut := strings.IndexByte(s.doc[s.at:], '>')
		if shut < 0 {
			return token{}, false, errCut
		}
		tag := s.doc[s.at : s.at+shut]
		s.at += shut + 1
		if tag == "" || tag[0] == '?' || tag[0] == '!' {
			continue
		}
		if tag[0] == '/' {
			return token{name: tag[1:], end: true}, true, nil
		}
		t = token{start: true}
		if tag[len(tag)-1] == '/' {
			t.end, tag = true, tag[:len(tag)-1]
		}
		t.name, t.attrs, _ = strings.Cut(tag, " ")
		if !t.end {
			stop := strings.IndexByte(s.doc[s.at:], '<')
			if stop < 0 {
				return token{}, false, errCut
			}
			t.text = s.doc[s.at : s.at+stop]
		}
		return t, true, nil
	}
}

// parse reads a whole page of elements of one name, "Blob" or "Container".
func parse(doc, element string, yield func(*Entry) bool) (next string, err error) {
	s := &scanner{doc: doc}
	whole, going := false, true
	for {
		t, ok, err := s.next()
		switch {
		case err != nil:
			return "", err
		case !ok && !whole:
			return "", errCut
		case !ok:
			return next, nil
		case t.name == "EnumerationResults" && t.end:
			whole = true
		case t.start && t.name == element:
			e, err := s.entry(t)
			if err != nil {
				return "", err
			}
			going = going && yield(e)
		case t.start && t.name == "NextMarker":
			if next, err = unescape(t.text); err != nil {
				return "", err
			}
		}
	}
}

// entry reads the element that was opened.
func (s *scanner) entry(open token) (*Entry, error) {
	e := &Entry{}
	if open.end {
		return e, nil
	}
	for {
		t, ok, err := s.next()
		if err != nil || !ok {
			return nil, errCut
		}
		if t.end && !t.start && t.name == open.name {
			return e, nil
		}
		if err := s.member(e, t); err != nil {
			return nil, err
		}
	}
}

// member reads one element of an entry.
func (s *scanner) member(e *Entry, t token) error {
	switch {
	case !t.start:
		return nil // the end of a group
	case t.name == "Metadata" && !t.end:
		return s.metadata(e)
	case t.name == "Tags" && !t.end:
		return s.tags(e)
	case t.name == "Name":
		var err error
		e.Name, err = nameOf(t)
		return err
	default:
		return e.set(t.name, t.text)
	}
}

// nameOf reads a name. One with characters that XML cannot hold is percent-encoded and
// says so.
func nameOf(t token) (string, error) {
	text, err := unescape(t.text)
	if err != nil || !strings.Contains(t.attrs, `Encoded="true"`) {
		return text, err
	}
	if text, err = url.PathUnescape(text); err != nil {
		return "", fmt.Errorf("the listing has a name that is not encoded as it says: %w", err)
	}
	return text, nil
}

func (s *scanner) metadata(e *Entry) error {
	for {
		t, ok, err := s.next()
		if err != nil || !ok {
			return errCut
		}
		if t.end && !t.start {
			if t.name == "Metadata" {
				return nil
			}
			continue
		}
		text, err := unescape(t.text)
		if err != nil {
			return err
		}
		if strings.EqualFold(t.name, "x-ms-invalid-name") {
			e.Invalid = append(e.Invalid, text)
			continue
		}
		if e.Metadata == nil {
			e.Metadata = map[string]string{}
		}
		e.Metadata[t.name] = text
	}
}

func (s *scanner) tags(e *Entry) error {
	key := ""
	for {
		t, ok, err := s.next()
		if err != nil || !ok {
			return errCut
		}
		if t.end && !t.start {
			if t.name == "Tags" {
				return nil
			}
			continue
		}
		text, err := unescape(t.text)
		if err != nil {
			return err
		}
		switch t.name {
		case "Key":
			key = text
		case "Value":
			if e.Tags == nil {
				e.Tags = map[string]string{}
			}
			e.Tags[key] = text
		}
	}
}

// set takes over one property. Properties that no copy needs are passed over.
func (e *Entry) set(name, text string) error {
	if to := e.field(name); to != nil {
		v, err := unescape(text)
		*to = v
		return err
	}
	var err error
	switch name {
	case "Etag": // without its quotes here, with them in headers
		e.ETag = `"` + strings.Trim(strings.ReplaceAll(text, "&quot;", `"`), `"`) + `"`
	case "Content-Length":
		e.Size, err = number(text)
	case "x-ms-blob-sequence-number":
		e.Sequence, err = number(text)
	case "Last-Modified":
		if text != "" {
			e.Modified, err = http.ParseTime(text)
		}
	case "AccessTierInferred":
		e.TierInferred = text == "true"
	case "Sealed":
		e.Sealed = text == "true"
	case "HasImmutabilityPolicy":
		e.immutable = text == "true"
	case "HasLegalHold":
		e.LegalHold = text == "true"
	case "LegalHold":
		e.LegalHold = text == "true"
	case "IsCurrentVersion":
		e.Current = text == "true"
	case "ResourceType":
		e.Directory = text == "directory"
	}
	if err != nil {
		return fmt.Errorf("the listing has %q as %s of %s", text, name, e.Name)
	}
	return nil
}

// field returns where a property that is text is kept, nil for another.
func (e *Entry) field(name string) *string {
	if to := e.header(name); to != nil {
		return to
	}
	switch name {
	case "Snapshot":
		return &e.Snapshot
	case "VersionId":
		return &e.Version
	case "BlobType":
		return &e.Type
	case "AccessTier":
		return &e.Tier
	case "ArchiveStatus":
		return &e.Archive
	case "LeaseStatus":
		return &e.LeaseStatus
	case "EncryptionScope", "DefaultEncryptionScope":
		return &e.Scope
	case "PublicAccess":
		return &e.public
	case "CustomerProvidedKeySha256":
		return &e.Key
	case "ImmutabilityPolicyMode":
		return &e.Immutable
	default:
		return e.right(name)
	}
}

// right returns where a property of a path's access control is kept.
func (e *Entry) right(name string) *string {
	switch name {
	case "Owner":
		return &e.Owner
	case "Group":
		return &e.Group
	case "Permissions":
		return &e.Permissions
	case "Acl":
		return &e.ACL
	default:
		return nil
	}
}

// header returns where a property that is an HTTP header of the blob is kept.
func (e *Entry) header(name string) *string {
	switch name {
	case "Content-Type":
		return &e.ContentType
	case "Content-Encoding":
		return &e.Encoding
	case "Content-Language":
		return &e.Language
	case "Content-Disposition":
		return &e.Disposition
	case "Cache-Control":
		return &e.CacheControl
	case "Content-MD5":
		return &e.MD5
	default:
		return nil
	}
}

func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

// entities are those that XML knows by name.
var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// unescape returns the text that stands for s. Most of it needs nothing done.
func unescape(s string) (string, error) {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return strings.Clone(s), nil // lest one name keep a whole page alive
	}
	var b strings.Builder
	for amp >= 0 {
		b.WriteString(s[:amp])
		name, rest, found := strings.Cut(s[amp+1:], ";")
		if !found {
			return "", errCut
		}
		text, known := entities[name]
		if !known {
			r, err := character(name)
			if err != nil {
				return "", err
			}
			text = string(r)
		}
		b.WriteString(text)
		s = rest
		amp = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String(), nil
}

// character reads a numeric reference, "#65" or "#x41".
func character(name string) (rune, error) {
	digits, isNumber := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(strings.ToLower(digits), "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if err != nil || !isNumber {
		return 0, fmt.Errorf("the listing has the unknown entity &%s;", name)
	}
	return rune(n), nil
}
