package storage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"

	"github.com/azure-tenant-grapher/atg/secret"
)

// TestNoSignatureShows: neither a signature nor a key is in what comes out of the plugin
// or in what the SDK logs. It listens to the SDK of the whole process.
func TestNoSignatureShows(t *testing.T) {
	const key = "Y2FuYXJ5LWtleS1vZi10aGUtc291cmNlLWFjY291bnQtMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTA="
	var mu sync.Mutex
	var said strings.Builder
	say := func(v ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(&said, v...)
	}
	azlog.SetListener(func(_ azlog.Event, text string) { say(text) })
	defer azlog.SetListener(nil)
	l := newLab(t, side{data: fmt.Sprintf(`{"accountKeys": [%q, %q], "virtual": {"container": "ccc", "count": 1, "size": 9000000}}`, key, key)}, side{data: `{"containers": [{"name": "ccc"}]}`})
	signed := 0
	for _, given := range []bool{false, true} {
		if given {
			l.source.Secret = func(name string) (secret.Value, bool) {
				return secret.New("AccountName=stcontoso;AccountKey=" + key), name == "connectionString"
			}
		}
		for _, r := range []run{blobs("copy", "server", "single-mib", "8"), blobs("copy", "server"), blobs("copy", "stream").over()} {
			items, failed := r.list(l, "")
			say(failed)
			for _, refusal := range []string{"", "CannotVerifyCopySource", "AuthenticationFailed"} {
				l.calls.answer(http.StatusForbidden, refusal, func(req *http.Request) bool {
					for name, v := range req.Header {
						if strings.EqualFold(name, "x-ms-copy-source") && strings.Contains(v[0], "sig=") {
							signed++
							return refusal != ""
						}
					}
					return false
				})
				for _, it := range items {
					raw, _ := json.Marshal(it)
					task := l.task(r, it)
					task.Save = func(b []byte) error { say(string(b)); return nil }
					out, err := l.plugin.Replicate(t.Context(), task)
					c, err2 := l.plugin.Compare(t.Context(), task)
					say(string(raw), fmt.Sprintf("%+v %v %+v %+v %v", out, err, err, c, err2))
				}
			}
		}
	}
	if signed == 0 {
		t.Fatal("no request carried a signature: nothing is shown")
	}
	for _, needle := range []string{"sig=", "sig%3D", key, key[:20], "AccountKey"} {
		if at := strings.Index(said.String(), needle); at >= 0 {
			t.Errorf("%q shows: …%s…", needle, said.String()[max(0, at-200):min(said.Len(), at+100)])
		}
	}
}
