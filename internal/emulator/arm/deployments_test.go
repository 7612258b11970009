package arm_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	depVersion = "2025-04-01"
	depSchema  = `"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","contentVersion":"1.0.0.0"`
)

// deployments is a client with a world to deploy to.
type deployments struct {
	*world
	*armdeployments.DeploymentsClient
	ops *armdeployments.DeploymentOperationsClient
}

func newDeployments(t testing.TB, who principal, change ...func(*arm.Options)) deployments {
	t.Helper()
	d := deployments{world: newWorld(t, change...)}
	d.Register(&planks{typ: "Contoso.Wood/planks"})
	var err error
	if d.DeploymentsClient, err = armdeployments.NewDeploymentsClient(subA, who, d.options); err != nil {
		t.Fatal(err)
	}
	if d.ops, err = armdeployments.NewDeploymentOperationsClient(subA, who, d.options); err != nil {
		t.Fatal(err)
	}
	return d
}

// input makes a deployment of a template, given as the text between its braces.
func input(t testing.TB, text string, params map[string]any, mode armdeployments.DeploymentMode) armdeployments.Deployment {
	t.Helper()
	var template any
	if err := json.Unmarshal([]byte("{"+depSchema+","+text+"}"), &template); err != nil {
		t.Fatal(err)
	}
	p := map[string]*armdeployments.DeploymentParameter{}
	for name, v := range params {
		p[name] = &armdeployments.DeploymentParameter{Value: v}
	}
	return armdeployments.Deployment{Properties: &armdeployments.DeploymentProperties{Mode: &mode, Template: template, Parameters: p}}
}

var fast = &runtime.PollUntilDoneOptions{Frequency: time.Millisecond}

// deploy deploys to group rg-App.
func (d deployments) deploy(t testing.TB, name string, in armdeployments.Deployment) (armdeployments.DeploymentsClientCreateOrUpdateResponse, error) {
	t.Helper()
	p, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", name, in, nil)
	if err != nil {
		return armdeployments.DeploymentsClientCreateOrUpdateResponse{}, err
	}
	return p.PollUntilDone(t.Context(), fast)
}

const shop = `"parameters":{"prefix":{"type":"string","minLength":2},"key":{"type":"securestring"},"count":{"type":"int","defaultValue":2}},
	"variables":{"vault":"[concat(parameters('prefix'), '-vault')]"},
	"resources":[
		{"type":"Microsoft.KeyVault/vaults","apiVersion":"2024-11-01","name":"[variables('vault')]","location":"[resourceGroup().location]","tags":{"by":"template"},
		 "properties":{"tenantId":"[subscription().tenantId]","sku":{"family":"A","name":"standard"},"secret":"[length(parameters('key'))]"}},
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[concat(parameters('prefix'), copyIndex())]","location":"westeurope","copy":{"name":"planks","count":"[parameters('count')]"},
		 "properties":{"vault":"[reference(variables('vault')).sku.name]"}}
	],
	"outputs":{"vaultId":{"type":"string","value":"[resourceId('Microsoft.KeyVault/vaults', variables('vault'))]"},"keys":{"type":"object","value":"[listKeys(concat(parameters('prefix'), '0'), '1')]"},
		"hidden":{"type":"securestring","value":"[parameters('key')]"}}`

func TestDeployment(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	res, err := d.deploy(t, "main", input(t, shop, map[string]any{"prefix": "shop", "key": "s3cr3t"}, armdeployments.DeploymentModeIncremental))
	if err != nil {
		t.Fatal(err)
	}
	p := res.Properties
	if *p.ProvisioningState != armdeployments.ProvisioningStateSucceeded || *p.CorrelationID == "" || len(p.OutputResources) != 3 || len(p.Providers) != 2 || len(p.Dependencies) != 2 {
		t.Errorf("deployment: %+v", p)
	}
	vault := groupA + "/providers/Microsoft.KeyVault/vaults/shop-vault"
	want := map[string]any{
		"vaultId": map[string]any{"type": "String", "value": vault},
		"keys":    map[string]any{"type": "Object", "value": map[string]any{"key": "shop0", "sent": ""}},
		"hidden":  map[string]any{"type": "SecureString"},
	}
	if diff := cmp.Diff(any(want), p.Outputs); diff != "" {
		t.Error(diff)
	}
	stored, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/shop1")
	if !ok || stored.Body["properties"].(map[string]any)["vault"] != "standard" {
		t.Errorf("the plank that refers to the vault: %v", stored.Body)
	}
	if raw := d.do(t, owner, "GET", version(groupA+"/providers/Microsoft.Resources/deployments/main", depVersion), "").raw; strings.Contains(raw, "s3cr3t") {
		t.Errorf("a secure value is shown: %s", raw)
	}
	var kinds []string
	for pager := d.ops.NewListPager("rg-App", "main", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range page.Value {
			kinds = append(kinds, string(*op.Properties.ProvisioningOperation)+" "+*op.Properties.ProvisioningState)
			if one, err := d.ops.Get(t.Context(), "rg-App", "main", *op.OperationID, nil); err != nil || *one.ID != *op.ID {
				t.Errorf("operation %s: %v", *op.OperationID, err)
			}
		}
	}
	if diff := cmp.Diff([]string{"Create Succeeded", "Create Succeeded", "Create Succeeded", "EvaluateDeploymentOutput Succeeded"}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestDeploymentLifecycle(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	ctx := t.Context()
	in := input(t, shop, map[string]any{"prefix": "shop", "key": "k"}, armdeployments.DeploymentModeIncremental)
	if r, err := d.CheckExistence(ctx, "rg-App", "main", nil); err != nil || r.Success {
		t.Errorf("before: %v %v", r.Success, err)
	}
	if _, err := d.BeginCreateOrUpdate(ctx, "rg-App", "main", in, nil); err != nil {
		t.Fatal(err)
	}
	_, err := d.BeginCreateOrUpdate(ctx, "rg-App", "main", in, nil)
	wantSDKError(t, err, http.StatusConflict, "DeploymentActive")
	_, err = d.BeginDelete(ctx, "rg-App", "main", nil)
	wantSDKError(t, err, http.StatusConflict, "DeploymentActive")
	if _, err := d.Cancel(ctx, "rg-App", "main", nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.Get(ctx, "rg-App", "main", nil)
	if err != nil || *got.Properties.ProvisioningState != armdeployments.ProvisioningStateCanceled {
		t.Errorf("canceled: %v %v", got.Properties, err)
	}
	if _, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/shop0"); ok {
		t.Error("a canceled deployment went on")
	}
	_, err = d.Cancel(ctx, "rg-App", "main", nil)
	wantSDKError(t, err, http.StatusConflict, "DeploymentCannotBeCancelled")
	exported, err := d.ExportTemplate(ctx, "rg-App", "main", nil)
	if diff := cmp.Diff(in.Properties.Template, exported.Template); err != nil || diff != "" {
		t.Errorf("export: %v %s", err, diff)
	}
	for pager := d.NewListByResourceGroupPager("rg-App", &armdeployments.DeploymentsClientListByResourceGroupOptions{Filter: to.Ptr("provisioningState eq 'Canceled'")}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil || len(page.Value) != 1 || *page.Value[0].Name != "main" {
			t.Fatalf("list: %v %v", page.Value, err)
		}
	}
	p, err := d.BeginDelete(ctx, "rg-App", "main", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.PollUntilDone(ctx, fast); err != nil {
		t.Fatal(err)
	}
	_, err = d.Get(ctx, "rg-App", "main", nil)
	wantSDKError(t, err, http.StatusNotFound, "DeploymentNotFound")
}

// TestDeploymentFails: what does not depend on the failure is deployed all the same.
func TestDeploymentFails(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner, func(o *arm.Options) { o.Polls = 0 })
	d.FailNext("PUT", groupA+"/providers/Microsoft.KeyVault/vaults/bad-vault", wire.Error{Status: http.StatusConflict, Code: "VaultBroke", Message: "no"})
	_, err := d.deploy(t, "main", input(t, shop, map[string]any{"prefix": "bad", "key": "k"}, armdeployments.DeploymentModeIncremental))
	if err == nil || !strings.Contains(err.Error(), "DeploymentFailed") || !strings.Contains(err.Error(), "VaultBroke") {
		t.Errorf("error %v", err)
	}
	if _, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/bad0"); ok {
		t.Error("what depends on the failure was deployed")
	}
	_, err = d.deploy(t, "other", input(t, `"resources":[
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"homeless","properties":{}},
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"fine","location":"westeurope"}]`, nil, armdeployments.DeploymentModeIncremental))
	if err == nil || !strings.Contains(err.Error(), "LocationRequired") {
		t.Errorf("error %v", err)
	}
	if _, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/fine"); !ok {
		t.Error("what does not depend on the failure was not deployed")
	}
}

const nested = `"parameters":{"who":{"type":"string"}},"variables":{"v":"outer"},"resources":[
	{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"inner","properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"inner"},
	 "parameters":{"name":{"value":"[concat(parameters('who'), '-in')]"}},
	 "template":{` + depSchema + `,"parameters":{"name":{"type":"string"}},"variables":{"v":"inner"},"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[parameters('name')]","location":"westeurope","tags":{"v":"[variables('v')]"}}],
	  "outputs":{"made":{"type":"string","value":"[concat(parameters('name'), deployment().name)]"}}}}},
	{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"outer","properties":{"mode":"Incremental",
	 "template":{` + depSchema + `,"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"[concat(parameters('who'), '-out')]","location":"westeurope",
	  "tags":{"v":"[variables('v')]","made":"[reference('inner').outputs.made.value]"}}]}}}
	],"outputs":{"made":{"type":"string","value":"[reference('inner').outputs.made.value]"}}`

func TestNestedDeployments(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	res, err := d.deploy(t, "main", input(t, nested, map[string]any{"who": "oak"}, armdeployments.DeploymentModeIncremental))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(map[string]any{"made": map[string]any{"type": "String", "value": "oak-ininner"}}), res.Properties.Outputs); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]map[string]any{"oak-in": {"v": "inner"}, "oak-out": {"v": "outer", "made": "oak-ininner"}} {
		r, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/" + name)
		if diff := cmp.Diff(any(want), r.Body["tags"]); !ok || diff != "" {
			t.Errorf("%s: %v %s", name, ok, diff)
		}
	}
	inner, err := d.Get(t.Context(), "rg-App", "inner", nil)
	if err != nil || *inner.Properties.CorrelationID != *res.Properties.CorrelationID {
		t.Errorf("the inner deployment: %v %v", inner, err)
	}
}

// TestDeploymentToSubscription makes a group and deploys into it.
func TestDeploymentToSubscription(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	in := input(t, `"resources":[
		{"type":"Microsoft.Resources/resourceGroups","apiVersion":"2022-09-01","name":"rg-new","location":"westeurope"},
		{"type":"Microsoft.Resources/deployments","apiVersion":"2022-09-01","name":"content","resourceGroup":"rg-new","dependsOn":["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg-new')]"],
		 "properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"Inner"},"template":{`+depSchema+`,"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"[resourceGroup().location]"}]}}}]`,
		nil, armdeployments.DeploymentModeIncremental)
	_, err := d.BeginCreateOrUpdateAtSubscriptionScope(t.Context(), "main", in, nil)
	wantSDKError(t, err, http.StatusBadRequest, "LocationRequired")
	in.Location = to.Ptr("West Europe")
	p, err := d.BeginCreateOrUpdateAtSubscriptionScope(t.Context(), "main", in, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.PollUntilDone(t.Context(), fast)
	if err != nil || len(res.Properties.OutputResources) != 2 {
		t.Fatalf("deployment: %+v %v", res.Properties, err)
	}
	if _, ok := d.world.Get("/subscriptions/" + subA + "/resourceGroups/rg-new/providers/Contoso.Wood/planks/oak"); !ok {
		t.Error("the plank was not deployed")
	}
	in.Location = to.Ptr("eastus")
	_, err = d.BeginCreateOrUpdateAtSubscriptionScope(t.Context(), "main", in, nil)
	wantSDKError(t, err, http.StatusConflict, "InvalidDeploymentLocation")
}

func TestCompleteMode(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	d.put(t, groupA+"/providers/Contoso.Wood/planks/old", map[string]any{})
	if _, err := d.deploy(t, "main", input(t, `"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"new","location":"westeurope"}]`, nil, armdeployments.DeploymentModeComplete)); err != nil {
		t.Fatal(err)
	}
	a := d.do(t, owner, "GET", version(groupA+"/resources", "2025-04-01"), "")
	if diff := cmp.Diff([]string{groupA + "/providers/Contoso.Wood/planks/new"}, a.ids()); diff != "" {
		t.Error(diff)
	}
}

// TestDeploymentRights: whoever may deploy but not write the resources is refused before
// anything is deployed.
func TestDeploymentRights(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, nobody)
	in := input(t, `"resources":[{"type":"Contoso.Wood/planks","apiVersion":"1","name":"oak","location":"westeurope"}]`, nil, armdeployments.DeploymentModeIncremental)
	_, err := d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	if _, err := d.DefineRole(tenantA, "Deployer", []string{"Microsoft.Resources/deployments/*"}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	d.assign(t, tenantA, nobody, groupA, "Deployer")
	_, err = d.BeginCreateOrUpdate(t.Context(), "rg-App", "main", in, nil)
	wantSDKError(t, err, http.StatusForbidden, "InvalidTemplateDeployment")
	if _, err := d.DefineRole(tenantA, "Carpenter", []string{"Contoso.Wood/*"}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	d.assign(t, tenantA, nobody, groupA, "Carpenter")
	if _, err := d.deploy(t, "main", in); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	validate := func(in armdeployments.Deployment) (armdeployments.DeploymentsClientValidateResponse, error) {
		p, err := d.BeginValidate(context.Background(), "rg-App", "main", in, nil)
		if err != nil {
			return armdeployments.DeploymentsClientValidateResponse{}, err
		}
		return p.PollUntilDone(context.Background(), fast)
	}
	res, err := validate(input(t, shop, map[string]any{"prefix": "shop", "key": "k"}, armdeployments.DeploymentModeIncremental))
	if err != nil || len(res.Properties.ValidatedResources) != 3 {
		t.Errorf("valid: %+v %v", res.Properties, err)
	}
	if _, ok := d.world.Get(groupA + "/providers/Microsoft.KeyVault/vaults/shop-vault"); ok {
		t.Error("validation deployed")
	}
	path := version(groupA+"/providers/Microsoft.Resources/deployments/main/validate", depVersion)
	a := d.do(t, owner, "POST", path, `{"properties":{"mode":"Incremental","template":{`+depSchema+`,`+shop+`},"parameters":{"prefix":{"value":"x"},"key":{"value":"k"}}}}`)
	wantError(t, a, http.StatusBadRequest, "InvalidTemplate")
	if !strings.Contains(a.message(), "The provided value for the template parameter 'prefix' at line '1' and column") || !strings.Contains(a.message(), "greater than or equal to '2'") {
		t.Errorf("message %s", a.message())
	}
	a = d.do(t, owner, "POST", path, `{"properties":{"mode":"Incremental","template":{`+depSchema+`,"resources":[{"type":"Microsoft.KeyVault/vaults","apiVersion":"1999-01-01","name":"kv"}]}}}`)
	wantError(t, a, http.StatusBadRequest, "InvalidTemplateDeployment")
	a = d.do(t, owner, "POST", path, `{"properties":{"mode":"Incremental","templateLink":{"uri":"https://example.com/t.json"}}}`)
	wantError(t, a, http.StatusBadRequest, "InvalidContentLink")
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	d := newDeployments(t, owner)
	plank := func(name string, tags map[string]any) {
		d.put(t, groupA+"/providers/Contoso.Wood/planks/"+name, map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{"n": 1}})
	}
	plank("same", nil)
	plank("other", map[string]any{"a": "1", "gone": "x"})
	in := armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{Mode: to.Ptr(armdeployments.DeploymentModeComplete), Template: input(t, `"resources":[
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"same","location":"West Europe","properties":{"n":1}},
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"other","location":"westeurope","tags":{"a":"2","b":"3"},"properties":{"n":1,"list":[1]}},
		{"type":"Contoso.Wood/planks","apiVersion":"1","name":"new","location":"westeurope"}]`, nil, "").Properties.Template}}
	p, err := d.BeginWhatIf(t.Context(), "rg-App", "main", in, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.PollUntilDone(t.Context(), fast)
	if err != nil || *res.Status != "Succeeded" {
		t.Fatalf("what-if: %v %v", res, err)
	}
	got := map[string]string{}
	for _, c := range res.Properties.Changes {
		name := (*c.ResourceID)[strings.LastIndexByte(*c.ResourceID, '/')+1:]
		got[name] = string(*c.ChangeType)
		for _, delta := range c.Delta {
			got[name] += " " + string(*delta.PropertyChangeType) + ":" + *delta.Path
		}
	}
	want := map[string]string{
		"same": "NoChange", "new": "Create", "kv-a": "Delete",
		"other": "Modify Create:properties.list Modify:tags.a Create:tags.b Delete:tags.gone",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := d.world.Get(groupA + "/providers/Contoso.Wood/planks/new"); ok {
		t.Error("what-if deployed")
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Register(&planks{typ: "Contoso.Wood/planks"})
	oak := groupA + "/providers/Contoso.Wood/planks/oak"
	w.put(t, oak, map[string]any{})
	lock := func(scope, level string) string {
		path := version(scope+"/providers/Microsoft.Authorization/locks/l", "2020-05-01")
		if a := w.do(t, owner, "PUT", path, `{"properties":{"level":"`+level+`"}}`); a.status != http.StatusCreated {
			t.Fatalf("lock: %d %s", a.status, a.raw)
		}
		return path
	}
	release := func(path string) {
		if a := w.do(t, owner, "DELETE", path, ""); a.status != http.StatusOK {
			t.Fatalf("release: %d %s", a.status, a.raw)
		}
	}
	wantError(t, w.do(t, owner, "PUT", version(oak+"/providers/Microsoft.Authorization/locks/l", "2020-05-01"), `{"properties":{"level":"Hard"}}`), http.StatusBadRequest, "LockLevelInvalid")
	l := lock(oak, "CanNotDelete")
	for _, path := range []string{oak, groupA} {
		wantError(t, w.do(t, owner, "DELETE", version(path, resVersion), ""), http.StatusConflict, "ScopeLocked")
	}
	if a := w.do(t, owner, "PATCH", version(oak, "1"), `{"tags":{"a":"b"}}`); a.status != http.StatusOK {
		t.Errorf("a write under CanNotDelete: %d %s", a.status, a.raw)
	}
	release(l)
	l = lock("/subscriptions/"+subA, "readonly")
	for method, path := range map[string]string{"PATCH": oak, "DELETE": oak, "POST": oak + "/listKeys"} {
		wantError(t, w.do(t, owner, method, version(path, "1"), `{"tags":{}}`), http.StatusConflict, "ScopeLocked")
	}
	if a := w.do(t, owner, "GET", version(oak, "1"), ""); a.status != http.StatusOK {
		t.Errorf("a read under ReadOnly: %d %s", a.status, a.raw)
	}
	release(l)
	if a := w.do(t, owner, "DELETE", version(oak, "1"), ""); a.status != http.StatusOK {
		t.Errorf("DELETE: %d %s", a.status, a.raw)
	}
}
