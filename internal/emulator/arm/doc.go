// Package arm is the emulated Azure Resource Manager, the service behind
// management.azure.com: tenants, subscriptions, resource groups, resources of any type,
// long-running operations, tags, resource providers and role-based access control.
//
// One generic store holds every resource under its ID. IDs compare without regard to
// case and keep the casing of the first write. A wire.Provider adds the rules of its
// resource type; types without one are plain documents. Which operations and
// api-versions exist comes from optable, the table of what the Azure SDK for Go sends: a
// strict store refuses what the table lacks, as Azure refuses what it does not have, and
// a loose one takes any client's api-version.
//
// Every request is checked as Azure does: api-version, subscription, token, audience,
// tenant, role assignments, resource group, resource. What is not granted is denied. A
// token of one tenant never opens a subscription of another.
//
// Where the SDK's method is a Begin…, the answer follows ARM's asynchronous protocol:
// Azure-AsyncOperation, Location and Retry-After headers, a provisioningState on its way,
// a status document that any client may poll. An operation ends after Options.Polls
// looks at it (at its status, its result or the resource itself), or when the clock is
// operationTime past its start, so that it also ends for a client that never looks.
//
// Management locks hold: one of level CanNotDelete or ReadOnly refuses what it says with
// ScopeLocked, for its scope and all below. Deployments are package deployment's, which
// asks the Store as any client would (control); queries of Resource Graph are package
// graphquery's, over what the caller may read.
//
// No lock is held while a body is read or a Provider is called.
//
// Not there: management groups below the tenant's root, policies, moves between groups,
// the export of a group as a template, ETags. An operation of that kind that the table
// knows is answered with 501 NotImplemented, a code that Azure itself does not use here.
package arm
