// Command atg copies the data plane of an Azure tenant to another one and proves it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	app := &cli.App{IO: cli.SystemIO(), Version: version, Registry: registry, Subject: subject}
	abort := make(chan struct{})
	app.Abort = abort
	stop := stopOnSignals(cancel, abort, app.Restore)
	defer stop()
	return app.Run(ctx, os.Args[1:])
}

func registry() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) }

// stopOnSignals ends the context at the first SIGINT or SIGTERM, so that the work at hand
// can come to a clean end, has it cut off at the second, so that the run is recorded and
// explained at least, and ends the process at the third, after restore.
func stopOnSignals(cancel context.CancelCauseFunc, abort chan<- struct{}, restore func()) (stop func()) {
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(cli.InterruptedBy(<-signals))
		<-signals
		close(abort)
		last := cli.InterruptedBy(<-signals)
		restore()
		os.Exit(last.Code)
	}()
	return func() { signal.Stop(signals) }
}
