package rbac

import (
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// everyone stands in deny assignments for all principals of the tenant
// (https://learn.microsoft.com/azure/role-based-access-control/deny-assignments#the-all-principals-principal).
const everyone = "00000000-0000-0000-0000-000000000000"

// judge decides about one operation by Azure's order: nothing is allowed unless a role
// grants it, and a deny assignment wins over every role.
func (g *granted) judge(op catalog.Operation, who plugin.Caller) (State, string) {
	state, why := Missing, "no role at the resource or above it grants it"
	for _, e := range g.elements {
		if !e.Covers(op) {
			continue
		}
		if e.Condition == "" {
			state, why = Held, ""
			break
		}
		state, why = Unknown, "a role grants it under a condition, which Azure judges at the attempt"
	}
	if state == Missing {
		return state, why
	}
	if g.deniesErr != nil {
		return Unknown, "whether a deny assignment takes it away cannot be told: " + reasonOf(g.deniesErr)
	}
	for _, d := range g.denies {
		switch d.judge(op, who) {
		case Missing:
			return Missing, "deny assignment " + d.name + " takes it away; no role lifts that"
		case Held:
		case Unknown:
			state, why = Unknown, "deny assignment "+d.name+" may take it away: it is about a group or has a condition"
		}
	}
	return state, why
}

// judge returns Missing if the assignment surely denies the operation to the caller,
// Unknown if it may, and Held if it does not.
func (d deny) judge(op catalog.Operation, who plugin.Caller) State {
	denies := Held
	for _, e := range d.elements {
		switch {
		case !e.Covers(op):
		case e.Condition == "":
			denies = Missing
		case denies == Held:
			denies = Unknown
		}
	}
	if denies == Held {
		return Held
	}
	about, excluded := among(d.principals, who), among(d.excluded, who)
	switch {
	case about == Missing || excluded == Held:
		return Held
	case about == Unknown || excluded == Unknown:
		return Unknown
	default:
		return denies
	}
}

// among tells whether the caller is one of some principals: Held if it is, Missing if it
// is not, Unknown if one is a group that the caller may be in.
func among(list []principal, who plugin.Caller) State {
	state := Missing
	for _, p := range list {
		isIt := func(id string) bool { return strings.EqualFold(id, p.id) }
		switch {
		case p.id == everyone, isIt(who.ObjectID), slices.ContainsFunc(who.Groups, isIt):
			return Held
		case p.group && who.Groups == nil:
			state = Unknown
		}
	}
	return state
}

// reasonOf says in one clause why something could not be read.
func reasonOf(err error) string {
	e := errs.Find(err)
	if errs.KindOf(err) == errs.PermissionDenied && e != nil {
		action := e.Action
		if action == "" {
			action = "reading it"
		}
		return "the principal has no right to " + action
	}
	return err.Error()
}
