package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// whole records the life of n items in pair 0: discovered, started, ended.
func whole(t testing.TB, j *journal.Journal, n int) {
	t.Helper()
	for i := range n {
		it := plugin.Item{
			Key: plugin.Key(fmt.Sprintf("secrets/application-secret-%07d", i)), Kind: "secret", Size: 64,
			Rev: "0123456789abcdef0123456789abcdef", Attrs: map[string]string{"contentType": "text/plain"},
			Ref: plugin.Encode(map[string]string{"name": fmt.Sprint("application-secret-", i), "version": "0123456789abcdef"}),
		}
		ref, err := j.RecordDiscovered(0, it, fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		j.RecordStarted(ref, it, journal.Pending, 1)
		j.RecordEnded(ref, it, journal.Ending{From: journal.Started, To: journal.State(plugin.Created), Attempts: 1, Bytes: 64})
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkItems(b *testing.B) {
	j := begin(b, b.TempDir(), "BENCH", journal.Options{})
	b.ResetTimer()
	start := time.Now()
	whole(b, j, b.N)
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "items/s")
	b.ReportMetric(3*float64(b.N)/time.Since(start).Seconds(), "records/s")
}
