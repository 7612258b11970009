//go:build unix

package crash

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	sourceAccount = "/subscriptions/" + scenario.ContosoSubscription + "/resourceGroups/rg-contoso/providers/Microsoft.Storage/storageAccounts/crashsource"
	targetAccount = "/subscriptions/" + scenario.FabrikamSubscription + "/resourceGroups/rg-fabrikam/providers/Microsoft.Storage/storageAccounts/crashtarget"
	targetBlobs   = "crashtarget.blob.core.windows.net"
)

// TestKilledInABlob kills a run in the middle of a large blob and has it go on: blocks that
// arrived before the kill are not sent again, whether the run heard of it or not. Through
// the program a smaller blob goes, since its octets do; bench does it with 2 GiB.
func TestKilledInABlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		way    string
		size   int64
		blocks int
	}{
		{"server", 2 << 30, 64},
		{"stream", 256 << 20, 32},
	} {
		t.Run(tt.way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 20*time.Millisecond)
			w.account(t, sourceAccount, scenario.ContosoTenant, "", fmt.Sprintf(`{"virtual":{"container":"box","count":1,"size":%d,"seed":1}}`, tt.size))
			w.account(t, targetAccount, scenario.FabrikamTenant, sourceAccount, `{"discardWrites":true}`)
			args := []string{"apply", "--mode", "replication", "--type", "storage", "--set", "storage.parts=blobs", "--set", "storage.copy=" + tt.way, "--yes"}
			w.killAtBlock(t, tt.blocks/4, args...)
			before := w.blocks(t)
			if len(before) >= tt.blocks {
				t.Fatalf("%d of %d blocks were there before the kill: nothing is left to go on with", len(before), tt.blocks)
			}
			w.goOn(t)
			all := w.blocks(t)
			if len(all) != tt.blocks {
				t.Errorf("%d different blocks of %d", len(all), tt.blocks)
			}
			for id, times := range all {
				if times != 1 {
					t.Errorf("block %s arrived %d times", id, times)
				}
			}
			w.whole(t, tt.size)
			t.Logf("%d blocks before the kill, %d after it", len(before), len(all)-len(before))
		})
	}
}

func (w *world) account(t testing.TB, id, tenant, from, data string) {
	t.Helper()
	tags := map[string]any{}
	if from != "" {
		tags["atg-source-id"] = from
	}
	err := w.em.ARM().Put(id, map[string]any{
		"location": "westeurope", "tags": tags, "kind": "StorageV2", "sku": map[string]any{"name": "Standard_LRS"}, "properties": map[string]any{},
	})
	if err == nil {
		err = w.em.Seed(id, []byte(data))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// killAtBlock kills a command once that many blocks are at the target.
func (w *world) killAtBlock(t testing.TB, n int, args ...string) {
	t.Helper()
	cmd, stderr := w.command(t.Context(), t, nil, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // that it was killed is what is meant
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for len(w.blocks(t)) < n {
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("it ended before %d blocks were there\n%s", n, stderr)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// blocks counts how often each block arrived at the target, as the request log tells.
func (w *world) blocks(t testing.TB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range w.em.Requests() {
		if id := blockID(t, r); id != "" {
			out[id]++
		}
	}
	return out
}

// blockID is that of a block that a request brought; "" if it brought none.
func blockID(t testing.TB, r wire.Request) string {
	t.Helper()
	if r.Host != targetBlobs || r.Status != http.StatusCreated {
		return ""
	}
	q, err := url.ParseQuery(r.Query)
	if err != nil {
		t.Fatal(err)
	}
	if q.Get("comp") != "block" {
		return ""
	}
	return q.Get("blockid")
}

// whole fails if the blob is not at the target as long as it should be.
func (w *world) whole(t testing.TB, size int64) {
	t.Helper()
	objects, err := w.em.Objects(targetAccount)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.Kind == "blob" && o.Fields["size"] == fmt.Sprint(size) {
			return
		}
	}
	t.Errorf("there is no blob of %d octets: %v", size, objects)
}
