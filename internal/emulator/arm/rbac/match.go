package rbac

import "strings"

// Permission is one element of a role definition's permissions.
type Permission struct {
	Actions          []string `json:"actions"`
	NotActions       []string `json:"notActions"`
	DataActions      []string `json:"dataActions"`
	NotDataActions   []string `json:"notDataActions"`
	Condition        string   `json:"condition,omitempty"`
	ConditionVersion string   `json:"conditionVersion,omitempty"`
}

// Match tells whether an action pattern covers an action.
func Match(pattern, action string) bool {
	return match(strings.ToLower(pattern), strings.ToLower(action))
}

// match is Match for lower-case texts.
func match(pattern, action string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == action
	}
	action, ok := strings.CutPrefix(action, head)
	if !ok {
		return false
	}
	for {
		var part string
		part, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(action, part)
		}
		i := strings.Index(action, part)
		if i < 0 {
			return false
		}
		action = action[i+len(part):]
	}
}

// element is a Permission ready to be matched: lower-case, with the roles that it lets
// its holder assign, if its condition limits them.
type element struct {
	actions, notActions, dataActions, notDataActions []string
	assigns                                          []string
}

func newElement(p Permission, assigns []string) element {
	return element{
		actions: fold(p.Actions), notActions: fold(p.NotActions),
		dataActions: fold(p.DataActions), notDataActions: fold(p.NotDataActions),
		assigns: fold(assigns),
	}
}

// covers tells whether the element grants (or, for a deny assignment, denies) an action.
// roleID is the role that a role assignment is about; "" for every other action.
func (e element) covers(action string, data bool, roleID string) bool {
	in, out := e.actions, e.notActions
	if data {
		in, out = e.dataActions, e.notDataActions
	}
	return matchAny(in, action) && !matchAny(out, action) && e.mayAssign(action, roleID)
}

// mayAssign applies the condition of a role that may assign some roles only.
func (e element) mayAssign(action, roleID string) bool {
	if len(e.assigns) == 0 || (action != assignmentWrite && action != assignmentDelete) {
		return true
	}
	for _, a := range e.assigns {
		if a == roleID {
			return true
		}
	}
	return false
}

const (
	assignmentWrite  = "microsoft.authorization/roleassignments/write"
	assignmentDelete = "microsoft.authorization/roleassignments/delete"
)

func matchAny(patterns []string, action string) bool {
	for _, p := range patterns {
		if match(p, action) {
			return true
		}
	}
	return false
}

func fold(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strings.ToLower(t)
	}
	return out
}
