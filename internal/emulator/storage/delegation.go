package storage

import (
	"encoding/xml"
	"io"
	"net/http"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// keyInfo is the body of Get User Delegation Key, and delegatedKey its answer.
type keyInfo struct {
	XMLName xml.Name `xml:"KeyInfo"`
	Start   string   `xml:"Start"`
	Expiry  string   `xml:"Expiry"`
	UserTID string   `xml:"DelegatedUserTid"`
}

type delegatedKey struct {
	XMLName xml.Name `xml:"UserDelegationKey"`
	OID     string   `xml:"SignedOid"`
	TID     string   `xml:"SignedTid"`
	Start   string   `xml:"SignedStart"`
	Expiry  string   `xml:"SignedExpiry"`
	Service string   `xml:"SignedService"`
	Version string   `xml:"SignedVersion"`
	UserTID string   `xml:"SignedDelegatedUserTid,omitempty"`
	Value   string   `xml:"Value"`
}

const iso = "2006-01-02T15:04:05Z"

// delegationKey answers Get User Delegation Key, which all services have.
func (c *call) delegationKey(acc access.Account, grant kit.Grant, version string) *wire.Error {
	claims, ok := access.Claims(grant)
	if !ok {
		e := &wire.Error{Status: http.StatusForbidden, Code: "AuthenticationFailed", Message: "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."}
		return kit.WithDetail(e, "AuthenticationErrorDetail", "Only authentication scheme Bearer is supported")
	}
	service := c.place.kind
	if service == kit.DFS {
		service = kit.Blob
	}
	action := "Microsoft.Storage/storageAccounts/" + string(service) + "Services/generateUserDelegationKey/action"
	if err := grant.Check(kit.Need{Actions: []string{action}}); err != nil {
		return err
	}
	d, err := c.readKeyInfo()
	if err != nil {
		return err
	}
	d.ObjectID, d.TenantID, d.Service, d.Version = claims.ObjectID, claims.TenantID, access.DelegationService(service), version
	kit.WriteXML(c.w, http.StatusOK, delegatedKey{
		OID: d.ObjectID, TID: d.TenantID, Start: d.Start.Format(iso), Expiry: d.Expiry.Format(iso),
		Service: d.Service, Version: d.Version, UserTID: d.UserTenant, Value: d.Value(acc),
	})
	return nil
}

// readKeyInfo checks the times: the expiry is within seven days from now and behind the
// start.
func (c *call) readKeyInfo() (access.Delegation, *wire.Error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, 64<<10))
	var in keyInfo
	if err == nil {
		err = xml.Unmarshal(body, &in)
	}
	if err != nil {
		return access.Delegation{}, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidXmlDocument", Message: "XML specified is not syntactically valid."}
	}
	start := c.now
	if in.Start != "" {
		start, err = time.Parse(time.RFC3339, in.Start)
	}
	expiry, err2 := time.Parse(time.RFC3339, in.Expiry)
	switch {
	case err != nil:
		return access.Delegation{}, badNode("Start", in.Start)
	case err2 != nil, !expiry.After(start), !expiry.After(c.now), expiry.Sub(c.now) > access.LongestDelegation+time.Minute:
		return access.Delegation{}, badNode("Expiry", in.Expiry)
	}
	return access.Delegation{Start: start.UTC().Truncate(time.Second), Expiry: expiry.UTC().Truncate(time.Second), UserTenant: in.UserTID}, nil
}

func badNode(name, value string) *wire.Error {
	e := &wire.Error{Status: http.StatusBadRequest, Code: "InvalidXmlNodeValue", Message: "The value for one of the XML nodes is not in the correct format."}
	return kit.WithDetail(kit.WithDetail(e, "XmlNodeName", name), "XmlNodeValue", value)
}
