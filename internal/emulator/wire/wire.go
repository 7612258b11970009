// Package wire holds what every emulated Azure service shares: who is calling, what
// they may do, which resources exist, how errors look, and what was asked.
//
// The emulator shares no code with the plugins or with internal/azure: a misreading of
// an API must not be able to hide by standing on both sides.
package wire

import (
	"encoding/json"
	"net/http"
	"time"
)

// Service is one emulated endpoint family: the hosts it answers for and its handler.
// A handler must not read a request body while it holds a lock.
type Service interface {
	http.Handler
	Name() string          // "keyvault"; stands in the request log
	Owns(host string) bool // host in lower case, without a port
}

// Named is implemented by services whose host names come and go with their resources,
// as Azure's DNS has it. Where Exists is false a client cannot connect at all: it is told
// that there is no such host. It is asked only about hosts that the service owns.
type Named interface {
	Exists(host string) bool
}

// Claims are those of a verified access token.
type Claims struct {
	TenantID string    `json:"tid"`
	ObjectID string    `json:"oid"`
	AppID    string    `json:"appid"`
	Audience string    `json:"aud"`
	Expires  time.Time `json:"exp"`
}

// Tokens verifies the bearer token of a request: signature, issuer and expiry. The
// audience and the tenant are the service's own business. The error says what is wrong
// in Azure's words; a request without a token gives ErrNoToken.
type Tokens interface {
	Verify(r *http.Request) (Claims, error)
}

// Access decides by role assignments. Scope is a resource ID; an action is a data
// action if data is set. Everything that is not granted is denied.
type Access interface {
	Allowed(c Claims, scope, action string, data bool) bool
}

// Clock tells the emulator's time; tests move it.
type Clock func() time.Time

// Resource is an ARM resource as the store holds it. Body is the whole JSON object
// that ARM answers with: id, name, type, location, tags, properties, …
type Resource struct {
	ID       string
	TenantID string
	Type     string // "Microsoft.KeyVault/vaults", as first written
	Name     string
	Body     map[string]any
}

// Provider is a service's face towards ARM for one resource type. ARM calls it without
// holding its own lock; it may be called concurrently.
type Provider interface {
	// Type is the ARM resource type, case-insensitive.
	Type() string
	// Put is told of a create or an update before ARM answers. It may fill in and check
	// res.Body (old is nil on create). A non-nil error refuses the request.
	Put(res *Resource, old *Resource) *Error
	// Delete is told that the resource is gone.
	Delete(res Resource) *Error
	// Action answers POST <id>/<name>. ok is false if there is no such action.
	Action(res Resource, name string, body json.RawMessage) (answer any, ok bool, err *Error)
}

// DataPlane is a service that can be filled and read back behind the wire's back. It is
// the oracle of tests and the way scenarios are seeded.
type DataPlane interface {
	Provider
	// Seed adds objects to a resource from a scenario's "data" object. The format is
	// the service's own and is documented in its package comment.
	Seed(resourceID string, data json.RawMessage) error
	// Objects returns every live object of a resource, sorted by Key.
	Objects(resourceID string) ([]Object, error)
}

// Object is one data-plane object with everything that can be known of it, secrets
// included. It never leaves the process.
type Object struct {
	Key    string            // "secrets/db-password", "keys/sign", "certificates/tls"
	Kind   string            // "secret"
	Fields map[string]string // canonical texts of value, tags, attributes, …
}

// Error is a failure in the words of an Azure service.
type Error struct {
	Status  int    // HTTP status
	Code    string // "ResourceNotFound"
	Message string
	Inner   string            // inner error code; "" for none
	Header  map[string]string // further response headers: Retry-After, WWW-Authenticate
	Target  string            // what the error is about; "" for none
	Details []*Error          // the errors behind this one
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Request is one line of the request log.
type Request struct {
	Time     time.Time     `json:"time"`
	Service  string        `json:"service"`
	Method   string        `json:"method"`
	Host     string        `json:"host"`
	Path     string        `json:"path"`
	Query    string        `json:"query,omitempty"`
	TenantID string        `json:"tenant,omitempty"` // of the caller's token
	AppID    string        `json:"app,omitempty"`
	Status   int           `json:"status"` // 0: the connection was cut by a fault
	Code     string        `json:"code,omitempty"`
	In       int64         `json:"in"`              // body bytes read
	Out      int64         `json:"out"`             // body bytes written
	Duration time.Duration `json:"duration"`        // nanoseconds
	Fault    string        `json:"fault,omitempty"` // the scripted fault that answered
}

// Write tells whether the request asks for a change: anything but GET, HEAD and OPTIONS.
func (r Request) Write() bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// Fault is a scripted failure. The first fault that matches a request answers it.
type Fault struct {
	Name   string `json:"name"`             // stands in the request log
	Host   string `json:"host,omitempty"`   // path.Match pattern on the host; "" any
	Method string `json:"method,omitempty"` // "" any
	Path   string `json:"path,omitempty"`   // regular expression on the path; "" any
	Skip   int    `json:"skip,omitempty"`   // let so many matching requests pass first
	Count  int    `json:"count,omitempty"`  // then answer so many; 0: all
	// Kind is one of "status" (answer Status with an Azure error body), "reset" (cut the
	// connection before an answer), "cut" (do the work, cut the connection in the middle of the
	// answer's body), "lost" (do the work, cut before the answer), "slow" (delay by Delay, then answer), "expired" (answer 401 as for
	// an expired token).
	Kind       string        `json:"kind"`
	Status     int           `json:"status,omitempty"`
	Code       string        `json:"code,omitempty"`
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	Delay      time.Duration `json:"delay,omitempty"`
}

// Streamer is implemented by services that read request bodies as they come in and never
// under a lock. The front hands them the body as it is; of others it reads bodies to their
// end first.
type Streamer interface {
	Streams() bool
}
