package keyvault

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Operate implements wire.Operator: what Resource Manager is asked about vaults besides
// the vaults themselves (deleted vaults, names, access policies, secrets and keys as
// child resources).
func (s *Service) Operate(c wire.Call) (wire.Answer, bool, *wire.Error) {
	if c.Resource == nil {
		return s.operateSubscription(c)
	}
	if !strings.EqualFold(c.Resource.Type, s.Type()) || len(c.Rest) == 0 {
		return wire.Answer{}, false, nil
	}
	switch strings.ToLower(c.Rest[0]) {
	case "accesspolicies":
		return s.operatePolicies(c)
	case "secrets":
		return s.operateSecrets(c)
	case "keys":
		return s.operateKeys(c)
	}
	return wire.Answer{}, false, nil
}

func (s *Service) operateSubscription(c wire.Call) (wire.Answer, bool, *wire.Error) {
	rest := c.Rest
	is := func(words ...string) bool {
		if len(words) != len(rest) {
			return false
		}
		for i, w := range words {
			if w != "*" && !strings.EqualFold(w, rest[i]) {
				return false
			}
		}
		return true
	}
	switch {
	case c.Method == http.MethodPost && is("checkNameAvailability"):
		body, err := s.CheckName(c.Body)
		return wire.Answer{Status: http.StatusOK, Body: body}, true, err
	case c.Method == http.MethodGet && is("deletedVaults"):
		return wire.Answer{Body: s.DeletedVaults(c.Subscription)}, true, nil
	case c.Method == http.MethodGet && is("locations", "*", "deletedVaults", "*"):
		body, err := s.DeletedVault(c.Subscription, rest[1], rest[3])
		return wire.Answer{Body: body}, true, err
	case c.Method == http.MethodPost && is("locations", "*", "deletedVaults", "*", "purge"):
		return wire.Answer{}, true, s.PurgeVault(c.Subscription, rest[1], rest[3])
	}
	return wire.Answer{}, false, nil
}

// CheckName answers Vaults - Check Name Availability.
func (s *Service) CheckName(body json.RawMessage) (map[string]any, *wire.Error) {
	var in struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, badRequest("The request body is not valid: %s", err.Error())
	}
	if !strings.EqualFold(in.Type, s.Type()) {
		return nil, invalidValue("type")
	}
	if !validVaultName(in.Name) {
		return map[string]any{"nameAvailable": false, "reason": "AccountNameInvalid", "message": badVaultName(in.Name)}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	key := strings.ToLower(in.Name)
	if s.live[key] != nil || s.deleted[key] != nil {
		return map[string]any{"nameAvailable": false, "reason": "AlreadyExists", "message": inUse(in.Name)}, nil
	}
	return map[string]any{"nameAvailable": true}, nil
}

// DeletedVaults answers Vaults - List Deleted: those of a subscription, by name.
func (s *Service) DeletedVaults(subscription string) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	names := []string{}
	for name, e := range s.deleted {
		if strings.EqualFold(subscriptionOf(e.id), subscription) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := make([]any, 0, len(names))
	for _, name := range names {
		out = append(out, s.deleted[name].tombstone())
	}
	return out
}

// DeletedVault answers Vaults - Get Deleted.
func (s *Service) DeletedVault(subscription, location, name string) (map[string]any, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.findDeleted(subscription, location, name)
	if err != nil {
		return nil, err
	}
	return e.tombstone(), nil
}

// PurgeVault answers Vaults - Purge Deleted.
func (s *Service) PurgeVault(subscription, location, name string) *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.findDeleted(subscription, location, name)
	if err != nil {
		return err
	}
	if e.settings.config.PurgeProtection {
		return &wire.Error{Status: http.StatusBadRequest, Code: "MethodNotAllowed", Message: "Operation 'DeletedVaultPurge' is not allowed."}
	}
	delete(s.deleted, strings.ToLower(name))
	return nil
}

// findDeleted finds a deleted vault. The caller holds the lock.
func (s *Service) findDeleted(subscription, location, name string) (*entry, *wire.Error) {
	s.expire()
	e := s.deleted[strings.ToLower(name)]
	location = strings.ReplaceAll(location, " ", "")
	if e == nil || !strings.EqualFold(subscriptionOf(e.id), subscription) || !strings.EqualFold(e.location, location) {
		return nil, &wire.Error{Status: http.StatusNotFound, Code: "DeletedVaultNotFound", Message: "The specified deleted vault '" + name + "' does not exist."}
	}
	return e, nil
}

// tombstone is the deletedVaults resource of a deleted vault.
func (e *entry) tombstone() map[string]any {
	props := map[string]any{
		"vaultId": e.id, "location": e.location, "tags": map[string]any{},
		"deletionDate": e.deletedAt.UTC().Format(time.RFC3339), "scheduledPurgeDate": e.purgeAt().UTC().Format(time.RFC3339),
	}
	if tags, ok := e.body["tags"].(map[string]any); ok {
		props["tags"] = tags
	}
	if e.settings.config.PurgeProtection {
		props["purgeProtectionEnabled"] = true
	}
	return map[string]any{
		"id":   "/subscriptions/" + subscriptionOf(e.id) + "/providers/Microsoft.KeyVault/locations/" + e.location + "/deletedVaults/" + e.name,
		"name": e.name, "type": "Microsoft.KeyVault/deletedVaults", "properties": props,
	}
}

// operatePolicies answers Vaults - Update Access Policy: add, replace or remove.
func (s *Service) operatePolicies(c wire.Call) (wire.Answer, bool, *wire.Error) {
	if c.Method != http.MethodPut || len(c.Rest) != 2 {
		return wire.Answer{}, false, nil
	}
	var in struct {
		Properties struct {
			AccessPolicies []map[string]any `json:"accessPolicies"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil || in.Properties.AccessPolicies == nil {
		return wire.Answer{}, true, invalidValue("accessPolicies")
	}
	res := *c.Resource
	res.Body = cloneBody(c.Resource.Body)
	props, ok := res.Body["properties"].(map[string]any)
	if !ok {
		return wire.Answer{}, true, invalidValue("properties")
	}
	have, _ := props["accessPolicies"].([]any)
	changed, err := changePolicies(strings.ToLower(c.Rest[1]), have, in.Properties.AccessPolicies)
	if err != nil {
		return wire.Answer{}, true, err
	}
	props["accessPolicies"] = changed
	if err := s.Put(&res, c.Resource); err != nil {
		return wire.Answer{}, true, err
	}
	answer := map[string]any{
		"id": c.Resource.ID + "/accessPolicies/", "type": "Microsoft.KeyVault/vaults/accessPolicies",
		"properties": map[string]any{"accessPolicies": changed},
	}
	return wire.Answer{Status: http.StatusOK, Body: answer, Resource: &res}, true, nil
}

func changePolicies(how string, have []any, given []map[string]any) ([]any, *wire.Error) {
	out := slices.Clone(have)
	for _, g := range given {
		i := slices.IndexFunc(out, func(p any) bool { return samePrincipal(p, g) })
		switch {
		case how == "remove":
			if i >= 0 {
				out = slices.Delete(out, i, i+1)
			}
		case how != "add" && how != "replace":
			return nil, badRequest("The operation kind '%s' is not one of add, replace, remove.", how)
		case i < 0:
			out = append(out, g)
		case how == "replace":
			out[i] = g
		default:
			old, _ := out[i].(map[string]any)
			out[i] = mergePolicy(old, g)
		}
	}
	if out == nil {
		out = []any{}
	}
	return out, nil
}

func samePrincipal(p any, g map[string]any) bool {
	m, ok := p.(map[string]any)
	if !ok {
		return false
	}
	for _, k := range []string{"tenantId", "objectId", "applicationId"} {
		a, _ := m[k].(string)
		b, _ := g[k].(string)
		if !strings.EqualFold(a, b) {
			return false
		}
	}
	return true
}

// mergePolicy adds the permissions of g to those of old.
func mergePolicy(old, g map[string]any) map[string]any {
	out := cloneBody(old)
	perms, _ := out["permissions"].(map[string]any)
	more, _ := g["permissions"].(map[string]any)
	if perms == nil {
		perms = map[string]any{}
	}
	for kind, v := range more {
		list, _ := perms[kind].([]any)
		add, _ := v.([]any)
		for _, p := range add {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
		perms[kind] = list
	}
	out["permissions"] = perms
	return out
}
