package arm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/filter"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/rbac"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	typeAssignment  = "Microsoft.Authorization/roleAssignments"
	typeDefinition  = "Microsoft.Authorization/roleDefinitions"
	typeDeny        = "Microsoft.Authorization/denyAssignments"
	typePermissions = "Microsoft.Authorization/permissions"
)

// authorizationRoute finds the handler of what Microsoft.Authorization has here; nil for
// its other types, which are plain resources.
func (s *Store) authorizationRoute(q *request) handler {
	handlers := map[string][2]handler{ // of the item and of the collection
		typeAssignment:  {s.roleAssignment, s.listAssignments},
		typeDefinition:  {s.roleDefinition, s.listDefinitions},
		typeDeny:        {s.denyAssignment, s.listDenies},
		typePermissions: {nil, s.permissions},
	}
	for typ, h := range handlers {
		if !q.id.Is(typ) {
			continue
		}
		serve := h[0]
		if len(q.id.Names) == 0 && q.method == http.MethodGet {
			serve = h[1]
		}
		if serve == nil {
			return func(*request) (*reply, *wire.Error) { return nil, errMethod(q.method) }
		}
		return func(q *request) (*reply, *wire.Error) {
			if q.id.Is(typeAssignment) && q.method != http.MethodGet {
				return serve(q) // which role it is decides who may
			}
			if e := s.guard(q, ""); e != nil {
				return nil, e
			}
			return serve(q)
		}
	}
	return nil
}

// guard refuses a caller without the right to the request, then a scope that does not
// exist. roleID is the role that a role assignment is about. What roles there are at
// tenant level, the built-in ones above all, every principal may read; Azure's
// documentation does not say so, but its clients rely on it.
func (s *Store) guard(q *request, roleID string) *wire.Error {
	open := q.id.Is(typeDefinition) && q.id.Scope == "" && q.method == http.MethodGet
	if e := q.authorizeRole(actionOf(q.method, q.id.Type()), q.scopePath(), roleID); e != nil && !open {
		return e
	}
	scope := armid.Parse(q.id.Scope)
	if scope.Group == "" {
		return nil
	}
	if s.res.Get(armid.Key(scope.GroupID())) == nil {
		return errGroupNotFound(scope.Group)
	}
	if scope.IsResource() && s.res.Get(scope.Key()) == nil {
		return errResourceNotFound(scope)
	}
	return nil
}

// scopePath is where the caller needs its role: the item's own path, or the scope of a
// collection.
func (q *request) scopePath() string {
	if len(q.id.Names) > 0 {
		return q.id.String()
	}
	return q.id.Scope
}

// assignmentBody is the body of a role assignment's PUT; older clients send the fields
// without properties.
type assignmentBody struct {
	Properties struct {
		RoleDefinitionID string `json:"roleDefinitionId"`
		PrincipalID      string `json:"principalId"`
		PrincipalType    string `json:"principalType"`
		Description      string `json:"description"`
		Condition        string `json:"condition"`
	} `json:"properties"`
}

// roleAssignment serves one role assignment. Writing and deleting need the right to
// assign that very role.
func (s *Store) roleAssignment(q *request) (*reply, *wire.Error) {
	tenantID, scope, name := q.caller.TenantID, canonicalScope(q.id.Scope), q.id.Name()
	found := s.roles.Assignment(tenantID, scope, name)
	switch q.method {
	case http.MethodGet:
		if found == nil {
			return nil, refusal(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", name)
		}
		return ok(found.Body())
	case http.MethodPut:
		return s.assign(q)
	case http.MethodDelete:
		role := ""
		if found != nil {
			role = found.RoleID
		}
		if e := s.guard(q, role); e != nil {
			return nil, e
		}
		if gone := s.roles.DeleteAssignment(tenantID, scope, name); gone != nil {
			return ok(gone.Body())
		}
		return &reply{status: http.StatusNoContent}, nil
	}
	return nil, errMethod(q.method)
}

func (s *Store) assign(q *request) (*reply, *wire.Error) {
	body, e := q.object()
	if e != nil {
		return nil, e
	}
	roleID, _ := properties(body)["roleDefinitionId"].(string)
	if e := s.guard(q, roleID[strings.LastIndexByte(roleID, '/')+1:]); e != nil {
		return nil, e
	}
	a, created, e := s.putAssignment(q.id, q.caller.TenantID, q.caller.ObjectID, body)
	if e != nil {
		return nil, e
	}
	if created {
		return &reply{status: http.StatusCreated, body: a.Body()}, nil
	}
	return ok(a.Body())
}

// putAssignment stores a role assignment; by is the caller's object id.
func (s *Store) putAssignment(id armid.ID, tenantID, by string, body map[string]any) (*rbac.Assignment, bool, *wire.Error) {
	var in assignmentBody
	if e := recode(body, &in); e != nil {
		return nil, false, e
	}
	if in.Properties.Condition != "" {
		return nil, false, rbac.ErrConditions
	}
	return s.roles.PutAssignment(rbac.Assignment{
		Name: id.Name(), Scope: canonicalScope(id.Scope), TenantID: tenantID,
		PrincipalID: in.Properties.PrincipalID, PrincipalType: in.Properties.PrincipalType, Description: in.Properties.Description,
	}, in.Properties.RoleDefinitionID, by)
}

// listAssignments serves $filter=atScope(), principalId eq '…' and assignedTo('…'). There
// are no groups, so the last two mean the same.
func (s *Store) listAssignments(q *request) (*reply, *wire.Error) {
	expr, atScope, e := scopeFilter(q, func(t filter.Term) bool {
		return t.Op == "eq" && t.Field == "principalid" || t.Op == "assignedto" && len(t.Args) == 1
	})
	if e != nil {
		return nil, e
	}
	list, e := s.roles.Assignments(q.caller.TenantID, canonicalScope(q.id.Scope), atScope, func(a *rbac.Assignment) bool {
		return expr.Match(func(t filter.Term) bool {
			principal := t.Value
			if len(t.Args) == 1 {
				principal = t.Args[0]
			}
			return t.Op == "atscope" || strings.EqualFold(a.PrincipalID, principal)
		})
	})
	if e != nil {
		return nil, e
	}
	return q.page(each(list, func(a *rbac.Assignment) any { return a.Body() }))
}

// scopeFilter parses a $filter that may have atScope() beside terms that known accepts.
func scopeFilter(q *request, known func(filter.Term) bool) (expr filter.Expr, atScope bool, refused *wire.Error) {
	text := q.query.Get("$filter")
	expr, err := filter.Parse(text)
	if err != nil {
		return expr, false, errInvalidFilter(text)
	}
	for _, t := range expr.Terms() {
		switch {
		case t.Op == "atscope":
			atScope = true
		case !known(t):
			return expr, false, errInvalidFilter(text)
		}
	}
	return expr, atScope, nil
}

// definitionBody is the body of a custom role's PUT.
type definitionBody struct {
	Properties struct {
		RoleName         string            `json:"roleName"`
		Description      string            `json:"description"`
		Permissions      []rbac.Permission `json:"permissions"`
		AssignableScopes []string          `json:"assignableScopes"`
	} `json:"properties"`
}

func (s *Store) roleDefinition(q *request) (*reply, *wire.Error) {
	switch q.method {
	case http.MethodGet:
		r := s.roles.FindRole(q.caller.TenantID, "/"+q.id.Name())
		if r == nil {
			return nil, refusal(http.StatusNotFound, "RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", strings.ReplaceAll(q.id.Name(), "-", ""))
		}
		return ok(r.Body(q.id.Scope))
	case http.MethodPut:
		body, e := q.object()
		if e != nil {
			return nil, e
		}
		r, e := s.putDefinition(q.id, q.caller.TenantID, q.caller.ObjectID, body)
		if e != nil {
			return nil, e
		}
		return &reply{status: http.StatusCreated, body: r.Body(q.id.Scope)}, nil // for an update too
	case http.MethodDelete:
		r, e := s.roles.DeleteRole(q.caller.TenantID, q.id.Name())
		if e != nil {
			return nil, e
		}
		if r == nil {
			return &reply{status: http.StatusNoContent}, nil
		}
		return ok(r.Body(q.id.Scope))
	}
	return nil, errMethod(q.method)
}

func (s *Store) putDefinition(id armid.ID, tenantID, by string, body map[string]any) (*rbac.Role, *wire.Error) {
	var in definitionBody
	if e := recode(body, &in); e != nil {
		return nil, e
	}
	scopes := in.Properties.AssignableScopes
	if len(scopes) == 0 {
		scopes = []string{canonicalScope(id.Scope)}
	}
	return s.roles.PutRole(rbac.Role{
		ID: id.Name(), TenantID: tenantID, Name: in.Properties.RoleName, Description: in.Properties.Description,
		Permissions: in.Properties.Permissions, Scopes: scopes,
	}, by)
}

// listDefinitions serves $filter=roleName eq '…', type eq 'BuiltInRole' and
// atScopeAndBelow().
func (s *Store) listDefinitions(q *request) (*reply, *wire.Error) {
	expr, _, e := scopeFilter(q, func(t filter.Term) bool {
		return t.Op == "eq" && (t.Field == "rolename" || t.Field == "type") || t.Op == "atscopeandbelow"
	})
	if e != nil {
		return nil, e
	}
	list := slices.DeleteFunc(s.roles.Roles(q.caller.TenantID, q.id.Scope), func(r *rbac.Role) bool {
		return !expr.Match(func(t filter.Term) bool {
			switch t.Field {
			case "rolename":
				return strings.EqualFold(r.Name, t.Value)
			case "type":
				return strings.EqualFold(t.Value, "BuiltInRole") == r.BuiltIn
			}
			return true
		})
	})
	return q.page(each(list, func(r *rbac.Role) any { return r.Body(q.id.Scope) }))
}

// permissions lists what the caller's roles allow at a scope. The operation has an action
// of its own, Microsoft.Authorization/permissions/read, and ARM's rule is that a caller
// needs the action of what it calls; whether Azure makes an exception here is not
// documented, so none is made.
func (s *Store) permissions(q *request) (*reply, *wire.Error) {
	list := s.roles.Permissions(q.caller.TenantID, q.caller.ObjectID, q.id.Scope)
	return q.page(each(list, func(p rbac.Permission) any { return p }))
}

// denyBody is how a deny assignment is seeded; the names are those of ARM's answer.
type denyBody struct {
	Properties struct {
		Name            string            `json:"denyAssignmentName"`
		Description     string            `json:"description"`
		Permissions     []rbac.Permission `json:"permissions"`
		NotChildScopes  bool              `json:"doNotApplyToChildScopes"`
		Principals      []rbac.Principal  `json:"principals"`
		Excluded        []rbac.Principal  `json:"excludePrincipals"`
		SystemProtected bool              `json:"isSystemProtected"`
	} `json:"properties"`
}

func (s *Store) putDeny(id armid.ID, tenantID string, body map[string]any) *wire.Error {
	var in denyBody
	if e := recode(body, &in); e != nil {
		return e
	}
	p := in.Properties
	return s.roles.Deny(rbac.Deny{
		Name: id.Name(), Scope: canonicalScope(id.Scope), TenantID: tenantID, DisplayName: p.Name, Description: p.Description,
		Permissions: p.Permissions, NotChildScopes: p.NotChildScopes, Principals: p.Principals, Excluded: p.Excluded, SystemProtected: p.SystemProtected,
	})
}

// denyAssignment reads one deny assignment. Clients cannot make any, as in Azure.
func (s *Store) denyAssignment(q *request) (*reply, *wire.Error) {
	if q.method != http.MethodGet {
		return nil, errMethod(q.method)
	}
	list, e := s.roles.Denies(q.caller.TenantID, canonicalScope(q.id.Scope), true)
	if e != nil {
		return nil, e
	}
	for _, d := range list {
		if strings.EqualFold(d.Name, q.id.Name()) {
			return ok(d.Body())
		}
	}
	return nil, refusal(http.StatusNotFound, "DenyAssignmentNotFound", "The deny assignment '%s' is not found.", q.id.Name())
}

func (s *Store) listDenies(q *request) (*reply, *wire.Error) {
	_, atScope, e := scopeFilter(q, func(filter.Term) bool { return false })
	if e != nil {
		return nil, e
	}
	list, e := s.roles.Denies(q.caller.TenantID, canonicalScope(q.id.Scope), atScope)
	if e != nil {
		return nil, e
	}
	return q.page(each(list, func(d *rbac.Deny) any { return d.Body() }))
}
