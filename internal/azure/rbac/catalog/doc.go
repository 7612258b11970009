// Package catalog is what Azure says about rights as such, without asking Azure: how the
// patterns of a role match an operation, which operations a resource provider has, which
// built-in roles there are, and which of them grant what is needed and as little else as
// can be.
//
// The two lists are data, each with its source and date: operations/NAMESPACE.txt as
// "Azure permissions for …" lists a provider's operations
// (https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations),
// roles.json as "Azure built-in roles for …" lists roles
// (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles). A plugin
// for another provider brings its operations and the roles that grant them; a test over
// all plugins fails until it does.
package catalog
