package tfstate_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/inventory/tfstate"
)

// large writes a state with n key vaults, a quarter of them instances of one block. Each
// has attributes of the usual size.
func large(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform.tfstate")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	instance := func(key string, i int) string {
		return fmt.Sprintf(`{%s"schema_version":2,"attributes":{"id":"/subscriptions/%s/resourceGroups/rg-%04d/providers/Microsoft.KeyVault/vaults/kv-%06d",`+
			`"location":"westeurope","name":"kv-%06d","sku_name":"standard","tags":{"env":"prod"},"access_policy":[{"object_id":"x","secret_permissions":["Get","List","Set","Delete"]}],`+
			`"network_acls":[{"bypass":"AzureServices","default_action":"Allow","ip_rules":[],"virtual_network_subnet_ids":[]}],"timeouts":null},"sensitive_attributes":[],"private":"bnVsbA=="}`,
			key, sub, i%1000, i, i)
	}
	fmt.Fprintf(out, "{\"version\":4,\"terraform_version\":\"1.9.8\",\"outputs\":{},\"resources\":[\n"+`{"mode":"managed","type":"azurerm_key_vault","name":"many","instances":[`)
	for i := range n / 4 {
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		fmt.Fprintln(out, instance(fmt.Sprintf(`"index_key":%d,`, i), i))
	}
	fmt.Fprint(out, "]}")
	for i := n / 4; i < n; i++ {
		fmt.Fprintf(out, ",\n"+`{"mode":"managed","type":"azurerm_key_vault","name":"kv%d","instances":[%s]}`, i, instance("", i))
	}
	fmt.Fprintln(out, "]}")
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// peak reads a state to its end and returns the number of its resources and the most
// memory, in bytes, that was kept meanwhile.
func peak(t testing.TB, path string, every int) (int, int64) {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, most := 0, int64(0)
	for _, err := range tfstate.New(path, tfstate.Scope{}).Find(t.Context(), []string{"Microsoft.KeyVault/vaults"}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%every == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
		}
	}
	return n, most
}

// The resources pass through: what is kept grows with the IDs alone, not with the state.
func TestStreams(t *testing.T) {
	const count = 4000
	path := large(t, count)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	n, most := peak(t, path, 1000)
	if n != count {
		t.Errorf("%d resources", n)
	}
	if most > info.Size()*3/4 {
		t.Errorf("%d KiB are kept of a state of %d KiB", most>>10, info.Size()>>10)
	}
	t.Logf("%d KiB of %d KiB", most>>10, info.Size()>>10)
}

// BenchmarkStreams reads a state of 100,000 resources: "peak-MiB" is the most memory that
// is kept meanwhile.
func BenchmarkStreams(b *testing.B) {
	path := large(b, 100_000)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		n, most := peak(b, path, 20_000)
		if n != 100_000 {
			b.Fatal(n)
		}
		b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
	}
}
