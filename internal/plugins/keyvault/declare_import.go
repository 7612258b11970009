package keyvault

import (
	"context"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// The IDs by which azurerm imports what is in a vault are URLs: with the version for
// secrets, keys and certificates
// (https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/key_vault_secret#import),
// without one for issuers and contacts. What belongs to a certificate, and what is disabled, is
// not imported: the provider could not read it.

// url is an object's ID at the target.
func (j *job) url(parts ...string) string {
	return strings.TrimRight(j.dst.URL, "/") + "/" + strings.Join(parts, "/")
}

// absentIs makes "" of the error that the target does not have the thing.
func absentIs(id string, err error) (string, error) {
	if missing(err) {
		return "", nil
	}
	return id, err
}

func (j *job) importSecret(ctx context.Context) (string, error) {
	all, err := j.listVersions(ctx, plugin.Target)
	if err != nil || len(all) == 0 {
		return "", err
	}
	last := all[len(all)-1]
	if last.managed || last.Disabled {
		return "", nil
	}
	return j.url("secrets", j.ref.Name, last.id), nil
}

func (j *job) importKey(ctx context.Context) (string, error) {
	k, err := j.readKey(ctx, plugin.Target)
	if k.managed || k.Disabled {
		return absentIs("", err)
	}
	return absentIs(j.url("keys", j.ref.Name, k.id), err)
}

func (j *job) importCertificate(ctx context.Context) (string, error) {
	c, err := j.readCertificate(ctx, plugin.Target)
	if c.disabled {
		return absentIs("", err)
	}
	return absentIs(j.url("certificates", j.ref.Name, c.id), err)
}

func (j *job) importIssuer(ctx context.Context) (string, error) {
	_, err := j.readIssuer(ctx, plugin.Target, j.ref.Name)
	return absentIs(j.url("certificates", "issuers", j.ref.Name), err)
}

func (j *job) importContacts(ctx context.Context) (string, error) {
	list, err := j.readContacts(ctx, plugin.Target)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return j.url("certificates", "contacts"), nil
}
