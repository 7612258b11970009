package classify

import (
	"regexp"
	"strings"
)

// What to do about refusals that no role assignment lifts.
const (
	hintFirewall  = "the network refuses this address: allow it in the resource's firewall, or run from an allowed network"
	hintPrivate   = "the resource takes private connections alone: run from a network with its private endpoint"
	hintPerimeter = "a network security perimeter refuses this: run from an address that one of its access rules allows"
	hintMaybe     = "the account's firewall may refuse this address, or a shared access signature this operation: `atg permissions check` shows what Resource Manager says about its network"
	hintSharedKey = "the account refuses keys and shared access signatures: leave the key out, so that the principal's own roles are used"
	hintClock     = "the service calls a token expired that this machine takes for good: compare its clock with the true time, then run it again"
)

// networkHints are by code:
// https://learn.microsoft.com/azure/key-vault/general/network-security (ForbiddenBy…),
// https://learn.microsoft.com/rest/api/storageservices/sas-error-codes and
// https://learn.microsoft.com/troubleshoot/azure/azure-storage/blobs/authentication/storage-troubleshoot-403-errors
// (Authorization…, KeyBased…). Azure Storage gives AuthorizationFailure for its firewall as well as
// for what a signature does not allow; a missing role is AuthorizationPermissionMismatch there.
var networkHints = map[string]string{
	"ForbiddenByFirewall":                hintFirewall,
	"ForbiddenByConnection":              hintPrivate,
	"AuthorizationFailure":               hintMaybe,
	"AuthorizationSourceIPMismatch":      hintFirewall,
	"KeyBasedAuthenticationNotPermitted": hintSharedKey,
}

// networkTexts find the firewalls of services that have no code of their own for them.
var networkTexts = []struct {
	pattern *regexp.Regexp
	hint    string
}{
	// Cosmos DB: https://learn.microsoft.com/azure/cosmos-db/troubleshoot-forbidden
	{regexp.MustCompile(`(?i)request originated from .*through public internet`), hintFirewall},
	{regexp.MustCompile(`(?i)request originated from client VNET through (service|private) endpoint`), hintPrivate},
	// Container registries: https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access
	{regexp.MustCompile(`(?i)client with IP '[^']*' is not allowed access`), hintFirewall},
	// App Configuration: https://learn.microsoft.com/azure/azure-app-configuration/network-access-errors
	{regexp.MustCompile(`(?i)client IP address fails to meet the criteria for access`), hintPrivate},
	{regexp.MustCompile(`(?i)governed by a network security perimeter`), hintPerimeter},
	// App Service and its Kudu: https://learn.microsoft.com/azure/app-service/app-service-ip-restrictions
	{regexp.MustCompile(`(?i)\bIp Forbidden\b`), hintFirewall},
}

// networkHint is what to do about a refusal that comes of the network; "" if it does not
// look so.
func networkHint(code, message string) string {
	if hint := networkHints[code]; hint != "" {
		return hint
	}
	for _, t := range networkTexts {
		if t.pattern.MatchString(message) {
			return t.hint
		}
	}
	return ""
}

// tooOld tells whether a service refused a token for its age: Resource Manager by its code,
// Key Vault by its text.
func tooOld(code, message string) bool {
	return code == "ExpiredAuthenticationToken" || strings.Contains(message, "[TokenExpired]")
}
