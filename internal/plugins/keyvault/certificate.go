package keyvault

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

const (
	reasonNotExportable       = "its private key is not exportable, so the certificate cannot be copied"
	reasonCertificateDisabled = "the certificate is disabled, and Key Vault does not give out the private keys of disabled certificates"
)

// certVersion is one version of a certificate, as a listing shows it. The thumbprint
// stands for the content: whoever has the same certificate in a vault has its private key
// there too, because Key Vault takes only pairs that belong together.
type certVersion struct {
	id       string
	created  time.Time
	x5t      string // thumbprint, in hex
	disabled bool
	tags     map[string]string
}

// differs names what keeps v from being a copy of o. The dates of a certificate are part
// of its content.
func (v certVersion) differs(o certVersion) []string {
	var out []string
	if v.x5t != o.x5t {
		out = append(out, "certificate")
	}
	if v.disabled != o.disabled {
		out = append(out, "enabled")
	}
	return append(out, tagsDiffer(v.tags, o.tags)...)
}

// certificate is a certificate's current version with everything that belongs to it.
type certificate struct {
	certVersion
	cer       []byte
	policy    certPolicy
	wire      *azcertificates.CertificatePolicy
	keepOrder *bool // of the chain
}

// differs names what keeps c from being a copy of o, the policy included.
func (c certificate) differs(o certificate) []string {
	out := c.certVersion.differs(o.certVersion)
	if c.x5t == o.x5t && !bytes.Equal(c.cer, o.cer) {
		out = append(out, "certificate")
	}
	return append(out, c.policy.differs(o.policy)...)
}

// certificates is what both sides have of a certificate.
type certificates struct {
	src, dst   certificate
	found      bool // at the target
	want, have []certVersion
	alignment
	left     int // disabled versions of the source that are not copied
	warnings []string
}

// readCertificate reads the current version.
func (j *job) readCertificate(ctx context.Context, side plugin.Side) (certificate, error) {
	resp, err := j.clients(side).Certificates.GetCertificate(ctx, j.ref.Name, "", nil)
	if err != nil {
		return certificate{}, j.fail("read the certificate", side, err)
	}
	a := val(resp.Attributes)
	return certificate{
		certVersion: certVersion{
			id: versionOf((*string)(resp.ID)), created: val(a.Created), x5t: hex.EncodeToString(resp.X509Thumbprint),
			disabled: attributesOf(a.Enabled, nil, nil).Disabled, tags: tagsOf(resp.Tags),
		},
		cer: resp.CER, policy: policyOf(resp.Policy), wire: resp.Policy, keepOrder: resp.PreserveCertOrder,
	}, nil
}

// listCertificateVersions returns the versions, oldest first.
func (j *job) listCertificateVersions(ctx context.Context, side plugin.Side) ([]certVersion, error) {
	var out []certVersion
	pager := j.clients(side).Certificates.NewListCertificatePropertiesVersionsPager(j.ref.Name, nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, j.fail("list the certificate's versions", side, err)
		}
		for _, p := range page.Value {
			a := val(p.Attributes)
			out = append(out, certVersion{
				id: versionOf((*string)(p.ID)), created: val(a.Created), x5t: hex.EncodeToString(p.X509Thumbprint),
				disabled: attributesOf(a.Enabled, nil, nil).Disabled, tags: tagsOf(p.Tags),
			})
		}
	}
	slices.SortFunc(out, func(a, b certVersion) int { return older(a.created, a.id, b.created, b.id) })
	return out, nil
}

// readCertificates looks at both sides: at the current version, or at all of them.
func (j *job) readCertificates(ctx context.Context) (c certificates, err error) {
	if c.dst, err = j.readCertificate(ctx, plugin.Target); err != nil && !missing(err) {
		return c, err
	}
	c.found = err == nil
	if c.src, err = j.readCertificate(ctx, plugin.Source); err != nil {
		return c, err
	}
	c.want = []certVersion{c.src.certVersion}
	if c.found {
		c.have = []certVersion{c.dst.certVersion}
	}
	if j.setting(setVersions) == allVersions {
		err = j.readCertificateHistory(ctx, &c)
	}
	c.alignment = align(c.want, c.have, func(a, b certVersion) bool { return len(a.differs(b)) == 0 })
	return c, err
}

func (j *job) readCertificateHistory(ctx context.Context, c *certificates) error {
	all, err := j.listCertificateVersions(ctx, plugin.Source)
	if err != nil {
		return err
	}
	c.want = c.want[:0]
	created := make([]time.Time, len(all))
	for i, v := range all {
		created[i] = v.created
		if v.disabled && v.id != c.src.id && j.setting(setDisabled) != readDisabled {
			c.left++
			c.warnings = append(c.warnings, "version "+v.id+" is disabled and was not copied")
			continue
		}
		if v.id != c.src.id {
			c.want = append(c.want, v)
		}
	}
	c.want = append(c.want, c.src.certVersion) // whatever its second, it is the current one
	c.warnings = append(c.warnings, tieWarning(ties(created))...)
	if c.found {
		c.have, err = j.listCertificateVersions(ctx, plugin.Target)
	}
	return err
}

// same tells whether nothing is left to do.
func (c certificates) same() bool {
	return c.found && len(c.missing) == 0 && len(c.src.differs(c.dst)) == 0
}

// lacksOldOnly tells whether the target is right but for older versions: those that it
// refused, or that were not asked for before.
func (c certificates) lacksOldOnly() bool {
	return c.found && len(c.extra) == 0 && len(c.src.differs(c.dst)) == 0
}

// fields names what differs.
func (c certificates) fields() []string {
	out := c.src.differs(c.dst)
	if len(c.missing) > 0 && len(c.want) > 1 {
		out = append(out, "versions")
	}
	return out
}

// certificate replicates a certificate.
func (j *job) certificate(ctx context.Context) (plugin.Outcome, error) {
	if j.Mode == plugin.Template {
		return j.recovering(ctx, j.settleCertificateTemplate)
	}
	if err := j.returnLent(ctx); err != nil {
		return plugin.Outcome{}, err
	}
	return j.recovering(ctx, j.settleCertificate)
}

func (j *job) settleCertificate(ctx context.Context, force bool) (plugin.Outcome, error) {
	c, err := j.readCertificates(ctx)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case c.same():
		return plugin.Outcome{Status: plugin.Unchanged, Warnings: c.warnings}, nil
	}
	if c.lacksOldOnly() && !j.may(force) {
		warning := "the target lacks " + count(len(c.missing), "older version") + ", which only overwriting can put before the current one"
		return plugin.Outcome{Status: plugin.Unchanged, Warnings: append(c.warnings, warning)}, nil
	}
	if reason := j.unreadable(c); reason != "" {
		return skipped(reason)
	}
	begun := c.unfinished(len(c.want)) && len(c.src.policy.differs(c.dst.policy)) == 0
	if c.found && !begun && !j.may(force) {
		return plugin.Outcome{}, j.conflict(c.fields())
	}
	if c.src.policy.ownIssuer() {
		if err := j.ensureIssuer(ctx, c.src.policy.Issuer); err != nil {
			return plugin.Outcome{}, err
		}
	}
	if err := j.save(func(m *mark) { m.Ours = true }); err != nil {
		return plugin.Outcome{}, err
	}
	return j.writeCertificates(ctx, c)
}

// unreadable says why the private key cannot be had, if it is needed.
func (j *job) unreadable(c certificates) string {
	switch {
	case c.inPlace():
		return ""
	case !c.src.policy.Exportable:
		return reasonNotExportable
	case c.src.disabled && j.setting(setDisabled) != readDisabled:
		return reasonCertificateDisabled
	}
	return ""
}

// inPlace tells whether the target has the certificate, with other properties.
func (c certificates) inPlace() bool {
	return c.found && c.src.x5t == c.dst.x5t && (len(c.missing) == 0 || len(c.missing) == 1 && c.missing[0] == len(c.want)-1)
}

// writeCertificates imports the versions that are missing, the current one last, and then
// sets what an import does not.
func (j *job) writeCertificates(ctx context.Context, c certificates) (plugin.Outcome, error) {
	out := plugin.Outcome{Status: plugin.Updated, Warnings: c.warnings}
	now := c.dst
	if !c.inPlace() {
		if !c.found {
			out.Status = plugin.Created
		}
		todo := c.missing
		if last := len(c.want) - 1; len(todo) == 0 || todo[len(todo)-1] != last {
			todo = append(slices.Clone(todo), last)
		}
		for _, i := range todo {
			imported, n, err := j.importVersion(ctx, c, i)
			if err != nil && i < len(c.want)-1 && errs.KindOf(err) == errs.Invalid {
				out.Warnings = append(out.Warnings, fmt.Sprintf("the target refused the old version %s: %v", c.want[i].id, errs.Find(err).Err))
				continue
			}
			if err != nil {
				return plugin.Outcome{}, err
			}
			now, out.Bytes = imported, out.Bytes+n
		}
	}
	if len(c.src.certVersion.differs(now.certVersion)) > 0 {
		if err := j.updateCertificate(ctx, now.id, c.src.certVersion); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return out, j.setPolicy(ctx, c.src, now.policy)
}

// importVersion copies the ith wanted version with its private key, and returns what the
// target made of it.
func (j *job) importVersion(ctx context.Context, c certificates, i int) (certificate, int64, error) {
	v := c.want[i]
	content, contentType, err := j.readPrivate(ctx, v)
	if err != nil {
		return certificate{}, 0, err
	}
	value := content.Reveal()
	params := azcertificates.ImportCertificateParameters{
		Base64EncodedCertificate: &value, PreserveCertOrder: c.src.keepOrder, Tags: wireTags(v.tags),
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: attributes{Disabled: v.disabled}.enabled()},
		CertificatePolicy:     writable(c.src.wire, contentType),
	}
	if contentType == "application/x-pkcs12" {
		params.Password = new(string) // Key Vault gives PFX files out under an empty password
	}
	var resp azcertificates.ImportCertificateResponse
	err = j.patiently(ctx, func() error {
		var err error
		resp, err = j.dst.Certificates.ImportCertificate(j.dst.Once(ctx), j.ref.Name, params, nil)
		return j.fail("import the certificate", plugin.Target, err)
	})
	made := certificate{certVersion: v, policy: policyOf(resp.Policy)}
	made.id, made.tags = versionOf((*string)(resp.ID)), tagsOf(resp.Tags)
	made.disabled = attributesOf(val(resp.Attributes).Enabled, nil, nil).Disabled
	return made, int64(content.Len()), err
}

// readPrivate reads a version with its private key, as PFX in base64 or as PEM. It is the
// value of the secret that belongs to the certificate
// (https://learn.microsoft.com/azure/key-vault/certificates/how-to-export-certificate).
func (j *job) readPrivate(ctx context.Context, v certVersion) (content secret.Value, contentType string, err error) {
	read := func() error {
		resp, err := j.src.Secrets.GetSecret(ctx, j.ref.Name, v.id, nil)
		content, contentType = secret.New(val(resp.Value)), val(resp.ContentType)
		return j.fail("read the certificate's private key", plugin.Source, err)
	}
	if v.disabled {
		err = j.lend(ctx, v.id, read)
	} else {
		err = read()
	}
	return content, contentType, err
}

// updateCertificate sets the properties of a version of the target.
func (j *job) updateCertificate(ctx context.Context, id string, want certVersion) error {
	return j.patiently(ctx, func() error {
		_, err := j.dst.Certificates.UpdateCertificate(ctx, j.ref.Name, id, azcertificates.UpdateCertificateParameters{
			CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: attributes{Disabled: want.disabled}.enabled()},
			Tags:                  wireTags(want.tags),
		}, nil)
		return j.fail("update the certificate's properties", plugin.Target, err)
	})
}

// setPolicy gives the target the source's policy, if it has another one.
func (j *job) setPolicy(ctx context.Context, src certificate, old certPolicy) error {
	if len(src.policy.differs(old)) == 0 {
		return nil
	}
	return j.patiently(ctx, func() error {
		_, err := j.dst.Certificates.UpdateCertificatePolicy(ctx, j.ref.Name, *writable(src.wire, ""), nil)
		return j.fail("set the certificate's policy", plugin.Target, err)
	})
}

// compareCertificate compares a certificate: its content by thumbprint, and its policy.
func (j *job) compareCertificate(ctx context.Context) (plugin.Comparison, error) {
	if j.Mode == plugin.Template {
		return j.compareCertificateTemplate(ctx)
	}
	c, err := j.readCertificates(ctx)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case c.same() && c.left > 0:
		return plugin.Comparison{State: plugin.Same, Reason: leftVersions(c.left)}, nil
	case c.same() && len(c.extra) > 0:
		return plugin.Comparison{State: plugin.Same, Reason: surplusVersions(len(c.extra))}, nil
	case c.same():
		return plugin.Comparison{State: plugin.Same, Proven: true}, nil
	}
	if reason := j.unreadable(c); reason != "" {
		return cannotCompare(reason)
	}
	if !c.found {
		return j.absent(ctx)
	}
	return plugin.Comparison{State: plugin.Different, Fields: c.fields()}, nil
}
