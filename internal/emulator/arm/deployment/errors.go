package deployment

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func refusal(status int, code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func errNotFound(name string) *wire.Error {
	return refusal(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.", name)
}

func errOperationNotFound(id string) *wire.Error {
	// The wording could not be confirmed.
	return refusal(http.StatusNotFound, "DeploymentOperationNotFound", "Deployment operation '%s' could not be found.", id)
}

func errActive(id string) *wire.Error {
	return refusal(http.StatusConflict, "DeploymentActive", "Unable to edit or replace deployment '%s': previous deployment is still active. Please see https://aka.ms/arm-deploy for usage details.", id)
}

func errNotCancellable(name, state string) *wire.Error {
	return refusal(http.StatusConflict, "DeploymentCannotBeCancelled", "The deployment '%s' cannot be cancelled because it is not in running state; its provisioning state is '%s'.", name, state)
}

func errLocationRequired() *wire.Error {
	return refusal(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
}

func errLocation(name, given, has string) *wire.Error {
	return refusal(http.StatusConflict, "InvalidDeploymentLocation", "Invalid deployment location '%s'. The deployment '%s' already exists in location '%s'.", given, name, has)
}

func errContent(format string, args ...any) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", fmt.Sprintf(format, args...))
}

// errLink: no link can be followed, as the emulator has no network.
func errLink(uri string) *wire.Error {
	return refusal(http.StatusBadRequest, "InvalidContentLink", "Unable to download deployment content from '%s'. The tracking Id is '%s'. Please see https://aka.ms/arm-deployment-content-download for usage details.", uri, uuid.NewString())
}

func errNotImplemented(what string) *wire.Error {
	return refusal(http.StatusNotImplemented, "NotImplemented", "This emulator does not implement %s.", what)
}

// errUnauthorized is what validation answers for resources that the caller may not write.
func errUnauthorized(c wire.Claims, name, typ, action, scope string) *wire.Error {
	return refusal(http.StatusForbidden, "InvalidTemplateDeployment",
		"The template deployment failed with error: 'Authorization failed for template resource '%s' of type '%s'. The client '%s' with object id '%s' does not have permission to perform action '%s' at scope '%s'.'.",
		name, typ, c.AppID, c.ObjectID, action, scope)
}

// errInvalid is what validation answers for resources that cannot be deployed.
func errInvalid(name string, details ...*wire.Error) *wire.Error {
	e := refusal(http.StatusBadRequest, "InvalidTemplateDeployment",
		"The template deployment '%s' is not valid according to the validation procedure. The tracking id is '%s'. See inner errors for details.", name, uuid.NewString())
	e.Details = details
	return e
}

// errFailed is the error of a deployment in which operations failed.
func errFailed(id string, details []*wire.Error) *wire.Error {
	e := refusal(http.StatusConflict, "DeploymentFailed",
		"At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.")
	e.Target, e.Details = id, details
	return e
}

// wireError puts an error of a template, or of what it asked Control, in ARM's form.
func wireError(err error) *wire.Error {
	var answered *wire.Error
	if errors.As(err, &answered) {
		return answered
	}
	var own *template.Error
	if errors.As(err, &own) {
		return refusal(http.StatusBadRequest, own.Code, "%s", own.Message)
	}
	return refusal(http.StatusBadRequest, "InvalidTemplate", "%v", err)
}
