package keyvault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	reasonUnknownIssuer = "its issuer is Unknown: somebody signs its requests outside Key Vault, and a new one would stay pending until that is done"
	reasonIssuing       = "the certificate authority has not issued it yet: Key Vault goes on by itself"
)

// settleCertificateTemplate makes a certificate with the source's policy, issued anew.
func (j *job) settleCertificateTemplate(ctx context.Context, force bool) (plugin.Outcome, error) {
	src, err := j.readCertificate(ctx, plugin.Source)
	if err != nil {
		return plugin.Outcome{}, err
	}
	dst, err := j.readCertificate(ctx, plugin.Target)
	switch {
	case missing(err):
		return j.issueCertificate(ctx, src)
	case err != nil:
		return plugin.Outcome{}, err
	case len(dst.cer) == 0: // requested by an attempt that was cut
		return j.awaitIssue(ctx)
	}
	fields := src.differsInTemplate(dst)
	switch {
	case len(fields) == 0:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case !j.may(force):
		return plugin.Outcome{}, j.conflict(fields)
	}
	want := src.certVersion
	want.x5t = dst.x5t
	if len(want.differs(dst.certVersion)) > 0 {
		if err := j.updateCertificate(ctx, dst.id, want); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return plugin.Outcome{Status: plugin.Updated}, j.setPolicy(ctx, src, dst.policy)
}

// differsInTemplate names differences of everything but the certificate itself.
func (c certificate) differsInTemplate(o certificate) []string {
	o.x5t, o.cer = c.x5t, c.cer
	return c.differs(o)
}

// issueCertificate requests a certificate at the target, if that can succeed.
func (j *job) issueCertificate(ctx context.Context, src certificate) (plugin.Outcome, error) {
	reason, err := j.notIssuable(ctx, src.policy)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if reason != "" {
		return skipped(reason)
	}
	params := azcertificates.CreateCertificateParameters{
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: attributes{Disabled: src.disabled}.enabled()},
		CertificatePolicy:     writable(src.wire, ""), PreserveCertOrder: src.keepOrder, Tags: wireTags(src.tags),
	}
	err = j.patiently(ctx, func() error {
		_, err := j.dst.Certificates.CreateCertificate(j.dst.Once(ctx), j.ref.Name, params, nil)
		return j.fail("request the certificate", plugin.Target, err)
	})
	if err != nil {
		return plugin.Outcome{}, err
	}
	return j.awaitIssue(ctx)
}

// notIssuable says why the target cannot issue a certificate with the policy, or "".
func (j *job) notIssuable(ctx context.Context, p certPolicy) (string, error) {
	switch {
	case p.isHSM() && strings.EqualFold(sku(j.Target.Resource), "standard"):
		return reasonStandard, nil
	case strings.EqualFold(p.Issuer, issuerSelf):
		return "", nil
	case !p.ownIssuer():
		return reasonUnknownIssuer, nil
	}
	resp, err := j.dst.Certificates.GetIssuer(ctx, p.Issuer, nil)
	err = j.fail("read the certificate's issuer", plugin.Target, err)
	switch {
	case missing(err):
		return fmt.Sprintf("its issuer %s does not exist at the target", p.Issuer), nil
	case err != nil:
		return "", err
	case val(val(resp.Credentials).AccountID) == "":
		return fmt.Sprintf("its issuer %s has no credentials at the target, so that the certificate authority would refuse", p.Issuer), nil
	}
	return "", nil
}

// awaitIssue waits for a requested certificate. A certificate authority may take days;
// that is left to Key Vault.
func (j *job) awaitIssue(ctx context.Context) (plugin.Outcome, error) {
	out := plugin.Outcome{Status: plugin.Created}
	own := true
	err := j.wait(ctx, "wait for the certificate", func() (bool, error) {
		resp, err := j.dst.Certificates.GetCertificateOperation(ctx, j.ref.Name, nil)
		if err = j.fail("read the certificate's request", plugin.Target, err); err != nil {
			return false, err
		}
		own = strings.EqualFold(val(val(resp.IssuerParameters).Name), issuerSelf)
		switch strings.ToLower(val(resp.Status)) {
		case "completed":
			return true, nil
		case "inprogress":
			return !own, nil // do not stay for others
		}
		return false, j.notIssued(resp.CertificateOperation)
	})
	if err == nil && !own {
		out.Reason = reasonIssuing
	}
	return out, err
}

func (j *job) notIssued(op azcertificates.CertificateOperation) error {
	text := val(op.StatusDetails)
	if op.Error != nil {
		text = op.Error.Error()
	}
	return j.problem("issue the certificate", plugin.Target, errs.Conflict, errors.New("the request is "+val(op.Status)+": "+text))
}

// compareCertificateTemplate compares everything but the certificates themselves.
func (j *job) compareCertificateTemplate(ctx context.Context) (plugin.Comparison, error) {
	src, err := j.readCertificate(ctx, plugin.Source)
	if err != nil {
		return plugin.Comparison{}, err
	}
	dst, err := j.readCertificate(ctx, plugin.Target)
	switch {
	case missing(err):
		reason, err := j.notIssuable(ctx, src.policy)
		if err != nil {
			return plugin.Comparison{}, err
		}
		if reason != "" {
			return cannotCompare(reason)
		}
		return j.absent(ctx)
	case err != nil:
		return plugin.Comparison{}, err
	case len(dst.cer) == 0:
		return plugin.Comparison{State: plugin.Different, Fields: []string{"certificate"}, Reason: reasonIssuing}, nil
	}
	return verdict(src.differsInTemplate(dst)), nil
}
