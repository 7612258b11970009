// Package rbac is Azure role-based access control: role definitions, role assignments
// and deny assignments, and the decision whether a principal may do something.
//
// The decision follows Azure's documented evaluation: everything is denied unless a role
// assignment at the scope or above grants it; a role's permission element grants what its
// actions match less what its own notActions match; control-plane actions and data
// actions never grant one another; a deny assignment wins over every grant. Actions match
// without regard to case, and * stands for any run of characters, slashes included.
//
// Groups and management groups below the tenant's root group do not exist here. The one
// condition that is evaluated is that of Key Vault Data Access Administrator; role
// assignments with a condition are refused, because granting them without it would be
// more than Azure grants.
package rbac
