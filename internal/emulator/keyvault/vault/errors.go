package vault

import (
	"fmt"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// kind is a sort of object, with the words that the service has for it.
type kind struct {
	noun string // "Secret": in messages, error codes and inner codes
	word string // "secret"
	path string // "secrets"
}

var (
	kindSecret = kind{"Secret", "secret", "secrets"}
	kindKey    = kind{"Key", "key", "keys"}
	kindCert   = kind{"Certificate", "certificate", "certificates"}
)

// BadParameter is the service's 400.
func BadParameter(format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "BadParameter", Message: fmt.Sprintf(format, args...)}
}

// missing is how the service answers a property that is not there.
func missing() *wire.Error { return BadParameter("Property  has invalid value\r\n") }

func forbidden(inner, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: "Forbidden", Message: fmt.Sprintf(format, args...), Inner: inner}
}

func conflict(inner, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: "Conflict", Message: fmt.Sprintf(format, args...), Inner: inner}
}

func (k kind) notFound(name, version string) *wire.Error {
	if version != "" {
		name += "/" + version
	}
	return &wire.Error{
		Status: http.StatusNotFound, Code: k.noun + "NotFound",
		Message: fmt.Sprintf("A %s with (name/id) %s was not found in this key vault. If you recently deleted this %s you may be able to recover it "+
			"using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182", k.word, name, k.word),
	}
}

func (k kind) deletedNotFound(name string) *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: k.noun + "NotFound", Message: fmt.Sprintf("Deleted %s not found: %s", k.noun, name)}
}

// managed refuses an operation on the key or the secret of a certificate.
func (k kind) managed(operation string) *wire.Error {
	return forbidden(k.noun+"ManagedByKeyVault", "Operation \"%s\" is not allowed on this %s, since it is associated with a certificate. Perform the operation "+
		"on the corresponding certificate. For more information refer to "+
		"https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates#composition-of-a-certificate", operation, k.word)
}

// inTheWay is the conflict of a write with an object on its way; nil if there is none.
func (k kind) inTheWay(name string, s shelf.Status) *wire.Error {
	switch s {
	case shelf.Deleting:
		return conflict("ObjectIsBeingDeleted", "%s %s is currently being deleted and cannot be re-created; retry later.", k.noun, name)
	case shelf.Deleted:
		return conflict("ObjectIsDeletedButRecoverable", "%s %s is currently in a deleted but recoverable state, and its name cannot be reused; "+
			"in this state, the %s can only be recovered or purged.", k.noun, name, k.word)
	case shelf.Recovering:
		return conflict("ObjectIsBeingRecovered", "%s %s is currently being recovered and cannot be re-created; retry later.", k.noun, name)
	case shelf.Absent, shelf.Live:
	}
	return nil
}
