package wire

import "encoding/json"

// Operator is looked for on a Provider at its registration. It answers the operations of
// the provider's namespace that are no plain reading or writing of a stored resource:
// those of a subscription (GET …/providers/Microsoft.KeyVault/deletedVaults, POST
// …/checkNameAvailability) and those under one of its resources (PUT
// <vault>/accessPolicies/add, GET <vault>/secrets). ARM asks before it looks into its own
// store, after it has checked token, tenant, api-version and role assignments, and
// without holding a lock.
type Operator interface {
	// Operate answers a call. ok is false if there is no such operation here: ARM then
	// goes on as for any resource.
	Operate(c Call) (a Answer, ok bool, err *Error)
}

// Call is one ARM request that an Operator may answer.
type Call struct {
	Caller       Claims
	Method       string
	Subscription string // id of the subscription, as the client wrote it
	// Resource is the provider's resource that the request is about; nil for an
	// operation of the subscription or a resource group.
	Resource *Resource
	// Rest are the path segments behind Resource, or behind the namespace if there is
	// none: ["locations", "westeurope", "deletedVaults", "kv", "purge"].
	Rest []string
	Body json.RawMessage // nil if the request has none
}

// Answer is what an Operator answers with.
type Answer struct {
	Status int // 0: what the operation's client accepts
	Body   any // JSON; nil for no content. A []any is a list: ARM pages it as {"value": …}
	// Resource is the new state of Call.Resource if the operation changed it; ARM stores
	// it as it is.
	Resource *Resource
}
