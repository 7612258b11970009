package rbac

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// granted is what Azure says of the caller's rights at one resource.
type granted struct {
	elements []catalog.Element
	denies   []deny
	// deniesErr is why the deny assignments could not be read; nil if they were.
	deniesErr error
}

// deny is a deny assignment.
type deny struct {
	name                 string
	elements             []catalog.Element
	principals, excluded []principal
}

// principal is whom a deny assignment is about.
type principal struct {
	id    string
	group bool
}

// scope is a resource as the authorization API addresses it.
type scope struct {
	side   plugin.Side
	id     string
	parsed *arm.ResourceID
	e      plugin.Endpoint
}

func newScope(side plugin.Side, e plugin.Endpoint) (*scope, error) {
	parsed, err := arm.ParseResourceID(e.Resource.ID)
	if err == nil && (parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" || parsed.Name == "") {
		err = fmt.Errorf("it is no resource in a resource group")
	}
	if err != nil {
		return nil, &errs.Error{Op: "read the permissions", Kind: errs.Invalid, Side: string(side), Resource: e.Resource.ID, Err: err}
	}
	return &scope{side: side, id: e.Resource.ID, parsed: parsed, e: e}, nil
}

func (s *scope) options() *arm.ClientOptions { return &arm.ClientOptions{ClientOptions: s.e.Options} }

func (s *scope) fail(op string, err error) error {
	return classify.Error(op, s.side, s.id, "", err)
}

// read asks Azure for the permissions and the deny assignments.
func (s *scope) read(ctx context.Context) (*granted, error) {
	elements, err := s.permissions(ctx)
	if err != nil {
		return nil, err
	}
	g := &granted{elements: elements}
	g.denies, g.deniesErr = s.denies(ctx)
	if fatal(g.deniesErr) {
		return nil, g.deniesErr
	}
	return g, nil
}

// permissions lists the elements of the roles that apply to the caller. The SDK's type
// leaves the condition of an element out, so that is read from the answer itself.
func (s *scope) permissions(ctx context.Context) ([]catalog.Element, error) {
	const op = "read the principal's own permissions"
	client, err := armauthorization.NewPermissionsClient(s.parsed.SubscriptionID, s.e.Credential, s.options())
	if err != nil {
		return nil, s.fail(op, err)
	}
	types := s.parsed.ResourceType.Types
	pager := client.NewListForResourcePager(s.parsed.ResourceGroupName, s.parsed.ResourceType.Namespace, s.parentPath(), types[len(types)-1], s.parsed.Name, nil)
	var out []catalog.Element
	for pager.More() {
		var resp *http.Response
		page, err := pager.NextPage(policy.WithCaptureResponse(ctx, &resp))
		if err != nil {
			return nil, s.fail(op, err)
		}
		conditions, err := conditionsIn(resp)
		if err != nil {
			return nil, s.fail(op, err)
		}
		for i, p := range page.Value {
			if p == nil {
				continue
			}
			e := catalog.Element{
				Actions: texts(p.Actions), NotActions: texts(p.NotActions), DataActions: texts(p.DataActions), NotDataActions: texts(p.NotDataActions),
			}
			if i < len(conditions) {
				e.Condition = conditions[i]
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// parentPath is "type/name" of every resource that the scope lies in: "" for most.
func (s *scope) parentPath() string {
	var path string
	for p := s.parsed.Parent; p != nil && strings.EqualFold(p.ResourceType.Namespace, s.parsed.ResourceType.Namespace) && len(p.ResourceType.Types) < len(s.parsed.ResourceType.Types); p = p.Parent {
		path = p.ResourceType.Types[len(p.ResourceType.Types)-1] + "/" + p.Name + "/" + path
	}
	return strings.TrimSuffix(path, "/")
}

// conditionsIn reads the conditions of a page of permissions, in their order.
func conditionsIn(resp *http.Response) ([]string, error) {
	raw, err := runtime.Payload(resp)
	if err != nil {
		return nil, err
	}
	var page struct {
		Value []struct {
			Condition string `json:"condition"`
		} `json:"value"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, fmt.Errorf("the list of permissions is not JSON: %w", err)
	}
	out := make([]string, len(page.Value))
	for i, v := range page.Value {
		out[i] = v.Condition
	}
	return out, nil
}

// denies lists the deny assignments at the scope and above it.
func (s *scope) denies(ctx context.Context) ([]deny, error) {
	const op = "read the deny assignments"
	client, err := armauthorization.NewDenyAssignmentsClient(s.parsed.SubscriptionID, s.e.Credential, s.options())
	if err != nil {
		return nil, s.fail(op, err)
	}
	atScope := "atScope()"
	pager := client.NewListForScopePager(strings.TrimPrefix(s.id, "/"), &armauthorization.DenyAssignmentsClientListForScopeOptions{Filter: &atScope})
	var out []deny
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, s.fail(op, err)
		}
		for _, d := range page.Value {
			if d != nil && d.Properties != nil && s.reaches(d.Properties) {
				out = append(out, denyOf(d))
			}
		}
	}
	return out, nil
}

// reaches tells whether a deny assignment that was listed holds at the scope itself.
func (s *scope) reaches(d *armauthorization.DenyAssignmentProperties) bool {
	return !value(d.DoNotApplyToChildScopes) || strings.EqualFold(strings.Trim(value(d.Scope), "/"), strings.Trim(s.id, "/"))
}

func denyOf(d *armauthorization.DenyAssignment) deny {
	out := deny{name: value(d.Properties.DenyAssignmentName), principals: principals(d.Properties.Principals), excluded: principals(d.Properties.ExcludePrincipals)}
	if out.name == "" {
		out.name = value(d.Name)
	}
	for _, p := range d.Properties.Permissions {
		if p != nil {
			out.elements = append(out.elements, catalog.Element{
				Actions: texts(p.Actions), NotActions: texts(p.NotActions), DataActions: texts(p.DataActions), NotDataActions: texts(p.NotDataActions),
				Condition: value(p.Condition),
			})
		}
	}
	return out
}

func principals(list []*armauthorization.Principal) []principal {
	var out []principal
	for _, p := range list {
		if p != nil {
			out = append(out, principal{id: value(p.ID), group: strings.EqualFold(value(p.Type), "Group")})
		}
	}
	return out
}

func texts(list []*string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s != nil {
			out = append(out, *s)
		}
	}
	return out
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// fatal tells whether an error ends the check as a whole: the user's word, or a side that
// cannot be signed in to. Every other one makes what it hides unknown.
func fatal(err error) bool {
	switch errs.KindOf(err) {
	case errs.Canceled, errs.Unauthenticated:
		return true
	default:
		return false
	}
}
