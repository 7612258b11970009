package keyvault

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// settings are what a vault's properties mean to its data plane.
type settings struct {
	tenant   string
	rbac     bool
	policies []policy
	public   bool
	deny     bool // the firewall's default
	allow    []netip.Prefix
	config   vault.Config
}

// policy is one access policy.
type policy struct {
	TenantID      string              `json:"tenantId"`
	ObjectID      string              `json:"objectId"`
	ApplicationID string              `json:"applicationId"`
	Permissions   map[string][]string `json:"permissions"`
}

// allows tells whether the policy is the caller's and gives a permission. A policy with
// an applicationId is for users through that application; the emulator has none. "all"
// leaves purge out, which is not confirmed.
func (p policy) allows(c wire.Claims, object, permission string) bool {
	if !strings.EqualFold(p.ObjectID, c.ObjectID) || !strings.EqualFold(p.TenantID, c.TenantID) || p.ApplicationID != "" {
		return false
	}
	for kind, given := range p.Permissions {
		if !strings.EqualFold(kind, object) {
			continue
		}
		for _, g := range given {
			if strings.EqualFold(g, permission) || strings.EqualFold(g, "all") && permission != "purge" {
				return true
			}
			if strings.EqualFold(g, "manageissuers") && strings.HasSuffix(permission, "issuers") {
				return true
			}
		}
	}
	return false
}

// properties are the members of a vault's ARM properties that the emulator reads.
type properties struct {
	TenantID        string       `json:"tenantId"`
	SKU             *sku         `json:"sku"`
	AccessPolicies  []policy     `json:"accessPolicies"`
	RBAC            *bool        `json:"enableRbacAuthorization"`
	SoftDelete      *bool        `json:"enableSoftDelete"`
	RetentionDays   *int         `json:"softDeleteRetentionInDays"`
	PurgeProtection *bool        `json:"enablePurgeProtection"`
	PublicAccess    string       `json:"publicNetworkAccess"`
	Network         *networkACLs `json:"networkAcls"`
	CreateMode      string       `json:"createMode"`
}

type sku struct {
	Family string `json:"family"`
	Name   string `json:"name"`
}

type networkACLs struct {
	Default string `json:"defaultAction"`
	IPRules []struct {
		Value string `json:"value"`
	} `json:"ipRules"`
}

// readProperties takes a body's properties; an error names the member that does not fit.
func readProperties(body map[string]any) (properties, error) {
	var p properties
	data, err := json.Marshal(body["properties"])
	if err != nil {
		return p, fmt.Errorf("read properties: %w", err)
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("read properties: %w", err)
	}
	return p, nil
}

// settings of checked and completed properties.
func (p properties) settings(e *entry) settings {
	s := settings{
		tenant: p.TenantID, rbac: p.RBAC != nil && *p.RBAC, policies: p.AccessPolicies, public: !strings.EqualFold(p.PublicAccess, "Disabled"),
		config: vault.Config{
			BaseURL: e.base(), SoftDelete: p.SoftDelete == nil || *p.SoftDelete, RetentionDays: maxRetention,
			PurgeProtection: p.PurgeProtection != nil && *p.PurgeProtection, Premium: p.SKU != nil && strings.EqualFold(p.SKU.Name, "premium"),
			SubscriptionID: strings.ToLower(subscriptionOf(e.id)), Geography: geography(e.location),
		},
	}
	if p.RetentionDays != nil {
		s.config.RetentionDays = *p.RetentionDays
	}
	if p.Network != nil {
		s.deny = strings.EqualFold(p.Network.Default, "Deny")
		for _, r := range p.Network.IPRules {
			if prefix, err := parseRule(r.Value); err == nil {
				s.allow = append(s.allow, prefix)
			}
		}
	}
	return s
}

func parseRule(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// admit is the vault's firewall.
func (s settings) admit(c *call) *wire.Error {
	if !s.public {
		return c.forbidden("ForbiddenByConnection", "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n"+
			"Caller: %s\r\nVault: %s", c.caller(), c.place())
	}
	if !s.deny {
		return nil
	}
	if addr, err := netip.ParseAddr(c.svc.opt.ClientAddress); err == nil {
		for _, p := range s.allow {
			if p.Contains(addr) {
				return nil
			}
		}
	}
	return c.forbidden("ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.\r\n"+
		"Client address: %s\r\nCaller: %s\r\nVault: %s", c.svc.opt.ClientAddress, c.caller(), c.place())
}

// geographies of the regions where they are not the regions themselves (Azure geographies).
var geographies = map[string]string{
	"westeurope": "Europe", "northeurope": "Europe",
	"eastus": "United States", "eastus2": "United States", "centralus": "United States", "northcentralus": "United States",
	"southcentralus": "United States", "westcentralus": "United States", "westus": "United States", "westus2": "United States", "westus3": "United States",
	"uksouth": "United Kingdom", "ukwest": "United Kingdom", "francecentral": "France", "francesouth": "France",
	"germanywestcentral": "Germany", "germanynorth": "Germany", "switzerlandnorth": "Switzerland", "switzerlandwest": "Switzerland",
	"norwayeast": "Norway", "norwaywest": "Norway", "swedencentral": "Sweden", "swedensouth": "Sweden",
	"eastasia": "Asia Pacific", "southeastasia": "Asia Pacific", "japaneast": "Japan", "japanwest": "Japan",
	"australiaeast": "Australia", "australiasoutheast": "Australia", "australiacentral": "Australia", "australiacentral2": "Australia",
	"canadacentral": "Canada", "canadaeast": "Canada", "centralindia": "India", "southindia": "India", "westindia": "India",
	"koreacentral": "Korea", "koreasouth": "Korea", "uaenorth": "UAE", "uaecentral": "UAE",
	"southafricanorth": "South Africa", "southafricawest": "South Africa",
}

func geography(location string) string {
	key := strings.ToLower(strings.ReplaceAll(location, " ", ""))
	if g, ok := geographies[key]; ok {
		return g
	}
	return key
}

// subscriptionOf takes the subscription out of a resource ID; "" if there is none.
func subscriptionOf(id string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], "subscriptions") {
			return parts[i+1]
		}
	}
	return ""
}
