package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

// stateDirFlag is the flag that names where journals are kept.
const stateDirFlag = "state-dir"

func addStateDir(cmd *cobra.Command) *string {
	return cmd.Flags().String(stateDirFlag, "", "`directory` for the journals of runs (default $XDG_STATE_HOME/atg or ~/.local/state/atg)")
}

// stateDir is where journals are kept: what was said, else atg in the user's directory
// for state (XDG Base Directory Specification, which has relative paths ignored).
func (a *App) stateDir(said string) (string, error) {
	if said != "" {
		dir, err := filepath.Abs(said)
		if err != nil {
			return "", usagef("--%s %s: %w", stateDirFlag, said, err)
		}
		return dir, nil
	}
	if dir := a.env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "atg"), nil
	}
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home := a.env(name); filepath.IsAbs(home) {
			return filepath.Join(home, ".local", "state", "atg"), nil
		}
	}
	return "", usagef("there is no home directory to keep the journal of the run in: name a directory with --%s", stateDirFlag)
}
