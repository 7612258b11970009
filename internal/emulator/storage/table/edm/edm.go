// Package edm holds the values that properties of table entities have: the eight types
// of the Entity Data Model that Table Storage knows, their JSON forms, sizes and order
// (Azure: Understanding the Table service data model; Payload format for Table service
// operations).
package edm

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Type is the type of a value.
type Type uint8

// The types of Table Storage.
const (
	String Type = iota
	Int32
	Int64
	Double
	Boolean
	DateTime
	GUID
	Binary
)

var names = [...]string{"Edm.String", "Edm.Int32", "Edm.Int64", "Edm.Double", "Edm.Boolean", "Edm.DateTime", "Edm.Guid", "Edm.Binary"}

// Name returns the name that stands in "@odata.type".
func (t Type) Name() string { return names[t] }

// TypeOf returns the type of a name; ok is false for a name that Table Storage lacks.
func TypeOf(name string) (t Type, ok bool) {
	for i, n := range names {
		if n == name {
			return Type(i), true
		}
	}
	return 0, false
}

// Value is a value of one type. The zero Value is the empty string.
type Value struct {
	kind Type
	text string // String, GUID (lower case with hyphens), Binary (the bytes)
	bits uint64 // Int32, Int64, Boolean; Double: IEEE 754; DateTime: ticks
}

// ErrSyntax is wrapped by the errors of values that are not of their type's form, and
// ErrRange by those of values that Table Storage cannot hold.
var (
	ErrSyntax = errors.New("the value is not in the form of its type")
	ErrRange  = errors.New("the value is out of its type's range")
)

// Text makes a string.
func Text(s string) Value { return Value{kind: String, text: s} }

// Int makes a 32-bit integer.
func Int(i int32) Value { return Value{kind: Int32, bits: uint64(int64(i))} }

// Long makes a 64-bit integer.
func Long(i int64) Value { return Value{kind: Int64, bits: uint64(i)} }

// Float makes a double.
func Float(f float64) Value { return Value{kind: Double, bits: math.Float64bits(f)} }

// Bool makes a truth value.
func Bool(b bool) Value {
	v := Value{kind: Boolean}
	if b {
		v.bits = 1
	}
	return v
}

// Bytes makes a binary value.
func Bytes(b []byte) Value { return Value{kind: Binary, text: string(b)} }

// tick is the precision of a DateTime.
const tick = 100 * time.Nanosecond

// first is the earliest DateTime (midnight of 1601-01-01) and the zero of ticks here.
var first = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

// Time makes a DateTime, cut to 100 ns. The error is ErrRange before 1601 and after 9999.
func Time(t time.Time) (Value, error) {
	t = t.UTC()
	if t.Before(first) || t.Year() > 9999 {
		return Value{}, fmt.Errorf("%s: %w", t.Format(time.RFC3339), ErrRange)
	}
	secs := t.Unix() - first.Unix()
	return Value{kind: DateTime, bits: uint64(secs)*uint64(time.Second/tick) + uint64(t.Nanosecond())/uint64(tick)}, nil
}

// Type returns the value's type.
func (v Value) Type() Type { return v.kind }

// Truth returns a Boolean.
func (v Value) Truth() bool { return v.kind == Boolean && v.bits == 1 }

// String returns the canonical text: numbers in decimal, times as RFC 3339, GUIDs in
// lower case, binaries in base64.
func (v Value) String() string {
	switch v.kind {
	case Int32, Int64:
		return strconv.FormatInt(v.integer(), 10)
	case Double:
		return formatDouble(v.float())
	case Boolean:
		return strconv.FormatBool(v.bits == 1)
	case DateTime:
		return FormatTime(v.time())
	case Binary:
		return base64.StdEncoding.EncodeToString([]byte(v.text))
	case String, GUID:
	}
	return v.text
}

func (v Value) integer() int64 { return int64(v.bits) }
func (v Value) float() float64 { return math.Float64frombits(v.bits) }

func (v Value) time() time.Time {
	per := uint64(time.Second / tick)
	return time.Unix(first.Unix()+int64(v.bits/per), int64(v.bits%per)*int64(tick)).UTC()
}

// FormatTime writes a time as Table Storage does: seven digits of a second, zeros at the
// end left out.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }

// formatDouble writes the shortest text that reads back alike, in the service's form:
// always with a point or an exponent, which has at least two digits. The SDKs write the
// infinities as here; that the service answers so too could not be confirmed.
func formatDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	s := strconv.FormatFloat(f, 'E', -1, 64)
	_, exp, _ := strings.Cut(s, "E")
	if n, _ := strconv.Atoi(exp); n >= 15 || n < -5 {
		return s
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Size is what the value counts towards the size of its entity, in bytes.
func (v Value) Size() int {
	switch v.kind {
	case Int32:
		return 4
	case Int64, Double, DateTime:
		return 8
	case Boolean:
		return 1
	case GUID:
		return 16
	case Binary:
		return len(v.text) + 4
	case String:
	}
	return 2*Units(v.text) + 4
}

// TooLarge tells whether a value is larger than a property may be: 64 KiB.
func (v Value) TooLarge() bool {
	return (v.kind == String || v.kind == Binary) && v.Size()-4 > 64<<10
}

// Units is the length of a text in UTF-16, which is how the service counts characters.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// Parse reads the text of a value of a type, as JSON strings and filters have it.
func Parse(t Type, s string) (Value, error) {
	switch t {
	case String:
		return Text(s), nil
	case Int32:
		n, err := strconv.ParseInt(s, 10, 32)
		return Int(int32(n)), number(s, err)
	case Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		return Long(n), number(s, err)
	case Double:
		return parseDouble(s)
	case Boolean:
		if s != "true" && s != "false" {
			return Value{}, fmt.Errorf("%q: %w", s, ErrSyntax)
		}
		return Bool(s == "true"), nil
	case DateTime:
		return parseTime(s)
	case GUID:
		return parseGUID(s)
	case Binary:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return Value{}, fmt.Errorf("base64: %w", ErrSyntax)
		}
		return Bytes(b), nil
	}
	return Value{}, ErrSyntax
}

func number(s string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%q: %w", s, ErrRange)
	}
	return fmt.Errorf("%q: %w", s, ErrSyntax)
}

func parseDouble(s string) (Value, error) {
	switch s {
	case "NaN":
		return Float(math.NaN()), nil
	case "Infinity", "INF":
		return Float(math.Inf(1)), nil
	case "-Infinity", "-INF":
		return Float(math.Inf(-1)), nil
	}
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return Value{}, fmt.Errorf("%q: %w", s, ErrSyntax)
	}
	f, err := strconv.ParseFloat(s, 64)
	return Float(f), number(s, err)
}

// parseTime reads ISO 8601 with or without seconds, fraction and offset; without an
// offset it is UTC.
func parseTime(s string) (Value, error) {
	for _, l := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"} {
		if t, err := time.Parse(l, s); err == nil {
			return Time(t)
		}
	}
	return Value{}, fmt.Errorf("%q: %w", s, ErrSyntax)
}

func parseGUID(s string) (Value, error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return Value{}, fmt.Errorf("%q: %w", s, ErrSyntax)
	}
	if _, err := hex.DecodeString(strings.ReplaceAll(s, "-", "")); err != nil {
		return Value{}, fmt.Errorf("%q: %w", s, ErrSyntax)
	}
	return Value{kind: GUID, text: strings.ToLower(s)}, nil
}
