package engine

import (
	"time"

	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ReportSchema is the version of Report's JSON form. Fields may be added within a
// version; readers ignore those that they do not know.
const ReportSchema = 1

// Report is the result of a run. Its size does not grow with the number of items: it
// holds counts, and examples up to a fixed number.
type Report struct {
	Schema int        `json:"schema"`
	Run    RunSummary `json:"run"`
	// ControlPlane is what was deployed before the data plane was worked on; only of deploy.
	ControlPlane *ControlPlane `json:"controlPlane,omitempty"`

	Resources Resources               `json:"resources"`
	Fidelity  Fidelity                `json:"fidelity"`
	Outcomes  map[plugin.Status]int64 `json:"outcomes,omitempty"` // of apply
	Plan      map[plugin.State]int64  `json:"plan,omitempty"`     // of plan
	Estimate  *Estimate               `json:"estimate,omitempty"` // of plan: what apply would take
	Pairs     []PairReport            `json:"pairs"`
	Unpaired  []Unpaired              `json:"unpaired,omitempty"`
	LeftOut   int64                   `json:"leftOut,omitempty"`   // items that the filter left out; they count nowhere else
	Skipped   []Group                 `json:"skipped"`             // cannot be copied, by reason
	Unproven  []Group                 `json:"unproven,omitempty"`  // there, but not provably equal, by reason
	Different []Group                 `json:"different,omitempty"` // differing after the work, by fields
	Missing   []Group                 `json:"missing,omitempty"`   // missing at the target after the work
	Warnings  []Group                 `json:"warnings,omitempty"`
	Failures  []Failure               `json:"failures,omitempty"` // the first ones
	FailTotal int64                   `json:"failuresTotal"`
}

// RunSummary says which run this was.
type RunSummary struct {
	ID           string      `json:"id"`
	Command      string      `json:"command"`
	Version      string      `json:"version"`
	Mode         plugin.Mode `json:"mode"`
	SourceTenant string      `json:"sourceTenant"`
	TargetTenant string      `json:"targetTenant"`
	Started      time.Time   `json:"started"`
	Finished     time.Time   `json:"finished"`
	Seconds      float64     `json:"seconds"`
	Canceled     bool        `json:"canceled,omitempty"`
	CanceledBy   string      `json:"canceledBy,omitempty"` // the cause of the context's end
	Resumed      bool        `json:"resumed,omitempty"`    // it went on with a run that had stopped
	// Complete says that every resource was listed to its end: without it the
	// number of items, and so the fidelity, is a lower bound of what there is.
	Complete bool `json:"complete"`
	// Filter is what the run was confined to; empty if it was not.
	Filter filter.Rules `json:"filter,omitzero"`
}

// Count is a number of items found at the source and of those proven equal.
type Count struct {
	Items    int64   `json:"items"`
	Verified int64   `json:"verified"`
	Percent  float64 `json:"percent"` // 100 × verified ÷ items, rounded down to 0.01; 100 if there are no items
}

// Resources is the control plane's number: how many source resources have a target.
type Resources struct {
	Source  int64   `json:"source"`
	Paired  int64   `json:"paired"`
	Percent float64 `json:"percent"` // as in Count
}

// Fidelity is the share of source items that were proven equal at the target.
type Fidelity struct {
	Count
	ByType map[string]Count            `json:"byType"` // by ARM resource type
	ByKind map[string]map[string]Count `json:"byKind"` // by ARM resource type, then item kind
}

// PairReport is one pair's share of a report.
type PairReport struct {
	Source   string                  `json:"source"`
	Target   string                  `json:"target"`
	Type     string                  `json:"type"`
	Rule     string                  `json:"rule"`
	Fidelity Count                   `json:"fidelity"`
	Outcomes map[plugin.Status]int64 `json:"outcomes,omitempty"`
	Plan     map[plugin.State]int64  `json:"plan,omitempty"`
	// Paths counts the items that were copied, where there are several ways, by the way that
	// was taken: "server to server". After a run was resumed it counts those since.
	Paths   map[string]int64 `json:"paths,omitempty"`
	Bytes   int64            `json:"bytes,omitempty"`
	LeftOut int64            `json:"leftOut,omitempty"` // items that the filter left out
	Skipped string           `json:"skipped,omitempty"` // why the resource was not worked on at all
	Error   *Problem         `json:"error,omitempty"`   // why the resource could not be listed to its end
}

// Group counts items that share a reason.
type Group struct {
	Type     string   `json:"type"`
	Kind     string   `json:"kind"`
	Reason   string   `json:"reason"`
	Count    int64    `json:"count"`
	Examples []string `json:"examples"` // "vault-name secrets/db-password", at most 5
}

// Failure is an item that failed.
type Failure struct {
	Resource string     `json:"resource"`
	Item     plugin.Key `json:"item"`
	Kind     string     `json:"kind"`
	Phase    string     `json:"phase"` // "plan", "apply" or "verify"
	Problem
}

// Problem is an error in a form that a machine can read.
type Problem struct {
	Kind      string `json:"errorKind"`
	Message   string `json:"message"`
	Side      string `json:"side,omitempty"`
	Code      string `json:"code,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	Action    string `json:"missingAction,omitempty"`
	Hint      string `json:"hint,omitempty"`
}
