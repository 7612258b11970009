package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// holderName is the file that says who works on a run. The lock alone decides: the file
// only names the process to those who are refused.
const holderName = "holder.json"

// holder is the process that holds a lock.
type holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// sign leaves the name of this process beside the lock that it holds. A name that cannot
// be written is no reason not to run.
func sign(dir string, now time.Time) {
	host, _ := os.Hostname()
	doc, err := json.Marshal(holder{os.Getpid(), host, now.UTC().Truncate(time.Second)})
	if err != nil {
		return
	}
	_ = os.WriteFile(filepath.Join(dir, holderName), doc, 0o600)
}

// holderOf names the process that holds the lock of a run, as far as it has left its name.
func holderOf(dir string) string {
	var h holder
	doc, err := os.ReadFile(filepath.Join(dir, holderName))
	if err != nil || json.Unmarshal(doc, &h) != nil || h.PID <= 0 {
		return "another process is working on it"
	}
	who := fmt.Sprintf("process %d", h.PID)
	if host := strings.TrimSpace(h.Host); host != "" {
		who += " on " + host
	}
	return who + " has been working on it since " + h.Since.UTC().Format(time.RFC3339)
}
