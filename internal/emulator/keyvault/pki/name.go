package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// attributeTypes are the keywords of Windows' distinguished names, which the service
// reads and writes.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SN": {2, 5, 4, 4}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7},
	"ST": {2, 5, 4, 8}, "S": {2, 5, 4, 8}, "STREET": {2, 5, 4, 9}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11},
	"T": {2, 5, 4, 12}, "TITLE": {2, 5, 4, 12}, "G": {2, 5, 4, 42}, "GN": {2, 5, 4, 42}, "I": {2, 5, 4, 43},
	"DC": {0, 9, 2342, 19200300, 100, 1, 25}, "UID": {0, 9, 2342, 19200300, 100, 1, 1},
	"E": {1, 2, 840, 113549, 1, 9, 1}, "EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1},
}

// keywords are how names are written back: Windows writes S, not ST.
var keywords = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S",
	"2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.42": "G", "2.5.4.43": "I",
	"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "E",
}

// ParseName reads a distinguished name such as "CN=www.contoso.com, O=Contoso". The
// encoded name has the parts in reverse, as Windows and the service have it. An empty
// text is the empty name.
func ParseName(text string) (pkix.RDNSequence, error) {
	var seq pkix.RDNSequence
	for _, part := range splitName(text) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, invalid("Property subject has invalid value: %q is no X.500 name", text)
		}
		oid, err := attributeOID(strings.TrimSpace(key))
		if err != nil {
			return nil, invalid("Property subject has invalid value: %q is no attribute of an X.500 name", strings.TrimSpace(key))
		}
		atv := pkix.AttributeTypeAndValue{Type: oid, Value: unquote(strings.TrimSpace(value))}
		seq = append(pkix.RDNSequence{pkix.RelativeDistinguishedNameSET{atv}}, seq...)
	}
	return seq, nil
}

// splitName cuts at commas and semicolons outside quotes and without a backslash.
func splitName(text string) []string {
	var parts []string
	var cur strings.Builder
	quoted, escaped := false, false
	flush := func() {
		if s := strings.TrimSpace(cur.String()); s != "" {
			parts = append(parts, s)
		}
		cur.Reset()
	}
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case (r == ',' || r == ';') && !quoted:
			flush()
			continue
		}
		cur.WriteRune(r)
	}
	flush()
	return parts
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		b.WriteRune(r)
	}
	return b.String()
}

func attributeOID(key string) (asn1.ObjectIdentifier, error) {
	up := strings.ToUpper(key)
	if oid, ok := attributeTypes[up]; ok {
		return oid, nil
	}
	return parseOID(strings.TrimPrefix(up, "OID."))
}

// FormatName writes an encoded name as the service does: in reverse, with Windows'
// keywords, quoting where it must.
func FormatName(raw []byte) string {
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &seq); err != nil {
		return ""
	}
	var parts []string
	for i := len(seq) - 1; i >= 0; i-- {
		for _, atv := range seq[i] {
			key, ok := keywords[atv.Type.String()]
			if !ok {
				key = "OID." + atv.Type.String()
			}
			parts = append(parts, key+"="+quote(fmt.Sprint(atv.Value)))
		}
	}
	return strings.Join(parts, ", ")
}

func quote(s string) string {
	if !strings.ContainsAny(s, `,+="<>#;`+"\n") && strings.TrimSpace(s) == s {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
