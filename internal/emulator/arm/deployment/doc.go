// Package deployment is the deployments API of the emulated Azure Resource Manager:
// Microsoft.Resources/deployments at every scope, with their operations, validation,
// what-if and export. It follows the REST reference of Microsoft.Resources, API version
// 2025-04-01; package template works out what a template deploys.
//
// A deployment does what a client would do: it sends each resource to Control in the name
// of the one who deploys, in the order of the dependencies, follows its asynchronous
// operation, and evaluates reference() and list*() by asking Control. So role assignments,
// locks and the rules of every resource type hold as they hold for any client.
//
// Nothing runs in the background. A deployment goes on by one step whenever somebody looks
// at it (its status, itself, its operations), or all the way when Advance is called; with
// Options.Polls zero it has run before the client looks for the first time. Each step
// starts every resource whose dependencies are done. That makes runs repeatable, and a
// cancellation stops exactly what has not been started.
//
// Not there: template links and template specs (there is no network to fetch them from),
// onErrorDeployment, deployment stacks, and resources outside of subscriptions other than
// deployments.
package deployment
