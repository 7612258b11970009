package storage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Type implements wire.Provider.
func (s *Service) Type() string { return "Microsoft.Storage/storageAccounts" }

// Put implements wire.Provider: it checks and completes an account and makes or updates
// its services.
func (s *Service) Put(res *wire.Resource, old *wire.Resource) *wire.Error {
	if !validAccountName(res.Name) {
		return badRequest("AccountNameInvalid", "%s is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.", res.Name)
	}
	if res.Body == nil {
		res.Body = map[string]any{}
	}
	if old != nil {
		keep(res.Body, old.Body)
	}
	acc, err := readAccount(res.Body)
	if err != nil {
		return badRequest("InvalidRequestContent", "%s", err.Error())
	}
	if err := acc.check(old); err != nil {
		return err
	}
	set, err := acc.settings()
	if err != nil {
		return badRequest("InvalidValuesForRequestParameters", "%s", err.Error())
	}
	return s.put(res, set)
}

// put makes or updates the account.
func (s *Service) put(res *wire.Resource, set settings) *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live[res.Name]
	switch {
	case e == nil:
		now := s.opt.Clock().UTC()
		location, _ := res.Body["location"].(string)
		e = &entry{
			id: res.ID, name: res.Name, tenant: res.TenantID, location: location, created: now, meter: &meter{},
			keys: []accountKey{newKey("key1", now), newKey("key2", now)}, delegation: random(32), docs: map[string]map[string]any{},
		}
		s.live[res.Name] = e
	case strings.EqualFold(e.id, res.ID):
	case strings.EqualFold(subscriptionOf(e.id), subscriptionOf(res.ID)):
		return conflict("StorageAccountInAnotherResourceGroup", "The account %s is already in another resource group in this subscription.", res.Name)
	default:
		return conflict("StorageAccountAlreadyTaken", "The storage account named %s is already taken.", res.Name)
	}
	e.settings = set
	e.fill(res.Body)
	return nil
}

// keep takes over from an account what a PUT leaves out.
func keep(body, old map[string]any) {
	for _, member := range []string{"kind", "sku", "tags", "identity"} {
		if _, ok := body[member]; !ok && old[member] != nil {
			body[member] = old[member]
		}
	}
	was, _ := old["properties"].(map[string]any)
	props := propertiesOf(body)
	for k, v := range was {
		if _, ok := props[k]; !ok {
			props[k] = v
		}
	}
}

func propertiesOf(body map[string]any) map[string]any {
	props, ok := body["properties"].(map[string]any)
	if !ok {
		props = map[string]any{}
		body["properties"] = props
	}
	return props
}

// skus and accountKinds are those of the resource provider (SKU, Kind in its API).
var (
	skus = []string{
		"Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS", "Premium_LRS", "Premium_ZRS",
		"StandardV2_LRS", "StandardV2_GRS", "StandardV2_ZRS", "StandardV2_GZRS", "PremiumV2_LRS", "PremiumV2_ZRS",
	}
	accountKinds = []string{"Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"}
)

// check applies the rules of create and update. The code and words for a kind or SKU that
// does not exist are not confirmed.
func (a account) check(old *wire.Resource) *wire.Error {
	switch {
	case a.SKU.Name == "":
		return badRequest("InvalidRequestPropertyValue", "The value '' is not a valid value for property sku.name")
	case !contains(skus, a.SKU.Name):
		return badRequest("InvalidRequestPropertyValue", "The value '%s' is not a valid value for property sku.name", a.SKU.Name)
	case !contains(accountKinds, a.Kind):
		return badRequest("InvalidRequestPropertyValue", "The value '%s' is not a valid value for property kind", a.Kind)
	case (a.Kind == "FileStorage" || a.Kind == "BlockBlobStorage") && strings.HasPrefix(a.SKU.Name, "Standard_"):
		return badRequest("InvalidAccountType", "The AccountType %s is invalid for the kind %s.", a.SKU.Name, a.Kind)
	}
	if v := a.Properties.MinimumTLSVersion; v != "" && !contains([]string{"TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"}, v) {
		return badRequest("InvalidRequestPropertyValue", "The value '%s' is not a valid value for property minimumTlsVersion", v)
	}
	if old == nil {
		return nil
	}
	return a.checkUpdate(old)
}

// checkUpdate holds what an account keeps.
func (a account) checkUpdate(old *wire.Resource) *wire.Error {
	before, err := readAccount(old.Body)
	if err != nil {
		return nil //nolint:nilerr // what is stored was read once
	}
	if before.Kind != a.Kind && (before.Kind != "Storage" && before.Kind != "BlobStorage" || a.Kind != "StorageV2") {
		return conflict("AccountPropertyCannotBeUpdated", "The property 'kind' was specified in the input, but it cannot be updated.")
	}
	if is(before.Properties.IsHnsEnabled, false) != is(a.Properties.IsHnsEnabled, false) {
		return conflict("AccountPropertyCannotBeUpdated", "The property 'isHnsEnabled' was specified in the input, but it cannot be updated.")
	}
	return nil
}

func contains(all []string, v string) bool {
	for _, a := range all {
		if a == v {
			return true
		}
	}
	return false
}

// fill completes the ARM body as the resource provider answers. The caller holds the lock.
func (e *entry) fill(body map[string]any) {
	props := propertiesOf(body)
	tier, _, _ := strings.Cut(e.settings.sku, "_")
	body["sku"] = map[string]any{"name": e.settings.sku, "tier": strings.TrimSuffix(tier, "V2")}
	def := func(member string, v any) {
		if _, ok := props[member]; !ok {
			props[member] = v
		}
	}
	created := e.created.Format(armTime)
	def("accessTier", "Hot")
	if e.settings.kind == "Storage" || e.settings.kind == "FileStorage" {
		delete(props, "accessTier")
	}
	def("supportsHttpsTrafficOnly", true)
	def("minimumTlsVersion", "TLS1_0")
	def("allowBlobPublicAccess", false)
	def("networkAcls", map[string]any{"bypass": "AzureServices", "virtualNetworkRules": []any{}, "ipRules": []any{}, "defaultAction": "Allow"})
	enabled := map[string]any{"keyType": "Account", "enabled": true, "lastEnabledTime": created}
	def("encryption", map[string]any{"keySource": "Microsoft.Storage", "services": map[string]any{"blob": enabled, "file": enabled}})
	props["creationTime"], props["primaryLocation"], props["statusOfPrimary"], props["provisioningState"] = created, e.location, "available", "Succeeded"
	props["privateEndpointConnections"] = []any{}
	props["keyCreationTime"] = map[string]any{"key1": e.keys[0].created.Format(armTime), "key2": e.keys[1].created.Format(armTime)}
	props["primaryEndpoints"] = e.endpoints("")
	if strings.Contains(e.settings.sku, "GRS") || strings.Contains(e.settings.sku, "GZRS") {
		props["statusOfSecondary"] = "available"
	}
	if e.settings.secondary {
		props["secondaryEndpoints"] = e.endpoints("-secondary")
	}
}

const armTime = "2006-01-02T15:04:05.0000000Z"

// zone stands in the host name of a static website; which one a true account has depends
// on its region.
const zone = "z6."

func (e *entry) endpoints(postfix string) map[string]any {
	out := map[string]any{}
	for _, k := range services(e.settings.kind, e.settings.sku) {
		host := e.name + postfix + "."
		switch {
		case k == kit.Web:
			host += zone
		case k == kit.File && postfix != "":
			continue // no reading of files at the secondary place
		}
		out[string(k)] = "https://" + host + string(k) + suffix + "/"
	}
	return out
}

// Delete implements wire.Provider: the account and all it holds are gone.
func (s *Service) Delete(res wire.Resource) *wire.Error {
	s.mu.Lock()
	e, ok := s.live[res.Name]
	ok = ok && strings.EqualFold(e.id, res.ID)
	if ok {
		delete(s.live, res.Name)
	}
	s.mu.Unlock()
	if ok {
		for _, server := range s.servers {
			server.Drop(e.id)
		}
	}
	return nil
}

// Action implements wire.Provider.
func (s *Service) Action(res wire.Resource, name string, body json.RawMessage) (any, bool, *wire.Error) {
	e, err := s.byID(res.ID)
	if err != nil {
		return nil, true, &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: err.Error()}
	}
	switch strings.ToLower(name) {
	case "listkeys":
		return s.listKeys(e), true, nil
	case "regeneratekey":
		answer, err := s.regenerate(e, body)
		return answer, true, err
	case "listaccountsas":
		answer, err := s.signAccount(e, body)
		return answer, true, err
	case "listservicesas":
		answer, err := s.signService(e, body)
		return answer, true, err
	case "revokeuserdelegationkeys":
		s.mu.Lock()
		e.delegation = random(32)
		s.mu.Unlock()
		return nil, true, nil
	}
	return nil, false, nil
}

func (s *Service) listKeys(e *entry) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var keys []any
	for _, k := range e.keys {
		keys = append(keys, map[string]any{"keyName": k.name, "value": k.value(), "permissions": "FULL", "creationTime": k.created.Format(armTime)})
	}
	return map[string]any{"keys": keys}
}

func (s *Service) regenerate(e *entry, body json.RawMessage) (any, *wire.Error) {
	var in struct{ KeyName string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	now := s.opt.Clock().UTC()
	s.mu.Lock()
	found := false
	for i, k := range e.keys {
		if strings.EqualFold(k.name, in.KeyName) {
			e.keys[i], found = newKey(k.name, now), true
		}
	}
	s.mu.Unlock()
	if !found {
		return nil, badRequest("InvalidRequestPropertyValue", "The value '%s' is not a valid value for property keyName", in.KeyName)
	}
	return s.listKeys(e), nil
}

func validAccountName(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) >= 3 && len(name) <= 24
}

// subscriptionOf is the subscription's part of an ID.
func subscriptionOf(id string) string {
	parts := strings.SplitN(id, "/", 4)
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func badRequest(code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func conflict(code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// stampTime formats a time as signatures have it.
func stampTime(t time.Time) string { return t.UTC().Format(iso) }
