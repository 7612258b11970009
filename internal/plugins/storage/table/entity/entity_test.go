package entity_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/table/entity"
)

const full = `{"odata.metadata":"https://a.table.core.windows.net/$metadata#T/@Element","odata.type":"a.T","odata.id":"x","odata.editLink":"y",
 "odata.etag":"W/\"datetime'2026-01-01T00%3A00%3A00Z'\"","PartitionKey":"p'1","RowKey":"r","Timestamp@odata.type":"Edm.DateTime","Timestamp":"2026-01-02T03:04:05.678Z",
 "S":"text","B":true,"I":5,"D":5.0,"E":1e3,"N@odata.type":"Edm.Double","N":"NaN","L@odata.type":"Edm.Int64","L":"9007199254740993",
 "G@odata.type":"Edm.Guid","G":"C9DA6455-213D-42C9-9A79-3E9149A57833","T@odata.type":"Edm.DateTime","T":"2026-01-01T00:00:00Z","X@odata.type":"Edm.Binary","X":"AAE=","Z":null}`

func parse(t testing.TB, text string) *entity.Entity {
	t.Helper()
	e, err := entity.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEveryTypeIsKept(t *testing.T) {
	t.Parallel()
	e := parse(t, full)
	if e.Partition != "p'1" || e.Row != "r" || e.Modified.Year() != 2026 || !strings.HasPrefix(e.ETag, `W/"`) {
		t.Errorf("%+v", e)
	}
	out, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for k, v := range got {
		texts[k] = string(v)
	}
	want := map[string]string{
		"PartitionKey": `"p'1"`, "RowKey": `"r"`, "S": `"text"`, "B": "true", "I": "5",
		"D": "5.0", "D@odata.type": `"Edm.Double"`, "E": "1e3", "E@odata.type": `"Edm.Double"`, "N": `"NaN"`, "N@odata.type": `"Edm.Double"`,
		"L": `"9007199254740993"`, "L@odata.type": `"Edm.Int64"`, "G": `"C9DA6455-213D-42C9-9A79-3E9149A57833"`, "G@odata.type": `"Edm.Guid"`,
		"T": `"2026-01-01T00:00:00Z"`, "T@odata.type": `"Edm.DateTime"`, "X": `"AAE="`, "X@odata.type": `"Edm.Binary"`,
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if d := e.Differences(parse(t, string(out))); len(d) > 0 {
		t.Errorf("read again, it differs in %v", d)
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	with := func(fields string) *entity.Entity {
		return parse(t, `{"PartitionKey":"p","RowKey":"r",`+fields+`}`)
	}
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"integer and double", `"V":5`, `"V":5.0`, false},
		{"double in other words", `"V":5.0`, `"V@odata.type":"Edm.Double","V":5`, true},
		{"not a number", `"V@odata.type":"Edm.Double","V":"NaN"`, `"V@odata.type":"Edm.Double","V":"NaN"`, true},
		{"minus zero", `"V":-0.0`, `"V":0.0`, false},
		{"long and integer", `"V@odata.type":"Edm.Int64","V":"5"`, `"V":5`, false},
		{"a moment in other words", `"V@odata.type":"Edm.DateTime","V":"2026-01-01T00:00:00Z"`, `"V@odata.type":"Edm.DateTime","V":"2026-01-01T00:00:00.0000000Z"`, true},
		{"a moment and its text", `"V@odata.type":"Edm.DateTime","V":"2026-01-01T00:00:00Z"`, `"V":"2026-01-01T00:00:00Z"`, false},
		{"GUIDs by case", `"V@odata.type":"Edm.Guid","V":"AB"`, `"V@odata.type":"Edm.Guid","V":"ab"`, true},
		{"texts by case", `"V":"AB"`, `"V":"ab"`, false},
		{"escaped text", `"V":"\u00e9"`, `"V":"é"`, true},
		{"one more", `"V":1`, `"V":1,"W":2`, false},
		{"one less", `"V":1,"W":2`, `"V":1`, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := with(tc.a).Differences(with(tc.b)); (len(got) == 0) != tc.same {
				t.Errorf("differences: %v", got)
			}
		})
	}
}

func TestWhatIsNoEntity(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", `{"RowKey":"r"}`, `{"PartitionKey":1}`, `{"PartitionKey":"p","V@odata.type":7,"V":1}`, `{"PartitionKey":"p","Timestamp":"soon"}`} {
		if _, err := entity.Parse([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// TestDoublesSurvive holds that every double is written as the same double.
func TestDoublesSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Filter(func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }).Draw(t, "value")
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		e, err := entity.Parse(fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"r","V":%s}`, text))
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := entity.Parse(out)
		if err != nil || len(e.Differences(again)) > 0 {
			t.Fatalf("%s is written as %s (%v)", text, out, err)
		}
	})
}
