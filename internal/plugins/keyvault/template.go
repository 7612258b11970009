package keyvault

import (
	"context"
	"errors"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

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
			errors.New("Key Vault cannot remove a date or a content type from a version, and template mode does not write another over its value"))
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
	}
	return verdict(src.differs(dst.meta)), nil
}
