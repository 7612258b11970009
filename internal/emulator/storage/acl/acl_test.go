package acl

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

func TestPoliciesReadBackAlike(t *testing.T) {
	t.Parallel()
	want := []kit.Policy{{ID: "a", Start: time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC), Permission: "r"}, {ID: "b"}}
	body, err := xml.Marshal(Format(want))
	if err != nil {
		t.Fatal(err)
	}
	got, refusal := Parse(body, "raud")
	if diff := cmp.Diff(want, got); refusal != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", refusal, diff)
	}
	if ps, refusal := Parse([]byte("  "), "r"); ps != nil || refusal != nil {
		t.Errorf("an empty body: %v %v", ps, refusal)
	}
}

func TestBadPolicies(t *testing.T) {
	t.Parallel()
	one := func(id, inner string) string {
		return "<SignedIdentifier><Id>" + id + "</Id><AccessPolicy>" + inner + "</AccessPolicy></SignedIdentifier>"
	}
	for name, list := range map[string]string{
		"six":          one("1", "") + one("2", "") + one("3", "") + one("4", "") + one("5", "") + one("6", ""),
		"twice":        one("1", "") + one("1", ""),
		"no id":        one("", ""),
		"long id":      one(strings.Repeat("i", 65), ""),
		"letters":      one("1", "<Permission>x</Permission>"),
		"bad start":    one("1", "<Start>today</Start>"),
		"bad expiry":   one("1", "<Expiry>later</Expiry>"),
		"not XML":      "<",
		"wrong nested": "<SignedIdentifier>",
	} {
		if _, err := Parse([]byte("<SignedIdentifiers>"+list+"</SignedIdentifiers>"), "r"); err == nil || err.Code != "InvalidXmlDocument" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
