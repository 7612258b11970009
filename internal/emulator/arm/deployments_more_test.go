package arm_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// TestDeploymentNobodyLooksAt ends all the same.
func TestDeploymentNobodyLooksAt(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 50 })
	in := input(t, nested, map[string]any{"who": "oak"}, armdeployments.DeploymentModeIncremental)
	if _, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil); err != nil {
		t.Fatal(err)
	}
	d.clock.Add(31 * time.Second)
	got, err := d.Get(t.Context(), "rg-App", "main", nil)
	if err != nil || *got.Properties.ProvisioningState != armdeployments.ProvisioningStateSucceeded || *got.Properties.Duration != "PT31S" {
		t.Errorf("after its time: %+v %v", got.Properties, err)
	}
}

// TestGroupTakesItsDeployments: they go when it is deleted.
func TestGroupTakesItsDeployments(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 0 })
	if _, err := d.deploy(t, "main", input(t, `"resources":[]`, nil, armdeployments.DeploymentModeIncremental)); err != nil {
		t.Fatal(err)
	}
	d.do(t, owner, "DELETE", version(groupA, resVersion), "")
	_, err := d.Get(t.Context(), "rg-App", "main", nil)
	wantSDKError(t, err, http.StatusNotFound, "ResourceGroupNotFound")
	d.put(t, groupA, map[string]any{"location": "westeurope"})
	_, err = d.Get(t.Context(), "rg-App", "main", nil)
	wantSDKError(t, err, http.StatusNotFound, "DeploymentNotFound")
}

// deploymentsAbove are the paths above subscriptions.
func TestDeploymentsAboveSubscriptions(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	inner := `"resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"in","subscriptionId":"` + subA + `","resourceGroup":"rg-App",
		"properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"template":{` + depSchema + `,"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope"}]}}}],
		"outputs":{"who":{"type":"string","value":"[tenant().tenantId]"},"where":{"type":"string","value":"[deployment().location]"}}`
	in := input(t, inner, nil, armdeployments.DeploymentModeIncremental)
	scoped := armdeployments.ScopedDeployment{Location: to.Ptr("westeurope"), Properties: in.Properties}
	_, err := d.BeginCreateOrUpdateAtTenantScope(t.Context(), "top", scoped, nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	d.assign(t, tenantA, owner, "/", "Owner")
	p, err := d.BeginCreateOrUpdateAtTenantScope(t.Context(), "top", scoped, nil)
	if err != nil {
		t.Fatal(err)
	}
	top, err := p.PollUntilDone(t.Context(), fast)
	want := map[string]any{"who": map[string]any{"type": "String", "value": tenantA}, "where": map[string]any{"type": "String", "value": "westeurope"}}
	if diff := cmp.Diff(any(want), top.Properties.Outputs); err != nil || diff != "" {
		t.Error(err, diff)
	}
	q, err := d.BeginCreateOrUpdateAtManagementGroupScope(t.Context(), tenantA, "mg", scoped, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.PollUntilDone(t.Context(), fast); err != nil {
		t.Error(err)
	}
	_, err = d.BeginCreateOrUpdateAtManagementGroupScope(t.Context(), "elsewhere", "mg", scoped, nil)
	if err == nil {
		t.Error("a management group that is not there is deployed to")
	}
	w, err := d.BeginWhatIfAtTenantScope(t.Context(), "top", armdeployments.ScopedDeploymentWhatIf{Location: to.Ptr("westeurope"), Properties: &armdeployments.DeploymentWhatIfProperties{
		Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Template: in.Properties.Template,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := w.PollUntilDone(t.Context(), fast)
	if err != nil || len(changes.Properties.Changes) != 1 || *changes.Properties.Changes[0].ChangeType != armdeployments.ChangeTypeNoChange {
		t.Errorf("what-if: %+v %v", changes.Properties, err)
	}
}

// TestDeploymentRegisters: a provider that is not registered becomes so, if the caller may.
func TestDeploymentRegisters(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, loose)
	unregister := version("/subscriptions/"+subA+"/providers/Contoso.Wood/unregister", "2021-04-01")
	in := input(t, `"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope"}]`, nil, armdeployments.DeploymentModeIncremental)
	d.do(t, owner, "POST", unregister, "")
	if _, err := d.deploy(t, "one", in); err != nil {
		t.Error(err)
	}
	d.do(t, owner, "POST", unregister, "")
	if _, err := d.DefineRole(tenantA, "Deployer", []string{"Microsoft.Resources/deployments/*", "Contoso.Wood/planks/*"}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	d.assign(t, tenantA, nobody, groupA, "Deployer")
	c, err := armdeployments.NewDeploymentsClient(subA, nobody, d.options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = deployments{world: d.world, DeploymentsClient: c}.deploy(t, "two", in)
	if err == nil || !strings.Contains(err.Error(), "MissingSubscriptionRegistration") {
		t.Errorf("without the right to register: %v", err)
	}
}

// shelf is a data plane with one secret in every vault.
type shelf struct{ planks }

// Seed implements wire.DataPlane.
func (*shelf) Seed(string, json.RawMessage) error { return nil }

// Objects implements wire.DataPlane.
func (*shelf) Objects(string) ([]wire.Object, error) {
	return []wire.Object{{Key: "secrets/Name", Fields: map[string]string{"value": "from-the-vault"}}}, nil
}

func TestParametersFromAVault(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 0 })
	d.Register(&shelf{planks{typ: "Contoso.Safe/vaults"}})
	vault := groupA + "/providers/Contoso.Safe/vaults/v"
	deploy := func(who principal, id, name string) answer {
		body := `{"properties":{"mode":"Incremental","template":{` + depSchema + `,"parameters":{"p":{"type":"securestring"}},"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope","properties":{"p":"[parameters('p')]"}}]},
			"parameters":{"p":{"reference":{"keyVault":{"id":"` + id + `"},"secretName":"` + name + `"}}}}}`
		return d.do(t, who, "PUT", version(groupA+"/providers/Microsoft.Resources/deployments/main", depVersion), body)
	}
	wantError(t, deploy(owner, vault, "name"), http.StatusBadRequest, "KeyVaultParameterReferenceNotFound")
	d.put(t, vault, map[string]any{})
	wantError(t, deploy(owner, vault, "name"), http.StatusBadRequest, "KeyVaultParameterReferenceNotEnabled")
	d.put(t, vault, map[string]any{"properties": map[string]any{"enabledForTemplateDeployment": true}})
	wantError(t, deploy(owner, vault, "other"), http.StatusBadRequest, "KeyVaultParameterReferenceSecretRetrieveFailed")
	if a := deploy(owner, vault, "name"); a.status != http.StatusCreated {
		t.Fatalf("deployment: %d %s", a.status, a.raw)
	}
	stored, _ := d.world.Get(groupA + "/providers/Contoso.Wood/planks/oak")
	if p, _ := stored.Body["properties"].(map[string]any); p["p"] != "from-the-vault" {
		t.Errorf("deployed: %v", stored.Body)
	}
	if _, err := d.DefineRole(tenantA, "Deployer", []string{"Microsoft.Resources/deployments/*"}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	d.assign(t, tenantA, nobody, groupA, "Deployer")
	wantError(t, deploy(nobody, vault, "name"), http.StatusForbidden, "KeyVaultParameterReferenceAuthorizationFailed")
}

// TestDeploymentContent: what a body may be, and what is refused.
func TestDeploymentContent(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 0 })
	empty := `{` + depSchema + `,"resources":[]}`
	for body, want := range map[string]string{
		`{}`:                                    "InvalidRequestContent",
		`{"properties":7}`:                      "InvalidRequestContent",
		`{"properties":{"mode":"Incremental"}}`: "InvalidTemplate",
		`{"properties":{"mode":"Sideways","template":` + empty + `}}`:                                     "InvalidRequestContent",
		`{"properties":{"parametersLink":{"uri":"https://example.com/p.json"},"template":` + empty + `}}`: "InvalidContentLink",
		`{"properties":{"templateLink":{}}}`:                                                              "InvalidRequestContent",
		`{"properties":{"onErrorDeployment":{"type":"LastSuccessful"},"template":` + empty + `}}`:         "NotImplemented",
		`{"properties":{"parameters":[],"template":` + empty + `}}`:                                       "InvalidRequestContent",
		`{"properties":{"parameters":{"p":7},"template":` + empty + `}}`:                                  "InvalidRequestContent",
		`{"properties":{"template":[]}}`:                                                                  "InvalidTemplate",
	} {
		if a := d.do(t, owner, "PUT", version(groupA+"/providers/Microsoft.Resources/deployments/main", depVersion), body); a.code() != want {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.raw, want)
		}
	}
	text, err := json.Marshal(`{` + depSchema + `,"parameters":{"p":{"type":"string"}},"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[parameters('p')]","location":"westeurope"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	path := version(groupA+"/providers/Microsoft.Resources/deployments/text", depVersion)
	a := d.do(t, owner, "PUT", path, `{"tags":{"a":"b"},"properties":{"mode":"incremental","debugSetting":{"detailLevel":"requestContent,responseContent"},"template":`+string(text)+`,"parameters":{"$schema":"x","parameters":{"p":{"value":"oak"}}}}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("template and parameters as texts: %d %s", a.status, a.raw)
	}
	if a = d.do(t, owner, "GET", path, ""); a.field("tags", "a") != "b" || a.field("properties", "debugSetting", "detailLevel") == nil {
		t.Errorf("deployment: %s", a.raw)
	}
	a = d.do(t, owner, "GET", version(groupA+"/providers/Microsoft.Resources/deployments/text/operations", depVersion), "")
	if !strings.Contains(a.raw, `"request":{"content":{"location":"westeurope"}}`) || !strings.Contains(a.raw, `"response":{"content":{`) {
		t.Errorf("operations with their content: %s", a.raw)
	}
	for suffix, code := range map[string]string{"/operations/7": "DeploymentOperationNotFound", "/operationStatuses/7": "DeploymentOperationNotFound"} {
		wantError(t, d.do(t, owner, "GET", version(groupA+"/providers/Microsoft.Resources/deployments/text"+suffix, depVersion), ""), http.StatusNotFound, code)
	}
	a = d.do(t, owner, "POST", version("/providers/Microsoft.Resources/calculateTemplateHash", depVersion), "{ \"b\": 1,\n\"a\": 2 }")
	if a.body["minifiedTemplate"] != `{"a":2,"b":1}` || a.body["templateHash"] == "" {
		t.Errorf("hash: %s", a.raw)
	}
}

// TestNestedDeploymentFails: the outer deployment tells what failed within.
func TestNestedDeploymentFails(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	module := func(name, resources string) string {
		return `{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"` + name + `","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"template":{` + depSchema + `,"resources":[` + resources + `]}}}`
	}
	homeless := `{"type":"Contoso.Wood/planks","apiVersion":"1","name":"homeless"}`
	_, err := d.deploy(t, "main", input(t, `"resources":[`+module("inner", homeless)+`]`, nil, armdeployments.DeploymentModeIncremental))
	if err == nil || strings.Count(err.Error(), "DeploymentFailed") < 2 || !strings.Contains(err.Error(), "LocationRequired") {
		t.Errorf("error %v", err)
	}
	_, err = d.deploy(t, "main", input(t, `"resources":[`+module("inner", `{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[nothing()]"}`)+`]`, nil, armdeployments.DeploymentModeIncremental))
	wantSDKError(t, err, http.StatusBadRequest, "InvalidTemplate")
	deep := homeless
	for range 12 {
		deep = module("m", deep)
	}
	_, err = d.deploy(t, "main", input(t, `"resources":[`+deep+`]`, nil, armdeployments.DeploymentModeIncremental))
	wantSDKError(t, err, http.StatusBadRequest, "InvalidTemplate")
	_, err = d.deploy(t, "main", input(t, `"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope"}],"outputs":{"o":{"type":"string","value":"[reference('oak').none]"}}`, nil, armdeployments.DeploymentModeIncremental))
	if err == nil || !strings.Contains(err.Error(), "DeploymentOutputEvaluationFailed") {
		t.Errorf("an output that fails: %v", err)
	}
	_, err = d.deploy(t, "main", input(t, `"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope","properties":{"x":"[reference(resourceId('Contoso.Wood/planks', 'none'), '1').y]","z":"[reference(resourceId('Contoso.Wood/planks', 'none')).y]"}}]`, nil, armdeployments.DeploymentModeIncremental))
	if err == nil || !strings.Contains(err.Error(), "DeploymentFailed") {
		t.Errorf("a reference to nothing: %v", err)
	}
}

// TestCancelStopsNested: the deployments within stop, too.
func TestCancelStopsNested(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 9 })
	in := input(t, `"resources":[{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"inner","properties":{"mode":"Incremental","template":{`+depSchema+`,"resources":[
		{"type":"Microsoft.KeyVault/vaults","apiVersion":"2024-11-01","name":"kv-nested","location":"westeurope","properties":{"tenantId":"`+tenantA+`","sku":{"family":"A","name":"standard"}}},
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope","dependsOn":["kv-nested"]}]}}}]`, nil, armdeployments.DeploymentModeIncremental)
	if _, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.Get(t.Context(), "rg-App", "main", nil)
	if err != nil || *got.Properties.ProvisioningState != armdeployments.ProvisioningStateRunning {
		t.Fatalf("on its way: %v %v", got.Properties, err)
	}
	if _, err := d.Cancel(t.Context(), "rg-App", "main", nil); err != nil {
		t.Fatal(err)
	}
	inner, err := d.Get(t.Context(), "rg-App", "inner", nil)
	if err != nil || *inner.Properties.ProvisioningState != armdeployments.ProvisioningStateCanceled {
		t.Errorf("the deployment within: %v %v", inner.Properties, err)
	}
	if _, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/oak"); ok {
		t.Error("what was waiting was deployed")
	}
}

// TestWhatIfOfModules: what can be known is told, and what cannot.
func TestWhatIfOfModules(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 0 })
	whatIf := func(text string, format armdeployments.WhatIfResultFormat) (map[string]string, *armdeployments.ErrorResponse) {
		p, err := d.BeginWhatIf(t.Context(), "rg-App", "main", armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{
			Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Template: input(t, text, nil, "").Properties.Template, WhatIfSettings: &armdeployments.DeploymentWhatIfSettings{ResultFormat: &format},
		}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.PollUntilDone(t.Context(), fast)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		if res.Properties != nil {
			for _, c := range res.Properties.Changes {
				out[(*c.ResourceID)[strings.LastIndexByte(*c.ResourceID, '/')+1:]] = string(*c.ChangeType)
			}
		}
		return out, res.Error
	}
	d.put(t, groupA+"/providers/Contoso.Wood/planks/there", map[string]any{"location": "westeurope"})
	module := func(name, parameter string) string {
		return `{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"` + name + `","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},"parameters":{"p":{"value":"` + parameter + `"}},
			"template":{` + depSchema + `,"parameters":{"p":{"type":"string"}},"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[parameters('p')]","location":"westeurope"}]}}}`
	}
	got, _ := whatIf(`"resources":[`+module("known", "fresh")+`,`+module("unknown", "[reference('there').length]")+`,
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"there","location":"westeurope","properties":{"x":"[reference('known').outputs]"}}]`, armdeployments.WhatIfResultFormatFullResourcePayloads)
	if diff := cmp.Diff(map[string]string{"fresh": "Create", "unknown": "Unsupported", "there": "Modify", "kv-a": "Ignore"}, got); diff != "" {
		t.Error(diff)
	}
	got, _ = whatIf(`"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"there","location":"westeurope"},{"type":"Contoso.Wood/planks","apiVersion":"1","name":"new","location":"westeurope"}]`, armdeployments.WhatIfResultFormatResourceIDOnly)
	if diff := cmp.Diff(map[string]string{"there": "Deploy", "new": "Create", "kv-a": "Ignore"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestManyLookAtOnce: looks, lists and a cancellation at the same time disturb nothing.
func TestManyLookAtOnce(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	in := input(t, nested, map[string]any{"who": "oak"}, armdeployments.DeploymentModeIncremental)
	if _, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil); err != nil {
		t.Fatal(err)
	}
	base := groupA + "/providers/Microsoft.Resources/deployments"
	var looking sync.WaitGroup
	for range 4 {
		for _, path := range []string{base + "/main", base + "/main/operations", base + "/inner", base} {
			looking.Go(func() {
				for range 8 {
					d.do(t, owner, "GET", version(path, depVersion), "")
				}
			})
		}
	}
	looking.Wait()
	got, err := d.Get(t.Context(), "rg-App", "main", nil)
	if err != nil || *got.Properties.ProvisioningState != armdeployments.ProvisioningStateSucceeded || len(got.Properties.OutputResources) != 2 {
		t.Errorf("in the end: %+v %v", got.Properties, err)
	}
}

// TestRightsOfAnExtension: a lock written behind the type that it is on needs the right to
// write locks, which an owner has and a contributor has not.
func TestRightsOfAnExtension(t *testing.T) {
	t.Parallel()
	in := input(t, `"resources":[{"type":"Microsoft.KeyVault/vaults/providers/locks","apiVersion":"2020-05-01","name":"kv-a/Microsoft.Authorization/keep","properties":{"level":"CanNotDelete"}}]`, nil, armdeployments.DeploymentModeIncremental)
	d := newDeployments(t, nobody)
	d.assign(t, tenantA, nobody, groupA, "Contributor")
	_, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil)
	wantSDKError(t, err, http.StatusForbidden, "InvalidTemplateDeployment")
	if err == nil || !strings.Contains(err.Error(), "Microsoft.Authorization/locks/write") {
		t.Errorf("error %v", err)
	}
	d.assign(t, tenantA, nobody, groupA, "Owner")
	if _, err := d.deploy(t, "main", in); err != nil {
		t.Fatal(err)
	}
	wantError(t, d.do(t, owner, "DELETE", version(vaultA, kvVersion), ""), http.StatusConflict, "ScopeLocked")
}
