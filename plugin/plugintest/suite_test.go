package plugintest_test

import (
	"context"
	"encoding/json"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// only runs one check on a subject and returns its result.
func only(t *testing.T, s plugintest.Subject, name string, opt plugintest.Options) plugintest.Result {
	t.Helper()
	opt.Only = func(n string) bool { return n == name }
	rep := plugintest.Run(t.Context(), s, opt)
	if len(rep.Results) != 1 {
		t.Fatalf("%d results, want 1: %+v", len(rep.Results), rep.Results)
	}
	return rep.Results[0]
}

func TestRunReports(t *testing.T) {
	t.Parallel()
	var told []string
	s := toySubject(newToy())
	s.Operations = nil
	s.Waive = map[string]string{"Info": "it has no name yet"}
	rep := plugintest.Run(t.Context(), s, plugintest.Options{
		Only: func(n string) bool { return n == "Info" || strings.HasPrefix(n, "Permissions/") },
		Seed: 7,
		Done: func(r plugintest.Result) { told = append(told, r.Name+" "+string(r.Status)) },
	})
	want := []string{
		"Info waived", "Permissions/Declared passed", "Permissions/Known skipped", "Permissions/TemplateSubset passed",
		"Permissions/Enough passed", "Permissions/Minimal passed",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if !rep.OK() || rep.Plugin != "shelf" || rep.Version != "1.0.0" || len(rep.Results) != len(want) {
		t.Errorf("report: %+v", rep)
	}
	for _, r := range rep.Results {
		if r.Claim == "" {
			t.Errorf("%s claims nothing", r.Name)
		}
		if (r.Status == plugintest.Skipped || r.Status == plugintest.Waived) && len(r.Messages) == 0 {
			t.Errorf("%s is %s without a reason", r.Name, r.Status)
		}
	}
}

func TestChecksAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range plugintest.Checks() {
		if seen[c.Name] || c.Name == "" || c.Claim == "" {
			t.Errorf("check %q (%q)", c.Name, c.Claim)
		}
		seen[c.Name] = true
	}
}

func TestSubjectProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*plugintest.Subject)
		want []string
	}{
		{"complete", func(*plugintest.Subject) {}, nil},
		{"waiver without a reason", func(s *plugintest.Subject) { s.Waive = map[string]string{"Info": " "} }, []string{`check "Info" is waived without a reason`}},
		{"waiver of nothing", func(s *plugintest.Subject) { s.Waive = map[string]string{"Infos": "typo"} }, []string{`there is no check "Infos" to waive`}},
		{"fields missing", func(s *plugintest.Subject) { s.Seed, s.Host = nil, nil }, []string{"Subject.Host is not set", "Subject.Seed is not set"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := toySubject(newToy())
			tt.edit(&s)
			if diff := cmp.Diff(tt.want, s.Problems()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if tt.want == nil {
				return
			}
			rep := plugintest.Run(t.Context(), s, plugintest.Options{})
			if rep.OK() || len(rep.Results) != 1 || !slices.Equal(rep.Results[0].Messages, tt.want) {
				t.Errorf("report: %+v", rep)
			}
		})
	}
}

// bare has nothing but what the contract demands.
type bare struct{ plugin.Plugin }

func TestChecksThatDoNotApply(t *testing.T) {
	t.Parallel()
	s := toySubject(bare{newToy()})
	s.Bulk, s.Change = nil, nil
	want := map[string]string{
		"Compare/States": "no Compare", "Compare/Drift": "no Compare", "Compare/WritesNothing": "no Compare",
		"Declare/Formats": "no Declare", "Estimate": "no Estimate", "Discover/Bounded": "no bulk content", "Replicate/NoClobber": "cannot make other objects",
	}
	for name, reason := range want {
		if r := only(t, s, name, plugintest.Options{}); r.Status != plugintest.Skipped || !strings.Contains(strings.Join(r.Messages, " "), reason) {
			t.Errorf("%s is %s %q, want skipped: %s", name, r.Status, r.Messages, reason)
		}
	}
	if r := only(t, s, "Permissions/Enough", plugintest.Options{}); r.Status != plugintest.Failed && r.Status != plugintest.Passed {
		t.Errorf("Permissions/Enough is %s", r.Status)
	}
}

// oneMode supports replication only.
type oneMode struct{ *toy }

func (o oneMode) Info() plugin.Info {
	info := o.toy.Info()
	info.Modes = []plugin.Mode{plugin.Replication}
	return info
}

func TestOneModeOnly(t *testing.T) {
	t.Parallel()
	s := toySubject(oneMode{newToy()})
	for name, want := range map[string]plugintest.Status{
		"Permissions/TemplateSubset": plugintest.Skipped, "Replicate/Template": plugintest.Skipped,
		"Discover/TemplateReadsNoValues": plugintest.Skipped, "Replicate/Full": plugintest.Passed, "Info": plugintest.Passed,
	} {
		if r := only(t, s, name, plugintest.Options{}); r.Status != want {
			t.Errorf("%s is %s %q, want %s", name, r.Status, r.Messages, want)
		}
	}
}

// awful panics, or never comes back.
type awful struct {
	plugin.Plugin
	hang chan struct{}
}

func (a awful) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	if a.hang != nil {
		<-a.hang
	}
	panic("no shelf today")
}

func TestPanicFailsItsCheck(t *testing.T) {
	t.Parallel()
	r := only(t, toySubject(awful{Plugin: newToy()}), "Discover/Resume", plugintest.Options{})
	if r.Status != plugintest.Failed || !strings.Contains(r.Messages[0], "no shelf today") {
		t.Errorf("result: %+v", r)
	}
}

func TestHangFailsItsCheck(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	r := only(t, toySubject(awful{newToy(), hang}), "Discover/Resume", plugintest.Options{Limit: time.Millisecond, Grace: time.Millisecond})
	if r.Status != plugintest.Failed || !strings.Contains(strings.Join(r.Messages, " "), "still running") {
		t.Errorf("result: %+v", r)
	}
}

func TestCanceledRunSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rep := plugintest.Run(ctx, toySubject(newToy()), plugintest.Options{})
	if rep.OK() || len(rep.Results) != len(plugintest.Checks()) || !strings.Contains(rep.Results[0].Messages[0], "canceled") {
		t.Errorf("report: %+v", rep.Results[0])
	}
}

// TestSubjectMistakes makes the mistakes that whoever writes a Subject can make: each
// must be noticed, since the check would show nothing.
func TestSubjectMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, check, want string
		edit              func(*plugintest.Subject)
	}{
		{"host of something else", "Replicate/Faults", "name the right host", func(s *plugintest.Subject) {
			s.Host = func(string) string { return "other.azure.net" }
		}},
		{"broken seed", "Replicate/Full", "could not seed the source", func(s *plugintest.Subject) {
			s.Seed = func(*rand.Rand, int, string) json.RawMessage { return json.RawMessage("[") }
		}},
		{"empty seed", "Replicate/SourceUntouched", "creates nothing", func(s *plugintest.Subject) {
			s.Seed = func(*rand.Rand, int, string) json.RawMessage { return json.RawMessage("{}") }
		}},
		{"changes nothing", "Compare/Drift", "no copied object", func(s *plugintest.Subject) {
			s.Change = func(wire.Object) json.RawMessage { return nil }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := toySubject(newToy())
			tt.edit(&s)
			r := only(t, s, tt.check, plugintest.Options{})
			if r.Status != plugintest.Failed || !strings.Contains(strings.Join(r.Messages, " "), tt.want) {
				t.Errorf("%s is %s %q, want a failure: %s", tt.check, r.Status, r.Messages, tt.want)
			}
		})
	}
}

// TestCanaryMustBeSeeded is one more such mistake; its check needs the process for itself.
func TestCanaryMustBeSeeded(t *testing.T) {
	s := toySubject(newToy())
	seed := s.Seed
	s.Seed = func(r *rand.Rand, n int, _ string) json.RawMessage { return seed(r, n, "") }
	r := only(t, s, "Secrets/Canary", plugintest.Options{})
	if r.Status != plugintest.Failed || !strings.Contains(strings.Join(r.Messages, " "), "puts the canary nowhere") {
		t.Errorf("result: %+v", r)
	}
}

// TestItemsOfSeveralObjects gives two objects one item.
func TestItemsOfSeveralObjects(t *testing.T) {
	t.Parallel()
	s := toySubject(newToy())
	s.Key = func(o wire.Object) plugin.Key {
		if o.Kind == "pin" {
			return "pins"
		}
		return plugin.Key(o.Key)
	}
	r := only(t, s, "Discover/Complete", plugintest.Options{})
	if r.Status != plugintest.Failed || !slices.Contains(r.Messages, "template mode: pins is not found") {
		t.Errorf("the key of the subject is not what is looked for: %+v", r)
	}
}
