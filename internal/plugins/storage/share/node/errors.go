package node

import (
	"github.com/azure-tenant-grapher/atg/errs"
)

// hints are for refusals by code
// (https://learn.microsoft.com/rest/api/storageservices/file-service-error-codes).
var hints = map[string]string{
	"LeaseIdMissing":                        "something holds a lease at the target: end it there, or break it with az storage share lease break or az storage file lease break",
	"SharingViolation":                      "a client has the file open: close it (az storage file close-handles), and run again",
	"FileLockConflict":                      "a client has locked a part of the file: close it (az storage file close-handles), and run again",
	"DeletePending":                         "it is marked to be deleted once its last client closes it: az storage file close-handles, and run again",
	"ShareBeingDeleted":                     "the old share of that name is still being deleted: run again in a minute, or restore it if it is kept as deleted",
	"FileOAuthManagementApiRestrictedToSrp": "this service takes no token for operations on shares: use --set storage.sign-in=key",
	"ReadOnlyAttribute":                     "it is read-only at the target: use --overwrite",
}

// kinds are those of answers whose status says something else.
var kinds = map[string]errs.Kind{"ShareBeingDeleted": errs.Unavailable, "DeletePending": errs.Unavailable}

// Explain adds to an error of the service what to do about it.
func Explain(err error) error {
	e := errs.Find(err)
	if e == nil || hints[e.Code] == "" || e.Hint != "" {
		return err
	}
	named := *e
	named.Hint = hints[e.Code]
	if kind, ok := kinds[e.Code]; ok {
		named.Kind = kind
	}
	return &named
}
