package engine

// ControlPlane is what the deployment of a template or a configuration came to. It stands
// beside the fidelity of the data plane and is no part of it.
type ControlPlane struct {
	Status    string  `json:"status"`          // "planned", "deployed", "failed", "canceled"
	Format    string  `json:"format"`          // "terraform", "bicep", "arm"
	Directory string  `json:"directory"`       // as the user gave it
	Scope     string  `json:"scope,omitempty"` // ID of the resource group or subscription
	Resources int64   `json:"resources"`       // in the template or in the configuration's plan
	Deployed  int64   `json:"deployed"`        // of these, in place
	Percent   float64 `json:"percent"`         // as in Count
	Seconds   float64 `json:"seconds"`
	// DataPlane says that the data plane was worked on after it: the rest of the report is
	// about that, and empty without it.
	DataPlane bool             `json:"dataPlane"`
	Plan      map[string]int64 `json:"plan,omitempty"`    // resources by what would be or was done: "create", "update", "replace", "delete", "same", "unclear"
	Changes   []DeployChange   `json:"changes,omitempty"` // the first ones
	Notes     []string         `json:"notes,omitempty"`
	Failures  []DeployFailure  `json:"failures,omitempty"` // the first ones
	State     string           `json:"state,omitempty"`    // how things were left, if it was stopped
	GoOn      string           `json:"goOn,omitempty"`     // what to do then
}

// DeployChange is a resource that would be changed.
type DeployChange struct {
	Action   string `json:"action"`
	Resource string `json:"resource"` // resource ID, or address in the configuration
	Type     string `json:"type"`
	Note     string `json:"note,omitempty"`
}

// DeployFailure is a resource that could not be deployed.
type DeployFailure struct {
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Problem
}

// Share is the percentage of part in whole, as Count has it.
func Share(part, whole int64) float64 { return countOf(whole, part).Percent }
