// Package auth finds the credential of one side of a run, and says how it was found.
//
// A side has its own credential and its own tenant. The chain is tried in this order, and
// the first link that gives a token for Resource Manager wins:
//
//  1. flags                what the command line named for this side; the chain ends with
//     it, since an identity that a person named is never swapped for another one
//  2. side's environment   target: AZURE_DATAPLANE_*; source: ATG_SOURCE_*
//  3. shared flags         what the command line named for the other side, if that may serve both
//  4. AZURE_*              the variables that every Azure SDK knows
//  5. AZURE_TENANT_1_*     (source) or AZURE_TENANT_2_* (target)
//  6. default chain        workload identity, managed identity, Azure CLI, Azure Developer CLI,
//     Azure PowerShell: the members of the SDK's DefaultAzureCredential
//  7. interactive          browser or device code, only if it is allowed
//
// The members of DefaultAzureCredential are tried one by one rather than through that type:
// it reads AZURE_TENANT_ID and AZURE_ADDITIONALLY_ALLOWED_TENANTS by itself, for both sides
// alike, stops at the first member that is refused, and reports all members as one.
//
// A credential belongs to one tenant. It refuses a request for a token of any other, and it
// refuses a token that turns out to be another tenant's. Tokens live in memory only.
//
// This is the only package that imports azidentity or knows the names of AZURE_* variables.
package auth
