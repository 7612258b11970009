package rbac

import (
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// State is what is known about one right.
type State string

// The states.
const (
	Held    State = "held"
	Missing State = "missing"
	Unknown State = "unknown" // nobody can tell before the attempt
)

// Right is one operation that a side needs at a resource.
type Right struct {
	Action string `json:"action"`
	Data   bool   `json:"data"`   // a data action
	Reason string `json:"reason"` // what it is for
	State  State  `json:"state"`
	Why    string `json:"why,omitempty"`  // why it is missing or unknown
	Role   string `json:"role,omitempty"` // of a missing one: the built-in role that gives it and as little else as can be
}

// Resource is what one side holds at one resource.
type Resource struct {
	Side      plugin.Side `json:"side"`
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Type      string      `json:"type"`
	Plugin    string      `json:"plugin"`
	Mode      plugin.Mode `json:"mode"`
	Principal string      `json:"principal,omitempty"` // its object ID; "" if the token does not say
	By        string      `json:"by"`                  // what decides: "Azure RBAC", "access policies"
	Rights    []Right     `json:"rights"`
	Network   *Network    `json:"network,omitempty"` // what may keep requests out; nil: nothing is known to
}

// Report is what is known before a run.
type Report struct {
	Held      int        `json:"held"` // rights, over all resources
	Missing   int        `json:"missing"`
	Unknown   int        `json:"unknown"`
	Warnings  int        `json:"warnings"` // resources that the network may keep requests from
	Resources []Resource `json:"resources"`
}

func (r *Report) count() {
	for _, res := range r.Resources {
		for _, right := range res.Rights {
			switch right.State {
			case Held:
				r.Held++
			case Missing:
				r.Missing++
			default:
				r.Unknown++
			}
		}
		if res.Network != nil {
			r.Warnings++
		}
	}
}

// Err is nil if nothing is surely missing, and otherwise an *errs.Error of kind
// PermissionDenied that names what is.
func (r *Report) Err() error {
	if r.Missing == 0 {
		return nil
	}
	var first *Resource
	e := &errs.Error{Op: "start: permissions are missing", Kind: errs.PermissionDenied}
	var named []string
	for i, res := range r.Resources {
		for _, right := range res.Rights {
			if right.State != Missing {
				continue
			}
			if first == nil {
				first = &r.Resources[i]
				e.Side, e.Resource = string(res.Side), res.ID
			}
			named = append(named, fmt.Sprintf("%s at %s (%s)", right.Action, res.Name, res.Side))
		}
	}
	const most = 5
	if len(named) > most {
		named = append(named[:most], fmt.Sprintf("and %d more", r.Missing-most))
	}
	e.Err = fmt.Errorf("%s", strings.Join(named, ", "))
	if r.Missing > 1 {
		e.Side, e.Resource = "", "" // the text names them
	}
	return e
}
