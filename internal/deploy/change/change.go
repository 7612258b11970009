// Package change says what deploying a template or a configuration would change, and what
// it did. Every format of the control plane speaks it.
package change

import (
	"context"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Action is what deploying does to one resource.
type Action string

// The actions. A resource of action Same is in the template and there already.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // deleted and created anew: what it holds is lost
	Delete  Action = "delete"
	Same    Action = "same"
	Unclear Action = "unclear" // deployed, but what changes cannot be foretold
)

// Actions lists every action, in the order in which they are shown.
func Actions() []Action { return []Action{Create, Update, Replace, Delete, Same, Unclear} }

// Change is one resource of a plan.
type Change struct {
	Action Action
	// Name is what the format calls the resource: its address in a Terraform
	// configuration, its resource ID in a template.
	Name string
	Type string // resource type, of Azure or of Terraform
	// Resource is the resource in Azure as far as the plan knows it; its ID is empty where
	// it does not.
	Resource plugin.Resource
	Note     string // why nothing more is known; may be empty
	Broken   bool   // what is replaced was never finished, so nothing is lost with it
}

// Plan is what deploying would do.
type Plan struct {
	Changes []Change
	Notes   []string // what the reader should know besides
	NoScope bool     // the resource group to deploy to is not there yet
}

// Count returns how many resources have the action.
func (p Plan) Count(a Action) int64 {
	var n int64
	for _, c := range p.Changes {
		if c.Action == a {
			n++
		}
	}
	return n
}

// Resources returns how many resources are declared: all but those that would go.
func (p Plan) Resources() int64 { return int64(len(p.Changes)) - p.Count(Delete) }

// Loses returns how many resources are deleted, and how many that were in use are replaced,
// when the plan is carried out.
func (p Plan) Loses() (deleted, replaced int64) {
	deleted = p.Count(Delete)
	for _, c := range p.Changes {
		if c.Action == Replace && !c.Broken {
			replaced++
		}
	}
	return deleted, replaced
}

// Result is what deploying did. It is filled as far as it came if deploying failed.
type Result struct {
	Resources int64 // in the template, or in the configuration's plan
	Deployed  int64 // of these, in place now
	Failures  []Failure
	// Groups are the names of the resource groups in which the deployed resources are;
	// none where the format does not tell.
	Groups []string
	// State says how things were left, in a sentence or two, if deploying was stopped
	// before its end; GoOn is what to type or to do then.
	State, GoOn string
}

// Failure is a resource that could not be deployed.
type Failure struct {
	Resource string // as in Change.Name
	Type     string
	Err      error
}

// Driver deploys one directory.
type Driver interface {
	// Plan tells what Deploy would do and changes nothing in Azure.
	Plan(ctx context.Context) (Plan, error)
	// Deploy does it. The end of ctx stops it in an orderly way; the error is then of kind
	// Canceled, and the result says how things were left.
	Deploy(ctx context.Context) (Result, error)
	// Close removes what the driver left on this machine for itself.
	Close() error
}
