package keyvault

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// meta is everything of a secret's version that a user can set, but its value.
type meta struct {
	attributes
	ContentType string            `json:"type,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

func metaOf(a *azsecrets.SecretAttributes, contentType *string, tags map[string]*string) meta {
	at := val(a)
	return meta{attributesOf(at.Enabled, at.NotBefore, at.Expires), val(contentType), tagsOf(tags)}
}

// differs names the properties in which m and o differ.
func (m meta) differs(o meta) []string {
	out := m.attributes.differs(o.attributes)
	if m.ContentType != o.ContentType {
		out = append(out, "contentType")
	}
	return append(out, tagsDiffer(m.Tags, o.Tags)...)
}

// patchable tells whether an update in place turns old into m.
func (m meta) patchable(old meta) bool {
	return !m.removesDate(old.attributes) && (m.ContentType != "" || old.ContentType == "")
}

func (m meta) wire() *azsecrets.SecretAttributes {
	return &azsecrets.SecretAttributes{Enabled: m.enabled(), NotBefore: moment(m.NotBefore), Expires: moment(m.Expires)}
}

// version is one version of a secret.
type version struct {
	meta
	id       string
	created  time.Time
	value    secret.Value
	readable bool // false: it is disabled, and its value is not known
	managed  bool // it belongs to a certificate
}

// differs names what keeps v from being a copy of o. A value that cannot be read counts
// as equal to another one that cannot be read.
func (v version) differs(o version) []string {
	var out []string
	if v.readable != o.readable || v.readable && !v.value.Equal(o.value) {
		out = append(out, "value")
	}
	return append(out, v.meta.differs(o.meta)...)
}

// placeholder tells whether the version was made by template mode.
func (v version) placeholder() bool { return v.readable && v.value.Reveal() == Placeholder }

// secret replicates a secret.
func (j *job) secret(ctx context.Context) (plugin.Outcome, error) {
	switch {
	case j.Mode == plugin.Template:
		return j.recovering(ctx, j.settleTemplate)
	case j.setting(setVersions) == allVersions:
		return j.recovering(ctx, j.settleHistory)
	case j.ref.Disabled:
		return j.disabledSecret(ctx)
	}
	src, err := j.readSecret(ctx, plugin.Source, "")
	switch {
	case isDisabled(err):
		return j.disabledSecret(ctx)
	case err != nil:
		return plugin.Outcome{}, err
	case src.managed:
		return skipped(reasonManaged)
	}
	return j.recovering(ctx, func(ctx context.Context, force bool) (plugin.Outcome, error) {
		return j.settleSecret(ctx, src, force)
	})
}

const (
	reasonDisabled = "the secret is disabled, and Key Vault does not give out the values of disabled secrets"
	reasonManaged  = "it is part of a certificate and comes with it"
)

// settleSecret makes the target's current version equal to src.
func (j *job) settleSecret(ctx context.Context, src version, force bool) (plugin.Outcome, error) {
	dst, err := j.readSecret(ctx, plugin.Target, "")
	switch {
	case missing(err):
		return j.setSecret(ctx, src, plugin.Created)
	case isDisabled(err): // what it holds cannot be known, so it differs
		dst.attributes = attributes{Disabled: true}
	case err != nil:
		return plugin.Outcome{}, err
	case dst.managed:
		return plugin.Outcome{}, j.belongsToCertificate()
	}
	fields := src.differs(dst)
	switch {
	case len(fields) == 0:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case !j.may(force) && !dst.placeholder():
		return plugin.Outcome{}, j.conflict(fields)
	case !slices.Contains(fields, "value") && src.patchable(dst.meta):
		return j.patchSecret(ctx, dst.id, src.meta)
	}
	return j.setSecret(ctx, src, plugin.Updated)
}

// readSecret reads a version of the secret with its value; "" is the current version.
func (j *job) readSecret(ctx context.Context, side plugin.Side, id string) (version, error) {
	resp, err := j.clients(side).Secrets.GetSecret(ctx, j.ref.Name, id, nil)
	if err != nil {
		return version{}, j.fail("read the secret", side, err)
	}
	v := version{
		meta: metaOf(resp.Attributes, resp.ContentType, resp.Tags), id: versionOf((*string)(resp.ID)),
		value: secret.New(val(resp.Value)), readable: true, managed: val(resp.Managed),
	}
	v.created = val(val(resp.Attributes).Created)
	return v, nil
}

// setSecret writes a new version.
func (j *job) setSecret(ctx context.Context, v version, status plugin.Status) (plugin.Outcome, error) {
	value := v.value.Reveal()
	params := azsecrets.SetSecretParameters{
		Value: &value, ContentType: opt(v.ContentType), SecretAttributes: v.wire(), Tags: wireTags(v.Tags),
	}
	err := j.patiently(ctx, func() error {
		_, err := j.dst.Secrets.SetSecret(j.dst.Once(ctx), j.ref.Name, params, nil)
		return j.fail("write the secret", plugin.Target, err)
	})
	if err != nil {
		return plugin.Outcome{}, err
	}
	return plugin.Outcome{Status: status, Bytes: int64(v.value.Len())}, nil
}

// patchSecret changes the properties of a version of the target in place.
func (j *job) patchSecret(ctx context.Context, id string, m meta) (plugin.Outcome, error) {
	params := azsecrets.UpdateSecretPropertiesParameters{
		ContentType: opt(m.ContentType), SecretAttributes: m.wire(), Tags: wireTags(m.Tags),
	}
	err := j.patiently(ctx, func() error {
		_, err := j.dst.Secrets.UpdateSecretProperties(ctx, j.ref.Name, id, params, nil)
		return j.fail("update the secret's properties", plugin.Target, err)
	})
	if err != nil {
		return plugin.Outcome{}, err
	}
	return plugin.Outcome{Status: plugin.Updated}, nil
}

// listVersions returns the versions of the secret without their values, oldest first,
// and nothing if there is no such secret. Azure orders them by ID, which says nothing.
func (j *job) listVersions(ctx context.Context, side plugin.Side) ([]version, error) {
	var out []version
	pager := j.clients(side).Secrets.NewListSecretPropertiesVersionsPager(j.ref.Name, nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			if err = j.fail("list the secret's versions", side, err); missing(err) {
				return nil, nil
			}
			return nil, err
		}
		for _, p := range page.Value {
			v := version{meta: metaOf(p.Attributes, p.ContentType, p.Tags), id: versionOf((*string)(p.ID)), managed: val(p.Managed)}
			v.created = val(val(p.Attributes).Created)
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b version) int { return older(a.created, a.id, b.created, b.id) })
	return out, nil
}

// compareSecret compares a secret.
func (j *job) compareSecret(ctx context.Context) (plugin.Comparison, error) {
	switch {
	case j.Mode == plugin.Template:
		return j.compareTemplate(ctx)
	case j.setting(setVersions) == allVersions:
		return j.compareHistory(ctx)
	case j.ref.Disabled:
		return j.compareDisabled(ctx)
	}
	// The target first: where it lacks the secret, the value need not be read at all.
	dst, err := j.readSecret(ctx, plugin.Target, "")
	switch {
	case missing(err):
		return j.absent(ctx)
	case isDisabled(err):
		dst.attributes = attributes{Disabled: true}
	case err != nil:
		return plugin.Comparison{}, err
	case dst.managed:
		return takenByCertificate()
	}
	src, err := j.readSecret(ctx, plugin.Source, "")
	switch {
	case isDisabled(err):
		return j.compareDisabled(ctx)
	case err != nil:
		return plugin.Comparison{}, err
	case src.managed:
		return cannotCompare(reasonManaged)
	}
	result := verdict(src.differs(dst))
	if dst.placeholder() && !src.placeholder() {
		result.Reason = "the target holds the placeholder of a template run"
	}
	return result, nil
}

// Placeholder is the value of the secrets that template mode creates. Replication takes
// a target secret that holds it for one that nobody has filled in yet, and writes over it.
const Placeholder = "PLACEHOLDER: atg template mode made this secret without its value; set the real value before use"

// settleTemplate makes the secret exist with the source's properties and a placeholder
// for its value. It reads no value, and never replaces one.
func (j *job) settleTemplate(ctx context.Context, force bool) (plugin.Outcome, error) {
	src, err := j.sourceMeta(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	dst, found, err := j.targetMeta(ctx, src)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case !found:
		v := version{meta: src, value: secret.New(Placeholder), readable: true}
		out, err := j.setSecret(ctx, v, plugin.Created)
		out.Bytes = 0 // no content was copied
		return out, err
	case dst.managed:
		return plugin.Outcome{}, j.belongsToCertificate()
	}
	fields := src.differs(dst.meta)
	switch {
	case len(fields) == 0:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case !j.may(force):
		return plugin.Outcome{}, j.conflict(fields)
	case !src.patchable(dst.meta):
		return plugin.Outcome{}, j.problem("update the secret's properties", plugin.Target, errs.Unsupported,
			errors.New("a date or a content type cannot be removed from a version, and template mode does not write another over its value"))
	}
	return j.patchSecret(ctx, dst.id, src)
}

// sourceMeta returns the properties of the source's current version.
func (j *job) sourceMeta(ctx context.Context) (meta, error) {
	if j.ref.Meta != nil {
		return *j.ref.Meta, nil
	}
	v, err := j.newest(ctx, plugin.Source)
	return v.meta, err
}

// targetMeta returns the target's newest version. Among versions of the same second it
// prefers one that has the wanted properties.
func (j *job) targetMeta(ctx context.Context, want meta) (version, bool, error) {
	all, err := j.listVersions(ctx, plugin.Target)
	if err != nil || len(all) == 0 {
		return version{}, false, err
	}
	last := all[len(all)-1]
	for _, v := range all {
		if v.created.Equal(last.created) && len(want.differs(v.meta)) == 0 {
			last = v
		}
	}
	return last, true, nil
}

// compareTemplate compares properties. No value is read.
func (j *job) compareTemplate(ctx context.Context) (plugin.Comparison, error) {
	src, err := j.sourceMeta(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	dst, found, err := j.targetMeta(ctx, src)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case !found:
		return j.absent(ctx)
	case dst.managed:
		return takenByCertificate()
	}
	return verdict(src.differs(dst.meta)), nil
}
