package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	of := func(k errs.Kind) error { return fmt.Errorf("x: %w", &errs.Error{Op: "do", Kind: k}) }
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, exitDone},
		{errors.New("x"), exitFailed},
		{usagef("x"), exitUsage},
		{of(errs.Invalid), exitUsage},
		{of(errs.Unauthenticated), exitSignIn},
		{of(errs.PermissionDenied), exitPermission},
		{of(errs.NotFound), exitFailed},
		{of(errs.Unavailable), exitFailed},
		{resultError{exitPartial}, exitPartial},
		{fmt.Errorf("x: %w", InterruptedBy(os.Interrupt)), exitInterrupted},
		{InterruptedBy(syscall.SIGTERM), exitTerminated},
	} {
		if got := codeOf(tc.err); got != tc.want {
			t.Errorf("codeOf(%v) = %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestResultOf(t *testing.T) {
	t.Parallel()
	report := func(change func(*engine.Report)) *engine.Report {
		r := &engine.Report{Run: engine.RunSummary{Command: "apply", Complete: true}}
		change(r)
		return r
	}
	group := []engine.Group{{Count: 1}}
	for name, tc := range map[string]struct {
		change      func(*engine.Report)
		differences bool
		want        int
	}{
		"good":               {func(*engine.Report) {}, true, exitDone},
		"skipped":            {func(r *engine.Report) { r.Skipped, r.Unproven = group, group }, true, exitDone},
		"failed":             {func(r *engine.Report) { r.FailTotal = 1; r.Missing = group }, true, exitPartial},
		"incomplete":         {func(r *engine.Report) { r.Run.Complete = false }, true, exitPartial},
		"unpaired":           {func(r *engine.Report) { r.Unpaired = []engine.Unpaired{{}} }, false, exitPartial},
		"unpaired in verify": {func(r *engine.Report) { r.Unpaired = []engine.Unpaired{{}} }, true, exitDifferent},
		"unpaired in plan":   {func(r *engine.Report) { r.Unpaired = []engine.Unpaired{{}}; r.Run.Command = "plan" }, false, exitDone},
		"different":          {func(r *engine.Report) { r.Different = group }, true, exitDifferent},
		"different, apply":   {func(r *engine.Report) { r.Different = group }, false, exitDone},
		"missing":            {func(r *engine.Report) { r.Missing = group }, true, exitDifferent},
		"to create":          {func(r *engine.Report) { r.Plan = map[plugin.State]int64{plugin.Missing: 1} }, true, exitDifferent},
		"interrupted":        {func(r *engine.Report) { r.Run.Canceled = true }, true, exitInterrupted},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if name == "interrupted" {
			cancel(InterruptedBy(os.Interrupt))
		}
		if got := codeOf(resultOf(ctx, report(tc.change), tc.differences)); got != tc.want {
			t.Errorf("%s: exit code %d, want %d", name, got, tc.want)
		}
		cancel(nil)
	}
	stopped := report(func(r *engine.Report) { r.Run.Canceled = true })
	if got := codeOf(resultOf(t.Context(), stopped, false)); got != exitFailed {
		t.Errorf("canceled by nobody known: %d", got)
	}
}

func TestEveryExitCodeStandsInTheTopic(t *testing.T) {
	t.Parallel()
	text := exitCodesText(nil)
	for _, c := range []int{exitDone, exitFailed, exitUsage, exitPartial, exitSignIn, exitPermission, exitDifferent, exitInterrupted, exitTerminated} {
		if !regexp.MustCompile(`(?m)^  ` + strconv.Itoa(c) + ` `).MatchString(text) {
			t.Errorf("exit code %d is not in the topic", c)
		}
	}
}

// TestHintsCanBeTyped parses each command that a hint names, and looks for each flag.
func TestHintsCanBeTyped(t *testing.T) {
	t.Parallel()
	root := newTerminal(t, "").app.Root()
	root.InitDefaultHelpCmd()
	apply, _, err := root.Find([]string{"apply"})
	if err != nil {
		t.Fatal(err)
	}
	command, flag := regexp.MustCompile("`atg ([^`]*)`"), regexp.MustCompile(`--[a-z{][a-z{}-]*`)
	for _, hint := range view.Hints() {
		for _, m := range command.FindAllStringSubmatch(hint, -1) {
			words := strings.Fields(m[1])
			if found, _, err := root.Find(words); err != nil || !strings.HasSuffix(found.CommandPath(), words[0]) && len(words) == 1 {
				t.Errorf("hint %q: atg %s is no command", hint, m[1])
			}
			if words[0] == "help" && len(words) > 1 {
				if topic, _, err := root.Find(words[1:]); err != nil || topic == root {
					t.Errorf("hint %q: there is no topic %s", hint, words[1])
				}
			}
		}
		for _, name := range flag.FindAllString(hint, -1) {
			for _, side := range []string{"source", "target"} {
				if n := strings.ReplaceAll(strings.TrimPrefix(name, "--"), "{side}", side); apply.Flags().Lookup(n) == nil {
					t.Errorf("hint %q: there is no flag --%s", hint, n)
				}
			}
		}
	}
}

// TestEnvironmentTopic holds the topic against the variables that auth really asks for.
func TestEnvironmentTopic(t *testing.T) {
	t.Parallel()
	text := environmentText(newTerminal(t, "").app.Root())
	asked := map[string]bool{}
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		auth.FromEnvironment(side, func(name string) (string, bool) { asked[name] = true; return "", false })
	}
	if len(asked) < 10 {
		t.Fatalf("auth asks for %v only", asked)
	}
	for name := range asked {
		if !covered(text, name) {
			t.Errorf("%s is not in the topic", name)
		}
	}
}

// covered tells whether a text names a variable, or the family that it belongs to.
func covered(text, name string) bool {
	if strings.Contains(text, name) {
		return true
	}
	for _, family := range regexp.MustCompile(`[A-Z0-9_]+_\*`).FindAllString(text, -1) {
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(family, "*")); ok && strings.Contains(text, rest) {
			return true
		}
	}
	return false
}
