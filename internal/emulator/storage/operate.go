package storage

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/children"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Operate implements wire.Operator: the operations of a subscription and the child
// resources of an account.
func (s *Service) Operate(c wire.Call) (wire.Answer, bool, *wire.Error) {
	if c.Resource == nil {
		return s.operateSubscription(c)
	}
	if len(c.Rest) == 0 {
		return wire.Answer{}, false, nil
	}
	e, err := s.byID(c.Resource.ID)
	if err != nil {
		return wire.Answer{}, true, notFound("ResourceNotFound", err.Error())
	}
	if strings.EqualFold(c.Rest[0], "managementPolicies") {
		return s.managementPolicy(c, e)
	}
	kind, isService := strings.CutSuffix(strings.ToLower(c.Rest[0]), "services")
	server, mounted := s.servers[kit.Kind(kind)]
	if !isService || !mounted {
		return wire.Answer{}, false, nil
	}
	if len(c.Rest) > 1 && !strings.EqualFold(c.Rest[1], "default") {
		return wire.Answer{}, true, notFound("ResourceNotFound", "The service "+c.Rest[1]+" does not exist: its name is default.")
	}
	ch := &child{svc: s, entry: e, call: c, kind: kit.Kind(kind)}
	if len(c.Rest) <= 2 {
		return ch.service()
	}
	below := children.Child{Call: c, Account: s.accountOf(e), Kind: ch.kind, Server: server, Now: s.opt.Clock().UTC(), Fetch: s.fetch}
	return below.Answer()
}

// operateSubscription answers checkNameAvailability; there is no other operation of a
// subscription here.
func (s *Service) operateSubscription(c wire.Call) (wire.Answer, bool, *wire.Error) {
	if c.Method != http.MethodPost || len(c.Rest) != 1 || !strings.EqualFold(c.Rest[0], "checkNameAvailability") {
		return wire.Answer{}, false, nil
	}
	var in struct{ Name, Type string }
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return wire.Answer{}, true, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	s.mu.RLock()
	_, taken := s.live[in.Name]
	s.mu.RUnlock()
	out := map[string]any{"nameAvailable": true}
	switch {
	case !validAccountName(in.Name):
		out = map[string]any{
			"nameAvailable": false, "reason": "AccountNameInvalid",
			"message": in.Name + " is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.",
		}
	case taken:
		out = map[string]any{"nameAvailable": false, "reason": "AlreadyExists", "message": "The storage account named " + in.Name + " is already taken."}
	}
	return wire.Answer{Body: out}, true, nil
}

// managementPolicy answers the one lifecycle policy of an account.
func (s *Service) managementPolicy(c wire.Call, e *entry) (wire.Answer, bool, *wire.Error) {
	const path = "managementpolicies/default"
	if len(c.Rest) != 2 || !strings.EqualFold(c.Rest[1], "default") {
		return wire.Answer{}, false, nil
	}
	show := func(props map[string]any) wire.Answer {
		return wire.Answer{Body: resource(e.id+"/managementPolicies/default", "Microsoft.Storage/storageAccounts/managementPolicies", "DefaultManagementPolicy", props)}
	}
	switch c.Method {
	case http.MethodGet:
		if props := s.doc(e, path); props != nil {
			return show(props), true, nil
		}
		return wire.Answer{}, true, notFound("ManagementPolicyNotFound", "No ManagementPolicy found for account "+e.name)
	case http.MethodPut:
		props, err := s.readPolicy(c.Body)
		if err != nil {
			return wire.Answer{}, true, err
		}
		s.setDoc(e, path, props)
		return show(props), true, nil
	case http.MethodDelete:
		s.setDoc(e, path, nil)
		return wire.Answer{}, true, nil
	}
	return wire.Answer{}, false, nil
}

// readPolicy takes {"properties":{"policy":{"rules":[…]}}}.
func (s *Service) readPolicy(body json.RawMessage) (map[string]any, *wire.Error) {
	var in struct {
		Properties map[string]any `json:"properties"`
	}
	var shape struct {
		Properties struct {
			Policy struct {
				Rules []struct {
					Name       string         `json:"name"`
					Type       string         `json:"type"`
					Definition map[string]any `json:"definition"`
				} `json:"rules"`
			} `json:"policy"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	if err := json.Unmarshal(body, &shape); err != nil || len(shape.Properties.Policy.Rules) == 0 {
		return nil, badRequest("InvalidRequestPropertyValue", "The management policy has no rules.") // words not confirmed
	}
	for _, r := range shape.Properties.Policy.Rules {
		if r.Name == "" || r.Definition["actions"] == nil || !strings.EqualFold(r.Type, "Lifecycle") {
			return nil, badRequest("InvalidRequestPropertyValue", "The rule '%s' of the management policy is not valid.", r.Name) // words not confirmed
		}
	}
	in.Properties["lastModifiedTime"] = s.opt.Clock().UTC().Format(armTime)
	return in.Properties, nil
}

// doc returns the properties of what ARM alone knows, nil if there are none.
func (s *Service) doc(e *entry, path string) map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return cloneMap(e.docs[path])
}

func (s *Service) setDoc(e *entry, path string, props map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if props == nil {
		delete(e.docs, path)
		return
	}
	e.docs[path] = cloneMap(props)
}

// cloneMap copies a JSON object with all that is in it.
func cloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	data, err := json.Marshal(m)
	if err != nil {
		return map[string]any{}
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		return map[string]any{}
	}
	return out
}

func resource(id, typ, name string, props map[string]any) map[string]any {
	return map[string]any{"id": id, "type": typ, "name": name, "properties": props}
}

func notFound(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: code, Message: message}
}

// child is an operation of Resource Manager on a service of an account.
type child struct {
	svc   *Service
	entry *entry
	call  wire.Call
	kind  kit.Kind
}

// defaults are the properties of the services of a new account.
var defaults = map[kit.Kind]map[string]any{
	kit.Blob: {
		"cors": map[string]any{"corsRules": []any{}}, "deleteRetentionPolicy": map[string]any{"allowPermanentDelete": false, "enabled": false},
	},
	kit.File: {
		"cors": map[string]any{"corsRules": []any{}}, "protocolSettings": map[string]any{"smb": map[string]any{}},
		"shareDeleteRetentionPolicy": map[string]any{"enabled": true, "days": 7},
	},
	kit.Queue: {"cors": map[string]any{"corsRules": []any{}}},
	kit.Table: {"cors": map[string]any{"corsRules": []any{}}},
}

// service answers <kind>Services and <kind>Services/default.
func (c *child) service() (wire.Answer, bool, *wire.Error) {
	path := string(c.kind) + "services/default"
	props := c.svc.doc(c.entry, path)
	if props == nil {
		props = cloneMap(defaults[c.kind])
	}
	switch {
	case c.call.Method == http.MethodGet && len(c.call.Rest) == 1:
		return wire.Answer{Body: []any{c.show(props)}}, true, nil
	case c.call.Method == http.MethodGet:
		return wire.Answer{Body: c.show(props)}, true, nil
	case c.call.Method != http.MethodPut || len(c.call.Rest) == 1:
		return wire.Answer{}, false, nil
	}
	var in struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(c.call.Body, &in); err != nil {
		return wire.Answer{}, true, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	for k, v := range in.Properties {
		props[k] = v
	}
	if err := c.svc.configure(c.entry, c.kind, props); err != nil {
		return wire.Answer{}, true, badRequest("InvalidRequestPropertyValue", "%s", err.Error())
	}
	return wire.Answer{Body: c.show(props)}, true, nil
}

// configure stores the settings of a service and tells it.
func (s *Service) configure(e *entry, kind kit.Kind, props map[string]any) error {
	if server, ok := s.servers[kind].(kit.Configurer); ok {
		if err := server.Configure(s.accountOf(e), props); err != nil {
			return err
		}
	}
	s.setDoc(e, string(kind)+"services/default", props)
	return nil
}

// title is the kind as resource types spell it: "blobServices".
func (c *child) title() string { return string(c.kind) + "Services" }

func (c *child) show(props map[string]any) map[string]any {
	out := resource(c.entry.id+"/"+c.title()+"/default", "Microsoft.Storage/storageAccounts/"+c.title(), "default", props)
	if c.kind == kit.Blob || c.kind == kit.File {
		out["sku"] = c.call.Resource.Body["sku"]
	}
	return out
}
