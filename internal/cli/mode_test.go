package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var twoTypes = session.Found{
	Source: session.Tenant{ID: "c0", Name: "Contoso"}, Target: session.Tenant{ID: "f0"},
	Types: []session.Type{{Name: "Microsoft.KeyVault/vaults", Count: 3}, {Name: "Microsoft.Toy/boxes", Count: 1200}},
}

func TestChoose(t *testing.T) {
	t.Parallel()
	oneType := twoTypes
	oneType.Types = twoTypes.Types[:1]
	const vaults, boxes = "Microsoft.KeyVault/vaults", "Microsoft.Toy/boxes"
	tests := []struct {
		name, answers string
		found         session.Found
		want          session.Choice
		fails         string
	}{
		{"defaults", "\n\n", twoTypes, session.Choice{Mode: plugin.Template}, ""},
		{"one type is no choice", "\n", oneType, session.Choice{Mode: plugin.Template}, ""},
		{"replication", "replication\n\ny\n", twoTypes, session.Choice{Mode: plugin.Replication}, ""},
		{"by first letters and number", "R\n2\nyes\n", twoTypes, session.Choice{Mode: plugin.Replication, Types: []string{boxes}}, ""},
		{"by number and name", "2\n 2, microsoft.keyvault/VAULTS ,2\nY\n", twoTypes, session.Choice{Mode: plugin.Replication, Types: []string{vaults, boxes}}, ""},
		{"no consent to replication", "replication\nall\n\n", twoTypes, session.Choice{Mode: plugin.Template}, ""},
		{"a second try", "full\ntemplate\n3\n1\n", twoTypes, session.Choice{Mode: plugin.Template, Types: []string{vaults}}, ""},
		{"too many tries", "a\nb\nc\nd\n", twoTypes, session.Choice{}, `no mode "c"`},
		{"the input ends", "", twoTypes, session.Choice{}, "nobody answered"},
		{"the input ends later", "replication\n\n", twoTypes, session.Choice{}, "nobody answered"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, tt.answers)
			got, err := f.app.choose(t.Context(), "apply", tt.found, true)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			for _, want := range []string{"Contoso (c0)", "target tenant f0", "Microsoft.KeyVault/vaults", "template", "replication", "Mode [template]: "} {
				if !strings.Contains(f.err.String(), want) {
					t.Errorf("lacks %q: %s", want, f.err)
				}
			}
			if f.out.Len() > 0 {
				t.Errorf("standard output: %s", f.out)
			}
		})
	}
}

// TestChoiceIsRepeated runs a command until its session asks, and looks at what it offers next.
func TestChoiceIsRepeated(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "replication\n2\ny\n")
	f.app.InTTY, f.app.ErrTTY = true, true
	var got *runOptions
	cmd := newPlanCmd(f.app, func(ctx context.Context, opt *runOptions) error {
		got = opt
		_, err := opt.Choose(ctx, twoTypes)
		return err
	})
	cmd.SetArgs([]string{"--workers", "4"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	const want = "atg apply --mode replication --type Microsoft.Toy/boxes --workers 4"
	if got.next.Apply != want || got.Mode != plugin.Replication {
		t.Errorf("offers %q in mode %s, want %q", got.next.Apply, got.Mode, want)
	}
}

func TestModeIsNotAsked(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"said": {"--mode", "template"}, "no input": {"--no-input"}, "variable": nil} {
		f := newTerminal(t, "")
		f.app.InTTY, f.app.ErrTTY = true, true
		if name == "variable" {
			f.env["ATG_MODE"] = "replication"
		}
		cmd := newPlanCmd(f.app, func(_ context.Context, opt *runOptions) error {
			if opt.Choose != nil {
				t.Errorf("%s: the mode is asked for", name)
			}
			return nil
		})
		cmd.SetArgs(args)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
