package access

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// LongestDelegation is how long a user delegation key may live.
const LongestDelegation = 7 * 24 * time.Hour

// keyTime is how a user delegation key's times are written.
const keyTime = "2006-01-02T15:04:05Z"

// Delegation is a user delegation key (Azure: Get User Delegation Key).
type Delegation struct {
	ObjectID, TenantID string
	Start, Expiry      time.Time
	Service            string // "b", "q", "t" or "f"
	Version            string // of the service that made it
	UserTenant         string // tenant of the only user who may use the signatures; ""
}

// DelegationService is the letter of a service in a user delegation key.
func DelegationService(k kit.Kind) string { return serviceLetter(k) }

// Value is the key, in Base64. It follows from what the key says and from the account, so
// that none need be remembered.
func (d Delegation) Value(acc Account) string {
	text := strings.Join([]string{d.ObjectID, d.TenantID, d.Start.UTC().Format(keyTime), d.Expiry.UTC().Format(keyTime), d.Service, d.Version, d.UserTenant}, "\n")
	return base64.StdEncoding.EncodeToString(sum(acc.DelegationKey, text))
}

// delegated checks a user delegation SAS.
func (s *sas) delegated() (kit.Grant, *wire.Error) {
	d, err := s.delegation()
	if err != nil {
		return nil, err
	}
	key, _ := base64.StdEncoding.DecodeString(d.Value(s.acc)) // Value encodes
	text := s.delegatedText()
	if !s.signedBy([][]byte{key}, text, s.get("sig")) {
		return nil, s.mismatch(text)
	}
	start, expiry, err := s.frame()
	if err == nil && expiry.IsZero() {
		err = failed("se is mandatory. Cannot be empty")
	}
	if err == nil {
		err = s.checkFrame(start, expiry)
	}
	if err == nil {
		err = s.checkKey(d)
	}
	if err != nil {
		return nil, err
	}
	return delegated{
		serviceSAS: serviceSAS{s.reach(), s.get("sp")},
		user:       user{s.gate, s.acc.Account, wire.Claims{TenantID: d.TenantID, ObjectID: d.ObjectID}},
	}, nil
}

// delegation reads the key's own members.
func (s *sas) delegation() (Delegation, *wire.Error) {
	d := Delegation{ObjectID: s.get("skoid"), TenantID: s.get("sktid"), Service: s.get("sks"), Version: s.get("skv"), UserTenant: s.get("skdutid")}
	var ok1, ok2 bool
	d.Start, ok1 = parseTime(s.get("skt"))
	d.Expiry, ok2 = parseTime(s.get("ske"))
	if !ok1 || !ok2 {
		return d, failed("skt and ske are mandatory. Cannot be empty") // words not confirmed
	}
	if !strings.EqualFold(d.TenantID, s.acc.TenantID) {
		return d, failed("Key's tenant is not the account's.") // words not confirmed
	}
	if d.Service != serviceLetter(s.service) {
		return d, failed("Key's service is not this one.") // words not confirmed
	}
	return d, nil
}

func (s *sas) checkKey(d Delegation) *wire.Error {
	if s.now.Before(d.Start) || !s.now.Before(d.Expiry) {
		return failed("Signature not valid in the specified key time frame: Start [" + httpTime(d.Start) + "] - Expiry [" + httpTime(d.Expiry) + "] - Current [" + httpTime(s.now) + "]")
	}
	return nil
}

// delegatedText is the string to sign of a user delegation SAS, by version and service.
func (s *sas) delegatedText() string {
	sv := s.get("sv")
	fields := []string{s.get("sp"), s.get("st"), s.get("se"), s.resource(), s.get("skoid"), s.get("sktid"), s.get("skt"), s.get("ske"), s.get("sks"), s.get("skv")}
	if sv >= "2020-02-10" {
		fields = append(fields, s.get("saoid"), s.get("suoid"), s.get("scid"))
	}
	if sv >= "2025-07-05" {
		fields = append(fields, s.get("skdutid"), s.get("sduoid"))
	}
	fields = append(fields, s.get("sip"), s.get("spr"), sv)
	switch s.service {
	case kit.Queue:
		return strings.Join(fields, "\n")
	case kit.Table:
		return strings.Join(append(fields, s.get("spk"), s.get("srk"), s.get("epk"), s.get("erk")), "\n")
	case kit.Blob, kit.DFS, kit.File, kit.Web:
	}
	fields = append(fields, s.get("sr"), s.snapshot())
	if sv >= "2020-12-06" {
		fields = append(fields, s.get("ses"))
	}
	if sv >= "2026-04-06" && s.service != kit.File {
		fields = append(fields, s.boundHeaders(), s.boundParameters())
	}
	return strings.Join(s.withOverrides(fields), "\n")
}

// boundHeaders are the request's headers that the signature names in srh.
func (s *sas) boundHeaders() string {
	var b strings.Builder
	for name := range strings.SplitSeq(s.get("srh"), ",") {
		if name != "" {
			b.WriteString(name + ":" + s.r.Header.Get(name) + "\n")
		}
	}
	return b.String()
}

// boundParameters are the request's parameters that the signature names in srq.
func (s *sas) boundParameters() string {
	var b strings.Builder
	for name := range strings.SplitSeq(s.get("srq"), ",") {
		if name != "" {
			b.WriteString("\n" + name + ":" + s.get(name))
		}
	}
	return b.String()
}

// delegated is the grant of a user delegation SAS: what the signature allows and the user
// who delegates may do.
type delegated struct {
	serviceSAS
	user user
}

// Check implements kit.Grant.
func (g delegated) Check(n kit.Need) *wire.Error {
	if err := g.serviceSAS.Check(n); err != nil {
		return err
	}
	return g.user.Check(n)
}

// How implements kit.Grant.
func (delegated) How() string { return "UserDelegationSAS" }
