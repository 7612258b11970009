package keyvault

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	warnNoCredentials   = "the issuer has no credentials at the target, since Key Vault does not give them out: certificates do not renew until they are entered" //nolint:gosec // it speaks of credentials and holds none
	reasonNoCredentials = "the issuer's credentials are write-only and cannot be compared"                                                                        //nolint:gosec // it speaks of credentials and holds none
)

// issuer is a certificate issuer without its credentials.
type issuer struct {
	Provider, Organization string
	Admins                 []person // their order means nothing
	Disabled               bool

	account bool // there are credentials; never compared
}

// person is an administrator of an issuer.
type person struct{ Email, First, Last, Phone string }

func issuerOf(w azcertificates.Issuer) issuer {
	org := val(w.OrganizationDetails)
	out := issuer{Provider: val(w.Provider), Organization: val(org.ID), Disabled: attributesOf(val(w.Attributes).Enabled, nil, nil).Disabled}
	for _, a := range values(org.AdminContacts) {
		out.Admins = append(out.Admins, person{val(a.Email), val(a.FirstName), val(a.LastName), val(a.Phone)})
	}
	out.account = val(val(w.Credentials).AccountID) != ""
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
	out := plugin.Outcome{Status: plugin.Created}
	if src.account && !dst.account {
		out.Warnings = []string{warnNoCredentials}
	}
	if missing(err) {
		return out, j.createIssuer(ctx, j.ref.Name, src)
	}
	if err != nil {
		return plugin.Outcome{}, err
	}
	fields := src.differs(dst)
	switch {
	case len(fields) == 0:
		out.Status = plugin.Unchanged
		return out, nil
	case !j.may(false):
		return plugin.Outcome{}, j.conflict(fields)
	}
	org, attrs := src.wire()
	// An update leaves the credentials as they are; setting the issuer would wipe them.
	_, err = j.dst.Certificates.UpdateIssuer(ctx, j.ref.Name, azcertificates.UpdateIssuerParameters{
		Provider: &src.Provider, OrganizationDetails: org, Attributes: attrs,
	}, nil)
	out.Status = plugin.Updated
	return out, j.fail("update the issuer", plugin.Target, err)
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

// contact is somebody whom Key Vault writes to about a vault's certificates.
type contact struct{ Email, Name, Phone string }

// readContacts returns a vault's contacts, in an order that means nothing; none where the service has no set.
func (j *job) readContacts(ctx context.Context, side plugin.Side) ([]contact, error) {
	resp, err := j.clients(side).Certificates.GetContacts(ctx, nil)
	if err = j.fail("read the contacts", side, err); err != nil {
		if missing(err) {
			return nil, nil
		}
		return nil, err
	}
	var out []contact
	for _, c := range values(resp.ContactList) {
		out = append(out, contact{val(c.Email), val(c.Name), val(c.Phone)})
	}
	return out, nil
}

// contacts replicates the contacts. The service replaces the whole set at once, so a
// target with other contacts is a conflict, not a place to add to.
func (j *job) contacts(ctx context.Context) (plugin.Outcome, error) {
	src, err := j.readContacts(ctx, plugin.Source)
	if err != nil {
		return plugin.Outcome{}, err
	}
	dst, err := j.readContacts(ctx, plugin.Target)
	out := plugin.Outcome{Status: plugin.Updated}
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case sameSet(src, dst):
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case len(dst) == 0:
		out.Status = plugin.Created
	case !j.may(false):
		return plugin.Outcome{}, j.conflict([]string{"contacts"})
	}
	list := []*azcertificates.Contact{}
	for _, c := range src {
		list = append(list, &azcertificates.Contact{Email: opt(c.Email), Name: opt(c.Name), Phone: opt(c.Phone)})
	}
	_, err = j.dst.Certificates.SetContacts(ctx, azcertificates.Contacts{ContactList: list}, nil)
	return out, j.fail("set the contacts", plugin.Target, err)
}

// compareContacts compares the sets of contacts.
func (j *job) compareContacts(ctx context.Context) (plugin.Comparison, error) {
	dst, err := j.readContacts(ctx, plugin.Target)
	if err != nil {
		return plugin.Comparison{}, err
	}
	src, err := j.readContacts(ctx, plugin.Source)
	if err != nil {
		return plugin.Comparison{}, err
	}
	switch {
	case sameSet(src, dst):
		return plugin.Comparison{State: plugin.Same, Proven: true}, nil
	case len(dst) == 0:
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	return plugin.Comparison{State: plugin.Different, Fields: []string{"contacts"}}, nil
}
