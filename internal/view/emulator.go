package view

import (
	"fmt"
	"io"
	"strings"
)

// Emulator is an emulator that is ready, in machine form.
type Emulator struct {
	Type    string           `json:"type"` // "ready"
	Proxy   string           `json:"proxy"`
	CAFile  string           `json:"caFile"`
	EnvFile string           `json:"envFile"` // both sides, for atg itself; "" if there is one tenant only
	Tenants []EmulatedTenant `json:"tenants"`
}

// EmulatedTenant is one tenant of an emulator and how to sign in to it.
type EmulatedTenant struct {
	Name    string   `json:"name"`
	ID      string   `json:"id"`
	EnvFile string   `json:"envFile"`
	Env     []string `json:"env"` // KEY=VALUE
}

// EmulatorReady writes how to point other clients at an emulator. What matters most comes
// last, where it stays on the screen.
func EmulatorReady(w io.Writer, e Emulator, st Style) error {
	var b strings.Builder
	for _, t := range e.Tenants {
		fmt.Fprintf(&b, "%s\n", st.paint(bold, fmt.Sprintf("# %s, tenant %s", t.Name, t.ID)))
		for _, kv := range t.Env {
			b.WriteString(ExportLine(kv) + "\n")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s\n", st.paint(bold, "The emulated Azure is ready: "+plural(int64(len(e.Tenants)), "tenant")+" behind the proxy "+e.Proxy))
	b.WriteString(st.paint(yellow, "It is no place for real secrets: whoever uses this machine can read everything.") + "\n")
	b.WriteString("\nThe lines above are in files too. In another shell, for az, Terraform, AzCopy, SDKs:\n")
	for _, t := range e.Tenants {
		fmt.Fprintf(&b, "  . %s    # %s\n", Quote(t.EnvFile), t.Name)
	}
	if e.EnvFile != "" {
		fmt.Fprintf(&b, "or for atg, from %s to %s:\n  . %s && atg plan --mode replication\n", e.Tenants[0].Name, e.Tenants[1].Name, Quote(e.EnvFile))
	}
	b.WriteString("Ctrl-C stops it; nothing stays behind.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// ExportLine is a line for a POSIX shell that sets a variable.
func ExportLine(kv string) string {
	name, value, _ := strings.Cut(kv, "=")
	return "export " + name + "=" + Quote(value)
}

// Quote writes s as one word for a POSIX shell.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+%", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
