// Package template reads ARM templates and works out what they deploy: parameters,
// variables, conditions, copy loops, nested and existing resources, dependencies and
// outputs. It follows "Understand the structure and syntax of ARM templates" and the pages
// around it; languageVersion 2.0 with symbolic names, as Bicep emits it, included.
//
// Parse reads a template. Expand takes parameter values and the place of the deployment
// and gives a Plan, the resources with their IDs and their order. What only a running
// deployment knows (reference, list…) is left out of that and evaluated by Plan.Body and
// Plan.Outputs, which ask a Runtime.
//
// Errors are *Error and in Azure's words where these are documented. Not there: template
// links, extensibles (Microsoft Graph, Kubernetes), deployment scripts as such, zones
// (pickZones gives none).
package template
