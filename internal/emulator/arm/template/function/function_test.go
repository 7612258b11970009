package function_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

type (
	list = []any
	obj  = map[string]any
)

// n is a whole number, as templates have them.
func n(i int64) any { return i }

// calls has the examples of Microsoft's pages on template functions, and their edges.
var calls = []struct {
	name string
	args list
	want any
}{
	{"concat", list{"a", n(1), true}, "a1True"},
	{"concat", list{list{"a"}, list{"b", n(2)}}, list{"a", "b", n(2)}},
	{"endsWith", list{"abcdef", "EF"}, true},
	{"startsWith", list{"abcdef", "AB"}, true},
	{"startsWith", list{"abcdef", "e"}, false},
	{"format", list{"{0}, {1}. Formatted number: {2:N0}", "Hello", "User", n(8175133)}, "Hello, User. Formatted number: 8,175,133"},
	{"format", list{"{0:D4}|{0:X}|{0:x4}|{0:F1}|{0,4}|{0,-4}|{0:000}|{{}}", n(42)}, "0042|2A|002a|42.0|  42|42  |042|{}"},
	{"format", list{"{0:N}", n(-1234567)}, "-1,234,567.00"},
	{"join", list{list{"one", "two", n(3)}, ";"}, "one;two;3"},
	{"padLeft", list{"123", n(10), "0"}, "0000000123"},
	{"padLeft", list{n(7), n(3)}, "  7"},
	{"replace", list{"123-123-1234", "-", ""}, "1231231234"},
	{"split", list{"one,two,three", ","}, list{"one", "two", "three"}},
	{"split", list{"one;two,three", list{",", ";"}}, list{"one", "two", "three"}},
	{"string", list{obj{"b": n(1), "a": "x"}}, `{"a":"x","b":1}`},
	{"string", list{true}, "True"},
	{"string", list{nil}, ""},
	{"string", list{2.5}, "2.5"},
	{"substring", list{"one two three", n(4), n(3)}, "two"},
	{"substring", list{"häuser", n(1)}, "äuser"},
	{"toLower", list{"One"}, "one"},
	{"toUpper", list{"One"}, "ONE"},
	{"trim", list{"  one "}, "one"},

	{"base64", list{"one, two, three"}, "b25lLCB0d28sIHRocmVl"},
	{"base64ToString", list{"b25lLCB0d28sIHRocmVl"}, "one, two, three"},
	{"base64ToJson", list{"eyJvbmUiOiAxfQ=="}, obj{"one": n(1)}},
	{"dataUri", list{"Hello"}, "data:text/plain;charset=utf8;base64,SGVsbG8="},
	{"dataUriToString", list{"data:;base64,SGVsbG8sIFdvcmxkIQ=="}, "Hello, World!"},
	{"dataUriToString", list{"data:text/plain,a%20b"}, "a b"},
	{"json", list{`{"a":[1,2.5,null,true]}`}, obj{"a": list{n(1), 2.5, nil, true}}},
	{"uri", list{"http://contoso.com/resources/", "nested/azuredeploy.json"}, "http://contoso.com/resources/nested/azuredeploy.json"},
	{"uri", list{"https://contoso.com/a/b.json", "c.json"}, "https://contoso.com/a/c.json"},
	{"uriComponent", list{"http://contoso.com/a b+~"}, "http%3A%2F%2Fcontoso.com%2Fa%20b%2B~"},
	{"uriComponentToString", list{"http%3A%2F%2Fcontoso.com%2Fa%20b"}, "http://contoso.com/a b"},

	{"array", list{"a"}, list{"a"}},
	{"array", list{list{"a"}}, list{"a"}},
	{"contains", list{"OneTwoThree", "two"}, false},
	{"contains", list{"OneTwoThree", "Two"}, true},
	{"contains", list{obj{"One": n(1)}, "one"}, true},
	{"contains", list{list{n(1), "two"}, "two"}, true},
	{"createArray", list{n(1), "b"}, list{n(1), "b"}},
	{"createArray", list{}, list{}},
	{"empty", list{""}, true},
	{"empty", list{list{n(1)}}, false},
	{"empty", list{nil}, true},
	{"first", list{"One"}, "O"},
	{"first", list{""}, ""},
	{"first", list{list{}}, nil},
	{"last", list{"One"}, "e"},
	{"last", list{list{n(1), n(2)}}, n(2)},
	{"flatten", list{list{list{n(1)}, list{n(2), n(3)}}}, list{n(1), n(2), n(3)}},
	{"indexOf", list{"testing", "T"}, n(0)},
	{"indexOf", list{"häuser", "u"}, n(2)},
	{"indexOf", list{list{"a", "b"}, "b"}, n(1)},
	{"lastIndexOf", list{"test", "t"}, n(3)},
	{"lastIndexOf", list{list{"a", "b", "a"}, "a"}, n(2)},
	{"lastIndexOf", list{list{"a"}, "z"}, n(-1)},
	{"length", list{"häuser"}, n(6)},
	{"length", list{obj{"a": n(1), "b": n(2)}}, n(2)},
	{"range", list{n(5), n(3)}, list{n(5), n(6), n(7)}},
	{"skip", list{list{"a", "b", "c"}, n(2)}, list{"c"}},
	{"skip", list{"one", n(-1)}, "one"},
	{"take", list{list{"a", "b", "c"}, n(2)}, list{"a", "b"}},
	{"take", list{"one", n(9)}, "one"},

	{"createObject", list{"a", n(1), "b", list{}}, obj{"a": n(1), "b": list{}}},
	{"intersection", list{list{"a", "b", "a"}, list{"a", "c"}}, list{"a"}},
	{"intersection", list{obj{"a": n(1), "b": n(2)}, obj{"a": n(1), "b": n(3)}}, obj{"a": n(1)}},
	{"items", list{obj{"b": n(2), "a": n(1)}}, list{obj{"key": "a", "value": n(1)}, obj{"key": "b", "value": n(2)}}},
	{"null", list{}, nil},
	{"objectKeys", list{obj{"b": n(2), "a": n(1)}}, list{"a", "b"}},
	{"shallowMerge", list{list{obj{"a": obj{"x": n(1)}}, obj{"a": obj{"y": n(1)}}}}, obj{"a": obj{"y": n(1)}}},
	{"tryGet", list{obj{"a": list{n(7)}}, "a", n(0)}, n(7)},
	{"tryGet", list{obj{"a": list{n(7)}}, "b", n(0)}, nil},
	{"tryGet", list{list{n(7)}, n(3)}, nil},
	{"tryIndexFromEnd", list{list{n(7), n(8)}, n(1)}, n(8)},
	{"tryIndexFromEnd", list{list{}, n(1)}, nil},
	{"indexFromEnd", list{list{n(7), n(8)}, n(2)}, n(7)},
	{"union", list{list{"a", "b"}, list{"b", "c"}}, list{"a", "b", "c"}},
	{"union", list{obj{"a": obj{"x": n(1)}, "b": n(1)}, obj{"a": obj{"y": n(2)}, "b": n(2)}}, obj{"a": obj{"x": n(1), "y": n(2)}, "b": n(2)}},

	{"add", list{n(5), n(3)}, n(8)},
	{"sub", list{n(5), n(8)}, n(-3)},
	{"mul", list{n(5), n(3)}, n(15)},
	{"div", list{n(8), n(3)}, n(2)},
	{"mod", list{n(7), n(3)}, n(1)},
	{"int", list{"4"}, n(4)},
	{"int", list{2.9}, n(2)},
	{"float", list{"1.5"}, 1.5},
	{"float", list{n(2)}, 2.0},
	{"max", list{n(1), n(3), n(2)}, n(3)},
	{"min", list{list{n(4), n(3)}}, n(3)},

	{"bool", list{"True"}, true},
	{"bool", list{n(0)}, false},
	{"coalesce", list{nil, "a", "b"}, "a"},
	{"coalesce", list{nil}, nil},
	{"equals", list{obj{"a": list{n(1)}}, obj{"a": list{n(1)}}}, true},
	{"equals", list{obj{"a": n(1)}, obj{"b": n(1)}}, false},
	{"equals", list{n(1), 1.0}, true},
	{"equals", list{1.0, n(1)}, true},
	{"equals", list{"a", "A"}, false},
	{"equals", list{nil, list{}}, false},
	{"greater", list{n(2), n(1)}, true},
	{"greaterOrEquals", list{"b", "b"}, true},
	{"less", list{"a", "b"}, true},
	{"lessOrEquals", list{n(2), n(1)}, false},
	{"not", list{false}, true},
	{"true", list{}, true},
	{"false", list{}, false},

	{"dateTimeAdd", list{"2020-04-07 14:53:14Z", "P3Y"}, "2023-04-07T14:53:14Z"},
	{"dateTimeAdd", list{"2020-04-07T14:53:14Z", "-P9D"}, "2020-03-29T14:53:14Z"},
	{"dateTimeAdd", list{"2020-04-07T14:53:14Z", "PT1H30M5S", "yyyy-MM-dd HH:mm:ss"}, "2020-04-07 16:23:19"},
	{"dateTimeFromEpoch", list{n(1683040573)}, "2023-05-02T15:16:13Z"},
	{"dateTimeToEpoch", list{"2023-05-02T15:16:13Z"}, n(1683040573)},

	{"cidrHost", list{"10.144.0.0/20", n(0)}, "10.144.0.1"},
	{"cidrHost", list{"fdad:3236:5555::/48", n(1)}, "fdad:3236:5555::2"},
	{"cidrSubnet", list{"10.144.0.0/20", n(24), n(1)}, "10.144.1.0/24"},
	{"parseCidr", list{"10.144.0.0/20"}, obj{
		"network": "10.144.0.0", "netmask": "255.255.240.0", "broadcast": "10.144.15.255", "firstUsable": "10.144.0.1", "lastUsable": "10.144.15.254", "cidr": n(20),
	}},
	{"parseCidr", list{"10.0.0.1/32"}, obj{
		"network": "10.0.0.1", "netmask": "255.255.255.255", "broadcast": "10.0.0.1", "firstUsable": "10.0.0.1", "lastUsable": "10.0.0.1", "cidr": n(32),
	}},
	{"parseCidr", list{"fd00::/64"}, obj{"network": "fd00::", "firstUsable": "fd00::", "lastUsable": "fd00::ffff:ffff:ffff:ffff", "cidr": n(64)}},

	// What Python's uuid5 gives for "a-b-c" in the namespace that Bicep's documentation names.
	{"guid", list{"a", "b", "c"}, "a98fa280-e03f-5afa-8d8e-92d0a9c201e8"},
	// The first is from the tests of Microsoft's azapi provider, the others are what Bicep gives.
	{"uniqueString", list{"/subscriptions/00000000-0000-0000-0000-000000000000", "resource-id"}, "cwvxuqg24sifi"},
	{"uniqueString", list{"test"}, "rbgf3xv4ufgzg"},
	{"uniqueString", list{"hello", "world"}, "a7wkljktk6wne"},
	{"uniqueString", list{"abc"}, "cgtzqvhu4i23s"},
	{"uniqueString", list{"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-rg"}, "bmg7c6xu4tw46"},
	{"uniqueString", list{"foo", "bar", "baz"}, "xzi4ioaxtmth4"},
}

func TestCall(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, c := range calls {
		tested[c.name] = true
		got, err := function.Call(strings.ToUpper(c.name), c.args)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s(%v): %v\n%s", c.name, c.args, err, diff)
		}
	}
	for _, name := range function.Names() {
		if !tested[name] {
			t.Errorf("%s has no case", name)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args list
		want string
	}{
		{"nothing", list{}, "The template function 'nothing' is not valid"},
		{"toLower", list{}, "function requires exactly 1 argument(s) while '0' were provided"},
		{"substring", list{"a"}, "function requires at least 2 argument(s) while '1' were provided"},
		{"substring", list{"a", n(1), n(2), n(3)}, "takes at most 3"},
		{"toLower", list{n(1)}, "position 1 must be a string, not Integer"},
		{"concat", list{"a", list{}}, "position 2 must be a string, not Array"},
		{"concat", list{list{}, "a"}, "position 2 must be an array, not String"},
		{"format", list{"{1}", "a"}, "names no argument"},
		{"format", list{"{0"}, "without a '}'"},
		{"format", list{"0}"}, "without a '{'"},
		{"format", list{"{0:Q}", n(1)}, "not supported"},
		{"format", list{"{0,z}", n(1)}, "no valid width"},
		{"join", list{"a", ","}, "must be an array"},
		{"join", list{list{}, n(1)}, "must be a string"},
		{"padLeft", list{"a", n(1), "ab"}, "single character"},
		{"padLeft", list{"a", n(-1)}, "must be positive"},
		{"padLeft", list{"a", "b"}, "must be an integer"},
		{"split", list{n(1), ","}, "must be a string"},
		{"split", list{"a", ""}, "separators"},
		{"substring", list{"one", n(2), n(2)}, "must refer to a location within the string"},
		{"substring", list{"one", "a"}, "must be an integer"},
		{"base64ToString", list{"%"}, "not base64"},
		{"base64ToJson", list{"eydvbmUnOiAnYSd9"}, "not JSON"},
		{"dataUriToString", list{"text"}, "not a data URI"},
		{"json", list{"{"}, "not JSON"},
		{"json", list{"1 2"}, "not JSON"},
		{"uri", list{"a/b", "c"}, "not an absolute URI"},
		{"uri", list{"http://a", "%zz"}, "not a relative URI"},
		{"contains", list{n(1), "a"}, "must be an array, an object or a string"},
		{"length", list{n(1)}, "must be an array, an object or a string"},
		{"first", list{n(1)}, "must be an array or a string"},
		{"flatten", list{list{n(1)}}, "array of arrays"},
		{"indexOf", list{n(1), "a"}, "must be a string"},
		{"range", list{n(0), n(10001)}, "between 0 and 10000"},
		{"take", list{n(1), n(1)}, "must be an array or a string"},
		{"take", list{"a", "b"}, "must be an integer"},
		{"createObject", list{"a"}, "must be even"},
		{"createObject", list{n(1), "a"}, "must be a string"},
		{"intersection", list{"a", "b"}, "must be arrays or objects"},
		{"intersection", list{list{n(1)}, "b"}, "must be an array"},
		{"items", list{list{}}, "must be an object"},
		{"shallowMerge", list{list{n(1)}}, "must be an object"},
		{"tryGet", list{obj{}, n(1)}, "must be a string"},
		{"tryGet", list{list{}, "a"}, "must be an integer"},
		{"indexFromEnd", list{list{}, n(1)}, "out of bounds"},
		{"union", list{list{}, obj{}}, "must be an array"},
		{"union", list{obj{}, list{}}, "must be an object"},
		{"div", list{n(1), n(0)}, "must not be zero"},
		{"mod", list{n(1), n(0)}, "must not be zero"},
		{"add", list{"1", n(1)}, "must be an integer"},
		{"add", list{n(1), 1.5}, "must be an integer, not Float"},
		{"int", list{"a"}, "cannot be converted to an integer"},
		{"int", list{1e300}, "too large"},
		{"int", list{true}, "not Boolean"},
		{"float", list{"a"}, "cannot be converted to a float"},
		{"float", list{obj{}}, "not Object"},
		{"max", list{list{}}, "must not be empty"},
		{"max", list{n(1), "a"}, "must be an integer"},
		{"bool", list{"maybe"}, "cannot be converted to a boolean"},
		{"less", list{n(1), "a"}, "must be an integer"},
		{"less", list{"a", n(1)}, "must be a string"},
		{"not", list{nil}, "must be a boolean, not Null"},
		{"dateTimeAdd", list{"soon", "P1D"}, "not a date"},
		{"dateTimeAdd", list{"2020-04-07", "1D"}, "not an ISO 8601 duration"},
		{"dateTimeAdd", list{"2020-04-07", "P99999999999D"}, "too long"},
		{"dateTimeAdd", list{"2020-04-07", "P1D", ""}, "format is empty"},
		{"cidrHost", list{"10.0.0.0/30", n(3)}, "behind the last host"},
		{"cidrHost", list{"10.0.0.0", n(3)}, "not a CIDR range"},
		{"cidrSubnet", list{"10.0.0.0/24", n(23), n(0)}, "within the range"},
		{"cidrSubnet", list{"10.0.0.0/24", n(25), n(2)}, "behind the last subnet"},
	} {
		got, err := function.Call(c.name, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v) = %v, %v, want an error with %q", c.name, c.args, got, err, c.want)
		}
	}
}

func TestFormatDate(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 4, 7, 4, 5, 6, 789_000_000, time.UTC)
	for layout, want := range map[string]string{
		"d": "04/07/2020", "s": "2020-04-07T04:05:06", "u": "2020-04-07 04:05:06Z", "o": "2020-04-07T04:05:06.7890000Z",
		"R": "Tue, 07 Apr 2020 04:05:06 GMT", "yyyyMMddTHHmmssZ": "20200407T040506Z", "H:m:s 'at' yy.M fff tt": "4:5:6 at 20.4 789 AM",
	} {
		if got, err := function.FormatDate(at, layout); got != want || err != nil {
			t.Errorf("FormatDate(%s) = %s, %v, want %s", layout, got, err, want)
		}
	}
	if _, err := function.FormatDate(at, "'open"); err == nil {
		t.Error("a quote that is not closed is taken")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if names := function.Names(); !slices.IsSorted(names) || !function.Known("UNIQUEstring") || function.Known("parameters") {
		t.Errorf("names %v", names)
	}
}
