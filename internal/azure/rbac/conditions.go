package rbac

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
)

// conditional are the beginnings of the data actions that the condition of a role
// assignment can limit, in lower case. The permissions API of the version in use does not
// show such conditions, so for these actions the assignments themselves are looked at
// (https://learn.microsoft.com/azure/role-based-access-control/conditions-overview#where-can-conditions-be-added).
var conditional = []string{
	"microsoft.storage/storageaccounts/blobservices/",
	"microsoft.storage/storageaccounts/queueservices/",
}

func canBeConditional(op catalog.Operation) bool {
	return op.Data && slices.ContainsFunc(conditional, func(start string) bool { return strings.HasPrefix(strings.ToLower(op.Name), start) })
}

// assigned are the caller's roles at a scope, by how they were assigned.
type assigned struct {
	always    []catalog.Element // of roles assigned without a condition
	sometimes []catalog.Element // of roles assigned under one
}

// limits tells whether a condition may keep the caller from an operation that its roles
// grant.
func (a assigned) limits(op catalog.Operation) bool {
	covers := func(e catalog.Element) bool { return e.Covers(op) }
	return slices.ContainsFunc(a.sometimes, covers) && !slices.ContainsFunc(a.always, covers)
}

// assignments reads the caller's role assignments at the scope and above it, those of its
// groups included, and what their roles grant.
func (s *scope) assignments(ctx context.Context, objectID string) (assigned, error) {
	const op = "read the principal's role assignments"
	client, err := armauthorization.NewRoleAssignmentsClient(s.parsed.SubscriptionID, s.e.Credential, s.options())
	if err != nil {
		return assigned{}, s.fail(op, err)
	}
	// This client, unlike the others of its module, puts the filter into the URL as it is.
	filter := url.QueryEscape(fmt.Sprintf("atScope() and assignedTo('%s')", strings.ReplaceAll(objectID, "'", "''")))
	pager := client.NewListForScopePager(strings.TrimPrefix(s.id, "/"), &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &filter})
	always, sometimes := map[string]bool{}, map[string]bool{}
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return assigned{}, s.fail(op, err)
		}
		for _, a := range page.Value {
			if a == nil || a.Properties == nil {
				continue
			}
			if value(a.Properties.Condition) != "" {
				sometimes[value(a.Properties.RoleDefinitionID)] = true
			} else {
				always[value(a.Properties.RoleDefinitionID)] = true
			}
		}
	}
	if len(sometimes) == 0 {
		return assigned{}, nil
	}
	var out assigned
	if out.always, err = s.definitions(ctx, always); err != nil {
		return assigned{}, err
	}
	out.sometimes, err = s.definitions(ctx, sometimes)
	return out, err
}

// definitions reads what roles grant.
func (s *scope) definitions(ctx context.Context, ids map[string]bool) ([]catalog.Element, error) {
	const op = "read the definition of a role"
	client, err := armauthorization.NewRoleDefinitionsClient(s.e.Credential, s.options())
	if err != nil {
		return nil, s.fail(op, err)
	}
	var out []catalog.Element
	for id := range ids {
		role, err := client.GetByID(ctx, strings.TrimPrefix(id, "/"), nil)
		if err != nil {
			return nil, s.fail(op, err)
		}
		if role.Properties == nil {
			continue
		}
		for _, p := range role.Properties.Permissions {
			if p != nil {
				out = append(out, catalog.Element{
					Actions: texts(p.Actions), NotActions: texts(p.NotActions), DataActions: texts(p.DataActions), NotDataActions: texts(p.NotDataActions),
				})
			}
		}
	}
	return out, nil
}
