// Package access is how a request to a storage account is signed in: with an account key
// (Shared Key, Shared Key Lite), a shared access signature (account, service, user
// delegation), a token of Microsoft Entra, or not at all.
//
// It follows Microsoft's REST reference: Authorize with Shared Key, Create an account SAS,
// Create a service SAS, Create a user delegation SAS, Authorize with Microsoft Entra ID.
// Where the words of a refusal could not be confirmed a comment says so.
package access

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Account is what signing in needs to know of a storage account.
type Account struct {
	kit.Account
	Keys          [][]byte // decoded; any of them signs
	SharedKey     bool     // allowSharedKeyAccess
	Anonymous     bool     // allowBlobPublicAccess
	DelegationKey []byte   // what user delegation keys are made from; another one revokes them
	ClientIP      string   // that the request seems to come from
	Encrypted     bool     // the request came over TLS, or from within Azure
}

// Gate signs requests in.
type Gate struct {
	Tokens wire.Tokens
	Access wire.Access
}

// request is one on its way through the gate.
type request struct {
	gate    Gate
	r       *http.Request
	acc     Account
	service kit.Kind
	server  kit.Server
	path    string // below the account, as it was sent: percent-encoded, with the leading slash
	now     time.Time
}

// SignIn tells what the sender of a request may do, or refuses it. The server is asked for
// stored access policies and for public access.
func (g Gate) SignIn(r *http.Request, acc Account, service kit.Kind, server kit.Server, now time.Time) (kit.Grant, *wire.Error) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		path = r.URL.EscapedPath()
	}
	q := &request{gate: g, r: r, acc: acc, service: service, server: server, path: path, now: now}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return q.bearer()
	case strings.EqualFold(scheme, "SharedKey"):
		return q.sharedKey(rest, false)
	case strings.EqualFold(scheme, "SharedKeyLite"):
		return q.sharedKey(rest, true)
	case scheme != "":
		return nil, invalidAuthentication("")
	case r.URL.Query().Has("sig"):
		return q.signature()
	}
	return q.anonymous()
}

// everything is the grant of an account key.
type everything struct{}

// Check implements kit.Grant.
func (everything) Check(kit.Need) *wire.Error { return nil }

// How implements kit.Grant.
func (everything) How() string { return "SharedKey" }

// Everything is the grant of the account itself, for what Resource Manager does to its
// services.
func Everything() kit.Grant { return everything{} }

// dataParts are in the names of the operations that are data actions; the others of the
// services are actions (Azure: Azure permissions for Storage).
var dataParts = []string{"/blobs/", "/messages/", "/files/", "/entities/", "FileBackupSemantics/", "/takeOwnership/"}

func isData(action string) bool {
	for _, p := range dataParts {
		if strings.Contains(action, p) {
			return true
		}
	}
	return false
}

// allowed asks the role assignments.
func (g Gate) allowed(c wire.Claims, acc kit.Account, n kit.Need) bool {
	for _, a := range n.Actions {
		if g.Access.Allowed(c, acc.ID+n.Scope, a, isData(a)) {
			return true
		}
	}
	return false
}

// anonymous grants what a container's public access allows.
func (q *request) anonymous() (kit.Grant, *wire.Error) {
	if v := q.r.Header.Get("X-Ms-Version"); v >= "2019-12-12" && !q.public() {
		return nil, q.challenge("NoAuthenticationInformation", "")
	}
	if !q.acc.Anonymous && q.service != kit.Web {
		return nil, refusal(http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	}
	return nobody{q}, nil
}

// public tells whether the container that the path names lets anonymous callers in.
func (q *request) public() bool {
	container, _, _ := strings.Cut(strings.TrimPrefix(q.r.URL.Path, "/"), "/")
	return q.acc.Anonymous && q.server != nil && q.server.Public(q.acc.ID, container) != ""
}

// nobody is the grant of an anonymous caller.
type nobody struct{ q *request }

// Check implements kit.Grant.
func (g nobody) Check(n kit.Need) *wire.Error {
	level := g.q.server.Public(g.q.acc.ID, n.Container)
	if n.Public == "blob" && level != "" || n.Public == "container" && level == "container" {
		return nil
	}
	return refusal(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
}

// How implements kit.Grant.
func (nobody) How() string { return "Anonymous" }
