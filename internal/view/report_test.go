package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	vaults = "Microsoft.KeyVault/vaults"
	rg     = "/subscriptions/s/resourceGroups/rg/providers/" + vaults + "/"
)

var allNext = Next{
	Again:  "atg apply --mode replication --yes",
	Apply:  "atg apply --mode replication",
	Verify: "atg verify --mode replication",
	Force:  "atg apply --mode replication --overwrite",
}

func baseReport(command string) *engine.Report {
	return &engine.Report{
		Schema: engine.ReportSchema,
		Run: engine.RunSummary{
			ID: "7F3K0001", Command: command, Version: "v1", Mode: plugin.Replication,
			SourceTenant: "c0000000-0000-4000-8000-000000000001", TargetTenant: "f0000000-0000-4000-8000-000000000001",
			Started: time.Unix(0, 0).UTC(), Seconds: 4.217, Complete: true,
		},
	}
}

// count makes a Count the way the engine does.
func countOf(items, verified int64) engine.Count {
	if items == 0 {
		return engine.Count{Percent: 100}
	}
	return engine.Count{Items: items, Verified: verified, Percent: float64(verified*10_000/items) / 100}
}

// goodReport is of an apply in which everything that can be copied was.
func goodReport() *engine.Report {
	r := baseReport("apply")
	r.Resources = engine.Resources{Source: 2, Paired: 2, Percent: 100}
	r.Pairs = []engine.PairReport{
		{Source: rg + "kv-contoso-app", Target: rg + "kv-fabrikam-shop", Type: vaults, Rule: "tag", Fidelity: countOf(138, 132), Outcomes: map[plugin.Status]int64{plugin.Created: 131, plugin.Unchanged: 3, plugin.Skipped: 4}, Paths: map[string]int64{"server to server": 120, "streamed": 11}},
		{Source: rg + "kv-contoso-data", Target: rg + "kv-fabrikam-stock", Type: vaults, Rule: "mapping", Fidelity: countOf(1293, 1284), Outcomes: map[plugin.Status]int64{plugin.Created: 1293}},
	}
	r.Outcomes = map[plugin.Status]int64{plugin.Created: 1424, plugin.Unchanged: 3, plugin.Skipped: 4}
	r.Fidelity.Count = countOf(1431, 1416)
	r.Fidelity.ByKind = map[string]map[string]engine.Count{vaults: {"secret": countOf(1416, 1412), "key": countOf(11, 0), "contacts": countOf(4, 4)}}
	r.Skipped = []engine.Group{
		{Type: vaults, Kind: "secret", Reason: "disabled: Key Vault does not give out the value of a disabled secret; --set keyvault.disabled=enable copies it by enabling it for a moment", Count: 3, Examples: []string{"kv-contoso-app secrets/a", "kv-contoso-app secrets/b", "kv-contoso-app secrets/c"}},
		{Type: vaults, Kind: "issuer", Reason: "its password cannot be read", Count: 1, Examples: []string{"kv-contoso-app issuers/digicert"}},
	}
	r.Unproven = []engine.Group{{Type: vaults, Kind: "key", Reason: "recreated, not copied: key material cannot leave Key Vault", Count: 11, Examples: []string{"kv-contoso-data keys/a", "kv-contoso-data keys/b", "kv-contoso-data keys/c", "kv-contoso-data keys/d", "kv-contoso-data keys/e"}}}
	r.Warnings = []engine.Group{{Type: vaults, Kind: "certificate", Reason: "automatic renewal is off: its issuer is not at the target", Count: 1, Examples: []string{"kv-contoso-app certificates/tls"}}}
	return r
}

// badReport is of an apply in which much went wrong.
func badReport() *engine.Report {
	r := goodReport()
	r.Resources = engine.Resources{Source: 4, Paired: 3, Percent: 75}
	r.Run.Complete = false
	r.Pairs = append(r.Pairs, engine.PairReport{
		Source: rg + "kv-locked", Target: rg + "kv-locked-too", Type: vaults, Rule: "tag", Fidelity: countOf(0, 0),
		Error: &engine.Problem{Kind: "permission-denied", Message: "cannot list secrets: Forbidden: caller has no right", Side: "source", Code: "Forbidden/ForbiddenByRbac", RequestID: "5f0c0000"},
	}, engine.PairReport{Source: rg + "kv-left", Target: rg + "kv-right", Type: vaults, Rule: "tag", Fidelity: countOf(0, 0), Skipped: "plugin keyvault has no mode replication"})
	r.Unpaired = []engine.Unpaired{{ID: rg + "kv-alone", Type: vaults, Reason: "two targets carry its tag", Near: []string{rg + "kv-x", rg + "kv-y"}}}
	r.Different = []engine.Group{{Type: vaults, Kind: "secret", Reason: "value, tags", Count: 2, Examples: []string{"kv-contoso-app secrets/d1", "kv-contoso-app secrets/d2"}}}
	r.Missing = []engine.Group{{Type: vaults, Kind: "secret", Reason: "not at the target", Count: 1, Examples: []string{"kv-contoso-app secrets/m1"}}}
	for i := range 9 {
		r.Failures = append(r.Failures, engine.Failure{
			Resource: rg + "kv-contoso-app", Item: plugin.Key(fmt.Sprintf("secrets/f%d", i)), Kind: "secret", Phase: "apply",
			Problem: engine.Problem{Kind: "conflict", Message: "write the secret of secrets/f0 in " + rg + "kv-fabrikam-shop (target): Conflict: deleted", Side: "target", Code: "Conflict/ObjectIsDeletedButRecoverable"},
		})
	}
	for i := range 6 {
		r.Failures = append(r.Failures, engine.Failure{
			Resource: rg + "kv-contoso-app", Item: plugin.Key(fmt.Sprintf("keys/k%d", i)), Kind: "key", Phase: "apply",
			Problem: engine.Problem{Kind: "quota", Message: fmt.Sprintf("create the key: Code%d", i), Side: "target", Code: fmt.Sprintf("Code%d", i)},
		})
	}
	r.FailTotal = 120
	r.Outcomes[plugin.Failed] = 120
	r.Pairs[0].Outcomes[plugin.Failed] = 120
	return r
}

func planReport(missing, different int64) *engine.Report {
	r := baseReport("plan")
	r.Resources = engine.Resources{Source: 1, Paired: 1, Percent: 100}
	plan := map[plugin.State]int64{plugin.Missing: missing, plugin.Same: 7, plugin.Different: different, plugin.Cannot: 1}
	r.Plan = plan
	r.Pairs = []engine.PairReport{{Source: rg + "kv-a", Target: rg + "kv-b", Type: vaults, Rule: "same-name", Fidelity: countOf(missing+different+8, 7), Plan: plan}}
	r.Fidelity.Count = countOf(missing+different+8, 7)
	r.Fidelity.ByKind = map[string]map[string]engine.Count{vaults: {"secret": r.Fidelity.Count}}
	r.Skipped = []engine.Group{{Type: vaults, Kind: "issuer", Reason: "its password cannot be read", Count: 1, Examples: []string{"kv-a issuers/digicert"}}}
	if different > 0 {
		r.Different = []engine.Group{{Type: vaults, Kind: "secret", Reason: "value", Count: different, Examples: []string{"kv-a secrets/d1"}}}
	}
	return r
}

func TestReport(t *testing.T) {
	t.Parallel()
	canceled := goodReport()
	canceled.Run.Canceled, canceled.Run.Complete = true, false
	empty := baseReport("verify")
	for name, tc := range map[string]struct {
		report *engine.Report
		style  Style
	}{
		"apply.80":        {goodReport(), Style{Width: 80}},
		"apply.200":       {goodReport(), Style{Width: 200}},
		"apply.50":        {goodReport(), Style{Width: 50}},
		"apply.pipe":      {goodReport(), Style{}},
		"apply.color":     {goodReport(), Style{Width: 80, Color: true}},
		"apply.bad":       {badReport(), Style{Width: 80}},
		"apply.canceled":  {canceled, Style{Width: 80}},
		"plan":            {planReport(12, 2), Style{Width: 80}},
		"plan.nothing":    {planReport(0, 0), Style{Width: 80}},
		"verify.no-pairs": {empty, Style{Width: 80}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(b *strings.Builder) error { return Report(b, tc.report, allNext, tc.style) })
			golden(t, name+".golden", got)
			if tc.style.Color != strings.Contains(got, "\x1b[") {
				t.Errorf("colours: %v", !tc.style.Color)
			}
		})
	}
}

func TestReportFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{70, 80, 120} {
		got := render(t, func(b *strings.Builder) error { return Report(b, goodReport(), Next{}, Style{Width: width}) })
		for _, line := range strings.Split(got, "\n") {
			if columns(line) > width {
				t.Errorf("width %d: a line of %d columns: %s", width, columns(line), line)
			}
		}
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left on device")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReturned(t *testing.T) {
	t.Parallel()
	lines := NewLines(fullDisk{}, "v1", time.Now)
	checks := NewChecks(fullDisk{}, "title", Style{})
	for name, err := range map[string]error{
		"report":  Report(fullDisk{}, goodReport(), Next{}, Style{}),
		"error":   Error(fullDisk{}, errFull, "", Style{}),
		"usage":   Usage(fullDisk{}, errFull, "", Style{}),
		"warning": Warning(fullDisk{}, "text", Style{}),
		"note":    Note(fullDisk{}, "text", Style{}),
		"prompt":  Prompt(fullDisk{}, "text", Style{}),
		"json":    JSON(fullDisk{}, 1),
		"exit":    Exit(fullDisk{}, 1, nil),
		"lines":   lines.Close(goodReport()),
		"checks":  checks.Close(),
		"plugins": PluginList(fullDisk{}, nil, Style{}),
		"plugin":  PluginShow(fullDisk{}, PluginInfo{}, Style{}),
		"ready":   EmulatorReady(fullDisk{}, Emulator{}, Style{}),
		"version": VersionText(fullDisk{}, Version{}),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
