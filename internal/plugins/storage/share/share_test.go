package share

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
