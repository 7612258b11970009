package storage

import (
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// TestPermissionsOfParts: who copies blobs alone needs no right to queues.
func TestPermissionsOfParts(t *testing.T) {
	t.Parallel()
	p := New()
	for _, mode := range plugin.Modes() {
		all := p.Permissions(mode)
		for parts, foreign := range map[string]string{"blobs": "queueServices", "queues": "blobServices", "tables, queues": "blobServices"} {
			got := plugin.PermissionsOf(p, mode, plugin.Settings{"parts": parts})
			if len(got) == 0 || len(got) >= len(all) {
				t.Errorf("%s mode, %s: %d of %d permissions", mode, parts, len(got), len(all))
			}
			for _, perm := range got {
				names := strings.Join(slices.Concat(perm.Actions, perm.DataActions), " ")
				if strings.Contains(names, foreign) {
					t.Errorf("%s mode, %s: needs %s", mode, parts, names)
				}
			}
		}
		for _, s := range []plugin.Settings{nil, {"parts": "all"}, {"parts": "nonsense"}} {
			if got := plugin.PermissionsOf(p, mode, s); len(got) != len(all) {
				t.Errorf("%s mode, %v: %d of %d permissions", mode, s, len(got), len(all))
			}
		}
	}
}
