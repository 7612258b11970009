package vault

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"unicode/utf8"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Limits of tags (about-secrets, about-keys-details).
const (
	maxTags       = 15
	maxSecretTag  = 512 // characters of a tag name or value of a secret
	maxObjectTag  = 256 // of a key or certificate
	maxPageLength = 25
)

// MaxPage is the most that one page of a list holds.
const MaxPage = maxPageLength

// Attributes are an object's, as they are answered; times in Unix seconds, 0 for none.
type Attributes struct {
	Enabled         bool   `json:"enabled"`
	NotBefore       int64  `json:"nbf,omitempty"`
	Expires         int64  `json:"exp,omitempty"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel,omitempty"`
	RecoverableDays int    `json:"recoverableDays,omitempty"`
	Exportable      *bool  `json:"exportable,omitempty"`  // of keys
	HSMPlatform     string `json:"hsmPlatform,omitempty"` // of keys
}

// AttributesIn are the attributes that a caller may set. A nil or JSON null changes
// nothing.
type AttributesIn struct {
	Enabled    *bool  `json:"enabled"`
	NotBefore  *int64 `json:"nbf"`
	Expires    *int64 `json:"exp"`
	Exportable *bool  `json:"exportable"`
}

// Gone is what a deleted object shows besides its own members.
type Gone struct {
	RecoveryID         string `json:"recoveryId"`
	DeletedDate        int64  `json:"deletedDate"`
	ScheduledPurgeDate int64  `json:"scheduledPurgeDate"`
}

// stamps are a version's stored attributes; times in Unix seconds, 0 for none.
type stamps struct {
	NotBefore, Expires, Created, Updated int64
	Disabled                             bool
}

// fresh are the stamps of a version made at now.
func fresh(now int64, in *AttributesIn) (stamps, *wire.Error) {
	s := stamps{Created: now}
	return s, s.apply(now, in)
}

// apply sets what the caller gave.
func (s *stamps) apply(now int64, in *AttributesIn) *wire.Error {
	s.Updated = now
	if in == nil {
		return nil
	}
	t := *s
	if in.Enabled != nil {
		t.Disabled = !*in.Enabled
	}
	if in.NotBefore != nil {
		t.NotBefore = *in.NotBefore
	}
	if in.Expires != nil {
		t.Expires = *in.Expires
	}
	// The service's own words for this are not known.
	if t.NotBefore != 0 && t.Expires != 0 && t.Expires <= t.NotBefore {
		return BadParameter("Property exp has invalid value: it is not after nbf")
	}
	*s = t
	return nil
}

// show gives the stamps as the service does.
func (v *Vault) show(s stamps) Attributes {
	level, days := v.recovery()
	return Attributes{
		Enabled: !s.Disabled, NotBefore: s.NotBefore, Expires: s.Expires, Created: s.Created, Updated: s.Updated,
		RecoveryLevel: level, RecoverableDays: days,
	}
}

// checkTags holds the limits of tags. The service's words for them are not known.
func checkTags(tags map[string]string, longest int) *wire.Error {
	if len(tags) > maxTags {
		return BadParameter("Property tags has invalid value: an object has at most %d tags", maxTags)
	}
	for k, val := range tags {
		if k == "" || utf8.RuneCountInString(k) > longest || utf8.RuneCountInString(val) > longest {
			return BadParameter("Property tags has invalid value: the name and the value of a tag have at most %d characters", longest)
		}
	}
	return nil
}

// keepTags gives a copy of its own; nil for none.
func keepTags(tags map[string]string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	return maps.Clone(tags)
}

// ValidName tells whether a text can name an object: ^[0-9a-zA-Z-]{1,127}$.
func ValidName(name string) bool {
	if len(name) < 1 || len(name) > 127 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}

// Bytes are base64url on the wire.
type Bytes []byte

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.RawURLEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler; padding and the standard alphabet pass, too.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	clean := make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		switch c {
		case '+':
			c = '-'
		case '/':
			c = '_'
		case '=':
			continue
		}
		clean = append(clean, c)
	}
	out, err := base64.RawURLEncoding.DecodeString(string(clean))
	if err != nil {
		return fmt.Errorf("not base64url: %w", err)
	}
	*b = out
	return nil
}
