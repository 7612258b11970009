// Package kit is what the emulated services of a storage account share: the account, a
// request that is signed in, what it may do, and how errors look.
package kit

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Kind names one of an account's services, as its host name has it.
type Kind string

// The services of an account.
const (
	Blob  Kind = "blob"
	DFS   Kind = "dfs"
	File  Kind = "file"
	Queue Kind = "queue"
	Table Kind = "table"
	Web   Kind = "web" // the static website
)

// Account is a storage account as its services see it at the moment of a request.
type Account struct {
	ID       string // ARM resource ID, as first written
	Name     string // lower case
	TenantID string
	Location string
	Kind     string // "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage", …
	SKU      string // "Standard_LRS"
	HNS      bool   // hierarchical namespace
	Created  time.Time
	// CopyScope is where the sources of its copies may be (Azure: Restrict the source of copy
	// operations to a storage account): "AAD" in its tenant, "PrivateLink" in its virtual
	// network, "" and else anywhere.
	CopyScope string
}

// Call is one request to one service of one account. The caller has proven who it is;
// what it may do, the service asks Grant before it does anything.
type Call struct {
	W       http.ResponseWriter
	R       *http.Request
	Account Account
	Service Kind
	Path    string    // below the account, percent-decoded, without the leading slash: "container/a/b"
	Version string    // x-ms-version, or sv of a SAS without one; "" if the request has none
	Now     time.Time // of the emulator's clock
	Grant   Grant
	Fetch   Fetch // reads the source of a copy
}

// Need is what an operation needs. Every way of signing in reads its own part of it.
type Need struct {
	// Actions are the data actions of Azure RBAC of which one suffices:
	// "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read".
	Actions []string
	// Scope is what follows the account in the resource ID that role assignments are asked
	// for: "/blobServices/default/containers/NAME"; "" for the account itself.
	Scope string
	// Letters are the SAS permissions of which one suffices: "r", "wc". Two operations that
	// need several ask several times.
	Letters string
	// Type is the account SAS's resource type: "s" service, "c" container, "o" object.
	Type string
	// Container is the container, share, queue or table that the operation is about, and
	// Object the blob, directory or file below it; "" for none. A service SAS is bound to them.
	Container, Object string
	// Partition and Row are keys of a table entity, for the ranges of a table SAS.
	Partition, Row string
	// Public tells that an anonymous caller may do it where the container allows it: "" not
	// at all, "blob" read of a blob, "container" also listing and container properties.
	Public string
}

// Grant is what a caller may do.
type Grant interface {
	// Check returns nil if the caller may do what an operation needs, and otherwise the
	// error as Azure words it: AuthorizationPermissionMismatch,
	// AuthorizationFailure, AuthorizationResourceTypeMismatch, ResourceNotFound for a
	// private container that is asked for anonymously, …
	Check(n Need) *wire.Error
	// How says which way of signing in was used: "SharedKey", "AccountSAS", "ServiceSAS",
	// "UserDelegationSAS", "Bearer", "Anonymous".
	How() string
}

// Policy is a stored access policy of a container, share, queue or table.
type Policy struct {
	ID            string
	Start, Expiry time.Time // zero: left to the SAS
	Permission    string    // SAS letters; "": left to the SAS
}

// Server is one service for all accounts. Storage calls it; it knows nothing of ARM.
type Server interface {
	// Serve answers a request, errors included.
	Serve(c *Call)
	// Drop forgets everything of an account that was deleted.
	Drop(accountID string)
	// Policies returns the stored access policies of a container, share, queue or table;
	// ok is false if there is no such thing.
	Policies(accountID, container string) (ps []Policy, ok bool)
	// Public returns the container's public access: "", "blob" or "container".
	Public(accountID, container string) string
	// Seed adds what a scenario's "data" object holds for this service.
	Seed(a Account, data json.RawMessage, now time.Time) error
	// Objects returns everything live in an account, sorted by key.
	Objects(a Account) ([]wire.Object, error)
}
