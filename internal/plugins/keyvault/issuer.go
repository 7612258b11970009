package keyvault

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	warnNoCredentials   = "the issuer was created without credentials, which Key Vault does not give out: certificates do not renew until they are entered"
	reasonNoCredentials = "the issuer's credentials are write-only and cannot be compared"
)

// issuer is a certificate issuer without its credentials.
type issuer struct {
	Provider, Organization string
	Admins                 []person // their order means nothing
	Disabled               bool
}

// person is an administrator of an issuer.
type person struct{ Email, First, Last, Phone string }

func issuerOf(w azcertificates.Issuer) issuer {
	org := val(w.OrganizationDetails)
	out := issuer{Provider: val(w.Provider), Organization: val(org.ID), Disabled: attributesOf(val(w.Attributes).Enabled, nil, nil).Disabled}
	for _, a := range values(org.AdminContacts) {
		out.Admins = append(out.Admins, person{val(a.Email), val(a.FirstName), val(a.LastName), val(a.Phone)})
	}
	return out
}

func (i issuer) differs(o issuer) []string {
	var out []string
	if i.Provider != o.Provider {
		out = append(out, "provider")
	}
	if i.Organization != o.Organization {
		out = append(out, "organization")
	}
	if !sameSet(i.Admins, o.Admins) {
		out = append(out, "administrators")
	}
	if i.Disabled != o.Disabled {
		out = append(out, "enabled")
	}
	return out
}

func (i issuer) wire() (*azcertificates.OrganizationDetails, *azcertificates.IssuerAttributes) {
	org := &azcertificates.OrganizationDetails{ID: &i.Organization, AdminContacts: []*azcertificates.AdministratorContact{}}
	for _, a := range i.Admins {
		org.AdminContacts = append(org.AdminContacts, &azcertificates.AdministratorContact{
			Email: opt(a.Email), FirstName: opt(a.First), LastName: opt(a.Last), Phone: opt(a.Phone),
		})
	}
	return org, &azcertificates.IssuerAttributes{Enabled: attributes{Disabled: i.Disabled}.enabled()}
}

func (j *job) readIssuer(ctx context.Context, side plugin.Side, name string) (issuer, error) {
	resp, err := j.clients(side).Certificates.GetIssuer(ctx, name, nil)
	return issuerOf(resp.Issuer), j.fail("read the issuer", side, err)
}

// issuer replicates an issuer, without its credentials.
func (j *job) issuer(ctx context.Context) (plugin.Outcome, error) {
	src, err := j.readIssuer(ctx, plugin.Source, j.ref.Name)
	if err != nil {
		return plugin.Outcome{}, err
	}
	dst, err := j.readIssuer(ctx, plugin.Target, j.ref.Name)
	if missing(err) {
		return plugin.Outcome{Status: plugin.Created, Warnings: []string{warnNoCredentials}}, j.createIssuer(ctx, j.ref.Name, src)
	}
	if err != nil {
		return plugin.Outcome{}, err
	}
	fields := src.differs(dst)
	switch {
	case len(fields) == 0:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case !j.may(false):
		return plugin.Outcome{}, j.conflict(fields)
	}
	org, attrs := src.wire()
	// An update leaves the credentials as they are; setting the issuer would wipe them.
	_, err = j.dst.Certificates.UpdateIssuer(ctx, j.ref.Name, azcertificates.UpdateIssuerParameters{
		Provider: &src.Provider, OrganizationDetails: org, Attributes: attrs,
	}, nil)
	return plugin.Outcome{Status: plugin.Updated}, j.fail("update the issuer", plugin.Target, err)
}

func (j *job) createIssuer(ctx context.Context, name string, src issuer) error {
	org, attrs := src.wire()
	if src.Organization == "" && len(src.Admins) == 0 {
		org = nil
	}
	_, err := j.dst.Certificates.SetIssuer(ctx, name, azcertificates.SetIssuerParameters{
		Provider: &src.Provider, OrganizationDetails: org, Attributes: attrs,
	}, nil)
	return j.fail("create the issuer", plugin.Target, err)
}

// ensureIssuer creates an issuer that a certificate's policy names and that the target
// lacks: its own item may be at work still. Where the source lacks it too, the service
// decides.
func (j *job) ensureIssuer(ctx context.Context, name string) error {
	_, err := j.readIssuer(ctx, plugin.Target, name)
	if !missing(err) {
		return err
	}
	src, err := j.readIssuer(ctx, plugin.Source, name)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return j.createIssuer(ctx, name, src)
}

// compareIssuer compares an issuer. Its credentials cannot be read.
func (j *job) compareIssuer(ctx context.Context) (plugin.Comparison, error) {
	dst, err := j.readIssuer(ctx, plugin.Target, j.ref.Name)
	if missing(err) {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	if err != nil {
		return plugin.Comparison{}, err
	}
	src, err := j.readIssuer(ctx, plugin.Source, j.ref.Name)
	if err != nil {
		return plugin.Comparison{}, err
	}
	result := verdict(src.differs(dst))
	if result.Proven && j.Mode == plugin.Replication {
		result.Proven, result.Reason = false, reasonNoCredentials
	}
	return result, nil
}
