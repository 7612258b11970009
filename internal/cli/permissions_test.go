package cli

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestPermissionsHelp(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]string{
		"permissions":               {"  check  ", "  script  ", "  table  "},
		"permissions check --help":  {"what the principals of both sides may do", "exit code 5", "--mode template|replication", "--source-sp-client-id ID"},
		"permissions script --help": {"--custom-role", "--format bash|json", "--prefer fewest|narrowest", "--side both|source|target", "--source-assignee ID", "--target-assignee ID", "--mapping file"},
		"permissions table --help":  {"atg permissions table > permissions.md"},
		"plan --help":               {"--skip-permission-check"},
		"apply --help":              {"--skip-permission-check"},
	} {
		f := newTerminal(t, "")
		if code := f.run(t, strings.Fields(args)...); code != exitDone || f.err.Len() > 0 {
			t.Errorf("atg %s: exit code %d: %s", args, code, f.err)
		}
		for _, w := range want {
			if !strings.Contains(f.out.String(), w) {
				t.Errorf("atg %s lacks %q:\n%s", args, w, f.out)
			}
		}
		for line := range strings.Lines(f.out.String()) {
			if n := len(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("atg %s: a line of %d columns: %s", args, n, line)
			}
		}
	}
}

func TestPermissionsTable(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	if code := f.run(t, "permissions", "table"); code != exitDone || !strings.Contains(f.out.String(), "Microsoft.Toy/boxes, plugin `boxes`.") {
		t.Errorf("exit code %d\n%s%s", code, f.out, f.err)
	}
}

// TestSkipPermissionCheck: plan and apply have the flag, verify and the command that is
// proposed next do not.
func TestSkipPermissionCheck(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	opt, err := parse(t, f, newApplyCmd, "--yes", "--skip-permission-check", "--mode", "replication", "--sp-client-secret", "hush", "--type", "keyvault")
	if err != nil || !opt.SkipAccessCheck {
		t.Fatalf("%v %+v", err, opt)
	}
	if want := "atg permissions script --mode replication --type keyvault"; opt.script != want {
		t.Errorf("script: %q, want %q", opt.script, want)
	}
	if strings.Contains(opt.next.Verify, skipAccessFlag) {
		t.Errorf("next: %q", opt.next.Verify)
	}
	if opt, err = parse(t, f, newPlanCmd); err != nil || opt.SkipAccessCheck || opt.Mode != plugin.Template {
		t.Errorf("%v %+v", err, opt)
	}
	if _, err = parse(t, f, newVerifyCmd, "--skip-permission-check"); err == nil {
		t.Error("verify has the flag")
	}
}
