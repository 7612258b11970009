package share

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	server "github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/parttest"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newWorld(t *testing.T, seed string) *parttest.World {
	t.Helper()
	return parttest.New(t, New(), func(clock wire.Clock) kit.Server { return server.New(server.Options{Clock: clock}) }, seed)
}

// own says what a sddl of a user's own looks like.
const sddl = "O:BAG:BAD:(A;;FA;;;SY)(A;;0x1301bf;;;AU)"

// some has a share of every shape that a standard account can have.
var some = fmt.Sprintf(`{"shares":[
 {"name":"empty"},
 {"name":"rich","quota":7,"tier":"Cool","metadata":{"team":"sales"},
  "policies":[{"id":"readers","start":"2026-01-01T00:00:00Z","expiry":"2027-01-01T00:00:00Z","permission":"rl"}],
  "directories":[
   {"path":"a/b/hollow","attributes":"Hidden","created":"2020-01-02T03:04:05.1234567Z","written":"2021-01-02T03:04:05Z","changed":"2022-01-02T03:04:05Z","metadata":{"d":"1"},"permission":%q},
   {"path":"dots../inner."}
  ],
  "files":[
   {"path":"a/b/plain.txt","content":"hello","contentType":"text/plain","contentLanguage":"de","contentEncoding":"identity","cacheControl":"no-store","contentDisposition":"inline","metadata":{"k":"v"},"md5":true,
    "created":"2020-01-02T03:04:05.1234567Z","written":"2021-01-02T03:04:05.7654321Z","changed":"2022-01-02T03:04:05Z","attributes":"ReadOnly|Hidden","permission":%q},
   {"path":"a/nothing","size":0},
   {"path":"a/hole","size":10000000},
   {"path":"large","size":9000000,"seed":3},
   {"path":"long","content":"x","permission":%q},
   {"path":"ümläut/日本 語 &'+%%25#;@.","content":"x"},
   {"path":"dots../file.","content":"dot"},
   {"path":"odd\ufffe&amp;","content":"x"}
  ]}
]}`, sddl, sddl, sddl+strings.Repeat("(A;;FR;;;BU)", 1000))

// TestSharesAreCopied has accounts whose services cannot read from each other, so that both
// ways end up going through this program.
func TestSharesAreCopied(t *testing.T) {
	t.Parallel()
	for _, via := range []string{"auto", "stream"} {
		t.Run(via, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, some)
			w.Settings[setCopy] = via
			for k, s := range w.Copy(false) {
				if s != plugin.Created {
					t.Errorf("first run: %s is %s", k, s)
				}
			}
			if diff := cmp.Diff(w.Objects(parttest.Source), w.Objects(parttest.Target)); diff != "" {
				t.Errorf("source and target (-source +target):\n%s", diff)
			}
			for k, s := range w.Copy(false) {
				if s != plugin.Unchanged {
					t.Errorf("second run: %s is %s", k, s)
				}
			}
			w.Settings[setVerify] = verifyContent
			for _, it := range w.Items(plugin.Replication, "", false) {
				got, err := w.Part.Compare(t.Context(), w.Job(it))
				if err != nil || got.State != plugin.Same || !got.Proven {
					t.Errorf("%s compares as %+v, %v", it.Key, got, err)
				}
			}
		})
	}
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	j := w.Job(w.Item("shares/rich"))
	j.Target.Resource = plugin.Resource{ID: "/target", Name: "acct"}
	got, err := w.Part.Declare(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	metadata := iac.Object{{Name: "team", Value: "sales"}}
	want := []iac.Block{{
		Name: "rich",
		TF: &iac.TFForm{Type: "azurerm_storage_share", ImportID: "/target/fileServices/default/shares/rich", Attrs: iac.Object{
			{Name: "name", Value: "rich"},
			{Name: "storage_account_id", Value: "/target"},
			{Name: "quota", Value: 7},
			{Name: "enabled_protocol", Value: "SMB"},
			{Name: "access_tier", Value: "Cool"},
			{Name: "metadata", Value: metadata},
			{Name: "acl", Value: iac.Nested{{Name: "id", Value: "readers"}, {Name: "access_policy", Value: iac.Nested{
				{Name: "permissions", Value: "rl"}, {Name: "start", Value: "2026-01-01T00:00:00Z"}, {Name: "expiry", Value: "2027-01-01T00:00:00Z"},
			}}}},
		}},
		ARM: &iac.ARMForm{Type: "Microsoft.Storage/storageAccounts/fileServices/shares", APIVersion: "2023-05-01", Name: "acct/default/rich", Attrs: iac.Object{{Name: "properties", Value: iac.Object{
			{Name: "shareQuota", Value: 7},
			{Name: "enabledProtocols", Value: "SMB"},
			{Name: "accessTier", Value: "Cool"},
			{Name: "metadata", Value: metadata},
			{Name: "signedIdentifiers", Value: []any{iac.Object{{Name: "id", Value: "readers"}, {Name: "accessPolicy", Value: iac.Object{
				{Name: "permission", Value: "rl"}, {Name: "startTime", Value: "2026-01-01T00:00:00Z"}, {Name: "expiryTime", Value: "2027-01-01T00:00:00Z"},
			}}}}},
		}}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got, err := w.Part.Declare(t.Context(), w.Job(w.Item("shares/rich/large"))); err != nil || got != nil {
		t.Errorf("content has the form %+v, %v", got, err)
	}
}

// TestReferencesOfAnotherVersion are refused, not guessed at.
func TestReferencesOfAnotherVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	for _, it := range []plugin.Item{
		{Key: "shares/rich", Kind: "share", Ref: []byte("[")},
		{Key: "shares/", Kind: "share", Ref: []byte("{}")},
		{Key: "shares/rich/a", Kind: kindDirectory, Ref: []byte("[")},
		{Key: "shares/rich", Kind: kindFile, Ref: []byte("{}")},
	} {
		_, err1 := w.Part.Replicate(t.Context(), w.Job(it))
		_, err2 := w.Part.Compare(t.Context(), w.Job(it))
		if errs.KindOf(err1) != errs.Invalid || errs.KindOf(err2) != errs.Invalid {
			t.Errorf("%s: %v, %v", it.Key, err1, err2)
		}
		if _, err := w.Part.Declare(t.Context(), w.Job(it)); it.Kind == "share" && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", it.Key, err)
		}
	}
}

// TestWhatIsGone: an item whose source was deleted or became something else after it was
// listed says so.
func TestWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, some)
	ref := []byte("{}")
	for key, want := range map[plugin.Key]errs.Kind{"shares/rich/none": errs.NotFound, "shares/rich/none/below": errs.NotFound, "shares/gone": errs.NotFound, "shares/rich/a": errs.Conflict} {
		it := plugin.Item{Key: key, Kind: kindFile, Ref: ref}
		if key == "shares/gone" {
			it.Kind = "share"
		}
		if _, err := w.Part.Replicate(t.Context(), w.Job(it)); errs.KindOf(err) != want || errs.Find(err).Side != string(plugin.Source) {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := w.Part.Compare(t.Context(), w.Job(it)); errs.KindOf(err) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}
