// Package graph is Microsoft Graph as clients of Azure ask it: for service principals by
// their application, for directory objects by their IDs, for the tenant.
//
// Terraform's azurerm asks GET /v1.0/servicePrincipals?$filter=appId eq '…' where a token
// does not say whose it is; the Azure CLI asks so for the assignee of a role
// (servicePrincipalNames/any(c:c eq '…')) and for the names of assignees (POST
// /v1.0/directoryObjects/getByIds). Shapes and error codes are those of
// https://learn.microsoft.com/graph/api/resources/serviceprincipal and
// https://learn.microsoft.com/graph/errors; the texts of messages follow what the service
// has been seen to answer and are not promised by it.
//
// There are no users and no groups: their collections are empty. Every application may read
// its own tenant's directory, as one with the permission Directory.Read.All may. Nothing can be
// written.
package graph
