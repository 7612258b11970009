package edm

import (
	"cmp"
	"math"
	"strings"
)

// Compare orders two values. ok is false if their types cannot be compared, or one is
// NaN: then no relation holds between them. Numbers compare across their types.
func Compare(a, b Value) (order int, ok bool) {
	if a.numeric() && b.numeric() {
		return compareNumbers(a, b)
	}
	if a.kind != b.kind {
		return 0, false
	}
	switch a.kind {
	case Boolean, DateTime:
		return cmp.Compare(a.bits, b.bits), true
	case String, GUID, Binary:
		return strings.Compare(a.text, b.text), true
	case Int32, Int64, Double:
	}
	return 0, false
}

func (v Value) numeric() bool { return v.kind == Int32 || v.kind == Int64 || v.kind == Double }

func compareNumbers(a, b Value) (int, bool) {
	if a.kind != Double && b.kind != Double {
		return cmp.Compare(a.integer(), b.integer()), true
	}
	x, y := a.double(), b.double()
	if math.IsNaN(x) || math.IsNaN(y) {
		return 0, false
	}
	return cmp.Compare(x, y), true
}

// double returns a number of any type as a double.
func (v Value) double() float64 {
	if v.kind == Double {
		return v.float()
	}
	return float64(v.integer())
}
