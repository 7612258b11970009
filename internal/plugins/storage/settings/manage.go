package settings

import (
	"context"
	"net/http"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// object is a JSON object.
type object = map[string]any

// properties reads the "properties" of something below an account; nil if it is not there.
func properties(ctx context.Context, a *account.Account, path string) (object, error) {
	var body struct {
		Properties object `json:"properties"`
	}
	if err := a.Manage(ctx, http.MethodGet, path, nil, &body); err != nil {
		if missing(err) {
			return nil, nil
		}
		return nil, err
	}
	return body.Properties, nil
}

// rules returns a list in an object; nil if there is none or it is empty.
func rules(of any, name string) any {
	o, _ := of.(object)
	list, _ := o[name].([]any)
	if len(list) == 0 {
		return nil
	}
	return list
}

// corsOf reads a service's CORS rules
// (https://learn.microsoft.com/rest/api/storagerp/blob-services/get-service-properties and
// its like for the other services).
func corsOf(service string) func(context.Context, *account.Account) (any, error) {
	return func(ctx context.Context, a *account.Account) (any, error) {
		p, err := properties(ctx, a, "/"+service+"/default")
		if err != nil || p == nil {
			return nil, err
		}
		return rules(p["cors"], "corsRules"), nil
	}
}

// setCORS sets them. The rest of the service's properties is sent back as it was read: the
// operation sets them all.
func setCORS(service string) func(context.Context, *account.Account, any) error {
	return func(ctx context.Context, a *account.Account, value any) error {
		path := "/" + service + "/default"
		p, err := properties(ctx, a, path)
		if err != nil {
			return err
		}
		if p == nil {
			p = object{}
		}
		p["cors"] = object{"corsRules": value}
		return a.Manage(ctx, http.MethodPut, path, object{"properties": p}, nil)
	}
}

const lifecyclePath = "/managementPolicies/default"

// readLifecycle reads the rules of the lifecycle management policy
// (https://learn.microsoft.com/rest/api/storagerp/management-policies/get).
func readLifecycle(ctx context.Context, a *account.Account) (any, error) {
	p, err := properties(ctx, a, lifecyclePath)
	if err != nil || p == nil {
		return nil, err
	}
	return rules(p["policy"], "rules"), nil
}

func writeLifecycle(ctx context.Context, a *account.Account, value any) error {
	return a.Manage(ctx, http.MethodPut, lifecyclePath, object{"properties": object{"policy": object{"rules": value}}}, nil)
}

// armVersion is the API version in the declarations; the properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.storage/2023-05-01/storageaccounts/managementpolicies
// and of its neighbours.
const armVersion = "2023-05-01"

func declareLifecycle(res plugin.Resource, value any) iac.Block {
	return iac.Block{
		Name: "lifecycle",
		Note: "In Terraform, azurerm_storage_management_policy says this in another shape, which this program does not write.",
		ARM: &iac.ARMForm{
			Type: "Microsoft.Storage/storageAccounts/managementPolicies", APIVersion: armVersion, Name: res.Name + "/default",
			Attrs: iac.Object{{Name: "properties", Value: iac.Object{{Name: "policy", Value: iac.Object{{Name: "rules", Value: attr(value)}}}}}},
		},
	}
}

func declareCORS(service string) func(plugin.Resource, any) iac.Block {
	return func(res plugin.Resource, value any) iac.Block {
		return iac.Block{
			Name: "cors-" + service,
			Note: "In Terraform, CORS rules are part of azurerm_storage_account.",
			ARM: &iac.ARMForm{
				Type: "Microsoft.Storage/storageAccounts/" + service, APIVersion: armVersion, Name: res.Name + "/default",
				Attrs: iac.Object{{Name: "properties", Value: iac.Object{{Name: "cors", Value: iac.Object{{Name: "corsRules", Value: attr(value)}}}}}},
			},
		}
	}
}

// attr turns JSON into what a declaration can hold, names in order.
func attr(value any) any {
	switch v := value.(type) {
	case object:
		out := iac.Object{}
		for _, k := range sortedKeys(v) {
			out = append(out, iac.Attr{Name: k, Value: attr(v[k])})
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = attr(v[i])
		}
		return out
	case float64: // days, ages and the like: whole numbers all
		return int64(v)
	default:
		return v
	}
}
