package meta

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
)

func TestMetadataOfHeaders(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	h.Set("x-ms-meta-Team_1", "a b")
	h.Set("Content-Type", "x")
	m, err := FromHeader(h)
	if err != nil || m.Text() != "team_1=a b" {
		t.Errorf("%v %v", m, err)
	}
	out := http.Header{}
	m.Write(out)
	if again, err := FromHeader(out); err != nil || again.Text() != m.Text() {
		t.Errorf("an answer's headers: %v %v", again, err)
	}
	doc, bad := xml.Marshal(struct {
		XMLName  xml.Name `xml:"X"`
		Metadata Map
	}{Metadata: Map{"b": "<", "a": "1"}})
	if bad != nil || string(doc) != "<X><Metadata><a>1</a><b>&lt;</b></Metadata></X>" {
		t.Errorf("%s %v", doc, bad)
	}
}

func TestBadMetadata(t *testing.T) {
	t.Parallel()
	for code, m := range map[string]map[string]string{
		"InvalidMetadata": {"1a": "x"}, "EmptyMetadataKey": {"": "x"}, "MetadataTooLarge": {"a": strings.Repeat("x", Most)},
	} {
		if _, err := FromSeed(m); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
