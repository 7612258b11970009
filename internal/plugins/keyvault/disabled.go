package keyvault

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// restoreTime is how long disabling an object of the source again may take, once the
// caller has given up.
const restoreTime = 30 * time.Second

const warnNotCompared = "the values of disabled secrets cannot be compared; the properties are equal"

// disabledSecret replicates a secret whose current version is disabled.
func (j *job) disabledSecret(ctx context.Context) (plugin.Outcome, error) {
	if j.setting(setDisabled) != readDisabled {
		return skipped(reasonDisabled)
	}
	if err := j.returnLent(ctx); err != nil {
		return plugin.Outcome{}, err
	}
	src, err := j.newest(ctx, plugin.Source)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case !src.Disabled:
		return plugin.Outcome{}, j.problem("copy", plugin.Source, errs.Conflict, errors.New("the secret was enabled since it was listed: run again"))
	}
	return j.recovering(ctx, func(ctx context.Context, force bool) (plugin.Outcome, error) {
		return j.settleDisabled(ctx, src, force)
	})
}

// settleDisabled makes the target's current version equal to the disabled src.
func (j *job) settleDisabled(ctx context.Context, src version, force bool) (plugin.Outcome, error) {
	dst, err := j.readSecret(ctx, plugin.Target, "")
	status := plugin.Updated
	switch {
	case missing(err):
		status = plugin.Created
	case isDisabled(err):
		if dst, err = j.newest(ctx, plugin.Target); err != nil {
			return plugin.Outcome{}, err
		}
		if fields := src.differs(dst); len(fields) == 0 {
			return plugin.Outcome{Status: plugin.Unchanged, Warnings: []string{warnNotCompared}}, nil
		} else if !j.may(force) {
			return plugin.Outcome{}, j.conflict(fields)
		}
	case err != nil:
		return plugin.Outcome{}, err
	case dst.managed:
		return plugin.Outcome{}, j.belongsToCertificate()
	case !j.may(force) && !dst.placeholder():
		return plugin.Outcome{}, j.conflict(src.meta.differs(dst.meta))
	}
	if src.value, err = j.borrowSecret(ctx, src.id); err != nil {
		return plugin.Outcome{}, err
	}
	if dst.readable && dst.value.Equal(src.value) && src.patchable(dst.meta) {
		return j.patchSecret(ctx, dst.id, src.meta)
	}
	return j.setSecret(ctx, src, status)
}

// returnLent disables again what an earlier attempt enabled: it may have been stopped
// before it could do so itself.
func (j *job) returnLent(ctx context.Context) error {
	for _, id := range j.mark.Lent {
		if err := j.enableSource(ctx, id, false); err != nil {
			return err
		}
	}
	return nil
}

// lend enables a disabled version of the source, calls read and disables the version
// again, whatever happens in between.
func (j *job) lend(ctx context.Context, id string, read func() error) (err error) {
	if err := j.save(func(m *mark) { m.Lent = append(m.Lent, id) }); err != nil {
		return err
	}
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
		defer cancel()
		err = errors.Join(err, j.enableSource(late, id, false))
	}()
	if err := j.enableSource(ctx, id, true); err != nil {
		return err
	}
	return read()
}

// borrowSecret reads the value of a disabled version of the source.
func (j *job) borrowSecret(ctx context.Context, id string) (secret.Value, error) {
	var value secret.Value
	err := j.lend(ctx, id, func() error {
		v, err := j.readSecret(ctx, plugin.Source, id)
		value = v.value
		return err
	})
	return value, err
}

// enableSource enables or disables a version of the source's object.
func (j *job) enableSource(ctx context.Context, id string, on bool) error {
	op := "disable the object again"
	if on {
		op = "enable the object for reading"
	}
	var err error
	if j.Item.Kind == kindCertificate {
		attrs := azcertificates.UpdateCertificateParameters{CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: &on}}
		_, err = j.src.Certificates.UpdateCertificate(ctx, j.ref.Name, id, attrs, nil)
	} else {
		attrs := azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{Enabled: &on}}
		_, err = j.src.Secrets.UpdateSecretProperties(ctx, j.ref.Name, id, attrs, nil)
	}
	return j.fail(op, plugin.Source, err)
}

// newest returns the current version of a secret without its value.
func (j *job) newest(ctx context.Context, side plugin.Side) (version, error) {
	all, err := j.listVersions(ctx, side)
	if err != nil {
		return version{}, err
	}
	if len(all) == 0 {
		e := j.problem("find the secret", side, errs.NotFound, errors.New("it has no versions"))
		e.Status = 404
		return version{}, e
	}
	last := all[len(all)-1]
	if side == plugin.Source && j.ref.Meta != nil {
		// Versions of one second cannot be ordered; the listing says which one is current.
		for _, v := range slices.Backward(all) {
			if v.created.Equal(last.created) && len(v.meta.differs(*j.ref.Meta)) == 0 {
				return v, nil
			}
		}
	}
	return last, nil
}

// compareDisabled compares a secret that is disabled at the source.
func (j *job) compareDisabled(ctx context.Context) (plugin.Comparison, error) {
	if j.setting(setDisabled) != readDisabled {
		return cannotCompare(reasonDisabled)
	}
	dst, err := j.newest(ctx, plugin.Target)
	if missing(err) {
		return j.absent(ctx)
	}
	if err != nil {
		return plugin.Comparison{}, err
	}
	src, err := j.newest(ctx, plugin.Source)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if fields := src.meta.differs(dst.meta); len(fields) > 0 {
		return plugin.Comparison{State: plugin.Different, Fields: fields}, nil
	}
	return plugin.Comparison{State: plugin.Same, Reason: warnNotCompared}, nil
}
