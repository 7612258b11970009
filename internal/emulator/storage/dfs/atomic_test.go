package dfs_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// TestRenameIsOneStep: whoever lists while a directory goes to and fro sees all of it, at
// one of the two places.
func TestRenameIsOneStep(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	want := map[string][]string{}
	for i := range 20 {
		l.write(fs, fmt.Sprintf("a/d%02d/f", i), "x")
	}
	for _, at := range []string{"a", "b"} {
		want[at] = []string{at + "/"}
		for i := range 20 {
			want[at] = append(want[at], fmt.Sprintf("%s/d%02d/", at, i), fmt.Sprintf("%s/d%02d/f", at, i))
		}
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		defer close(stop)
		for range 30 {
			for from, to := range map[string]string{"a": "b", "b": "a"} {
				if _, err := fs.NewDirectoryClient(from).Rename(t.Context(), to, nil); err != nil && code(err) != "SourcePathNotFound" {
					t.Errorf("rename: %v", err)
				}
			}
		}
	})
	seen := 0
	for going := true; going; seen++ {
		select {
		case <-stop:
			going = false
		default:
		}
		if got := l.paths(fs, "", true, 0); !slices.Equal(got, want["a"]) && !slices.Equal(got, want["b"]) {
			t.Fatalf("a part of it: %q", got)
		}
	}
	wg.Wait()
	if seen < 2 {
		t.Errorf("looked %d times", seen)
	}
}
