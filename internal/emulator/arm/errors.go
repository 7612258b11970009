package arm

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The wording of these errors is ARM's own, as it stands in its documentation
// (learn.microsoft.com/azure/azure-resource-manager/troubleshooting) and in the issue
// trackers of Microsoft's clients; clients match on it. Where neither shows the wording,
// the comment says so.

func refusal(status int, code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func errMissingVersion() *wire.Error {
	return refusal(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
}

func errInvalidVersion(version string, supported []string) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid. The supported versions are '%s'.", version, strings.Join(supported, ","))
}

func errInvalidSubscription(id string) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidSubscriptionId", "The provided subscription identifier '%s' is malformed or invalid.", id)
}

func errSubscriptionNotFound(id string) *wire.Error {
	return refusal(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

func errGroupNotFound(name string) *wire.Error {
	return refusal(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

func errGroupBeingDeleted(name string) *wire.Error {
	return refusal(http.StatusConflict, "ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", name)
}

func errResourceNotFound(id armid.ID) *wire.Error {
	if id.Group == "" {
		return refusal(http.StatusNotFound, "ResourceNotFound", "The Resource '%s/%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", id.Type(), strings.Join(id.Names, "/"))
	}
	return refusal(http.StatusNotFound, "ResourceNotFound", "The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", id.Type(), strings.Join(id.Names, "/"), id.Group)
}

func errParentNotFound(verb string, id, parent armid.ID) *wire.Error {
	return refusal(http.StatusNotFound, "ParentResourceNotFound", "Failed to perform '%s' on resource(s) of type '%s', because the parent resource '%s' could not be found.", verb, id.TypeName(), parent)
}

func errInvalidNamespace(namespace string) *wire.Error {
	return refusal(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", namespace)
}

func errInvalidType(id armid.ID, version string, supported []string) *wire.Error {
	e := refusal(http.StatusNotFound, "InvalidResourceType", "The resource type '%s' could not be found in the namespace '%s' for api version '%s'.", id.TypeName(), id.Namespace, version)
	if len(supported) > 0 {
		e.Message += fmt.Sprintf(" The supported api-versions are '%s'.", strings.Join(supported, ","))
	}
	return e
}

func errNoProviderFound(location, version, typ string, supported []string) *wire.Error {
	return refusal(http.StatusBadRequest, "NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are '%s'.",
		location, version, typ, strings.Join(supported, ", "), strings.Join(cloud.Names(), ", "))
}

func errNotRegistered(namespace string) *wire.Error {
	return refusal(http.StatusConflict, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", namespace)
}

// errNoRoute: ARM's code for a path that leads nowhere is not documented.
func errNoRoute(method, path string) *wire.Error {
	return refusal(http.StatusNotFound, "NotFound", "No HTTP resource was found that matches the request URI '%s' for %s.", path, method)
}

// errMethod: ARM's code for a method that a type does not have is not documented.
func errMethod(method string) *wire.Error {
	return refusal(http.StatusMethodNotAllowed, "MethodNotAllowed", "The requested resource does not support http method '%s'.", method)
}

// errNotImplemented is the emulator's own: Azure has the operation, the emulator not.
func errNotImplemented(method, path string) *wire.Error {
	return refusal(http.StatusNotImplemented, "NotImplemented", "This emulator does not implement %s %s.", method, path)
}

func errInvalidContent(err error) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
}

func errInvalidFilter(filter string) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidFilterInQueryString", "Invalid $filter '%s' specified in the query string.", filter)
}

func errLocationRequired() *wire.Error {
	return refusal(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
}

func errGroupLocation(given, has string) *wire.Error {
	return refusal(http.StatusConflict, "InvalidResourceGroupLocation", "Invalid resource group location '%s'. The Resource group already exists in location '%s'.", given, has)
}

func errUnknownGroupLocation(given string) *wire.Error {
	return refusal(http.StatusBadRequest, "LocationNotAvailableForResourceGroup", "The provided location '%s' is not available for resource group. List of available regions is '%s'.", given, strings.Join(cloud.Names(), ","))
}

func errUnknownLocation(given, typ string) *wire.Error {
	return refusal(http.StatusBadRequest, "LocationNotAvailableForResourceType", "The provided location '%s' is not available for resource type '%s'. List of available regions for the resource type is '%s'.", given, typ, strings.Join(cloud.Names(), ","))
}

func errResourceLocation(id armid.ID, given, has string) *wire.Error {
	return refusal(http.StatusConflict, "InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", id.Name(), has, id.Group, given)
}

func errForbidden(c wire.Claims, action, scope string) *wire.Error {
	if scope == "" {
		scope = "/"
	}
	return refusal(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		c.AppID, c.ObjectID, action, scope)
}
