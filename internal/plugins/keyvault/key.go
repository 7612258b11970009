package keyvault

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	reasonRecreated = "recreated, not copied: key material cannot leave Azure"
	warnOctSize     = "Azure does not tell the size of a symmetric key: it was created in the service's default size"
)

// keyShape is all of a key that can be had again elsewhere.
type keyShape struct {
	attributes
	Type       azkeys.KeyType
	Size       int32 // bits, of RSA keys; 0 otherwise
	Curve      azkeys.CurveName
	Exponent   int32 // of RSA keys, unless it is the usual 65537
	Operations []azkeys.KeyOperation
	Exportable bool
	Release    releasePolicy
	Tags       map[string]string
	Rotation   rotation

	id      string
	managed bool
}

// releasePolicy says to whom an exportable key may be released.
type releasePolicy struct {
	ContentType string
	Policy      string // the encoded bytes
	Immutable   bool
}

func shapeOf(k azkeys.KeyBundle) keyShape {
	a, jwk := val(k.Attributes), val(k.Key)
	s := keyShape{
		attributes: attributesOf(a.Enabled, a.NotBefore, a.Expires),
		Type:       val(jwk.Kty), Size: int32(len(bytes.TrimLeft(jwk.N, "\x00")) * 8), Curve: val(jwk.Crv),
		Operations: values(jwk.KeyOps), Exportable: val(a.Exportable), Tags: tagsOf(k.Tags),
		id: versionOf((*string)(jwk.KID)), managed: val(k.Managed),
	}
	slices.Sort(s.Operations)
	for _, b := range jwk.E {
		s.Exponent = s.Exponent<<8 | int32(b)
	}
	if s.Exponent == 65537 {
		s.Exponent = 0
	}
	if r := k.ReleasePolicy; r != nil {
		s.Release = releasePolicy{val(r.ContentType), string(r.EncodedPolicy), val(r.Immutable)}
	}
	return s
}

// material names differences that only a new key version can have.
func (s keyShape) material(o keyShape) []string {
	var out []string
	for name, differ := range map[string]bool{
		"type": s.Type != o.Type, "size": s.Size != o.Size, "curve": s.Curve != o.Curve, "exponent": s.Exponent != o.Exponent,
		"exportable": s.Exportable != o.Exportable, "releasePolicy": s.Release != o.Release,
	} {
		if differ {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// differs names all differences but that of the rotation policy.
func (s keyShape) differs(o keyShape) []string {
	out := s.material(o)
	if !slices.Equal(s.Operations, o.Operations) {
		out = append(out, "operations")
	}
	out = append(out, s.attributes.differs(o.attributes)...)
	return append(out, tagsDiffer(s.Tags, o.Tags)...)
}

func (s keyShape) wire() *azkeys.KeyAttributes {
	return &azkeys.KeyAttributes{Enabled: s.enabled(), NotBefore: moment(s.NotBefore), Expires: moment(s.Expires), Exportable: opt(s.Exportable)}
}

// key replicates a key: it makes one of the same shape.
func (j *job) key(ctx context.Context) (plugin.Outcome, error) {
	src, err := j.readKey(ctx, plugin.Source)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case src.managed:
		return skipped(reasonManaged)
	case j.needsPremium(src):
		return skipped(reasonStandard)
	}
	out, err := j.recovering(ctx, func(ctx context.Context, force bool) (plugin.Outcome, error) {
		return j.settleKey(ctx, src, force)
	})
	if err == nil && j.Mode == plugin.Replication {
		out.Reason = reasonRecreated
	}
	return out, err
}

func (j *job) settleKey(ctx context.Context, src keyShape, force bool) (plugin.Outcome, error) {
	dst, err := j.readKey(ctx, plugin.Target)
	switch {
	case missing(err):
		return j.createKey(ctx, src, rotation{}, plugin.Created)
	case err != nil:
		return plugin.Outcome{}, err
	case dst.managed:
		return plugin.Outcome{}, j.belongsToCertificate()
	}
	fields := src.differs(dst)
	rotates := src.Rotation.equal(dst.Rotation)
	switch {
	case len(fields) == 0 && rotates:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case len(fields) == 0 && dst.Rotation.empty():
		// Nobody has chosen a policy there yet: a creation was cut before it could.
	case !j.may(force):
		return plugin.Outcome{}, j.conflict(append(fields, src.Rotation.differs(dst.Rotation)...))
	}
	if len(src.material(dst)) > 0 || src.removesDate(dst.attributes) {
		return j.createKey(ctx, src, dst.Rotation, plugin.Updated)
	}
	if len(fields) > 0 {
		if err := j.updateKey(ctx, dst.id, src); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return plugin.Outcome{Status: plugin.Updated}, j.rotate(ctx, src.Rotation, dst.Rotation)
}

// readKey reads the shape of the current version, and its rotation policy.
func (j *job) readKey(ctx context.Context, side plugin.Side) (keyShape, error) {
	c := j.clients(side)
	resp, err := c.Keys.GetKey(ctx, j.ref.Name, "", nil)
	if err != nil {
		return keyShape{}, j.fail("read the key", side, err)
	}
	s := shapeOf(resp.KeyBundle)
	if s.managed {
		return s, nil
	}
	s.Rotation, err = j.readRotation(ctx, c, side)
	return s, err
}

func (j *job) readRotation(ctx context.Context, c *vault.Clients, side plugin.Side) (rotation, error) {
	resp, err := c.Keys.GetKeyRotationPolicy(ctx, j.ref.Name, nil)
	if err = j.fail("read the key's rotation policy", side, err); err != nil && !missing(err) {
		return rotation{}, err
	}
	return rotationOf(resp.KeyRotationPolicy), nil
}

// createKey makes a new version with the shape s, and gives the key the rotation policy
// of s in the place of old.
func (j *job) createKey(ctx context.Context, s keyShape, old rotation, status plugin.Status) (plugin.Outcome, error) {
	params := azkeys.CreateKeyParameters{
		Kty: &s.Type, Curve: opt(s.Curve), KeySize: opt(s.Size), PublicExponent: opt(s.Exponent),
		KeyOps: pointers(s.Operations), KeyAttributes: s.wire(), Tags: wireTags(s.Tags),
	}
	if s.Release != (releasePolicy{}) {
		params.ReleasePolicy = &azkeys.KeyReleasePolicy{
			ContentType: opt(s.Release.ContentType), EncodedPolicy: []byte(s.Release.Policy), Immutable: opt(s.Release.Immutable),
		}
	}
	err := j.patiently(ctx, func() error {
		_, err := j.dst.Keys.CreateKey(j.dst.Once(ctx), j.ref.Name, params, nil)
		return j.fail("create the key", plugin.Target, err)
	})
	if err != nil {
		return plugin.Outcome{}, err
	}
	out := plugin.Outcome{Status: status}
	if strings.HasPrefix(string(s.Type), string(azkeys.KeyTypeOct)) {
		out.Warnings = []string{warnOctSize}
	}
	return out, j.rotate(ctx, s.Rotation, old)
}

// updateKey changes what can be changed in place.
func (j *job) updateKey(ctx context.Context, id string, s keyShape) error {
	attrs := s.wire()
	attrs.Exportable = nil
	return j.patiently(ctx, func() error {
		_, err := j.dst.Keys.UpdateKey(ctx, j.ref.Name, id, azkeys.UpdateKeyParameters{
			KeyAttributes: attrs, KeyOps: pointers(s.Operations), Tags: wireTags(s.Tags),
		}, nil)
		return j.fail("update the key", plugin.Target, err)
	})
}

func (j *job) rotate(ctx context.Context, want, old rotation) error {
	if want.equal(old) {
		return nil
	}
	return j.patiently(ctx, func() error {
		_, err := j.dst.Keys.UpdateKeyRotationPolicy(ctx, j.ref.Name, want.wire(), nil)
		return j.fail("set the key's rotation policy", plugin.Target, err)
	})
}

const reasonStandard = "HSM-protected keys need a vault of the premium SKU, and the target's is standard"

// needsPremium tells whether the target's SKU cannot hold the key:
// https://learn.microsoft.com/azure/key-vault/keys/about-keys#hsm-protected-keys.
func (j *job) needsPremium(s keyShape) bool {
	return strings.HasSuffix(string(s.Type), "-HSM") && strings.EqualFold(sku(j.Target.Resource), "standard")
}

// compareKey compares shapes. In replication mode that proves nothing of the material.
func (j *job) compareKey(ctx context.Context) (plugin.Comparison, error) {
	dst, err := j.readKey(ctx, plugin.Target)
	gone := missing(err)
	if err != nil && !gone {
		return plugin.Comparison{}, err
	}
	src, err := j.readKey(ctx, plugin.Source)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case src.managed:
		return cannotCompare(reasonManaged)
	case gone && j.needsPremium(src):
		return cannotCompare(reasonStandard)
	case gone:
		return j.absent(ctx)
	case dst.managed:
		return takenByCertificate()
	}
	result := verdict(append(src.differs(dst), src.Rotation.differs(dst.Rotation)...))
	if result.Proven && j.Mode == plugin.Replication {
		result.Proven, result.Reason = false, reasonRecreated
	}
	return result, nil
}

// rotation is a key's rotation policy
// (https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation).
// Durations are ISO 8601 as the service writes them.
type rotation struct {
	ExpiryTime string
	Actions    []rotationAction // in the source's order, which means nothing
}

type rotationAction struct {
	Type                              string // "Rotate", "Notify"
	TimeAfterCreate, TimeBeforeExpiry string
}

// byDefault is the one action of a key that was given no policy.
var byDefault = rotationAction{Type: "Notify", TimeBeforeExpiry: "P30D"}

// rotationOf reads a policy. That of a key that was given none is empty.
func rotationOf(p azkeys.KeyRotationPolicy) rotation {
	var r rotation
	if p.Attributes != nil {
		r.ExpiryTime = val(p.Attributes.ExpiryTime)
	}
	for _, a := range p.LifetimeActions {
		if a == nil || a.Action == nil {
			continue
		}
		action := rotationAction{Type: canonicalAction(string(val(a.Action.Type)))}
		if a.Trigger != nil {
			action.TimeAfterCreate, action.TimeBeforeExpiry = val(a.Trigger.TimeAfterCreate), val(a.Trigger.TimeBeforeExpiry)
		}
		r.Actions = append(r.Actions, action)
	}
	if r.ExpiryTime == "" && slices.Equal(r.Actions, []rotationAction{byDefault}) {
		return rotation{}
	}
	return r
}

// canonicalAction gives an action's name the case that the documentation uses; the
// service promises none.
func canonicalAction(name string) string {
	for _, known := range azkeys.PossibleKeyRotationPolicyActionValues() {
		if strings.EqualFold(name, string(known)) {
			return string(known)
		}
	}
	return name
}

func (r rotation) empty() bool { return r.ExpiryTime == "" && len(r.Actions) == 0 }

func (r rotation) equal(o rotation) bool {
	return r.ExpiryTime == o.ExpiryTime && sameSet(r.Actions, o.Actions)
}

func (r rotation) differs(o rotation) []string {
	if r.equal(o) {
		return nil
	}
	return []string{"rotationPolicy"}
}

// wire is the policy for the service. An empty one puts the default back.
func (r rotation) wire() azkeys.KeyRotationPolicy {
	p := azkeys.KeyRotationPolicy{
		Attributes:      &azkeys.KeyRotationPolicyAttributes{ExpiryTime: opt(r.ExpiryTime)},
		LifetimeActions: []*azkeys.LifetimeAction{},
	}
	for _, a := range r.Actions {
		typ := azkeys.KeyRotationPolicyAction(a.Type)
		p.LifetimeActions = append(p.LifetimeActions, &azkeys.LifetimeAction{
			Action:  &azkeys.LifetimeActionType{Type: &typ},
			Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: opt(a.TimeAfterCreate), TimeBeforeExpiry: opt(a.TimeBeforeExpiry)},
		})
	}
	return p
}

// sku returns a vault's SKU name, "" if it is not known.
func sku(res plugin.Resource) string {
	if res.SKU != "" {
		return res.SKU
	}
	var props struct {
		SKU struct {
			Name string `json:"name"`
		} `json:"sku"`
	}
	if json.Unmarshal(res.Properties, &props) != nil {
		return ""
	}
	return props.SKU.Name
}
