package storage

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	render "github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const cors = `{"cors": {"corsRules": [{"allowedOrigins": ["https://a.example"], "allowedMethods": ["GET", "PUT"], "allowedHeaders": ["x-ms-*"], "exposedHeaders": ["*"], "maxAgeInSeconds": 60}]}}`

const configured = `{"blobService": ` + cors + `, "fileService": ` + cors + `, "queueService": ` + cors + `, "tableService": ` + cors + `,
 "managementPolicy": {"rules": [{"enabled": true, "name": "old", "type": "Lifecycle", "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}}, "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["logs/"]}}}]}}`

func settingsRun() run {
	return run{mode: plugin.Template, settings: plugin.Settings{"parts": "settings"}}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: configured}, side{})
	setWebsite(t, l, l.source, "index.html", "404.html")
	r := settingsRun()
	keys := []plugin.Key{"website", "lifecycle", "cors/blob", "cors/file", "cors/queue", "cors/table"}
	var got []plugin.Key
	for i, it := range l.items(r) {
		got = append(got, it.Key)
		if c := l.compare(r, it.Key); c.State != plugin.Missing {
			t.Errorf("%s: %+v", it.Key, c)
		}
		rest, _ := r.list(l, it.Cursor)
		if len(rest) != len(keys)-1-i {
			t.Errorf("behind %s there are %d items", it.Key, len(rest))
		}
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	for key, out := range l.all(r) {
		if out.Status != plugin.Created {
			t.Errorf("%s: %+v", key, out)
		}
	}
	for _, key := range keys {
		if c := l.compare(r, key); !c.Proven {
			t.Errorf("%s: %+v", key, c)
		}
		if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v, %v", key, out, err)
		}
		blocks, err := l.plugin.Declare(t.Context(), l.task(r, l.item(r, key)))
		if err != nil || len(blocks) != 1 || (blocks[0].TF == nil && blocks[0].ARM == nil) {
			t.Errorf("Declare %s: %+v, %v", key, blocks, err)
		}
	}
	if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
		t.Errorf("(-source +target)\n%s", diff)
	}
}

// setWebsite gives an account a static website.
func setWebsite(t *testing.T, l *lab, e plugin.Endpoint, index, missing string) {
	t.Helper()
	a, err := l.plugin.cache.For(e, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	w := &service.StaticWebsite{Enabled: &yes, IndexDocument: &index}
	if missing != "" {
		w.ErrorDocument404Path = &missing
	}
	if _, err := c.SetProperties(t.Context(), &service.SetPropertiesOptions{StaticWebsite: w}); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsThatDifferAreKept(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: configured}, side{data: strings.ReplaceAll(strings.ReplaceAll(configured, `"GET", "PUT"`, `"GET"`), "30", "31")})
	setWebsite(t, l, l.source, "index.html", "")
	setWebsite(t, l, l.target, "start.html", "")
	r := settingsRun()
	for _, it := range l.items(r) {
		if e := l.refused(r, it.Key); e.Kind != errs.Conflict {
			t.Errorf("%s: %v", it.Key, e)
		}
		if c := l.compare(r, it.Key); c.State != plugin.Different {
			t.Errorf("%s: %+v", it.Key, c)
		}
		if out, err := l.replicate(r.over(), it.Key); err != nil || out.Status != plugin.Updated {
			t.Errorf("%s: %+v, %v", it.Key, out, err)
		}
		if c := l.compare(r, it.Key); !c.Proven {
			t.Errorf("%s: %+v", it.Key, c)
		}
	}
}

func TestSettingsOfServicesThatTheTargetLacks(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: configured}, side{kind: "BlockBlobStorage", sku: "Premium_LRS"})
	r := settingsRun()
	for _, key := range []plugin.Key{"cors/file", "cors/queue", "cors/table"} {
		if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Skipped || out.Reason == "" {
			t.Errorf("%s: %+v, %v", key, out, err)
		}
		if c := l.compare(r, key); c.State != plugin.Cannot {
			t.Errorf("%s: %+v", key, c)
		}
	}
}

func TestSettingsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: configured}, side{})
	r := settingsRun()
	it := l.item(r, "lifecycle")
	l.calls.answer(http.StatusForbidden, "AuthorizationFailed", func(r *http.Request) bool { return strings.Contains(r.URL.Path, "managementPolicies") })
	_, failed := r.list(l, "")
	if len(failed) != 1 || errs.KindOf(failed[0]) != errs.PermissionDenied || !strings.Contains(errs.Find(failed[0]).Action, "managementPolicies/read") {
		t.Errorf("%v", failed)
	}
	if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); errs.KindOf(err) != errs.PermissionDenied {
		t.Errorf("%v", err)
	}
}

func TestDeclarationsCanBeWritten(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"containers": [{"name": "ccc", "publicAccess": "blob", "metadata": {"K": "v"}, "policies": [{"id": "p", "permission": "r"}]}]}`, properties: map[string]any{"allowBlobPublicAccess": true}}, side{properties: map[string]any{"allowBlobPublicAccess": true}})
	blocks, err := l.plugin.Declare(t.Context(), l.task(blobs(), l.item(blobs(), "containers/ccc")))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%+v, %v", blocks, err)
	}
	b := blocks[0]
	var buf bytes.Buffer
	if err := render.Render(&buf, iac.Terraform, blocks, render.Options{Imports: true}); err != nil {
		t.Fatal(err)
	}
	text := buf.String()
	for _, want := range []string{"azurerm_storage_container", `"blob"`, "stfabrikam", `"v"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if b.ARM.Name != "stfabrikam/default/ccc" || !strings.Contains(b.Note, "access policies") {
		t.Errorf("%+v", b)
	}
}
