// Package rbac finds out before a run whether the principals of both sides may do what
// the run will do.
//
// What a principal holds at a resource is read from Azure: its effective permissions
// (https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource), one
// element for each role that applies there, inherited ones included, and the deny
// assignments that take some of it away
// (https://learn.microsoft.com/rest/api/authorization/deny-assignments/list-for-scope).
// Where something else decides, as the access policies of a key vault do, the plugin of
// the type says so (plugin.AccessChecker).
//
// The answer about a right is one of three. Held and Missing are certain, as far as Azure
// says anything at all; whatever cannot be told beforehand is Unknown and never taken for
// a yes: a principal that may not read its own permissions (Azure refuses that to roles
// that have data actions alone), a condition on an assignment, a group that may or may
// not be the principal's. Whether the network lets a request through is not a right:
// it is reported beside the rights, as a warning.
//
// Package catalog knows operations and built-in roles, package grant writes what gives
// the missing rights.
package rbac
