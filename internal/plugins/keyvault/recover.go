package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The inner codes of a 409 that soft delete gives:
// https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview. After a
// recovery has answered, writes still get the second one for some seconds
// (https://github.com/Azure/azure-sdk-for-net/issues/31581).
const (
	codeDeleted    = "ObjectIsDeletedButRecoverable"
	codeRecovering = "ObjectIsBeingRecovered"
)

// Waiting for the target: soon at first, then every few seconds, for about two minutes.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
	polls      = 30
)

// settler brings the target's object into its wanted state. force is set if it may
// replace what differs without being asked.
type settler func(ctx context.Context, force bool) (plugin.Outcome, error)

// recovering calls settle. If a soft-deleted object holds the name at the target it
// reports that, or recovers the object if the user asked for it and settles again.
func (j *job) recovering(ctx context.Context, settle settler) (plugin.Outcome, error) {
	if j.mark.Recovered { // an earlier attempt may have been stopped at any point of it
		return j.overRecovered(ctx, settle)
	}
	out, err := settle(ctx, j.mark.Ours)
	if !hasCode(err, codeDeleted) {
		return out, err
	}
	if j.setting(setDeleted) != recoverDeleted {
		e := j.problem("copy", plugin.Target, errs.Conflict, errors.New("a soft-deleted object holds the name at the target"))
		e.Code, e.Hint = codeDeleted, "recover it with --set keyvault.deleted=recover, or purge it at the target, then run again"
		return plugin.Outcome{}, e
	}
	if err := j.save(func(m *mark) { m.Recovered = true }); err != nil {
		return plugin.Outcome{}, err
	}
	return j.overRecovered(ctx, settle)
}

// overRecovered recovers the target's object and settles over it.
func (j *job) overRecovered(ctx context.Context, settle settler) (plugin.Outcome, error) {
	if err := j.recoverTarget(ctx); err != nil {
		return plugin.Outcome{}, err
	}
	out, err := settle(ctx, true)
	if err == nil && out.Status != plugin.Skipped {
		out.Status = plugin.Updated
		out.Warnings = append(out.Warnings, "a soft-deleted object of this name was recovered at the target first, older versions included")
	}
	return out, err
}

// recoverTarget recovers the target's deleted object and waits until it can be read.
func (j *job) recoverTarget(ctx context.Context) error {
	var err error
	switch j.Item.Kind {
	case kindSecret:
		_, err = j.dst.Secrets.RecoverDeletedSecret(ctx, j.ref.Name, nil)
	case kindKey:
		_, err = j.dst.Keys.RecoverDeletedKey(ctx, j.ref.Name, nil)
	case kindCertificate:
		_, err = j.dst.Certificates.RecoverDeletedCertificate(ctx, j.ref.Name, nil)
	}
	// It may have been recovered already, by an attempt that was cut.
	if err = j.fail("recover the deleted object", plugin.Target, err); err != nil && !hasCode(err, codeRecovering) && !missing(err) {
		return err
	}
	return j.wait(ctx, "wait for the recovery", func() (bool, error) {
		err := j.visible(ctx)
		if missing(err) {
			return false, nil
		}
		return true, err
	})
}

// visible returns nil if the target's object can be found again. It reads no value.
func (j *job) visible(ctx context.Context) error {
	switch j.Item.Kind {
	case kindSecret:
		found, err := j.listVersions(ctx, plugin.Target)
		if err == nil && len(found) == 0 {
			return j.notThere()
		}
		return err
	case kindKey:
		_, err := j.dst.Keys.GetKey(ctx, j.ref.Name, "", nil)
		return j.fail("read the key", plugin.Target, err)
	default:
		_, err := j.dst.Certificates.GetCertificate(ctx, j.ref.Name, "", nil)
		return j.fail("read the certificate", plugin.Target, err)
	}
}

func (j *job) notThere() error {
	e := j.problem("find the object", plugin.Target, errs.NotFound, errors.New("it is not there"))
	e.Status = 404
	return e
}

// wait polls until done says so, for as long as polls and pauses allow.
func (j *job) wait(ctx context.Context, op string, done func() (bool, error)) error {
	pause := firstPause
	for range polls {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := j.sleep(ctx, pause); err != nil {
			return j.fail(op, plugin.Target, err)
		}
		pause = min(pause*3/2, lastPause)
	}
	return j.problem(op, plugin.Target, errs.Unavailable, errors.New("it is still not done"))
}

// patiently writes to the target. While the name is being recovered, and the user asked
// for recovery, it tries again.
func (j *job) patiently(ctx context.Context, write func() error) error {
	if j.setting(setDeleted) != recoverDeleted {
		return write()
	}
	return j.wait(ctx, "wait for the recovery", func() (bool, error) {
		err := write()
		if hasCode(err, codeRecovering) {
			return false, nil
		}
		return true, err
	})
}

// absent compares with a target that lacks the object: it may be soft-deleted there. A
// caller who may not look for deleted objects learns that when it writes.
func (j *job) absent(ctx context.Context) (plugin.Comparison, error) {
	var err error
	switch j.Item.Kind {
	case kindSecret:
		_, err = j.dst.Secrets.GetDeletedSecret(ctx, j.ref.Name, nil)
	case kindKey:
		_, err = j.dst.Keys.GetDeletedKey(ctx, j.ref.Name, nil)
	case kindCertificate:
		_, err = j.dst.Certificates.GetDeletedCertificate(ctx, j.ref.Name, nil)
	}
	err = j.fail("look for a deleted object", plugin.Target, err)
	switch {
	case missing(err), errs.KindOf(err) == errs.PermissionDenied:
		return plugin.Comparison{State: plugin.Missing}, nil
	case err != nil:
		return plugin.Comparison{}, err
	case j.setting(setDeleted) == recoverDeleted:
		return plugin.Comparison{State: plugin.Missing, Reason: "a soft-deleted object of this name will be recovered first"}, nil
	}
	return cannotCompare("a soft-deleted object holds the name at the target: recover it with --set keyvault.deleted=recover, or purge it")
}
