package arm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
)

const vaults = "Microsoft.KeyVault/vaults"

func TestDeploy(t *testing.T) {
	t.Parallel()
	at := &double{
		states:   []string{"Accepted", "Running", "Succeeded"},
		validate: `{"properties":{"validatedResources":[{"id":"` + vault("a") + `"},{"id":"` + vault("b") + `"},{"id":"/subscriptions/sub/resourceGroups/rg"}]}}`,
		ops: map[string][]string{"atg-run": {
			operation(vault("a"), vaults, "Running", ""),
			operation(vault("a"), vaults, "Succeeded", "") + "," + operation(vault("b"), vaults, "Running", ""),
			operation(vault("a"), vaults, "Succeeded", "") + "," + operation(vault("b"), vaults, "Succeeded", ""),
		}},
	}
	var e events
	got, err := open(t, at, &e, func(o *Options) {
		o.Parameters, _ = ParseParameters([]byte(`{"parameters": {"n": {"value": 12345678901234567890}, "s": {"reference": {"keyVault": {"id": "/kv"}, "secretName": "x"}}}}`), "p")
	}).Deploy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(change.Result{Resources: 2, Deployed: 2, Groups: []string{"rg"}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a running", "a ready", "b running", "b ready"}, e.told()); diff != "" {
		t.Error(diff)
	}
	if !at.group || at.requests[0] != "HEAD rg" || at.requests[1] != "PUT rg" || at.bodies["rg"] != `{"location":"eastus"}` {
		t.Errorf("the group was not created: %q", at.requests)
	}
	sent := at.bodies["atg-run"]
	for _, want := range []string{`"mode":"Incremental"`, `"n":{"value":12345678901234567890}`, `"secretName":"x"`, `"template":` + compact(t, groupTemplate)} {
		if !strings.Contains(sent, want) {
			t.Errorf("the deployment has no %s: %s", want, sent)
		}
	}
}

func TestDeployFails(t *testing.T) {
	t.Parallel()
	inner := `{"error":{"code":"Conflict","message":"{\"error\":{\"code\":\"QuotaExceeded\",\"message\":\"no more cores\"}}"}}`
	const nested = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Resources/deployments/inner"
	at := &double{
		group: true, states: []string{"Running", "Failed"},
		failure: `{"code":"DeploymentFailed","message":"see the details","details":[{"code":"ResourceDeploymentFailure","message":"outer"}]}`,
		ops: map[string][]string{
			"atg-run": {
				operation(vault("a"), vaults, "Succeeded", "") + "," + operation(nested, deploymentType, "Running", ""),
				operation(vault("a"), vaults, "Succeeded", "") + "," + operation(nested, deploymentType, "Failed", `{"error":{"code":"DeploymentFailed","message":"m"}}`),
			},
			"inner": {operation(vault("b"), vaults, "Running", ""), operation(vault("b"), vaults, "Failed", inner)},
		},
	}
	var e events
	got, err := open(t, at, &e, nil).Deploy(t.Context())
	f := errs.Find(err)
	if f == nil || f.Kind != errs.Quota || f.Code != "QuotaExceeded" || !strings.Contains(f.Error(), "no more cores") {
		t.Fatalf("%+v", f)
	}
	if got.Resources != 2 || got.Deployed != 1 || len(got.Failures) != 1 || got.Failures[0].Resource != vault("b") {
		t.Errorf("%+v", got)
	}
	if told := e.told(); !slices.Contains(told, "b failed") {
		t.Errorf("%q", told)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   *double
		kind errs.Kind
		code string
		hint string
	}{
		"by validation":          {&double{group: true, validate: `{"error":{"code":"InvalidTemplate","message":"bad"}}`}, errs.Invalid, "InvalidTemplate", "mend it in the template"},
		"by validation, quietly": {&double{group: true, validate: `{"id":"x","error":{"code":"InvalidTemplateDeployment","details":[{"code":"AuthorizationFailed","message":"no right"}]}}`}, errs.PermissionDenied, "AuthorizationFailed", "Contributor"},
		"at the start":           {&double{group: true, refuse: `{"error":{"code":"InvalidTemplateDeployment","message":"m","details":[{"code":"RequestDisallowedByPolicy","message":"p"}]}}`}, errs.PermissionDenied, "RequestDisallowedByPolicy", "Azure Policy"},
		"with a full scope":      {&double{group: true, refuse: `{"error":{"code":"DeploymentQuotaExceeded","message":"800"}}`}, errs.Quota, "DeploymentQuotaExceeded", "delete old ones"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, c.at, &events{}, nil).Deploy(t.Context())
			f := errs.Find(err)
			if f == nil || f.Kind != c.kind || f.Code != c.code || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestInterrupt stops a deployment while Azure works on it.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	running := []string{operation(vault("a"), vaults, "Running", "")}
	for name, c := range map[string]struct {
		at    *double
		state string
	}{
		"it is canceled":        {&double{states: []string{"Running"}}, "was canceled in Azure: 0 of 1 resources"},
		"it is over already":    {&double{states: []string{"Running", "Running", "Succeeded"}, cancel: 409}, "had ended in Azure before it could be canceled, with the state Succeeded"},
		"it is not there":       {&double{states: []string{"Running"}, cancel: 404}, "had not begun in Azure"},
		"it cannot be canceled": {&double{states: []string{"Running"}, cancel: 403}, "may go on in Azure"},
		"it is not confirmed":   {&double{states: []string{"Running"}, cancel: 409}, "may go on in Azure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := c.at
			at.group, at.ops = true, map[string][]string{"atg-run": running}
			ctx, cancel := context.WithCancelCause(t.Context())
			at.onLook = func(n int) {
				if n == 2 {
					cancel(errors.New("interrupted"))
				}
			}
			abort, waits := make(chan struct{}), 0
			d := open(t, at, &events{}, func(o *Options) {
				o.Abort = abort
				o.Sleep = func(ctx context.Context, _ time.Duration) error {
					if waits++; waits == 20 {
						close(abort)
						<-ctx.Done()
					}
					return context.Cause(ctx)
				}
			})
			got, err := d.Deploy(ctx)
			if errs.KindOf(err) != errs.Canceled || !strings.Contains(err.Error(), "interrupted") {
				t.Errorf("%v", err)
			}
			if !strings.Contains(got.State, c.state) || !strings.Contains(got.GoOn, "az deployment group show") {
				t.Errorf("%s / %s", got.State, got.GoOn)
			}
		})
	}
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	at := &double{group: true, states: []string{"Running"}}
	d := open(t, at, &events{}, func(o *Options) {
		o.Timeouts.Deploy = 10 * time.Millisecond
		o.Sleep = func(ctx context.Context, _ time.Duration) error {
			if _, limited := ctx.Deadline(); limited && !slices.Contains(at.requests, "POST cancel") {
				<-ctx.Done()
			}
			return context.Cause(ctx)
		}
	})
	got, err := d.Deploy(t.Context())
	if errs.KindOf(err) != errs.Canceled || !strings.Contains(errs.HintOf(err), "--deploy-timeout") || !strings.Contains(got.State, "was canceled") {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	at := &double{group: true, whatIf: `{"status":"Succeeded","properties":{"changes":[
		{"resourceId":"` + vault("new") + `","changeType":"Create","after":{"kind":"k","location":"eastus","tags":{"t":"v"}}},
		{"resourceId":"` + vault("old") + `","changeType":"Modify"},{"resourceId":"` + vault("same") + `","changeType":"NoChange"},
		{"resourceId":"` + vault("gone") + `","changeType":"Delete"},{"resourceId":"` + vault("other") + `","changeType":"Ignore"},
		{"resourceId":"` + vault("dark") + `","changeType":"Unsupported","unsupportedReason":"why"}],
		"potentialChanges":[{}],"diagnostics":[{"code":"C","message":"m"}]}}`}
	got, err := open(t, at, &events{}, nil).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]change.Action{}
	for _, c := range got.Changes {
		actions[c.Resource.Name] = c.Action
	}
	want := map[string]change.Action{"new": change.Create, "old": change.Update, "same": change.Same, "gone": change.Delete, "dark": change.Unclear}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Error(diff)
	}
	if r := got.Changes[0].Resource; r.Kind != "k" || r.Tags["t"] != "v" || r.Location != "eastus" {
		t.Errorf("%+v", r)
	}
	if got.Resources() != 4 || len(got.Notes) != 2 || got.NoScope {
		t.Errorf("%+v", got)
	}
	if slices.ContainsFunc(at.requests, func(r string) bool { return strings.HasPrefix(r, "PUT") }) {
		t.Errorf("a plan has written: %q", at.requests)
	}
	at.whatIf = `{"status":"Failed","error":{"code":"DeploymentWhatIfFailed","message":"m","details":[{"code":"InvalidTemplate","message":"deep"}]}}`
	if _, err := open(t, at, &events{}, nil).Plan(t.Context()); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "deep") {
		t.Errorf("%v", err)
	}
}

// TestPlanWithoutGroup asks for a group that is not there, into which what-if cannot look.
func TestPlanWithoutGroup(t *testing.T) {
	t.Parallel()
	at := &double{whatIf: `{"status":"Succeeded","properties":{"changes":[
		{"resourceId":"/subscriptions/sub/resourceGroups/rg","changeType":"Create"},
		{"resourceId":"/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Resources/deployments/atg-run","changeType":"Unsupported","unsupportedReason":"nested"}]}}`}
	got, err := open(t, at, &events{}, nil).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range got.Changes {
		names = append(names, c.Resource.Name+"|"+c.Note)
	}
	want := []string{"kv-one|", "s|", "kv-var|it is declared under a condition", "|", "|it is declared in a loop: there may be several"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if first := got.Changes[0].Resource; first.ID != vault("kv-one") || first.Tags["atg-source-id"] != "/x" {
		t.Errorf("%+v", first)
	}
	if !got.NoScope || !strings.Contains(at.bodies["whatIf"], `"scope":"inner"`) || at.group {
		t.Errorf("%+v, sent %s", got, at.bodies["whatIf"])
	}
}

func TestSubscriptionScope(t *testing.T) {
	t.Parallel()
	at := &double{states: []string{"Running", "Succeeded"}, whatIf: `{"properties":{"changes":[]}}`}
	d := open(t, at, &events{}, func(o *Options) {
		text := strings.Replace(groupTemplate, "deploymentTemplate", "subscriptionDeploymentTemplate", 1)
		o.Template, _ = ParseTemplate([]byte(text), "x")
	})
	if _, err := d.Plan(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := d.Deploy(t.Context()); err != nil {
		t.Error(err)
	}
	if d.opt.Scope() != "/subscriptions/sub" || !strings.Contains(at.bodies["atg-run"], `"location":"eastus"`) || !strings.Contains(at.bodies["whatIf"], `"location":"eastus"`) {
		t.Errorf("sent %s", at.bodies["atg-run"])
	}
	if slices.Contains(at.requests, "HEAD rg") {
		t.Errorf("a group was looked for: %q", at.requests)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	at.states, at.looks, at.onLook = []string{"Running"}, 0, func(int) { cancel(errors.New("interrupted")) }
	got, err := d.Deploy(ctx)
	if errs.KindOf(err) != errs.Canceled || !strings.Contains(got.GoOn, "az deployment sub show") || !strings.Contains(got.State, "was canceled") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, err := ReadTemplate(write("t.json", "/* c */ "+groupTemplate))
	if err != nil || good.Scope != Group {
		t.Errorf("%v, %v", good.Scope, err)
	}
	for name, want := range map[string]errs.Kind{
		write("broken.json", "{"): errs.Invalid, write("other.json", `{"$schema": "x"}`): errs.Invalid, filepath.Join(dir, "none"): errs.Invalid,
		write("tenant.json", `{"$schema": ".../tenantDeploymentTemplate.json#"}`): errs.Unsupported,
	} {
		if _, err := ReadTemplate(name); errs.KindOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := ReadParameters(write("p.json", `{"parameters": {"a": {"value": null}}} // end`)); err != nil || p["a"] == nil {
		t.Errorf("%v, %v", p, err)
	}
	for _, text := range []string{"{", `{}`, `{"parameters": {"a": {}}}`} {
		if _, err := ReadParameters(write("bad.json", text)); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadParameters(filepath.Join(dir, "none")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no file: %v", err)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a": "// no /* no"} // yes`: `{"a": "// no /* no"}       `, "/* x\ny */1": "    \n    1", `"\"//"//`: `"\"//"  `, "\xef\xbb\xbf1": "1", "/* open": "       ", `"open`: `"open`,
	} {
		if got := string(Plain([]byte(in))); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestCausesAreShortened(t *testing.T) {
	t.Parallel()
	c := causes(slices.Repeat([]leaf{{"C", "m"}}, 7))
	if len(c.Clauses(true)) != 7 || c.Clauses(false)[5] != "and 2 more" || len(oneLine(strings.Repeat("x", 2*maxMessage))) > maxMessage+3 {
		t.Errorf("%q", c.Clauses(false))
	}
}
