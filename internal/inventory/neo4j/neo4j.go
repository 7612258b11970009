// Package neo4j reads an inventory from the graph of Azure Tenant Grapher, or from one that
// is built more simply.
//
// Azure Tenant Grapher keeps each resource twice. A node :Resource:Original has the ID that
// Azure gave; a node :Resource has an ID without a tenant, such as "kv-132d9e317a6f8138",
// and leads to the former by its property original_id and a relationship SCAN_SOURCE_NODE.
// Neither has a tenant_id, a kind or an SKU. The simpler shape has one node :Resource for
// each resource, with Azure's ID and a tenant_id. Both are read in the same way: the
// resources are those of the IDs that Azure gave, each once.
//
// Nodes say too little and are cut (properties end after 5,000 characters), so resources
// have no properties here: Azure is asked for them.
package neo4j

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v6/neo4j"
	"github.com/neo4j/neo4j-go-driver/v6/neo4j/config"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

var _ inventory.Linker = (*Finder)(nil)

// Config says where the graph is and who reads it.
type Config struct {
	URI      string // bolt://HOST:PORT or neo4j://HOST:PORT; with +s or +ssc behind the scheme for TLS
	User     string
	Password secret.Value // empty: the server is expected to ask for none
	Database string       // "": the server's default
}

// Scope narrows a graph to one side's resources: a graph may hold both tenants.
type Scope struct {
	Side          plugin.Side // is named in errors
	TenantID      string      // is written into every resource; nodes that name another tenant are left out
	Subscriptions []string    // IDs; none: every one
	ResourceGroup string      // "": every one
	PageSize      int         // nodes asked for at once; 0: a sensible number
}

// defaultPage is how many nodes are asked for at once.
const defaultPage = 1000

// patience is how long a server may take to answer a connection.
const patience = 30 * time.Second

// Finder reads a graph page by page. It holds one page and the IDs that it has seen. It is
// not safe for concurrent use.
type Finder struct {
	config Config
	scope  Scope
	links  inventory.Links
}

// New returns a Finder. Nothing is connected before Find.
func New(cfg Config, scope Scope) *Finder {
	if scope.PageSize == 0 {
		scope.PageSize = defaultPage
	}
	return &Finder{config: cfg, scope: scope}
}

// Links implements inventory.Linker. A resource is the target of another one if its node
// leads to it by REPLICATED_FROM or source_id, or by an original_id that is another
// resource's.
func (f *Finder) Links() inventory.Links { return f.links }

// Find implements inventory.Finder. The stream ends with the first error: of kind
// Unavailable where no server answers, Unauthenticated where it refuses the password,
// NotFound for a database that is not there and for a graph that has no resources, or none
// of the scope's subscriptions; of kind Invalid for a wrong address and for a node that
// leads to no resource.
func (f *Finder) Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error] {
	return func(yield func(plugin.Resource, error) bool) {
		if err := f.find(ctx, types, yield); err != nil && !errors.Is(err, errStopped) {
			yield(plugin.Resource{}, f.wrap(ctx, err))
		}
	}
}

var errStopped = errors.New("stopped")

func (f *Finder) find(ctx context.Context, types []string, yield func(plugin.Resource, error) bool) error {
	session, done, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer done()
	r := newReading(f.scope, types, yield)
	for after := ""; ; {
		nodes, err := f.page(ctx, session, after, r.asked)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if err := r.take(n); err != nil {
				return err
			}
		}
		if len(nodes) < f.scope.PageSize {
			break
		}
		after = nodes[len(nodes)-1].id
	}
	f.links = r.links
	return f.verdict(ctx, session, r)
}

// verdict says whether a graph that yielded nothing is the wrong one.
func (f *Finder) verdict(ctx context.Context, session driver.Session, r *reading) error {
	switch {
	case len(r.seen) > 0:
		return nil
	case r.outside > 0:
		return &refusal{
			errs.NotFound, fmt.Sprintf("the graph has %d resources of the types asked for, and none of them is in %s", r.outside, f.scope.text()),
			"name the subscription that was scanned, with --" + string(f.scope.Side) + "-subscription-id",
		}
	}
	some, err := f.any(ctx, session)
	if err != nil || some {
		return err
	}
	return &refusal{
		errs.NotFound, "the graph has no node with the label Resource",
		"scan the tenant with Azure Tenant Grapher first, or name the database that has its graph, with --neo4j-database",
	}
}

// text names the scope for people.
func (s Scope) text() string {
	var parts []string
	if len(s.Subscriptions) == 1 {
		parts = append(parts, "subscription "+s.Subscriptions[0])
	} else if len(s.Subscriptions) > 1 {
		parts = append(parts, fmt.Sprintf("the %d subscriptions that the principal sees", len(s.Subscriptions)))
	}
	if s.ResourceGroup != "" {
		parts = append(parts, "resource group "+s.ResourceGroup)
	}
	if s.TenantID != "" {
		parts = append(parts, "tenant "+s.TenantID)
	}
	return strings.Join(parts, " of ")
}

// connect opens a session that reads. Nothing is sent before the first query.
func (f *Finder) connect(ctx context.Context) (driver.Session, func(), error) {
	address, err := f.address()
	if err != nil {
		return nil, nil, err
	}
	auth := driver.NoAuth()
	if !f.config.Password.Empty() {
		auth = driver.BasicAuth(f.config.User, f.config.Password.Reveal(), "")
	}
	d, err := driver.NewDriver(address, auth, func(c *config.Config) {
		c.TelemetryDisabled = true
		c.UserAgent = "atg"
		c.ConnectionAcquisitionTimeout = patience
	})
	if err != nil {
		return nil, nil, err
	}
	session := d.NewSession(ctx, driver.SessionConfig{AccessMode: driver.AccessModeRead, DatabaseName: f.config.Database})
	return session, func() {
		over := context.WithoutCancel(ctx)
		_ = session.Close(over) // it has only read
		_ = d.Close(over)
	}, nil
}
