package keyvault

import (
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

func secretOf(s string) secret.Value { return secret.New(s) }

// readsValue tells whether a request asks for a secret's value.
func readsValue(r wire.Request) bool {
	return r.Method == "GET" && strings.HasPrefix(r.Path, "/secrets/") && !strings.HasSuffix(r.Path, "/versions")
}

func TestTemplateMakesPlaceholders(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[
		{"name":"db","value":"v","contentType":"t","tags":{"a":"b"},"expires":2000000000},
		{"name":"off","value":"v","enabled":false}]}`})
	for _, key := range []string{"secrets/db", "secrets/off"} {
		if c := l.compare(template(), key); c.State != plugin.Missing {
			t.Errorf("%s before: %+v", key, c)
		}
		l.wantStatus(l.replicate(template(), key), plugin.Created)
		l.sameFields(key, secretFields[1:]...)
		if got := l.fields(l.target, key)["value"]; got != Placeholder {
			t.Errorf("%s holds %q", key, got)
		}
		l.wantStatus(l.replicate(template(), key), plugin.Unchanged)
		if c := l.compare(template(), key); c.State != plugin.Same || !c.Proven {
			t.Errorf("%s after: %+v", key, c)
		}
	}
	if slices.ContainsFunc(l.calls(), readsValue) {
		t.Error("a value was read")
	}
}

func TestReplicationFillsPlaceholders(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"db","value":"v","tags":{"a":"b"}}]}`})
	l.wantStatus(l.replicate(template(), "secrets/db"), plugin.Created)
	if c := l.compare(full(), "secrets/db"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"value"}) || !strings.Contains(c.Reason, "placeholder") {
		t.Errorf("compared: %+v", c)
	}
	l.wantStatus(l.replicate(full(), "secrets/db"), plugin.Updated)
	l.sameFields("secrets/db", "value", "tags")
}

func TestTemplateKeepsValues(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"secrets":[{"name":"db","value":"v","tags":{"a":"b"}},{"name":"dated","value":"v"}]}`,
		target: `{"secrets":[{"name":"db","value":"real"},{"name":"dated","value":"real","expires":2000000000}]}`,
	})
	if c := l.compare(template(), "secrets/db"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"tags"}) {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(template(), "secrets/db"), errs.Conflict)
	l.wantStatus(l.replicate(template().over(), "secrets/db"), plugin.Updated)
	f := l.fields(l.target, "secrets/db")
	if f["value"] != "real" || f["versions"] != "1" || f["tags"] != "a=b" {
		t.Errorf("the target holds %v", f)
	}
	l.wantKind(l.refused(template().over(), "secrets/dated"), errs.Unsupported)
	if slices.ContainsFunc(l.calls(), readsValue) {
		t.Error("a value was read")
	}
}

// TestLongTags are left out of the name tag and read when they are needed.
func TestLongTags(t *testing.T) {
	t.Parallel()
	var tags []string
	for i := range 12 {
		tags = append(tags, `"`+strings.Repeat(string(rune('a'+i)), 300)+`":"`+strings.Repeat("v", 300)+`"`)
	}
	l := newLab(t, vaults{source: `{"secrets":[{"name":"db","value":"v","tags":{` + strings.Join(tags, ",") + `},"versions":[{"value":"u"}]}]}`})
	it := l.item(template(), "secrets/db")
	if len(it.Ref) > maxMeta {
		t.Errorf("the reference has %d bytes", len(it.Ref))
	}
	l.wantStatus(l.replicate(template(), "secrets/db"), plugin.Created)
	l.sameFields("secrets/db", "tags", "enabled")
	if c := l.compare(template(), "secrets/db"); c.State != plugin.Same {
		t.Errorf("after: %+v", c)
	}
}
