// Package secret holds a string that cannot be printed, stored or sent by accident.
//
// It is a leaf: it imports nothing of this project.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Value is a secret. fmt, slog, JSON, text and gob encodings all show "[redacted]".
// The string sits behind a pointer because fmt and slog do not call methods on
// unexported fields: a plain string inside another struct would be printed.
// The zero Value is an empty secret.
type Value struct{ s *string }

// New wraps s.
func New(s string) Value { return Value{&s} }

// Reveal returns the secret. Keep the result on the stack of one call.
func (v Value) Reveal() string {
	if v.s == nil {
		return ""
	}
	return *v.s
}

// Empty tells whether the secret has no characters.
func (v Value) Empty() bool { return v.s == nil || *v.s == "" }

// Len returns the length of the secret in bytes.
func (v Value) Len() int { return len(v.Reveal()) }

// Equal compares two secrets in time that depends on their lengths alone.
func (v Value) Equal(o Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(o.Reveal())) == 1
}

// String returns a fixed text, never the secret.
func (Value) String() string { return redacted }

// GoString returns a fixed text, never the secret.
func (Value) GoString() string { return redacted }

// Format writes a fixed text for every verb and flag.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns a fixed text, never the secret.
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a fixed text, never the secret.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns a fixed text, never the secret.
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GobEncode returns a fixed text, never the secret.
func (Value) GobEncode() ([]byte, error) { return []byte(redacted), nil }
