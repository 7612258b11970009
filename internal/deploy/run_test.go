package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// program stands for Terraform: a plan of three resources, of which one is there and one
// fails if FAIL is in the directory.
const program = `#!/bin/sh
hook() { echo "{\"@level\":\"info\",\"@message\":\"$2\",\"type\":\"$1\",\"hook\":{\"action\":\"create\",\"resource\":{\"addr\":\"$2\",\"resource_type\":\"x\"}}}"; }
change() { echo "{\"address\":\"$1\",\"mode\":\"managed\",\"type\":\"azurerm_key_vault\",\"change\":{\"actions\":[\"$2\"],\"after\":{\"name\":\"kv\",\"resource_group_name\":\"rg\"}}}"; }
case "$1" in
version) echo '{"terraform_version": "1.11.4"}' ;;
show)
	[ -e applied ] && echo '{"format_version":"1.0","values":{"root_module":{"resources":[{"mode":"managed","values":{"id":"/subscriptions/s/resourceGroups/RG/x"}}],"child_modules":[{"resources":[]}]}}}'
	[ -e applied ] || echo "{\"format_version\":\"1.2\",\"resource_changes\":[$(change a no-op),$(change b create),$(change c create)]}" ;;
apply) touch applied; hook apply_start b; hook apply_complete b; hook apply_start c
	[ -e FAIL ] || { hook apply_complete c; exit 0; }
	hook apply_errored c
	echo '{"@level":"error","@message":"Error: no","type":"diagnostic","diagnostic":{"severity":"error","summary":"c is bad","address":"c"}}'; exit 1 ;;
esac
`

func stub(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(path, []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("interrupted"))
	refusal := errors.New("no, thanks")
	for name, c := range map[string]struct {
		ctx      context.Context
		files    map[string]string
		how      Manner
		status   string
		deployed int64
		err      string
		finished string
	}{
		"deployed":    {status: Deployed, deployed: 3},
		"agreed to":   {how: Manner{Agree: func(change.Plan) error { return nil }}, status: Deployed, deployed: 3},
		"planned":     {how: Manner{DryRun: true}, status: Planned, deployed: 1},
		"refused":     {how: Manner{Agree: func(change.Plan) error { return refusal }}, status: Canceled, deployed: 1, err: "no, thanks"},
		"failed":      {files: map[string]string{"FAIL": ""}, status: Failed, deployed: 2, err: "c is bad"},
		"interrupted": {ctx: stopped, status: Canceled, err: "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			files := map[string]string{"main.tf": ""}
			for k, v := range c.files {
				files[k] = v
			}
			var last event.Event
			got, err := Run(ctx, Options{Dir: directory(t, files), Run: "R", Place: "sub", TerraformBinary: stub(t), Timeouts: DefaultTimeouts(), Emit: func(e event.Event) { last = e }}, c.how)
			if (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v", err)
			}
			if got.Report.Status != c.status || got.Report.Deployed != c.deployed || got.Refused != (name == "refused") {
				t.Errorf("%+v", got.Report)
			}
			if f, ok := last.(event.DeployFinished); !ok || f.Status != c.status || f.Deployed != c.deployed {
				t.Errorf("the last event: %+v", last)
			}
		})
	}
}

// TestReport looks at what of a plan and of a failure stands in the report.
func TestReport(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{"main.tf": "", "FAIL": ""})
	planned, err := Run(t.Context(), Options{Dir: dir, Place: "sub", TerraformBinary: stub(t)}, Manner{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"create": 2, "same": 1}, planned.Report.Plan); diff != "" || len(planned.Report.Changes) != 2 || planned.Report.Percent != 33.33 {
		t.Errorf("%s %+v", diff, planned.Report)
	}
	if r := planned.Plan.Changes[1].Resource; r.ID != "/subscriptions/sub/resourceGroups/rg/providers/microsoft.keyvault/vaults/kv" {
		t.Errorf("the planned resource: %+v", r)
	}
	failed, err := Run(t.Context(), Options{Dir: dir, TerraformBinary: stub(t)}, Manner{})
	if err == nil || len(failed.Report.Failures) != 1 || failed.Report.Failures[0].Message != "c is bad" || failed.Report.Failures[0].Resource != "c" {
		t.Errorf("%+v, %v", failed.Report, err)
	}
	whole, err := Run(t.Context(), Options{Dir: directory(t, map[string]string{"main.tf": ""}), TerraformBinary: stub(t)}, Manner{})
	if err != nil || len(whole.Groups) != 1 || whole.Groups[0] != "rg" || whole.Report.Percent != 100 {
		t.Errorf("%+v, %v", whole, err)
	}
}

// TestRunReadsFirst has files that cannot be deployed: nothing is begun.
func TestRunReadsFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		opt   Options
		text  string
	}{
		"no files":             {text: "no *.tf"},
		"no program":           {files: map[string]string{"main.tf": ""}, opt: Options{TerraformBinary: "/nowhere/terraform"}, text: "/nowhere/terraform"},
		"several templates":    {files: map[string]string{"a.json": template, "b.json": template}, text: "none is called"},
		"no group":             {files: map[string]string{"a.json": template}, opt: Options{SubscriptionID: "s"}, text: "none is named"},
		"which parameters":     {files: map[string]string{"a.json": template, "b.json": parameters, "c.json": parameters}, opt: Options{ResourceGroup: "g"}, text: "several parameter files"},
		"no such parameters":   {files: map[string]string{"a.json": template}, opt: Options{ResourceGroup: "g", Parameters: "/nowhere"}, text: "/nowhere"},
		"parameters of no use": {files: map[string]string{"a.json": template, "a.parameters.json": strings.Replace(parameters, `"parameters": {}`, `"parameters": {"a": {}}`, 1)}, opt: Options{ResourceGroup: "g"}, text: "neither a value nor a reference"},
	} {
		opt := c.opt
		opt.Dir = directory(t, c.files)
		got, err := Run(t.Context(), opt, Manner{})
		if got != nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
