package table

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
)

// The limits of a transaction
// (https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions).
const (
	mostChanges = 100
	mostBytes   = 4 << 20 // of the body
	frame       = 1 << 10 // more than a change, and the end of the body, have beside the entity
)

// changeset is the body of a transaction that inserts entities. They are written as they
// are: what the SDK would make of them may lose the types of properties.
type changeset struct {
	body         bytes.Buffer
	outer, inner *multipart.Writer // both write to body: the set is the batch's one part
	changes      []change
}

// change is the insert of one entity.
type change struct {
	place int // in the call
	bytes int // of the entity
}

func newChangeset() *changeset {
	s := &changeset{}
	s.outer, s.inner = multipart.NewWriter(&s.body), multipart.NewWriter(&s.body)
	return s
}

// fits tells whether one more entity has room.
func (s *changeset) fits(entity []byte) bool {
	return len(s.changes) < mostChanges && s.body.Len()+len(entity)+2*frame < mostBytes
}

// add adds the insert of an entity, in JSON, to the table at an address.
func (s *changeset) add(table string, entity []byte, place int) error {
	if len(s.changes) == 0 {
		if _, err := s.outer.CreatePart(textproto.MIMEHeader{"Content-Type": {mixed(s.inner)}}); err != nil {
			return err
		}
	}
	w, err := s.inner.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Transfer-Encoding": {"binary"}})
	if err != nil {
		return err
	}
	s.changes = append(s.changes, change{place, len(entity)})
	_, err = fmt.Fprintf(w, "POST %s HTTP/1.1\r\nContent-Type: %s\r\nAccept: %s\r\nPrefer: %s\r\nDataServiceVersion: 3.0\r\n\r\n%s",
		table, contentJSON, contentJSON+";odata=minimalmetadata", noContent, entity)
	return err
}

// close ends the body and returns what carries it past the SDK.
func (s *changeset) close() (*raw, error) {
	err := errors.Join(s.inner.Close(), s.outer.Close())
	return &raw{send: s.body.Bytes(), kind: mixed(s.outer)}, err
}

// mixed is the content type of what a writer makes.
func mixed(w *multipart.Writer) string { return "multipart/mixed; boundary=" + w.Boundary() }
