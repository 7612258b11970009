package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/deployment"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// control is the Store as its deployments see it.
type control struct{ *Store }

var _ deployment.Control = control{}

// Do implements deployment.Control: the call takes the way of a client's request, behind
// the check of its token.
func (c control) Do(call deployment.Call) (deployment.Answer, *wire.Error) {
	q, e := c.request(call)
	if e != nil {
		return deployment.Answer{}, e
	}
	a, e := c.dispatch(q)
	if e != nil {
		return deployment.Answer{}, e
	}
	body, err := asObject(a.body)
	if err != nil {
		return deployment.Answer{}, errInvalidContent(err)
	}
	return deployment.Answer{Status: a.status, Header: a.header, Body: body}, nil
}

// request makes the request of a call. The host is the one that clients call.
func (c control) request(call deployment.Call) (*request, *wire.Error) {
	u, err := url.Parse(call.Path)
	if err != nil {
		return nil, errInvalidContent(err)
	}
	if u.Host == "" {
		u.Scheme, u.Host = "https", "management.azure.com"
	}
	query := u.Query()
	id := armid.Parse(u.Path)
	if _, _, _, mine := deploymentPath(id); mine || id.IsGroup() {
		call.Version = c.Newest(template.NestedType) // of ARM's own types the table has one only
	}
	if query.Get("api-version") == "" {
		query.Set("api-version", call.Version)
		u.RawQuery = query.Encode()
	}
	var raw []byte
	if call.Body != nil {
		if raw, err = json.Marshal(call.Body); err != nil {
			return nil, errInvalidContent(err)
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), call.Method, u.String(), bytes.NewReader(raw))
	if err != nil {
		return nil, errInvalidContent(err)
	}
	q := &request{
		store: c.Store, http: r, method: call.Method, id: id, query: query, version: query.Get("api-version"),
		caller: call.Caller, raw: raw,
	}
	if id := q.id.Subscription; id != "" {
		if q.sub = c.subscription(id); q.sub == nil {
			return nil, errSubscriptionNotFound(id)
		}
		if !strings.EqualFold(q.sub.tenantID, call.Caller.TenantID) {
			return nil, wrongTenant(call.Caller.TenantID, q.sub.tenantID, "https://login.windows.net/"+q.sub.tenantID)
		}
	}
	return q, nil
}

// asObject gives an answer's body as decoded JSON.
func asObject(body any) (map[string]any, error) {
	if body == nil {
		return nil, nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(raw, &out)
}

// Check implements deployment.Control.
func (c control) Check(call deployment.Call) *wire.Error {
	q, e := c.request(call)
	if e != nil || !c.opt.Strict {
		return e
	}
	q.op = c.ops.Find(q.method, q.id.String())
	return c.checkOperation(q)
}

// Allowed implements deployment.Control.
func (c control) Allowed(caller wire.Claims, scope, action string) bool {
	return c.Store.Allowed(caller, scope, action, false)
}

// Newest implements deployment.Control.
func (c control) Newest(typ string) string {
	namespace, name, _ := strings.Cut(typ, "/")
	newest := ""
	if t, ok := c.ops.Type(namespace, name); ok {
		for _, v := range t.Versions {
			if !strings.Contains(v, "preview") || newest == "" {
				newest = max(newest, v)
			}
		}
	}
	if newest == "" { // of a type that a provider alone knows, and of ARM's own
		if op := c.ops.Find(http.MethodGet, "/subscriptions/s/resources"); op != nil {
			newest = op.Versions[len(op.Versions)-1]
		}
	}
	return newest
}

// Place implements deployment.Control.
func (c control) Place(caller wire.Claims, scope string) (template.Place, *wire.Error) {
	id := armid.Parse(scope)
	out := template.Place{
		Scope: id.String(), Tenant: c.tenantObject(caller.TenantID), Environment: environment(),
		Deployer: map[string]any{"objectId": caller.ObjectID, "tenantId": caller.TenantID, "userPrincipalName": ""},
	}
	if group, ok := strings.CutPrefix(id.Key(), "/providers/microsoft.management/managementgroups/"); ok {
		if !strings.EqualFold(group, caller.TenantID) {
			return out, refusal(http.StatusNotFound, "ManagementGroupNotFound", "The management group '%s' cannot be found.", id.Name())
		}
		out.ManagementGroup = map[string]any{
			"id": id.String(), "name": id.Name(), "type": "/providers/Microsoft.Management/managementGroups",
			"properties": map[string]any{"displayName": "Tenant Root Group", "tenantId": caller.TenantID},
		}
		return out, nil
	}
	if id.Subscription == "" {
		return out, nil
	}
	sub := c.subscription(id.Subscription)
	if sub == nil {
		return out, errSubscriptionNotFound(id.Subscription)
	}
	out.Subscription = map[string]any{"id": sub.path(), "subscriptionId": sub.id, "tenantId": sub.tenantID, "displayName": sub.name}
	if id.Group == "" {
		return out, nil
	}
	e := c.res.Get(armid.Key(id.GroupID()))
	if e == nil {
		return out, errGroupNotFound(id.Group)
	}
	if state(e) == stateDeleting {
		return out, errGroupBeingDeleted(e.Res.Name)
	}
	out.Scope, out.ResourceGroup = e.Res.ID, cloneMap(e.Res.Body)
	return out, nil
}

func (s *Store) tenantObject(id string) map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]any{"tenantId": id, "countryCode": "US"}
	if t := s.tenants[strings.ToLower(id)]; t != nil {
		out["displayName"] = t.name
	}
	return out
}

// environment is what the function environment() gives: the cloud's endpoints.
func environment() map[string]any {
	answer, _ := cloud.Endpoints("2022-09-01")
	out, err := asObject(answer)
	if err != nil {
		return map[string]any{}
	}
	return out
}

// deploymentSecret reads a secret for a deployment's parameter, if the vault is open to
// deployments.
func (s *Store) deploymentSecret(vaultID, name, version string) (any, *wire.Error) {
	e := s.res.Get(armid.Key(vaultID))
	if e == nil {
		return nil, refusal(http.StatusBadRequest, "KeyVaultParameterReferenceNotFound", "The specified KeyVault '%s' could not be found. Please see https://aka.ms/arm-keyvault for usage details.", vaultID)
	}
	if open, _ := properties(cloneMap(e.Res.Body))["enabledForTemplateDeployment"].(bool); !open {
		return nil, refusal(http.StatusBadRequest, "KeyVaultParameterReferenceNotEnabled", "The specified KeyVault '%s' is not enabled for template deployment. Please see https://aka.ms/arm-keyvault for usage details.", vaultID)
	}
	plane, ok := s.provider(e.Res.Type).(wire.DataPlane)
	if !ok || version != "" {
		return nil, errNotImplemented("GET", "a version of a secret for a deployment")
	}
	objects, err := plane.Objects(vaultID)
	if err != nil {
		return nil, errInvalidContent(err)
	}
	for _, o := range objects {
		if strings.EqualFold(o.Key, "secrets/"+name) {
			return o.Fields["value"], nil
		}
	}
	return nil, refusal(http.StatusBadRequest, "KeyVaultParameterReferenceSecretRetrieveFailed", "The secret of KeyVault parameter cannot be retrieved: the secret '%s' was not found in '%s'. Please see https://aka.ms/arm-keyvault for usage details.", name, vaultID)
}
