package keyvault

import (
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Bounds and the default of softDeleteRetentionInDays.
const (
	minRetention = 7
	maxRetention = 90
)

// maxPolicies is the most access policies of a vault.
const maxPolicies = 1024

// complete checks a vault's properties against the API and what they were before (nil for
// a new vault), and fills in what the service fills in. Where nothing else is said, the
// service's words are known from reports.
func complete(res *wire.Resource, p *properties, old *properties) *wire.Error {
	if !strings.EqualFold(p.TenantID, res.TenantID) {
		return invalidValue("tenantId")
	}
	if p.SKU == nil || !strings.EqualFold(p.SKU.Family, "A") || !strings.EqualFold(p.SKU.Name, "standard") && !strings.EqualFold(p.SKU.Name, "premium") {
		return invalidValue("sku")
	}
	if err := p.checkPolicies(); err != nil {
		return err
	}
	if err := p.checkSoftDelete(old); err != nil {
		return err
	}
	if err := p.checkNetwork(); err != nil {
		return err
	}
	p.keep(old)
	p.fill(res)
	return nil
}

// keep takes over what a PUT leaves out and what never goes back.
func (p *properties) keep(old *properties) {
	if old == nil {
		return
	}
	if p.PurgeProtection == nil {
		p.PurgeProtection = old.PurgeProtection
	}
	if p.RetentionDays == nil {
		p.RetentionDays = old.RetentionDays
	}
}

// invalidValue is known for accessPolicies.
func invalidValue(member string) *wire.Error {
	return badRequest("An invalid value was provided for '%s'.", member)
}

func (p *properties) checkPolicies() *wire.Error {
	if p.AccessPolicies == nil && (p.RBAC == nil || !*p.RBAC) {
		return badRequest("The parameter accessPolicies is not specified.")
	}
	if len(p.AccessPolicies) > maxPolicies {
		return invalidValue("accessPolicies")
	}
	for _, a := range p.AccessPolicies {
		if a.TenantID == "" || a.ObjectID == "" || a.Permissions == nil {
			return invalidValue("accessPolicies")
		}
	}
	return nil
}

// checkSoftDelete holds what cannot be turned back.
func (p *properties) checkSoftDelete(old *properties) *wire.Error {
	if p.PurgeProtection != nil && !*p.PurgeProtection {
		return badRequest(`The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.`)
	}
	if p.SoftDelete != nil && !*p.SoftDelete && old != nil && (old.SoftDelete == nil || *old.SoftDelete) {
		return badRequest(`The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the 'soft delete' functionality is an irreversible action.`)
	}
	if p.SoftDelete != nil && !*p.SoftDelete && p.PurgeProtection != nil {
		return badRequest(`The property "enablePurgeProtection" can only be set to true if "enableSoftDelete" is also set to true.`) // words not confirmed
	}
	return p.checkRetention(old)
}

func (p *properties) checkRetention(old *properties) *wire.Error {
	if d := p.RetentionDays; d != nil {
		if *d < minRetention || *d > maxRetention {
			return invalidValue("softDeleteRetentionInDays")
		}
		if old != nil && old.RetentionDays != nil && *old.RetentionDays != *d {
			return badRequest(`The property "softDeleteRetentionInDays" has been set already and it can't be modified.`)
		}
	}
	return nil
}

func (p *properties) checkNetwork() *wire.Error {
	if a := p.PublicAccess; a != "" && !strings.EqualFold(a, "Enabled") && !strings.EqualFold(a, "Disabled") {
		return invalidValue("publicNetworkAccess")
	}
	if p.Network == nil {
		return nil
	}
	if a := p.Network.Default; a != "" && !strings.EqualFold(a, "Allow") && !strings.EqualFold(a, "Deny") {
		return invalidValue("networkAcls")
	}
	for _, r := range p.Network.IPRules {
		if _, err := parseRule(r.Value); err != nil {
			return invalidValue("networkAcls")
		}
	}
	return nil
}

// fill completes the ARM body.
func (p *properties) fill(res *wire.Resource) {
	props, ok := res.Body["properties"].(map[string]any)
	if !ok {
		props = map[string]any{}
	}
	delete(props, "createMode")
	for k, v := range props {
		if v == nil {
			delete(props, k)
		}
	}
	setDefault := func(member string, v any) {
		if _, ok := props[member]; !ok {
			props[member] = v
		}
	}
	setDefault("accessPolicies", []any{})
	setDefault("enabledForDeployment", false)
	setDefault("enableSoftDelete", true)
	if p.RetentionDays != nil {
		setDefault("softDeleteRetentionInDays", *p.RetentionDays)
	} else if p.SoftDelete == nil || *p.SoftDelete {
		setDefault("softDeleteRetentionInDays", maxRetention)
	}
	if p.PurgeProtection != nil {
		setDefault("enablePurgeProtection", *p.PurgeProtection)
	}
	setDefault("publicNetworkAccess", "Enabled")
	props["vaultUri"] = "https://" + strings.ToLower(res.Name) + suffix + "/"
	props["provisioningState"] = "Succeeded"
	res.Body["properties"] = props
}
