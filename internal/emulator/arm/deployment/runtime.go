package deployment

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// runtime answers the functions of a running deployment by asking Control.
type runtime struct {
	s *Service
	r *record
}

// Reference implements template.Runtime.
func (t runtime) Reference(id, version string, full bool) (any, error) {
	if version == "" {
		return nil, function.Errorf("The api-version is required for the resource '%s', which the template does not deploy. Please see https://aka.ms/arm-resource-functions/#reference for usage details.", id)
	}
	a, refused := t.s.ctl.Do(Call{Caller: t.r.caller, Method: http.MethodGet, Path: id, Version: version})
	if refused != nil {
		return nil, refused
	}
	body, _ := function.Normal(a.Body).(map[string]any)
	if !full {
		props, _ := body["properties"].(map[string]any)
		return props, nil
	}
	delete(body, "id")
	delete(body, "name")
	delete(body, "type")
	body["apiVersion"], body["resourceId"] = version, id
	segments := strings.Split(id, "/")
	if len(segments) > 4 && strings.EqualFold(segments[1], "subscriptions") {
		body["subscriptionId"] = segments[2]
		if strings.EqualFold(segments[3], "resourceGroups") {
			body["resourceGroupName"] = segments[4]
		}
	}
	return body, nil
}

// List implements template.Runtime.
func (t runtime) List(name, id, version string, body any) (any, error) {
	a, refused := t.s.ctl.Do(Call{Caller: t.r.caller, Method: http.MethodPost, Path: id + "/" + name, Version: version, Body: body})
	if refused != nil {
		return nil, refused
	}
	return function.Normal(a.Body), nil
}

// secretsOf reads secrets out of vaults for parameters that refer to them, in a caller's
// name: it needs the right to deploy from the vault, and the vault must be open to it.
func (s *Service) secretsOf(c wire.Claims) secrets {
	return func(reference map[string]any) (any, *wire.Error) {
		vault, _ := object(reference["keyVault"])["id"].(string)
		name, _ := reference["secretName"].(string)
		version, _ := reference["secretVersion"].(string)
		const action = "Microsoft.KeyVault/vaults/deploy/action"
		if !s.ctl.Allowed(c, vault, action) {
			return nil, refusal(http.StatusForbidden, "KeyVaultParameterReferenceAuthorizationFailed", "The client '%s' with object id '%s' does not have permission to perform action '%s' on the specified KeyVault resource '%s'. Please see https://aka.ms/arm-keyvault for usage details.", c.AppID, c.ObjectID, action, vault)
		}
		if s.opt.Secret == nil {
			return nil, errNotImplemented("parameters that refer to a key vault")
		}
		return s.opt.Secret(vault, name, version)
	}
}
