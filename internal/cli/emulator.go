package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

func newEmulatorCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "emulator",
		Short:   "An emulated Azure on this machine, for tests and for trying things out",
		GroupID: groupTry,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEmulatorStartCmd(a, nil))
	return cmd
}

// emulatorOptions are those of emulator start.
type emulatorOptions struct {
	scenario, listen, log, faults, dir string
	limits                             bool
	latency                            time.Duration
	output                             string
}

func newEmulatorStartCmd(a *App, runF func(context.Context, *emulatorOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start an emulated Azure and keep it until Ctrl-C",
		Args:  cobra.NoArgs,
		Long: `Starts Entra ID, Azure Resource Manager, Key Vault and Storage on the loopback
interface, under their true names, behind a proxy: clients are pointed at it by
environment variables alone, which are printed. Without a scenario there are two tenants,
contoso (source) and fabrikam (target), each with an empty resource group.

It is no place for real secrets: everything in it is open to whoever uses this
machine.`,
		Example: `  atg emulator start
  atg emulator start --scenario examples/contoso/scenario.json --latency 20ms --limits
  atg emulator start --dir emu -o json      # emu/ca.pem, emu/atg.env, emu/contoso.env, …`,
	}
	var opt emulatorOptions
	f := cmd.Flags()
	f.StringVar(&opt.scenario, "scenario", "", "JSON `file` with tenants, resources and what they hold (default: two empty tenants)")
	f.StringVar(&opt.listen, "listen", "127.0.0.1:0", "loopback `address` of the proxy; port 0 picks a free one")
	f.StringVar(&opt.log, "log", "", "write every request to this `file`, as JSON lines")
	f.StringVar(&opt.faults, "fault", "", "JSON `file` with scripted failures")
	f.StringVar(&opt.dir, "dir", "", "write the CA certificate and the variables to this `directory` (default: a temporary one, removed at the end)")
	f.BoolVar(&opt.limits, "limits", false, "enforce the services' own limits, with 429 as Azure answers")
	f.DurationVar(&opt.latency, "latency", 0, "delay every answer by this much")
	out := outputFlag(cmd, outputText, outputJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if opt.latency < 0 {
			return usagef("--latency %s: want 0 or more", opt.latency)
		}
		opt.output = out.value
		if runF != nil {
			return runF(cmd.Context(), &opt)
		}
		return a.emulatorStart(cmd.Context(), &opt)
	}
	return cmd
}

// keptRequests is how many requests the emulator's control endpoint can show; --log has
// all of them.
const keptRequests = 10_000

// emulatorStart runs atg emulator start.
func (a *App) emulatorStart(ctx context.Context, opt *emulatorOptions) (err error) {
	start := emulator.Options{Scenario: scenario.Default(), Limits: opt.limits, Latency: opt.latency, Listen: opt.listen, LogKeep: keptRequests}
	if opt.scenario != "" {
		if start.Scenario, err = readInput(opt.scenario, scenario.Decode); err != nil {
			return err
		}
	}
	if opt.log != "" {
		f, err := os.OpenFile(opt.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return usagef("cannot write the request log: %w", err)
		}
		defer func() { _ = f.Close() }()
		start.LogTo = f
	}
	dir, remove, err := workDir(opt.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	em, err := emulator.Start(start) //nolint:contextcheck // it lives until Close
	if err != nil {
		return &errs.Error{Op: "start the emulator", Kind: errs.Invalid, Err: err}
	}
	defer func() { err = errors.Join(err, em.Close()) }()
	if opt.faults != "" {
		if err := addFaults(em, opt.faults); err != nil {
			return err
		}
	}
	return a.serve(ctx, served{em, start.Scenario, dir}, opt.output, a.Out)
}

// addFaults scripts the failures of a file.
func addFaults(em *emulator.Emulator, path string) error {
	faults, err := readInput(path, emulator.ReadFaults)
	for _, f := range faults {
		if bad := em.AddFault(f); err == nil && bad != nil {
			err = usagef("%s: %w", path, bad)
		}
	}
	return err
}

// served is an emulator, what it was made of and where its files go.
type served struct {
	*emulator.Emulator
	world *scenario.Scenario
	dir   string
}

// readInput reads a file that the user names; anything wrong with it is a usage error.
func readInput[T any](path string, decode func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(path)
	if err != nil {
		return none, usagef("%w", err)
	}
	defer func() { _ = f.Close() }()
	v, err := decode(f)
	if err != nil {
		return none, usagef("%s: %w", path, err)
	}
	return v, nil
}

// workDir is the directory that the user names, or a temporary one that remove removes.
func workDir(given string) (dir string, remove func() error, err error) {
	if given == "" {
		dir, err = os.MkdirTemp("", "atg-emulator-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(given); err != nil {
		return "", nil, usagef("%w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, usagef("%w", err)
	}
	return dir, func() error { return nil }, nil
}

// serve says where the emulator is and waits for the end of ctx. An interruption is how
// it is meant to end, so it is no error.
func (a *App) serve(ctx context.Context, em served, form string, w io.Writer) error {
	ready, err := em.describe()
	if err != nil {
		return &errs.Error{Op: "write the emulator's files", Kind: errs.Unavailable, Err: err}
	}
	if form == outputJSON {
		err = view.JSON(w, ready)
	} else {
		err = view.EmulatorReady(w, ready, a.outStyle())
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// describe writes the CA certificate and a file of variables per tenant. The file
// "ready.json" comes last, as a sign for scripts that wait.
func (em served) describe() (view.Emulator, error) {
	ca, err := em.CAFile(em.dir)
	if err != nil {
		return view.Emulator{}, err
	}
	ready := view.Emulator{Type: "ready", Proxy: em.ProxyURL(), CAFile: ca}
	for _, t := range em.world.Tenants {
		env, err := em.Env(t.Name, ca)
		if err != nil {
			continue // a tenant in which nobody can sign in
		}
		shown := view.EmulatedTenant{Name: t.Name, ID: t.ID, EnvFile: em.file(fileName(t.Name) + ".env"), Env: env}
		if err := writeEnv(shown.EnvFile, env); err != nil {
			return view.Emulator{}, err
		}
		ready.Tenants = append(ready.Tenants, shown)
	}
	if len(ready.Tenants) > 1 {
		ready.EnvFile = em.file("atg.env")
		if err := writeEnv(ready.EnvFile, bothSides(ready.Tenants[0].Env, ready.Tenants[1].Env)); err != nil {
			return view.Emulator{}, err
		}
	}
	f, err := os.OpenFile(em.file("ready.json"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return view.Emulator{}, err
	}
	return ready, errors.Join(view.JSON(f, ready), f.Close())
}

// fileName makes a tenant's name fit for a file.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '-'
	}, name)
}

func (em served) file(name string) string { return filepath.Join(em.dir, name) }

// bothSides makes the variables for atg out of those of a source and a target: what the
// SDKs read as AZURE_* becomes ATG_SOURCE_* and AZURE_DATAPLANE_*.
func bothSides(source, target []string) []string {
	var out []string
	rename := func(env []string, prefix string) {
		for _, kv := range env {
			for _, name := range []string{"TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "SUBSCRIPTION_ID"} {
				if value, ok := strings.CutPrefix(kv, "AZURE_"+name+"="); ok {
					out = append(out, prefix+name+"="+value)
				}
			}
		}
	}
	for _, kv := range target {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains([]string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}, name) {
			out = append(out, kv)
		}
	}
	rename(source, "ATG_SOURCE_")
	rename(target, "AZURE_DATAPLANE_")
	return out
}

// writeEnv writes a file that a POSIX shell can read with ".".
func writeEnv(path string, env []string) error {
	var b strings.Builder
	for _, kv := range env {
		fmt.Fprintln(&b, view.ExportLine(kv))
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
