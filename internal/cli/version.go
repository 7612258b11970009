package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newVersionCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program and of its formats",
		GroupID: groupKnow,
		Args:    cobra.NoArgs,
	}
	out := outputFlag(cmd, outputText, outputJSON)
	cmd.RunE = func(*cobra.Command, []string) error {
		v := view.Version{
			Version: a.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
			Contract: plugin.ContractVersion, Report: engine.ReportSchema, Stream: view.StreamSchema,
		}
		if out.value == outputJSON {
			return view.JSON(a.Out, v)
		}
		return view.VersionText(a.Out, v)
	}
	return cmd
}
