package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// answered is an error that stands in an answer with a good status.
type answered struct{ *armdeployments.ErrorResponse }

func (a answered) Error() string { return leaves(a.ErrorResponse).Error() }

// leaf is the cause at the bottom of a nested error.
type leaf struct{ Code, Message string }

// causes are the leaves of an error, the most telling first.
type causes []leaf

// Error returns all of them in one line.
func (c causes) Error() string { return strings.Join(c.Clauses(true), "; ") }

// maxCauses is how many causes an error shows.
const maxCauses = 5

// Clauses returns a text for each cause, only the first ones unless all are wanted.
func (c causes) Clauses(all bool) []string {
	var out []string
	for i, l := range c {
		if i == maxCauses && !all {
			return append(out, fmt.Sprintf("and %d more", len(c)-i))
		}
		out = append(out, l.Code+": "+l.Message)
	}
	return out
}

// envelopes says only that something inside failed.
var envelopes = map[string]bool{
	"DeploymentFailed": true, "InvalidTemplateDeployment": true, "ResourceDeploymentFailure": true,
	"MultipleErrorsOccurred": true, "DeploymentWhatIfFailed": true,
}

// leaves goes down to the errors that have no details. A message may hold a whole error
// of another service as JSON: that is gone into as well.
func leaves(e *armdeployments.ErrorResponse) causes {
	if e == nil {
		return nil
	}
	var out causes
	for _, d := range e.Details {
		out = append(out, leaves(d)...)
	}
	if len(out) > 0 {
		return out
	}
	if inner := embedded(text(e.Message)); inner != nil {
		return leaves(inner)
	}
	if e.Code == nil && e.Message == nil {
		return nil
	}
	return causes{{text(e.Code), oneLine(text(e.Message))}}
}

// embedded reads an error that is quoted as JSON within a message.
func embedded(message string) *armdeployments.ErrorResponse {
	start := strings.IndexByte(message, '{')
	if start < 0 {
		return nil
	}
	var doc struct {
		Error *armdeployments.ErrorResponse `json:"error"`
	}
	if json.NewDecoder(strings.NewReader(message[start:])).Decode(&doc) != nil || doc.Error == nil || doc.Error.Code == nil {
		return nil
	}
	return doc.Error
}

// maxMessage bounds a quoted message, in bytes.
const maxMessage = 600

func oneLine(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > maxMessage {
		return strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}

// leavesOf reads the causes out of an error of the SDK, if there are any below the
// outermost one.
func leavesOf(err error) causes {
	var in answered
	if errors.As(err, &in) {
		return leaves(in.ErrorResponse)
	}
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		return nil
	}
	raw, readErr := runtime.Payload(answer.RawResponse)
	if readErr != nil {
		return nil
	}
	var doc struct {
		Error      *armdeployments.ErrorResponse `json:"error"`
		Properties struct {
			Error *armdeployments.ErrorResponse `json:"error"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return nil
	}
	if doc.Error == nil {
		doc.Error = doc.Properties.Error
	}
	found := leaves(doc.Error)
	if len(found) == 1 && envelopes[found[0].Code] && found[0].Message == "" {
		return nil
	}
	return found
}

// kindByCode says how to react to the codes of
// https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
var kindByCode = map[string]errs.Kind{
	"SkuNotAvailable":                 errs.Quota,
	"QuotaExceeded":                   errs.Quota,
	"OperationNotAllowed":             errs.Quota,
	"RequestDisallowedByPolicy":       errs.PermissionDenied,
	"AuthorizationFailed":             errs.PermissionDenied,
	"LinkedAuthorizationFailed":       errs.PermissionDenied,
	"InvalidTemplate":                 errs.Invalid,
	"InvalidRequestContent":           errs.Invalid,
	"MissingSubscriptionRegistration": errs.Conflict,
	"NoRegisteredProviderFound":       errs.Invalid,
}

// hintOf says what to do about a code; "" leaves it to the table of the kinds.
func hintOf(kind errs.Kind, code string) string {
	switch code {
	case "MissingSubscriptionRegistration":
		return "register the resource provider that is named above: `az provider register --namespace NAMESPACE`"
	case "RequestDisallowedByPolicy":
		return "an Azure Policy of the target forbids this: have the resource group excepted, or deploy what the policy allows"
	case "AuthorizationFailed", "LinkedAuthorizationFailed":
		return "give the target principal a role that may deploy, such as Contributor, and wait some minutes"
	case "LocationNotAvailableForResourceType", "SkuNotAvailable":
		return "choose another region by --location or in the template's parameters, or another SKU"
	case "DeploymentQuotaExceeded":
		return "the scope holds 800 deployments: delete old ones, `az deployment group delete --resource-group NAME --name OLD`"
	case "VaultAlreadyExists", "StorageAccountAlreadyTaken", "FlagMustBeSetForRestore", "ConflictError":
		return "the name is taken, perhaps by something that was deleted and is still recoverable: purge that, or give another name in the parameters"
	case "ResourceGroupBeingDeleted":
		return "the resource group is being deleted: wait until it is gone, or name another one by --resource-group"
	}
	if kind == errs.Conflict || kind == errs.Invalid || kind == errs.NotFound {
		return "mend it in the template or its parameters, then run the same command again: what is deployed already stays"
	}
	return ""
}

// canceled is the error of a step that the end of ctx stopped.
func canceled(ctx context.Context, op, scope string) error {
	e := &errs.Error{Op: op, Kind: errs.Canceled, Side: string(plugin.Target), Resource: scope, Err: context.Cause(ctx)}
	var late *timeoutError
	if errors.As(e.Err, &late) {
		e.Hint = "give it more time by " + late.flag
	}
	return e
}

// timeoutError says that a step took too long.
type timeoutError struct {
	limit time.Duration
	flag  string
}

func (t *timeoutError) Error() string { return fmt.Sprintf("not done after %s", t.limit) }

// limited is ctx with a time limit; none if limit is 0.
func limited(ctx context.Context, limit time.Duration, flag string) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, limit, &timeoutError{limit, flag})
}
