package deployment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type (
	obj  = map[string]any
	list = []any
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	before := obj{
		"id": "1", "location": "westeurope", "tags": obj{"a": "1"},
		"properties": obj{"n": int64(1), "own": "by the provider", "list": list{"a", obj{"x": int64(1)}, "c"}, "provisioningState": "Succeeded"},
	}
	for name, tt := range map[string]struct {
		after obj
		want  []any
	}{
		"nothing":            {obj{"id": "2", "location": "West Europe", "tags": obj{"a": "1"}, "properties": obj{"N": int64(1), "off": nil}}, nil},
		"another place":      {obj{"location": "eastus", "tags": obj{"a": "1"}}, list{obj{"path": "location", "propertyChangeType": "Modify", "before": "westeurope", "after": "eastus"}}},
		"no tags":            {obj{}, list{obj{"path": "tags", "propertyChangeType": "Delete", "before": obj{"a": "1"}}}},
		"a longer list":      {obj{"tags": obj{"a": "1"}, "properties": obj{"list": list{"a", obj{"x": int64(1)}, "c", "d"}}}, array(obj{"path": "3", "propertyChangeType": "Create", "after": "d"})},
		"a shorter list":     {obj{"tags": obj{"a": "1"}, "properties": obj{"list": list{"a", obj{"x": int64(1)}}}}, array(obj{"path": "2", "propertyChangeType": "Delete", "before": "c"})},
		"within a list":      {obj{"tags": obj{"a": "1"}, "properties": obj{"list": list{"b", obj{"x": int64(2)}, "c"}}}, array(obj{"path": "0", "propertyChangeType": "Modify", "before": "a", "after": "b"}, obj{"path": "1.x", "propertyChangeType": "Modify", "before": int64(1), "after": int64(2)})},
		"the same list":      {obj{"tags": obj{"a": "1"}, "properties": obj{"list": list{"a", obj{"x": int64(1)}, "c"}}}, nil},
		"an unknown value":   {obj{"tags": obj{"a": "1"}, "properties": obj{"n": "[reference('x').y]"}}, list{obj{"path": "properties.n", "propertyChangeType": "Modify", "before": int64(1), "after": "[reference('x').y]"}}},
		"another tag":        {obj{"tags": obj{"b": "1"}}, list{obj{"path": "tags.b", "propertyChangeType": "Create", "after": "1"}, obj{"path": "tags.a", "propertyChangeType": "Delete", "before": "1"}}},
		"another sort of it": {obj{"tags": obj{"a": "1"}, "properties": list{}}, list{obj{"path": "properties", "propertyChangeType": "Modify", "before": before["properties"], "after": list{}}}},
	} {
		if diff := cmp.Diff(tt.want, differences(before, tt.after)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func array(children ...any) []any {
	return list{obj{"path": "properties.list", "propertyChangeType": "Array", "children": children}}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	got := overlay(obj{"a": int64(1), "tags": obj{"x": "1"}, "properties": obj{"b": int64(1), "c": int64(2)}}, obj{"properties": obj{"b": int64(3)}})
	if diff := cmp.Diff(obj{"a": int64(1), "properties": obj{"b": int64(3), "c": int64(2)}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "PT0S", time.Minute: "PT1M", 90 * time.Second: "PT1M30S", 2*time.Hour + 1500*time.Millisecond: "PT2H1.5S", 123456700 * time.Nanosecond: "PT0.1234567S",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestStateFilter(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{"": "", "provisioningState eq 'Failed'": "Failed"} {
		if got, refused := stateFilter(filter); got != want || refused != nil {
			t.Errorf("stateFilter(%q) = %q, %v", filter, got, refused)
		}
	}
	if _, refused := stateFilter("name eq 'x'"); refused == nil || refused.Code != "InvalidFilterInQueryString" {
		t.Errorf("another filter: %v", refused)
	}
}
