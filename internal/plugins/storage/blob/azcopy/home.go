package azcopy

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// abandoned is the age at which the directory of a job that nobody went on with is removed.
const abandoned = 30 * 24 * time.Hour

// Home is where the directories of jobs are: atg/azcopy in the user's directory for caches.
// What is there may be lost: a job is then begun anew.
func Home() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no directory for what AzCopy keeps of a job: %w", err)
	}
	return filepath.Join(cache, "atg", "azcopy"), nil
}

// NewName makes the name of a job's directory.
func NewName() string { return rand.Text() }

// Enter makes the directory of a job if it is not there, and removes abandoned ones.
func Enter(name string) (dir string, err error) {
	home, err := Home()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(home, filepath.Base(name))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a directory for what AzCopy keeps of a job: %w", err)
	}
	entries, err := os.ReadDir(home)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.Name() != filepath.Base(dir) && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(filepath.Join(home, e.Name())) // the next job tries again
		}
	}
	return dir, err
}

// Leave removes the directory of a job.
func Leave(name string) error {
	home, err := Home()
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(home, filepath.Base(name)))
}
