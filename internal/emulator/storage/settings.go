package storage

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

// settings are what ARM says of an account that its services go by.
type settings struct {
	kind, sku  string
	hns        bool
	sharedKey  bool
	anonymous  bool
	network    network
	secondary  bool // the secondary endpoint can be read
	properties properties
}

// network is who may connect.
type network struct {
	closed bool // publicNetworkAccess: Disabled, SecuredByPerimeter
	deny   bool // networkAcls.defaultAction: Deny
	rules  []netip.Prefix
}

// lets tells whether a client's request passes. The services of Azure that fetch the
// source of a copy have no address that a rule could name.
func (n network) lets(ip string, internal bool) bool {
	if n.closed {
		return false
	}
	if !n.deny {
		return true
	}
	if internal {
		return false
	}
	at, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(n.rules, func(p netip.Prefix) bool { return p.Contains(at) })
}

// properties are the members of an account's ARM properties that are read here.
type properties struct {
	AllowSharedKeyAccess  *bool  `json:"allowSharedKeyAccess"`
	AllowBlobPublicAccess *bool  `json:"allowBlobPublicAccess"`
	IsHnsEnabled          *bool  `json:"isHnsEnabled"`
	AccessTier            string `json:"accessTier"`
	MinimumTLSVersion     string `json:"minimumTlsVersion"`
	PublicNetworkAccess   string `json:"publicNetworkAccess"`
	AllowedCopyScope      string `json:"allowedCopyScope"`
	NetworkACLs           *struct {
		DefaultAction string `json:"defaultAction"`
		IPRules       []struct {
			Value  string `json:"value"`
			Action string `json:"action"`
		} `json:"ipRules"`
	} `json:"networkAcls"`
}

// account is the part of an account's ARM body that is read here.
type account struct {
	Kind string `json:"kind"`
	SKU  struct {
		Name string `json:"name"`
	} `json:"sku"`
	Properties properties `json:"properties"`
}

func readAccount(body map[string]any) (account, error) {
	var a account
	data, err := json.Marshal(body)
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return a, fmt.Errorf("the account cannot be read: %w", err)
	}
	return a, nil
}

func (a account) settings() (settings, error) {
	p := a.Properties
	s := settings{
		kind: a.Kind, sku: a.SKU.Name, properties: p,
		hns: is(p.IsHnsEnabled, false), sharedKey: is(p.AllowSharedKeyAccess, true), anonymous: is(p.AllowBlobPublicAccess, false),
		secondary: strings.Contains(a.SKU.Name, "_RA"),
	}
	s.network.closed = p.PublicNetworkAccess != "" && !strings.EqualFold(p.PublicNetworkAccess, "Enabled")
	if p.NetworkACLs == nil {
		return s, nil
	}
	s.network.deny = strings.EqualFold(p.NetworkACLs.DefaultAction, "Deny")
	for _, r := range p.NetworkACLs.IPRules {
		prefix, err := parseRule(r.Value)
		if err != nil {
			return s, err
		}
		s.network.rules = append(s.network.rules, prefix)
	}
	return s, nil
}

func is(v *bool, otherwise bool) bool {
	if v == nil {
		return otherwise
	}
	return *v
}

// parseRule reads an address or a CIDR range.
func parseRule(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("the IP rule '%s' is neither an address nor a range", text)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// services are the services that an account of a kind has (Azure: Storage account
// overview, Types of storage accounts).
func services(kind, sku string) []kit.Kind {
	premium := strings.HasPrefix(sku, "Premium")
	switch strings.ToLower(kind) {
	case "filestorage":
		return []kit.Kind{kit.File}
	case "blobstorage":
		return []kit.Kind{kit.Blob, kit.DFS}
	case "blockblobstorage":
		return []kit.Kind{kit.Blob, kit.DFS, kit.Web}
	case "storage":
		if premium {
			return []kit.Kind{kit.Blob}
		}
		return []kit.Kind{kit.Blob, kit.File, kit.Queue, kit.Table}
	}
	if premium {
		return []kit.Kind{kit.Blob, kit.Web}
	}
	return kinds
}

// serves tells whether the account has the service of a host name.
func (s settings) serves(p place) bool {
	return slices.Contains(services(s.kind, s.sku), p.kind) && (!p.secondary || s.secondary && p.kind != kit.File)
}
