package view

import (
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
)

// hintKey picks a hint: by the service's own error code where that says more than the
// kind, else by the kind alone (code "").
type hintKey struct {
	kind errs.Kind
	code string
}

// hints is the table of what to do about an error that does not say it itself: a room
// that knows more than the kind and the code sets errs.Error.Hint, and that wins.
// Commands stand in backquotes; a test parses each. {side} is "source" or "target", {resource} the resource's ID.
//
// Codes are those of the Microsoft Entra error reference (AADSTS…), of Azure Resource
// Manager's common deployment errors and of the Key Vault REST API's error codes.
var hints = map[hintKey]string{
	{errs.Invalid, ""}: "mend the input named above; `atg help` lists the commands and their flags",

	{errs.Unauthenticated, ""}:                                 "give the {side} credential by flags or environment variables: `atg help environment` lists them",
	{errs.Unauthenticated, "AADSTS900023"}:                     "this is no tenant ID: --{side}-tenant-id wants a GUID or a domain name",
	{errs.Unauthenticated, "AADSTS53003"}:                      "a Conditional Access policy of the {side} tenant blocks this sign-in: its administrator has to except the service principal",
	{errs.Unauthenticated, "InvalidAuthenticationTokenTenant"}: "the {side} credential belongs to another tenant than the subscription: check --{side}-tenant-id and --{side}-subscription-id",

	{errs.PermissionDenied, ""}:                          "give the {side} principal the right named above at {resource} and wait some minutes; `atg plugin list` names what each resource type needs",
	{errs.PermissionDenied, "AuthorizationFailed"}:       "give the {side} principal the role Reader or a stronger one at {resource} and wait some minutes",
	{errs.PermissionDenied, "ForbiddenByRbac"}:           "give the {side} principal a Key Vault data role at {resource} and wait some minutes: `atg plugin show keyvault` lists what is needed",
	{errs.PermissionDenied, "ForbiddenByPolicy"}:         "add the {side} principal to the vault's access policies: `atg plugin show keyvault` lists what is needed",
	{errs.PermissionDenied, "AccessDenied"}:              "add the {side} principal to the vault's access policies: `atg plugin show keyvault` lists what is needed",
	{errs.PermissionDenied, "ForbiddenByFirewall"}:       "the vault's firewall refuses this address: allow it in the vault's network settings, or run from an allowed network",
	{errs.PermissionDenied, "ForbiddenByConnection"}:     "the vault takes private connections alone: run from a network with its private endpoint",
	{errs.PermissionDenied, "RequestDisallowedByPolicy"}: "an Azure Policy of the {side} tenant forbids this: its administrator has to except {resource}",

	{errs.NotFound, ""}:                      "check the name and the {side} tenant and subscription",
	{errs.NotFound, "SubscriptionNotFound"}:  "the {side} principal sees no such subscription: check --{side}-subscription-id and that it holds a role there",
	{errs.NotFound, "ResourceGroupNotFound"}: "check --{side}-resource-group and --{side}-subscription-id",
	{errs.NotFound, "ResourceNotFound"}:      "check the resource ID in the mapping or inventory file; the resource may have been deleted or renamed",

	{errs.Conflict, ""}: "the target holds something else under this name: compare both, then run again with --overwrite to replace it",
	{errs.Conflict, "ObjectIsDeletedButRecoverable"}: "the name is taken by a soft-deleted object of the target vault: recover or purge it; `atg plugin show keyvault` names the setting that recovers it",
	{errs.Conflict, "ObjectIsBeingRecovered"}:        "the target vault is still recovering this object: run it again in a minute",
	{errs.Conflict, "ObjectIsBeingDeleted"}:          "the target vault is still deleting this object: run it again in a minute",

	{errs.Throttled, ""}:   "the service asked to slow down: run it again with fewer --workers; what is equal already is not written again",
	{errs.Unavailable, ""}: "check the network, the name and HTTPS_PROXY, then run it again: what is equal already is not written again",
	{errs.Quota, ""}:       "a limit of the {side} subscription or resource is reached: ask Azure support to raise it, or copy less",
	{errs.Unsupported, ""}: "this cannot be done by this version; `atg plugin list` says what is supported",
	{errs.Integrity, ""}:   "what was read back is not what was written: run it again; if it stays so, someone else writes to the target",
	{errs.Canceled, ""}:    "run it again to go on: what is equal already is not written again",
	{errs.Internal, ""}:    "this looks like a defect of atg: run it again with --debug --log-file FILE and report it with that file",
}

// HintOf returns what to do about err: the hint that it carries itself, else the one of
// the table for its kind and code.
func HintOf(err error) string {
	if h := errs.HintOf(err); h != "" {
		return h
	}
	e := errs.Find(err)
	if e == nil {
		return ""
	}
	return fill(lookUp(errs.KindOf(err), e.Code), e.Side, e.Resource)
}

// Hints returns every hint of the table, unfilled, for tests and documents.
func Hints() []string {
	out := make([]string, 0, len(hints))
	for _, h := range hints {
		out = append(out, h)
	}
	return out
}

// lookUp finds the hint for a kind and a code. A code may hold an inner code after a
// slash, as in "Forbidden/ForbiddenByRbac"; the inner one is looked for first.
func lookUp(kind errs.Kind, code string) string {
	for code != "" {
		outer, inner, nested := strings.Cut(code, "/")
		if !nested {
			inner = outer
		}
		if h, ok := hints[hintKey{kind, inner}]; ok {
			return h
		}
		if !nested {
			break
		}
		code = outer
	}
	return hints[hintKey{kind, ""}]
}

// fill puts the side and the resource into a hint. Flags of the target's credential have
// no prefix in their short names, so "target" reads as well as "source".
func fill(hint, side, resource string) string {
	if side == "" {
		hint = strings.ReplaceAll(hint, "--{side}-", "--target-")
		hint = strings.ReplaceAll(hint, "the {side} ", "the ")
	}
	if resource == "" {
		resource = "the resource"
	}
	return strings.NewReplacer("{side}", side, "{resource}", resource).Replace(hint)
}
