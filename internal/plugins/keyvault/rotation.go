package keyvault

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// rotation is a key's rotation policy
// (https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation).
// Durations are ISO 8601 as the service writes them.
type rotation struct {
	ExpiryTime string
	Actions    []rotationAction // in the source's order, which means nothing
}

type rotationAction struct {
	Type                              string // "Rotate", "Notify"
	TimeAfterCreate, TimeBeforeExpiry string
}

// byDefault is the one action of a key that was given no policy.
var byDefault = rotationAction{Type: "Notify", TimeBeforeExpiry: "P30D"}

// rotationOf reads a policy. That of a key that was given none is empty.
func rotationOf(p azkeys.KeyRotationPolicy) rotation {
	var r rotation
	if p.Attributes != nil {
		r.ExpiryTime = val(p.Attributes.ExpiryTime)
	}
	for _, a := range p.LifetimeActions {
		if a == nil || a.Action == nil {
			continue
		}
		action := rotationAction{Type: canonicalAction(string(val(a.Action.Type)))}
		if a.Trigger != nil {
			action.TimeAfterCreate, action.TimeBeforeExpiry = val(a.Trigger.TimeAfterCreate), val(a.Trigger.TimeBeforeExpiry)
		}
		r.Actions = append(r.Actions, action)
	}
	if r.ExpiryTime == "" && slices.Equal(r.Actions, []rotationAction{byDefault}) {
		return rotation{}
	}
	return r
}

// canonicalAction gives an action's name the case that the documentation uses; the
// service promises none.
func canonicalAction(name string) string {
	for _, known := range azkeys.PossibleKeyRotationPolicyActionValues() {
		if strings.EqualFold(name, string(known)) {
			return string(known)
		}
	}
	return name
}

func (r rotation) empty() bool { return r.ExpiryTime == "" && len(r.Actions) == 0 }

func (r rotation) equal(o rotation) bool {
	return r.ExpiryTime == o.ExpiryTime && sameSet(r.Actions, o.Actions)
}

func (r rotation) differs(o rotation) []string {
	if r.equal(o) {
		return nil
	}
	return []string{"rotationPolicy"}
}

// wire is the policy for the service. An empty one puts the default back.
func (r rotation) wire() azkeys.KeyRotationPolicy {
	p := azkeys.KeyRotationPolicy{
		Attributes:      &azkeys.KeyRotationPolicyAttributes{ExpiryTime: opt(r.ExpiryTime)},
		LifetimeActions: []*azkeys.LifetimeAction{},
	}
	for _, a := range r.Actions {
		typ := azkeys.KeyRotationPolicyAction(a.Type)
		p.LifetimeActions = append(p.LifetimeActions, &azkeys.LifetimeAction{
			Action:  &azkeys.LifetimeActionType{Type: &typ},
			Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: opt(a.TimeAfterCreate), TimeBeforeExpiry: opt(a.TimeBeforeExpiry)},
		})
	}
	return p
}

// sku returns a vault's SKU name, "" if it is not known.
func sku(res plugin.Resource) string {
	if res.SKU != "" {
		return res.SKU
	}
	var props struct {
		SKU struct {
			Name string `json:"name"`
		} `json:"sku"`
	}
	if json.Unmarshal(res.Properties, &props) != nil {
		return ""
	}
	return props.SKU.Name
}
