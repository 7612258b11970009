package event

import "time"

// Deploying is the phase of the control plane. It comes before those of the data plane.
const Deploying Phase = "deploy"

// DeployStarted opens the control-plane part of a deploy.
type DeployStarted struct {
	Run       string    `json:"run"`
	Format    string    `json:"format"`    // "terraform", "bicep", "arm"
	Directory string    `json:"directory"` // as the user gave it
	Tenant    string    `json:"tenant"`    // the target's
	Scope     string    `json:"scope"`     // ID of the resource group or subscription; "" where the format says it itself
	DryRun    bool      `json:"dryRun,omitempty"`
	Time      time.Time `json:"time"`
}

// DeployStep says that a step of the control plane begins.
type DeployStep struct {
	Step string `json:"step"` // "init", "plan", "apply", "compile", "what-if", "deployment"
	Text string `json:"text"` // what it does, for people
}

// DeployOutput is a line of what a tool printed.
type DeployOutput struct {
	Line string `json:"line"`
}

// DeployPlanned says what the control plane is about to change.
type DeployPlanned struct {
	Create  int64 `json:"create"`
	Update  int64 `json:"update"`
	Replace int64 `json:"replace"`
	Delete  int64 `json:"delete"`
	Same    int64 `json:"same"`
}

// ResourceState is where the deployment of one resource stands.
type ResourceState string

// The states of a resource that is deployed.
const (
	ResourceRunning ResourceState = "running"
	ResourceReady   ResourceState = "ready"
	ResourceFailed  ResourceState = "failed"
)

// DeployResource says that the deployment of one resource began or ended. Err is set if
// and only if State is ResourceFailed.
type DeployResource struct {
	Resource string        `json:"resource"` // resource ID, or the address in the configuration
	Kind     string        `json:"kind"`     // resource type, of Azure or of Terraform
	State    ResourceState `json:"state"`
	Err      error         `json:"-"`
}

// DeployFinished closes the control-plane part of a deploy. Err is set if it failed.
type DeployFinished struct {
	Status    string `json:"status"` // "planned", "deployed", "failed", "canceled"
	Resources int64  `json:"resources"`
	Deployed  int64  `json:"deployed"`
	Err       error  `json:"-"`
}

// Type implements Event.
func (DeployStarted) Type() string { return "deploy-started" }

// Type implements Event.
func (DeployStep) Type() string { return "deploy-step" }

// Type implements Event.
func (DeployOutput) Type() string { return "deploy-output" }

// Type implements Event.
func (DeployPlanned) Type() string { return "deploy-planned" }

// Type implements Event.
func (DeployResource) Type() string { return "deploy-resource" }

// Type implements Event.
func (DeployFinished) Type() string { return "deploy-finished" }
