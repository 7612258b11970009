package keyvault

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/plugin"
)

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
