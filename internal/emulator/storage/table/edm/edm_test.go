package edm

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEveryValueReadsBackAlike writes values of all types as JSON, with the annotation
// that minimal metadata gives, and reads them.
func TestEveryValueReadsBackAlike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		when, err := Time(time.Unix(rapid.Int64Range(first.Unix(), 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")))
		if err != nil {
			t.Fatal(err)
		}
		id, err := Parse(GUID, rapid.StringMatching(`[0-9A-F]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).Draw(t, "guid"))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []Value{
			Text(rapid.String().Draw(t, "text")), Int(rapid.Int32().Draw(t, "int")), Long(rapid.Int64().Draw(t, "long")), Float(rapid.Float64().Draw(t, "float")),
			Float(math.Inf(-1)), Bool(rapid.Bool().Draw(t, "bool")), Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")), when, id,
		} {
			annotation := ""
			if v.Annotated() {
				annotation = v.Type().Name()
			}
			back, ok, err := FromJSON(v.AppendJSON(nil), annotation)
			if err != nil || !ok || back != v {
				t.Errorf("%s %s reads back as %s %s: %v", v.Type().Name(), v, back.Type().Name(), back, err)
			}
			if n, ok := Compare(v, back); !ok || n != 0 {
				t.Errorf("%s is not equal to itself", v)
			}
		}
	})
}

func TestDoublesAreWrittenAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0.0", 5: "5.0", -0.5: "-0.5", 0.1: "0.1", 1e14: "100000000000000.0", 1e15: "1E+15", 1.5e300: "1.5E+300", 1e-5: "0.00001", 1e-6: "1E-06", math.Inf(1): "Infinity", math.NaN(): "NaN",
	} {
		if got := Float(f).String(); got != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
}

func TestBadTexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  Type
		text string
		want error
	}{
		{Int32, "2147483648", ErrRange},
		{Int32, "1.5", ErrSyntax},
		{Int64, "9223372036854775808", ErrRange},
		{Double, "0x1p3", ErrSyntax},
		{Double, "1e999", ErrRange},
		{Boolean, "True", ErrSyntax},
		{DateTime, "yesterday", ErrSyntax},
		{DateTime, "1600-12-31T23:59:59Z", ErrRange},
		{GUID, "c9da6455213d42c99a793e9149a57833", ErrSyntax},
		{GUID, "z9da6455-213d-42c9-9a79-3e9149a57833", ErrSyntax},
		{Binary, "!", ErrSyntax},
		{Type(99), "x", ErrSyntax},
	}
	for _, tc := range tests {
		if _, err := Parse(tc.typ, tc.text); !errors.Is(err, tc.want) {
			t.Errorf("%d %q: %v, want %v", tc.typ, tc.text, err, tc.want)
		}
	}
}

func TestSizesAndOrder(t *testing.T) {
	t.Parallel()
	if n := Text("a😀").Size(); n != 2*3+4 {
		t.Errorf("size %d", n)
	}
	if !Text(strings.Repeat("x", 32<<10+1)).TooLarge() || Bytes(make([]byte, 64<<10)).TooLarge() {
		t.Error("the limit of a value is not 64 KiB")
	}
	for _, pair := range [][2]Value{{Text("a"), Int(1)}, {Float(math.NaN()), Float(1)}, {Bool(true), Text("true")}} {
		if _, ok := Compare(pair[0], pair[1]); ok {
			t.Errorf("%s and %s compare", pair[0], pair[1])
		}
	}
	if n, ok := Compare(Int(3), Float(3.5)); !ok || n >= 0 {
		t.Error("3 is not less than 3.5")
	}
}
