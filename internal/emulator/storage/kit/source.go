package kit

import (
	"context"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
)

// Source is a request that a service makes itself, to read what a copy starts from.
type Source struct {
	Method string      // GET, HEAD
	URL    string      // x-ms-copy-source, with its SAS
	Header http.Header // Range, If-Match, …; x-ms-copy-source-authorization as Authorization
	// To is the account that copies, whose CopyScope holds; of the zero Account none does.
	To Account
	// Grant takes the place of signing in where the service has found that its own caller
	// may read the source, as it may within one account; nil: the request signs in.
	Grant Grant
}

// Fetched is the answer of the service that holds the source.
type Fetched struct {
	// Status is the HTTP status; 0 if the URL leads to no service of this cloud.
	Status int
	Header http.Header
	// Content is the body of a success. It shares memory with the source.
	Content content.Content
	// Code and Message are those of a failure.
	Code, Message string
}

// Fetch reads a source as the service that holds it lets its caller: signed in by SAS,
// token or not at all.
type Fetch func(ctx context.Context, s Source) Fetched

// Taker is a response writer that takes a content as it is. A service asks for it before
// it writes the body of a GET octet for octet.
type Taker interface {
	Take(c content.Content)
}

// Configurer is a Server that has settings in ARM: the resource
// <account>/<kind>Services/default.
type Configurer interface {
	// Configure is told of the properties of that resource, complete, before ARM answers.
	// An error refuses them.
	Configure(a Account, properties map[string]any) error
}

// Seeder is a Server that says which members of a scenario's "data" object it reads, so
// that a misspelt one can be refused.
type Seeder interface {
	SeedKeys() []string
}
