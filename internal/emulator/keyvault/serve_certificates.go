package keyvault

import (
	"net/http"
	"net/url"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func listCertificates(c *call) (int, any, *wire.Error) {
	return paged(c, func(after string, n int) vault.Page[vault.CertificateItem] {
		return c.vault.data.ListCertificates(after, n, c.query.Get("includePending") == "true")
	})
}

func listDeletedCertificates(c *call) (int, any, *wire.Error) {
	return paged(c, c.vault.data.ListDeletedCertificates)
}

func listCertificateVersions(c *call) (int, any, *wire.Error) {
	return paged(c, func(after string, n int) vault.Page[vault.CertificateItem] {
		return c.vault.data.ListCertificateVersions(c.name, after, n)
	})
}

// createCertificate answers 202 and where the operation can be looked at.
func createCertificate(c *call) (int, any, *wire.Error) {
	var in vault.CertificateIn
	if err := c.into(&in); err != nil {
		return 0, nil, err
	}
	op, err := c.vault.data.CreateCertificate(c.name, in)
	if err != nil {
		return 0, nil, err
	}
	q := url.Values{"api-version": {c.query.Get("api-version")}, "request_id": {op.RequestID}}
	c.header.Set("Location", op.ID+"?"+q.Encode())
	return http.StatusAccepted, op, nil
}

func importCertificate(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.CertificateIn) (vault.Certificate, *wire.Error) {
		return c.vault.data.ImportCertificate(c.name, in)
	})
}

func mergeCertificate(c *call) (int, any, *wire.Error) {
	_, out, err := withBody(c, func(in vault.CertificateIn) (vault.Certificate, *wire.Error) {
		return c.vault.data.MergeCertificate(c.name, in)
	})
	return http.StatusCreated, out, err
}

func getCertificate(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.GetCertificate(c.name, c.version))
}

func updateCertificate(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.CertificateIn) (vault.Certificate, *wire.Error) {
		return c.vault.data.UpdateCertificate(c.name, c.version, in)
	})
}

func deleteCertificate(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.DeleteCertificate(c.name))
}

func getDeletedCertificate(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.GetDeletedCertificate(c.name))
}

func recoverCertificate(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.RecoverCertificate(c.name))
}

func purgeCertificate(c *call) (int, any, *wire.Error) {
	return noContent(c.vault.data.PurgeCertificate(c.name))
}

func backupCertificate(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.BackupCertificate(c.name))
}

func restoreCertificate(c *call) (int, any, *wire.Error) {
	return withBody(c, c.vault.data.RestoreCertificate)
}

func getPolicy(c *call) (int, any, *wire.Error) { return ok(c.vault.data.GetPolicy(c.name)) }

func updatePolicy(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in pki.Policy) (pki.Policy, *wire.Error) { return c.vault.data.UpdatePolicy(c.name, in) })
}

func getPending(c *call) (int, any, *wire.Error) { return ok(c.vault.data.GetOperation(c.name)) }

func cancelPending(c *call) (int, any, *wire.Error) {
	type cancel struct {
		Requested *bool `json:"cancellation_requested"`
	}
	return withBody(c, func(in cancel) (vault.Operation, *wire.Error) {
		return c.vault.data.CancelOperation(c.name, in.Requested)
	})
}

func deletePending(c *call) (int, any, *wire.Error) { return ok(c.vault.data.DeleteOperation(c.name)) }

func listIssuers(c *call) (int, any, *wire.Error) {
	return paged(c, func(after string, n int) vault.Page[issuers.Item] {
		items, next := c.vault.data.Book.List(after, n)
		return vault.Page[issuers.Item]{Items: items, Marker: next}
	})
}

func setIssuer(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in issuers.In) (issuers.Issuer, *wire.Error) { return c.vault.data.Book.Set(c.name, in) })
}

func updateIssuer(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in issuers.In) (issuers.Issuer, *wire.Error) { return c.vault.data.Book.Update(c.name, in) })
}

func getIssuer(c *call) (int, any, *wire.Error) { return ok(c.vault.data.Book.Get(c.name)) }

func deleteIssuer(c *call) (int, any, *wire.Error) { return ok(c.vault.data.Book.Delete(c.name)) }

func getContacts(c *call) (int, any, *wire.Error) { return ok(c.vault.data.Book.GetContacts()) }

func setContacts(c *call) (int, any, *wire.Error) { return withBody(c, c.vault.data.Book.SetContacts) }

func deleteContacts(c *call) (int, any, *wire.Error) { return ok(c.vault.data.Book.DeleteContacts()) }
