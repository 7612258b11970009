package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envPrefix starts the name of the variable that stands for a flag.
const envPrefix = "ATG_"

// noEnv lists the flags that no variable stands for, beside those of credentials: consent
// is given anew each time, and the rest make no sense in an environment.
var noEnv = []string{"help", "version", "yes", "overwrite", "source-inventory", "target-inventory", "inventory", "mapping"}

// envName is the variable that stands for a flag: ATG_LOG_FILE for --log-file; "" if none does.
func envName(f *pflag.Flag) string {
	if _, ok := f.Annotations[credentialFlag]; ok {
		return ""
	}
	for _, n := range noEnv {
		if f.Name == n {
			return ""
		}
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// fromEnv sets each flag that the command line left alone and that a variable stands for.
func (a *App) fromEnv(cmd *cobra.Command) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := envName(f)
		if f.Changed || name == "" || failed != nil {
			return
		}
		if v := a.env(name); v != "" {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				failed = usagef("%s=%s: %w", name, v, err)
			}
		}
	})
	return failed
}
