package keyvault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var _ plugin.AccessChecker = (*Plugin)(nil)

// policyRight is a permission of an access policy: the kind of object and its name there.
type policyRight struct{ kind, name string }

// policyRights are the permissions of an access policy that stand for a data action, as
// the REST reference of each operation names them
// (https://learn.microsoft.com/rest/api/keyvault/) and as
// https://learn.microsoft.com/azure/key-vault/general/rbac-migration sets the two side by side.
var policyRights = map[string][]policyRight{
	"secrets/readMetadata/action": {{"secrets", "list"}},
	"secrets/getSecret/action":    {{"secrets", "get"}},
	"secrets/setSecret/action":    {{"secrets", "set"}},
	"keys/read":                   {{"keys", "get"}, {"keys", "list"}},
	"keys/create/action":          {{"keys", "create"}},
	"keyrotationpolicies/read":    {{"keys", "getrotationpolicy"}},
	"keyrotationpolicies/write":   {{"keys", "setrotationpolicy"}},
	"certificates/read":           {{"certificates", "get"}, {"certificates", "list"}},
	"certificates/create/action":  {{"certificates", "create"}},
	"certificates/import/action":  {{"certificates", "import"}},
	"certificatecas/read":         {{"certificates", "getissuers"}, {"certificates", "listissuers"}},
	"certificatecas/write":        {{"certificates", "setissuers"}},
	"certificatecontacts/write":   {{"certificates", "managecontacts"}},
	"secrets/update/action":       {{"secrets", "set"}},
	"keys/update/action":          {{"keys", "update"}},
	"certificates/update/action":  {{"certificates", "update"}},
	"secrets/recover/action":      {{"secrets", "recover"}},
	"keys/recover/action":         {{"keys", "recover"}},
	"certificates/recover/action": {{"certificates", "recover"}},
}

// vaultRules is what the properties of a vault say about who may do what.
type vaultRules struct {
	RBAC     *bool          `json:"enableRbacAuthorization"`
	Policies []accessPolicy `json:"accessPolicies"`
}

// accessPolicy is one entry of a vault's access policies
// (https://learn.microsoft.com/rest/api/keyvault/vaults/get, AccessPolicyEntry).
type accessPolicy struct {
	TenantID string `json:"tenantId"`
	ObjectID string `json:"objectId"`
	// ApplicationID narrows the entry to users who come through this application.
	ApplicationID string              `json:"applicationId"`
	Permissions   map[string][]string `json:"permissions"`
}

// CheckAccess implements plugin.AccessChecker: a vault that does not use Azure RBAC
// decides by its access policies
// (https://learn.microsoft.com/azure/key-vault/general/assign-access-policy).
func (p *Plugin) CheckAccess(_ context.Context, e plugin.Endpoint, who plugin.Caller, side plugin.Side, mode plugin.Mode) (plugin.Access, error) {
	refuse := func(err error) (plugin.Access, error) {
		return plugin.Access{}, &errs.Error{Op: "read the vault's access policies", Kind: errs.Invalid, Side: string(side), Resource: e.Resource.ID, Err: err}
	}
	if len(e.Resource.Properties) == 0 {
		return refuse(errors.New("its properties were not read"))
	}
	var rules vaultRules
	if err := json.Unmarshal(e.Resource.Properties, &rules); err != nil {
		return refuse(fmt.Errorf("its properties are not those of a vault: %w", err))
	}
	if rules.RBAC != nil && *rules.RBAC {
		return plugin.Access{}, nil
	}
	if who.ObjectID == "" {
		return refuse(errors.New("the token does not say whose it is"))
	}
	out := plugin.Access{By: "access policies"}
	var needed []policyRight
	for _, perm := range p.Permissions(mode) {
		if perm.Side != side {
			continue
		}
		rights := rightsInPolicy(perm)
		needed = append(needed, rights...)
		switch rules.judge(who, rights) {
		case held:
		case perhaps:
			out.Unknown = append(out.Unknown, perm)
		default:
			out.Missing = append(out.Missing, perm)
		}
	}
	if len(out.Unknown) > 0 {
		out.Why = "an access policy of somebody else gives it, perhaps of a group that the principal is in"
	}
	out.Grant = [][]string{rules.grant(e.Resource, who, needed)}
	return out, nil
}

func rightsInPolicy(perm plugin.Permission) []policyRight {
	out := make([]policyRight, 0, 2*len(perm.DataActions))
	for _, a := range perm.DataActions {
		out = append(out, policyRights[strings.TrimPrefix(a, "Microsoft.KeyVault/vaults/")]...)
	}
	return out
}

// standing is what policies say about a right, from no to yes.
type standing int

const (
	lacking standing = iota
	perhaps          // a policy for a group would give it, and the caller's groups are not known
	held
)

// judge returns the worst standing of any of the rights. A permission that stands for no
// right of an access policy cannot be held.
func (v vaultRules) judge(who plugin.Caller, rights []policyRight) standing {
	worst := held
	if len(rights) == 0 {
		return lacking
	}
	for _, r := range rights {
		best := lacking
		for _, p := range v.Policies {
			if p.gives(r) {
				best = max(best, p.isFor(who))
			}
		}
		worst = min(worst, best)
	}
	return worst
}

// isFor tells whether a policy is the caller's: held if it surely is.
func (p accessPolicy) isFor(who plugin.Caller) standing {
	if p.TenantID != "" && !strings.EqualFold(p.TenantID, who.TenantID) {
		return lacking
	}
	if p.ApplicationID != "" && (!who.User || !strings.EqualFold(p.ApplicationID, who.AppID)) {
		return lacking
	}
	isIt := func(id string) bool { return strings.EqualFold(id, p.ObjectID) }
	switch {
	case isIt(who.ObjectID), slices.ContainsFunc(who.Groups, isIt):
		return held
	case who.Groups == nil:
		return perhaps
	default:
		return lacking
	}
}

// gives tells whether a policy has a right. "all" is taken to have every right but purge,
// which is not confirmed and matters to no permission here.
func (p accessPolicy) gives(r policyRight) bool {
	for kind, names := range p.Permissions {
		if !strings.EqualFold(kind, r.kind) {
			continue
		}
		for _, n := range names {
			if strings.EqualFold(n, r.name) || (strings.EqualFold(n, "all") && r.name != "purge") ||
				(strings.EqualFold(n, "manageissuers") && strings.HasSuffix(r.name, "issuers")) {
				return true
			}
		}
	}
	return false
}

// grant is the command that gives the caller the rights. "az keyvault set-policy" replaces
// the rights of a kind of object, so those that the caller has already are named again.
func (v vaultRules) grant(res plugin.Resource, who plugin.Caller, needed []policyRight) []string {
	cmd := []string{"az", "keyvault", "set-policy", "--name", res.Name, "--object-id", who.ObjectID}
	for _, option := range []struct{ name, value string }{{"--resource-group", res.ResourceGroup}, {"--subscription", res.SubscriptionID}} {
		if option.value != "" {
			cmd = append(cmd, option.name, option.value)
		}
	}
	for _, kind := range []string{"secrets", "keys", "certificates"} {
		names := []string{}
		for _, r := range needed {
			if r.kind == kind {
				names = append(names, r.name)
			}
		}
		if len(names) == 0 {
			continue
		}
		names = append(names, v.ownRights(who, kind)...)
		slices.Sort(names)
		cmd = append(append(cmd, "--"+strings.TrimSuffix(kind, "s")+"-permissions"), slices.Compact(names)...)
	}
	return cmd
}

// ownRights are the rights of one kind that the caller's own entry has now.
func (v vaultRules) ownRights(who plugin.Caller, kind string) []string {
	var out []string
	for _, p := range v.Policies {
		if p.ApplicationID != "" || !strings.EqualFold(p.ObjectID, who.ObjectID) || !strings.EqualFold(p.TenantID, who.TenantID) {
			continue
		}
		for k, names := range p.Permissions {
			if strings.EqualFold(k, kind) {
				for _, n := range names {
					out = append(out, strings.ToLower(n))
				}
			}
		}
	}
	return out
}
