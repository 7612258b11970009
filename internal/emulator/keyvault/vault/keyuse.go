package vault

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// UseIn is the body of encrypt, decrypt, wrapkey, unwrapkey, sign and verify.
type UseIn struct {
	Alg    string `json:"alg"`
	Value  Bytes  `json:"value"`
	Digest Bytes  `json:"digest"`
}

// UseOut is the answer of all of them but verify.
type UseOut struct {
	KID   string `json:"kid"`
	Value Bytes  `json:"value"`
}

// VerifyOut is the answer of verify.
type VerifyOut struct {
	Value bool `json:"value"`
}

// afterExpiry are the operations that go on with an expired or not yet valid key
// (about-keys-details, date-time controlled operations).
var afterExpiry = []string{"decrypt", "unwrapKey", "verify"}

// Use does a cryptographic operation, named as in key_ops, with a version of a key.
func (v *Vault) Use(operation, name, version string, in UseIn) (any, *wire.Error) {
	if in.Alg == "" || in.Value == nil || operation == "verify" && in.Digest == nil {
		return nil, missing()
	}
	kid, material, err := v.usable(operation, name, version)
	if err != nil {
		return nil, err
	}
	if operation == "verify" {
		ok, bad := material.Verify(in.Alg, in.Digest, in.Value)
		if bad != nil {
			return nil, unusable(bad)
		}
		return VerifyOut{Value: ok}, nil
	}
	out, bad := use(material, operation, in)
	if bad != nil {
		return nil, unusable(bad)
	}
	return UseOut{KID: kid, Value: out}, nil
}

func use(k *jwk.Key, operation string, in UseIn) ([]byte, error) {
	switch operation {
	case "encrypt", "wrapKey":
		return k.Encrypt(in.Alg, in.Value)
	case "decrypt", "unwrapKey":
		return k.Decrypt(in.Alg, in.Value)
	}
	return k.Sign(in.Alg, in.Value)
}

func unusable(err error) *wire.Error {
	var p *jwk.Problem
	if errors.As(err, &p) {
		return BadParameter("%s", p.Text)
	}
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: err.Error()}
}

// usable finds the key and refuses what its attributes forbid.
func (v *Vault) usable(operation, name, version string) (kid string, material *jwk.Key, err *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ver, err := v.findKey(name, version)
	if err != nil {
		return "", nil, err
	}
	now := v.now().Unix()
	switch {
	case ver.Disabled:
		err = forbidden("KeyDisabled", "Operation %s is not allowed on a disabled key.", operation)
	case !slices.Contains(ver.Ops, operation):
		err = forbidden("KeyOperationForbidden", "Operation %s is not permitted on this key.", operation)
	case slices.Contains(afterExpiry, operation):
	case ver.Expires != 0 && now >= ver.Expires:
		err = forbidden("KeyExpired", "Operation %s is not allowed on an expired key.", operation)
	case ver.NotBefore != 0 && now < ver.NotBefore:
		err = forbidden("KeyNotYetValid", "Operation %s is not allowed on a key that is not yet valid.", operation)
	}
	return v.url(kindKey, k.Name, ver.ID.String()), ver.Material, err
}

// ReleaseKey refuses: the emulator cannot check the attestation of a trusted execution
// environment.
func (v *Vault) ReleaseKey(name, version string) *wire.Error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	_, ver, err := v.findKey(name, version)
	switch {
	case err != nil:
		return err
	case !ver.Exportable:
		return forbidden("KeyNotExportable", "Operation release is not permitted on this key: it is not exportable.")
	}
	return forbidden("", "Target environment attestation statement cannot be verified.")
}

// KeyShape tells what a version of a key is made of; the zero Spec if it is not there.
func (v *Vault) KeyShape(name, version string) jwk.Spec {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if _, ver, err := v.findKey(name, version); err == nil {
		return ver.Material.Spec()
	}
	return jwk.Spec{}
}

// RotationPolicy is a key's rotation policy. The emulator keeps it and uses its expiry
// time when a key is rotated by request; it rotates no key by itself.
type RotationPolicy struct {
	ID         string             `json:"id,omitempty"`
	Actions    []RotationAction   `json:"lifetimeActions"`
	Attributes RotationAttributes `json:"attributes"`
}

// RotationAction is one of at most two actions: Rotate and Notify.
type RotationAction struct {
	Trigger RotationTrigger    `json:"trigger"`
	Action  RotationActionType `json:"action"`
}

// RotationTrigger says when, as ISO 8601 durations.
type RotationTrigger struct {
	AfterCreate  string `json:"timeAfterCreate,omitempty"`
	BeforeExpiry string `json:"timeBeforeExpiry,omitempty"`
}

// RotationActionType says what.
type RotationActionType struct {
	Type string `json:"type"`
}

// RotationAttributes are the policy's own.
type RotationAttributes struct {
	ExpiryTime *string `json:"expiryTime"`
	Created    int64   `json:"created,omitempty"`
	Updated    int64   `json:"updated,omitempty"`
}

// The shortest times of a policy, in days.
const (
	minRotationExpiry = 28
	minRotationLead   = 7
)

// GetRotationPolicy reads a key's rotation policy; the service's default if none was set.
func (v *Vault) GetRotationPolicy(name string) (RotationPolicy, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, _, err := v.findKey(name, "")
	if err != nil {
		return RotationPolicy{}, err
	}
	p := RotationPolicy{Actions: []RotationAction{{Trigger: RotationTrigger{BeforeExpiry: "P30D"}, Action: RotationActionType{Type: "Notify"}}}}
	if k.Rotation != nil {
		p = *k.Rotation
	}
	p.ID = v.url(kindKey, k.Name, "rotationpolicy")
	return p, nil
}

// SetRotationPolicy replaces a key's rotation policy.
func (v *Vault) SetRotationPolicy(name string, p RotationPolicy) (RotationPolicy, *wire.Error) {
	if err := p.Check(); err != nil {
		return RotationPolicy{}, err
	}
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	k, err := existing(&v.keys, kindKey, name, "", now)
	if err != nil {
		return RotationPolicy{}, err
	}
	if k.Managed {
		return RotationPolicy{}, kindKey.managed("setrotationpolicy")
	}
	p.Attributes.Created, p.Attributes.Updated = now.Unix(), now.Unix()
	if k.Rotation != nil {
		p.Attributes.Created = k.Rotation.Attributes.Created
	}
	k.Rotation = &p
	out := p
	out.ID = v.url(kindKey, k.Name, "rotationpolicy")
	return out, nil
}

// Check refuses what the service refuses, and brings the action types to their normal form.
func (p *RotationPolicy) Check() *wire.Error {
	if len(p.Actions) > 2 {
		return BadParameter("Property lifetimeActions has invalid value: there are at most two actions")
	}
	if e := p.Attributes.ExpiryTime; e != nil {
		if d, ok := parsePeriod(*e); !ok || d.wholeDays() < minRotationExpiry {
			return BadParameter("Property expiryTime has invalid value %q: it is an ISO 8601 duration of at least 28 days", *e)
		}
	}
	p.Actions = slices.Clone(p.Actions)
	for i := range p.Actions {
		if err := p.Actions[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *RotationAction) check() *wire.Error {
	switch {
	case strings.EqualFold(a.Action.Type, "Rotate"):
		a.Action.Type = "Rotate"
	case strings.EqualFold(a.Action.Type, "Notify"):
		a.Action.Type = "Notify"
	default:
		return BadParameter("Property type has invalid value %q: an action is Rotate or Notify", a.Action.Type)
	}
	if (a.Trigger.AfterCreate == "") == (a.Trigger.BeforeExpiry == "") {
		return BadParameter("Property trigger has invalid value: set timeAfterCreate or timeBeforeExpiry")
	}
	if a.Trigger.AfterCreate != "" && a.Action.Type == "Notify" {
		return BadParameter("Property timeAfterCreate has invalid value: it applies to Rotate only")
	}
	text := a.Trigger.AfterCreate + a.Trigger.BeforeExpiry
	if d, ok := parsePeriod(text); !ok || d.wholeDays() < minRotationLead {
		return BadParameter("Property trigger has invalid value %q: it is an ISO 8601 duration of at least 7 days", text)
	}
	return nil
}

// RotateKey makes a new version with the parameters of the latest one.
func (v *Vault) RotateKey(name string) (Key, *wire.Error) {
	spec, in, err := v.rotating(name)
	if err != nil {
		return Key{}, err
	}
	material, bad := jwk.Generate(spec)
	if bad != nil {
		return Key{}, BadParameter("%s", bad.Error())
	}
	return v.addKey(name, "rotate", material, in)
}

func (v *Vault) rotating(name string) (jwk.Spec, KeyIn, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	k, err := existing(&v.keys, kindKey, name, "", now)
	if err != nil {
		return jwk.Spec{}, KeyIn{}, err
	}
	if k.Managed {
		return jwk.Spec{}, KeyIn{}, kindKey.managed("rotate")
	}
	last := k.latest()
	if last.Disabled {
		return jwk.Spec{}, KeyIn{}, forbidden("KeyDisabled", "Operation rotate is not allowed on a disabled key.")
	}
	in := KeyIn{KeyOps: last.Ops, Tags: last.Tags, Release: last.Release}
	if k.Rotation != nil && k.Rotation.Attributes.ExpiryTime != nil {
		if d, ok := parsePeriod(*k.Rotation.Attributes.ExpiryTime); ok {
			exp := d.after(now).Unix()
			in.Attributes = &AttributesIn{Expires: &exp}
		}
	}
	return last.Material.Spec(), in, nil
}

// period is an ISO 8601 duration.
type period struct {
	years, months, days int
	rest                time.Duration
}

// maxPeriod bounds each number of a duration, so that sums stay in range.
const maxPeriod = 9999

var periodForm = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

func parsePeriod(text string) (period, bool) {
	m := periodForm.FindStringSubmatch(text)
	if m == nil || text == "P" || strings.HasSuffix(text, "T") {
		return period{}, false
	}
	n := make([]int, len(m))
	for i, s := range m[1:] {
		if s == "" {
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(s); err != nil || n[i] > maxPeriod {
			return period{}, false
		}
	}
	rest := time.Duration(n[4])*time.Hour + time.Duration(n[5])*time.Minute + time.Duration(n[6])*time.Second
	return period{years: n[0], months: n[1], days: 7*n[2] + n[3], rest: rest}, true
}

func (p period) after(t time.Time) time.Time { return t.AddDate(p.years, p.months, p.days).Add(p.rest) }

// wholeDays takes a month for 28 days, so that one month is enough where 28 days are.
func (p period) wholeDays() int {
	return p.years*365 + p.months*28 + p.days + int(p.rest/(24*time.Hour))
}
