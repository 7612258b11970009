// Package scenario is the emulator's description of a world: tenants, their principals,
// subscriptions, resource groups, resources with the data in them, and role assignments.
//
// A scenario is written as JSON (Decode) or in Go. Unknown fields, wrong types and
// contradictions are errors that name the place: tenants[0].subscriptions[1].name.
//
//	{"tenants": [{
//	  "id": "11111111-…", "name": "contoso", "domain": "contoso.onmicrosoft.com",
//	  "principals": [{"appId": "…", "objectId": "…", "secret": "…", "name": "atg-source"}],
//	  "subscriptions": [{
//	    "id": "…", "name": "Contoso Production", "unregistered": ["Microsoft.Web"],
//	    "resourceGroups": [{
//	      "name": "rg-app", "location": "westeurope", "tags": {},
//	      "resources": [{
//	        "type": "Microsoft.KeyVault/vaults", "name": "kv-contoso-app",
//	        "properties": {"enableSoftDelete": true},
//	        "data": {"secrets": [{"name": "db-password", "value": "…"}]}}]}]}],
//	  "roleAssignments": [{"principal": "atg-source", "role": "Owner", "scope": "/subscriptions/…"}]}]}
package scenario
