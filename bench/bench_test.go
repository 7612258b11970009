package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// asATG makes this test program behave as atg, so that no other has to be built.
const asATG = "BENCH_TEST_AS_ATG"

func TestMain(m *testing.M) {
	if os.Getenv(asATG) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	app := &cli.App{IO: cli.SystemIO(), Version: "bench", Registry: func() (*plugin.Registry, error) {
		return plugin.NewRegistry(plugins.All()...)
	}}
	code := app.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// TestCalls holds the number of calls for each secret, which needs neither time nor a quiet
// machine: one read, one look and one write for a first copy, a read and a look to verify,
// and no write where nothing changed.
func TestCalls(t *testing.T) {
	t.Parallel()
	const secrets, page = 101, 25
	pages := (secrets+page-1)/page + 4 // and one each of keys, certificates, issuers, contacts
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 8}
	err := l.within(t.Context(), emulation{secrets: secrets}, func(az *azure) error {
		first, err := az.first(t.Context())
		if err != nil {
			return err
		}
		// The target's challenge and token come with the first look.
		checkCalls(t, "copy", first.phases[applyPhase].calls, calls{reads: secrets, looks: secrets, writes: secrets, listing: pages, challenges: 1, other: 1})
		checkCalls(t, "verify", first.phases[verifyPhase].calls, calls{reads: secrets, looks: secrets, listing: pages})
		if first.before.challenges != 1 || first.before.items() != 0 {
			t.Errorf("before the phases: %+v, want one challenge of the source and no secret", first.before)
		}
		if first.before.other == 0 || first.before.other > 24 {
			t.Errorf("%d calls to sign in and to find the vaults, want 1 to 24", first.before.other)
		}
		again, err := az.again(t.Context())
		if err != nil {
			return err
		}
		checkCalls(t, "unchanged", again.phases[applyPhase].calls, calls{reads: secrets, looks: secrets, listing: pages, challenges: 1, other: 1})
		if again.all.total() >= first.all.total() || first.peak <= 0 || first.cpu <= 0 || first.wall <= first.phases[applyPhase].wall {
			t.Errorf("the measures contradict each other: %+v, then %+v", first, again)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestScenarios runs scenarios with few secrets: their times say nothing, their counts do.
func TestScenarios(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 4}
	rows, err := copyTwice(t.Context(), l, 5)
	if err != nil {
		t.Fatal(err)
	}
	more, err := memory(t.Context(), l, 1, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]row{}
	for _, r := range append(rows, more...) {
		got[r.measure] = r
	}
	for measure, want := range map[string]row{
		"first copy: calls per secret":            {value: "3.000", target: "≤ 3.000", verdict: met, basis: "5 reads, 5 looks, 5 writes; besides, 5 pages of listings"},
		"first copy: calls per secret to verify":  {value: "2.000", basis: "5 reads, 5 looks, 0 writes; besides, 5 pages of listings"},
		"first copy: changes asked of the source": {value: "0", target: "≤ 0", verdict: met},
		"unchanged re-run: writes":                {value: "0", target: "≤ 0", verdict: met},
		"unchanged re-run: calls per secret":      {value: "2.000", target: "≤ 2.000", verdict: met, basis: "5 reads, 5 looks, 0 writes; besides, 5 pages of listings"},
	} {
		want.measure = measure
		if diff := cmp.Diff(want, got[measure], cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if r := got["peak memory at 2 secrets, MiB"]; r.verdict != failed || r.target != "≤ 1.0" {
		t.Errorf("%+v: no run takes less than one MiB", r)
	}
	if r, ok := got["growth to 2 secrets"]; !ok || !strings.HasSuffix(r.value, " %") {
		t.Errorf("%+v: growth is not told", r)
	}
}

// checkCalls compares the calls of a phase. How long they took is of no interest.
func checkCalls(t testing.TB, what string, got, want calls) {
	t.Helper()
	got.answering = 0
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(calls{})); diff != "" {
		t.Errorf("%s: calls (-want +got):\n%s", what, diff)
	}
}

// TestUnproven shows that a run which did not copy everything gives no number.
func TestUnproven(t *testing.T) {
	t.Parallel()
	l := &lab{dir: t.TempDir(), atg: self(t), env: []string{asATG + "=1"}, workers: 2}
	err := l.within(t.Context(), emulation{secrets: 3}, func(az *azure) error {
		az.of.secrets = 4 // one more than there is
		_, err := az.apply(t.Context())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "of 4 secrets it found 3, worked on 3 and proved 3 equal") {
		t.Errorf("%v, want the numbers of the run", err)
	}
}

func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// TestLog pins how a request log is split by run and by phase.
func TestLog(t *testing.T) {
	t.Parallel()
	line := func(service, method, vault, path, query string, status int) string {
		return `{"service":"` + service + `","method":"` + method + `","host":"` + vault + vaultSuffix +
			`","path":"` + path + `","query":"` + query + `","status":` + strconv.Itoa(status) + `,"duration":1000}` + "\n"
	}
	listing := line("keyvault", "GET", sourceVault, "/certificates/issuers", "", 200) +
		line("keyvault", "GET", sourceVault, "/certificates/contacts", "", 404) +
		line("keyvault", "GET", sourceVault, "/secrets", "maxresults=25", 200) +
		line("keyvault", "GET", sourceVault, "/secrets", "$skiptoken=x", 200)
	text := line("arm", "GET", "management", "/subscriptions", "", 200) +
		line("keyvault", "GET", sourceVault, "/certificates/issuers", "", 401) + listing +
		line("keyvault", "GET", sourceVault, "/secrets/a", "", 200) +
		line("keyvault", "GET", targetVault, "/secrets/a", "", 404) +
		line("keyvault", "PUT", targetVault, "/secrets/a", "", 429) +
		line("keyvault", "PUT", targetVault, "/secrets/a", "", 200) + listing +
		line("keyvault", "PATCH", sourceVault, "/secrets/a", "", 200)
	log := &requestLog{path: filepath.Join(t.TempDir(), "log")}
	write(t, log.path, text)
	want := []calls{
		{other: 1, challenges: 1, answering: 2000},
		{listing: 4, reads: 1, looks: 1, writes: 2, throttled: 1, answering: 8000},
		{listing: 4, touched: 1, answering: 5000},
	}
	for _, wanted := range [][]calls{want, {{}}} { // the second run asked nothing
		got, err := log.next()
		if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(calls{})); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	err := (&result{}).count(&requestLog{path: log.path}, []passage{{name: applyPhase}})
	if err == nil || !strings.Contains(err.Error(), "listed 2 times in 1 phases") {
		t.Errorf("%v, want a refusal to guess", err)
	}
	write(t, log.path, text+"{broken\n")
	if _, err := log.next(); err == nil {
		t.Error("a broken line was taken")
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFollow pins what is read of JSON lines.
func TestFollow(t *testing.T) {
	t.Parallel()
	const text = `{"type":"version","schema":1}
{"type":"phase-started","event":{"phase":"inventory"}}
{"type":"phase-started","event":{"phase":"apply"}}
{"type":"item-done","event":{"item":"secrets/a"}}
{"type":"phase-started","event":{"phase":"verify"}}
{"type":"run-finished","event":{"run":"X"}}
{"type":"report","report":{"run":{"complete":true},"fidelity":{"items":2,"verified":1},"outcomes":{"created":2},"failuresTotal":1}}
`
	s, err := follow(strings.NewReader(text))
	if err != nil || len(s.phases) != 2 || s.phases[0].name != applyPhase || s.phases[1].name != verifyPhase || s.phases[1].wall <= 0 {
		t.Errorf("%v: %+v", err, s)
	}
	if err := s.check(2); err == nil || !strings.Contains(err.Error(), "proved 1 equal; 1 failed") {
		t.Errorf("%v, want a refusal", err)
	}
	s, err = follow(strings.NewReader("{\"type\":\"version\"}\nnonsense\n"))
	if err == nil {
		t.Error("nonsense was taken")
	}
	if s.check(2) == nil {
		t.Error("a run without a report was taken")
	}
}

// TestPeak compares the peak that is told of a child with what the child must have had.
func TestPeak(t *testing.T) {
	t.Parallel()
	if highWater("self") == 0 {
		t.Skip("this system does not tell the peak of a living process")
	}
	if highWater("none") != 0 {
		t.Error("a process that there is not has a peak")
	}
	cmd := exec.CommandContext(t.Context(), "true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	const seen = 1 << 20
	if got := peakOf(cmd, seen); got != seen {
		t.Errorf("%d, want the %d that were seen: the account of so small a child is its parent's", got, seen)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for writes, want := range map[int]time.Duration{1: 0, 300: 0, 301: 10 * time.Second, 3000: 90 * time.Second, 3001: 100 * time.Second} {
		if got := limitTime(writes); got != want {
			t.Errorf("%d writes take %s, want %s", writes, got, want)
		}
	}
	if got := idle(calls{reads: 8, other: 8}, 4); got != 4*latency {
		t.Errorf("16 calls by 4 workers take %s, want %s", got, 4*latency)
	}
}

func TestSlowest(t *testing.T) {
	t.Parallel()
	const out = "BenchmarkItems-2  100000  1 ns/op  40000 items/s  120000 records/s\nBenchmarkItems-2  100000  1 ns/op  30000.5 items/s  90001.5 records/s\n"
	if records, items, err := slowest(out); records != 90001.5 || items != 30000.5 || err != nil {
		t.Errorf("%v %v %v", records, items, err)
	}
	if _, _, err := slowest("PASS"); err == nil {
		t.Error("no numbers, and no error")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := []row{
		atMost("good", 1.3, 1.3, "%.2f", "some"), atMost("bad", 1.301, 1.3, "%.3f", ""), note("plain", "%d", 7).from("there"),
		{measure: "everything", verdict: notRun},
	}
	for i := range rows {
		rows[i].scenario = "S"
	}
	if !missed(rows) || missed(rows[:1]) || missed(rows[2:]) {
		t.Error("what was missed is not what was missed")
	}
	text := document(rows, 16, "# Old\n\n## S\n\nold\n\n## Journal\n\nkept\n")
	for _, want := range []string{
		"## S\n", "| good | 1.30 | ≤ 1.30 | met | some |\n", "| bad | 1.301 | ≤ 1.300 | MISSED |  |\n",
		"| plain | 7 |  |  | there |\n", "| everything |  |  | not run |  |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") || !strings.HasSuffix(text, "\n## Journal\n\nkept\n") {
		t.Errorf("a section that was measured anew is kept, or another is lost:\n%s", text)
	}
	unrun := document([]row{{scenario: "S", measure: "everything", verdict: notRun}}, 16, text)
	if !strings.Contains(unrun, "| good | 1.30 |") {
		t.Errorf("a scenario that was not run loses its section:\n%s", unrun)
	}
	var b bytes.Buffer
	writeTable(&b, rows)
	if got := b.String(); !strings.Contains(got, "\nS\n  good ") || strings.Count(got, "\n") != 6 {
		t.Errorf("%s", got)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"-workers 0", "want 1 or more"}, {"-only nothing", "want one of copy, limits"}, {"x", `unexpected argument "x"`}, {"-nonsense", "not defined"},
	} {
		var said bytes.Buffer
		if code := run(t.Context(), strings.Fields(tt.args), &said, &said); code != 2 || !strings.Contains(said.String(), tt.want) {
			t.Errorf("%s: exit code %d, %s; want 2 and %s", tt.args, code, &said, tt.want)
		}
	}
	opt, err := parse([]string{"-only", "growth"}, &bytes.Buffer{})
	if err != nil || opt.out != "" || !opt.long {
		t.Errorf("%+v, %v: one scenario must run, however long, and not write the page", opt, err)
	}
	var said bytes.Buffer
	if code := run(t.Context(), []string{"-only", "copy", "-atg", filepath.Join(t.TempDir(), "none")}, &said, &said); code != 1 || !strings.Contains(said.String(), "bench: copy:") {
		t.Errorf("exit code %d, %s; want 1 and the scenario", code, &said)
	}
}
