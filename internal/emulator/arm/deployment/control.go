package deployment

import (
	"encoding/json"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Control is Azure Resource Manager as deployments see it.
type Control interface {
	// Do makes a request in a caller's name, as if its client had sent it.
	Do(Call) (Answer, *wire.Error)
	// Check refuses a PUT that Do would refuse for its type or api-version.
	Check(Call) *wire.Error
	// Allowed tells whether a caller may do something at a scope.
	Allowed(c wire.Claims, scope, action string) bool
	// Place describes a scope to a template's functions. The scope must exist.
	Place(c wire.Claims, scope string) (template.Place, *wire.Error)
	// Newest is the latest api-version of a resource type; "" if none is known.
	Newest(typ string) string
}

// Call is a request to Control.
type Call struct {
	Caller  wire.Claims
	Method  string
	Path    string // an ID, an ID with an action, or a path with a query
	Version string // api-version
	Body    any    // JSON; nil for none
}

// Answer is what Control answers: Body is decoded JSON, nil for none.
type Answer struct {
	Status int
	Header map[string]string
	Body   map[string]any
}

// Options configure a Service.
type Options struct {
	Clock wire.Clock
	Polls int // 0: a deployment runs as soon as it is begun
	// Secret reads a secret of a vault for a parameter that refers to it; version "" is the
	// latest. nil: there are no vaults.
	Secret func(vaultID, name, version string) (any, *wire.Error)
}

// Request is a call of the deployments API. The caller has the right to it.
type Request struct {
	Caller  wire.Claims
	Method  string
	Scope   string   // ID under which the deployment lies; "" for the tenant
	Name    string   // of the deployment; "" for the list
	Rest    []string // what follows the name: "operations", "cancel", …
	Filter  string   // $filter
	Version string
	Body    json.RawMessage
	URL     func(path string) string // makes an absolute URL with the api-version
	Retry   map[string]string        // headers that tell a client when to look again
}

// Reply is the answer to a Request.
type Reply struct {
	Status int
	Header map[string]string
	Body   any // nil for none. A []any is a list to be paged
	// Later is the work of an operation that the client follows; nil if the reply is all.
	// It is called once, when the operation ends, and gives its result.
	Later func() (Reply, *wire.Error)
}

// stamp writes a time as Azure does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
