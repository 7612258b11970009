package storage

import (
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	m := &meter{}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range requestsPerSecond {
		if !m.admit(now) {
			t.Fatalf("refused at %d", i)
		}
	}
	if m.admit(now) {
		t.Error("more than the limit in no time")
	}
	if !m.admit(now.Add(time.Millisecond)) {
		t.Error("refused after a millisecond")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for host, want := range map[string]bool{
		"acct.blob.core.windows.net": true, "acct-secondary.table.core.windows.net": true, "acct.z6.web.core.windows.net": true, "acct.dfs.core.windows.net:443": true,
		"blob.core.windows.net": false, "a.b.blob.core.windows.net": false, "acct.nfs.core.windows.net": false, "acct.blob.example.net": false, "z6.web.core.windows.net": true,
	} {
		if got := s.Owns(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
		if s.Exists(host) {
			t.Errorf("%s exists", host)
		}
	}
}

// TestServicesByKind follows the page "Storage account overview".
func TestServicesByKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, sku string
		has, not  kit.Kind
	}{
		{"StorageV2", "Standard_LRS", kit.Table, ""},
		{"StorageV2", "Premium_LRS", kit.Blob, kit.Queue},
		{"Storage", "Standard_LRS", kit.Queue, kit.Web},
		{"Storage", "Premium_LRS", kit.Blob, kit.File},
		{"BlobStorage", "Standard_LRS", kit.Blob, kit.File},
		{"BlockBlobStorage", "Premium_LRS", kit.Web, kit.Table},
		{"FileStorage", "Premium_LRS", kit.File, kit.Blob},
	} {
		set := settings{kind: c.kind, sku: c.sku}
		if !set.serves(place{kind: c.has}) || c.not != "" && set.serves(place{kind: c.not}) {
			t.Errorf("%s %s: %v", c.kind, c.sku, services(c.kind, c.sku))
		}
		if set.serves(place{kind: c.has, secondary: true}) {
			t.Errorf("%s %s has a secondary endpoint", c.kind, c.sku)
		}
	}
}
