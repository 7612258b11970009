package vault

import (
	"crypto/x509"
	"net/http"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The statuses of a certificate operation.
const (
	inProgress = "inProgress"
	completed  = "completed"
	cancelled  = "cancelled"
	failed     = "failed"
)

// The service's words for an operation in progress.
const (
	waitMerge  = "Pending certificate created. Please Perform Merge to complete the request."
	waitIssuer = "Pending certificate created. Certificate request is in progress. This may take some time based on the issuer provider. Please check again later."
)

// operation is the making of a certificate version.
type operation struct {
	RequestID  string
	Status     string
	Details    string
	Polls      int // looks left until it is completed
	Created    int64
	Completed  time.Time
	Cancelled  bool
	CSR        []byte
	Cert       []byte   // the self-signed certificate that comes out
	Key        *jwk.Key // nil once completed
	Issuer     pki.IssuerParams
	Attributes *AttributesIn
	Tags       map[string]string
	KeepOrder  *bool
}

// Operation is a CertificateOperation.
type Operation struct {
	ID        string           `json:"id"`
	Issuer    pki.IssuerParams `json:"issuer"`
	CSR       []byte           `json:"csr"`
	Cancelled bool             `json:"cancellation_requested"`
	Status    string           `json:"status"`
	Details   string           `json:"status_details,omitempty"`
	Error     *OperationError  `json:"error,omitempty"`
	Target    string           `json:"target,omitempty"`
	KeepOrder *bool            `json:"preserveCertOrder,omitempty"`
	RequestID string           `json:"request_id"`
}

// OperationError is why an operation failed.
type OperationError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func pendingNotFound(name string) *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "PendingCertificateNotFound", Message: "Pending certificate not found: " + name}
}

// advance moves an operation on by one look. The caller holds the lock for writing.
func (v *Vault) advance(c *certificate) {
	op := c.Operation
	if op == nil || op.Status != inProgress || op.Issuer.Name == pki.Unknown {
		return
	}
	if op.Polls > 0 {
		op.Polls--
		return
	}
	if op.Cert == nil {
		op.Status = failed
		op.Details = "The emulator has no certification authority for the issuer " + op.Issuer.Name + "."
		return
	}
	leaf, err := x509.ParseCertificate(op.Cert)
	if err != nil {
		op.Status, op.Details = failed, err.Error()
		return
	}
	if err := v.complete(c, op, leaf, [][]byte{op.Cert}, op.Attributes, op.Tags); err != nil {
		op.Status, op.Details = failed, err.Message
	}
}

// GetOperation reads the operation of a certificate.
func (v *Vault) GetOperation(name string) (Operation, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := v.operating(name)
	if err != nil {
		return Operation{}, err
	}
	v.advance(c)
	return v.showOperation(c), nil
}

// CancelOperation asks for the end of an operation, which then is cancelled.
func (v *Vault) CancelOperation(name string, cancel *bool) (Operation, *wire.Error) {
	if cancel == nil {
		return Operation{}, missing()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := v.operating(name)
	if err != nil {
		return Operation{}, err
	}
	op := c.Operation
	// The words are not known.
	if op.Status != inProgress {
		return Operation{}, conflict("", "The certificate operation of %s is not in progress: it is %s.", name, op.Status)
	}
	op.Cancelled = *cancel
	if *cancel {
		op.Status, op.Details = cancelled, "The certificate operation was cancelled by request."
	}
	return v.showOperation(c), nil
}

// DeleteOperation forgets an operation. A certificate that has no version goes with it.
func (v *Vault) DeleteOperation(name string) (Operation, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := v.operating(name)
	if err != nil {
		return Operation{}, err
	}
	out := v.showOperation(c)
	c.Operation = nil
	if len(c.Versions) == 0 {
		v.certs.Drop(c.Name)
	}
	return out, nil
}

func (v *Vault) operating(name string) (*certificate, *wire.Error) {
	c, ok := v.certs.Get(name, v.now())
	if !ok {
		return nil, kindCert.notFound(name, "")
	}
	if c.Operation == nil {
		return nil, pendingNotFound(name)
	}
	return c, nil
}

func (v *Vault) showOperation(c *certificate) Operation {
	op := c.Operation
	out := Operation{
		ID: v.url(kindCert, c.Name, "pending"), Issuer: op.Issuer, CSR: op.CSR, Cancelled: op.Cancelled,
		Status: op.Status, Details: op.Details, KeepOrder: op.KeepOrder, RequestID: op.RequestID,
	}
	switch op.Status {
	case inProgress:
		out.Details = waitIssuer
		if op.Issuer.Name == pki.Unknown {
			out.Details = waitMerge
		}
	case completed:
		out.Target = v.url(kindCert, c.Name, "")
	case failed:
		out.Error = &OperationError{Code: "IssuerNotReachable", Message: op.Details}
	}
	return out
}
