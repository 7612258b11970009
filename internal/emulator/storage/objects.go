package storage

import (
	"encoding/json"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// settingsObjects are what Resource Manager was told of an account's services and that
// counts as its data: the CORS rules of a service, "cors/KIND", and the rules of the
// lifecycle management policy, "lifecycle"; each with its "rules" as JSON.
func (s *Service) settingsObjects(e *entry) []wire.Object {
	var out []wire.Object
	add := func(key, kind string, rules any) {
		if list, ok := rules.([]any); ok && len(list) > 0 {
			if text, err := json.Marshal(list); err == nil {
				out = append(out, wire.Object{Key: key, Kind: kind, Fields: map[string]string{"rules": string(text)}})
			}
		}
	}
	for _, kind := range kinds {
		cors, _ := s.doc(e, string(kind)+"services/default")["cors"].(map[string]any)
		add("cors/"+string(kind), "corsRules", cors["corsRules"])
	}
	policy, _ := s.doc(e, "managementpolicies/default")["policy"].(map[string]any)
	add("lifecycle", "managementPolicy", policy["rules"])
	return out
}
