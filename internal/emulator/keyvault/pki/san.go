package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"net"
)

// Tags of the GeneralName choice (RFC 5280 §4.2.1.6).
const (
	tagOther = 0
	tagEmail = 1
	tagDNS   = 2
	tagURI   = 6
	tagIP    = 7
)

var oidUPN = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}

// otherName is a GeneralName of a type of its own; here a user principal name.
type otherName struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"tag:0,explicit"`
}

// encode gives the names as GeneralNames.
func (s *SANs) encode() []asn1.RawValue {
	if s == nil {
		return nil
	}
	var names []asn1.RawValue
	add := func(tag int, values []string) {
		for _, v := range values {
			names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(v)})
		}
	}
	add(tagDNS, s.DNS)
	add(tagEmail, s.Emails)
	add(tagURI, s.URIs)
	for _, text := range s.IPs {
		ip := net.ParseIP(text)
		if v4 := ip.To4(); v4 != nil {
			ip = v4
		}
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagIP, Bytes: ip})
	}
	for _, upn := range s.UPNs {
		if raw, err := encodeUPN(upn); err == nil {
			names = append(names, raw)
		}
	}
	return names
}

func encodeUPN(upn string) (asn1.RawValue, error) {
	text := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagUTF8String, Bytes: []byte(upn)}
	der, err := asn1.Marshal(text)
	if err != nil {
		return asn1.RawValue{}, err
	}
	seq, err := asn1.Marshal(otherName{Type: oidUPN, Value: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}})
	if err != nil {
		return asn1.RawValue{}, err
	}
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(seq, &outer); err != nil {
		return asn1.RawValue{}, err
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagOther, IsCompound: true, Bytes: outer.Bytes}, nil
}

// sansOf reads the alternative names of a certificate; nil if it has none.
func sansOf(c *x509.Certificate) *SANs {
	s := SANs{DNS: c.DNSNames, Emails: c.EmailAddresses, UPNs: upnsOf(c)}
	for _, ip := range c.IPAddresses {
		s.IPs = append(s.IPs, ip.String())
	}
	for _, u := range c.URIs {
		s.URIs = append(s.URIs, u.String())
	}
	if len(s.DNS)+len(s.Emails)+len(s.UPNs)+len(s.IPs)+len(s.URIs) == 0 {
		return nil
	}
	return &s
}

// upnsOf reads the user principal names, which the standard library does not.
func upnsOf(c *x509.Certificate) []string {
	var upns []string
	for _, ext := range c.Extensions {
		if !ext.Id.Equal(oidSAN) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(ext.Value, &names); err != nil {
			return nil
		}
		for _, n := range names {
			if n.Tag != tagOther {
				continue
			}
			var id asn1.ObjectIdentifier
			rest, err := asn1.Unmarshal(n.Bytes, &id)
			if err != nil || !id.Equal(oidUPN) {
				continue
			}
			var wrapped, text asn1.RawValue
			if _, err := asn1.Unmarshal(rest, &wrapped); err != nil {
				continue
			}
			if _, err := asn1.Unmarshal(wrapped.Bytes, &text); err == nil {
				upns = append(upns, string(text.Bytes))
			}
		}
	}
	return upns
}
