package dfs

import (
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// leasePath answers Path Lease.
func leasePath(r *req.Request) *wire.Error { return blobs.Lease(r) }

// leaseActions are what x-ms-lease-action of append and flush may say (Azure: Path Update),
// and the action of a lease that each takes.
var leaseActions = map[string]string{"acquire": "acquire", "auto-renew": "renew", "release": "release", "acquire-release": "acquire"}

// leaseAfter is the lease of a path after a write that is to do something about it; changed
// is false if the write says nothing of leases.
func leaseAfter(r *req.Request, l lease.Lease) (next lease.Lease, changed bool, err *wire.Error) {
	text := strings.ToLower(r.Header("X-Ms-Lease-Action"))
	if text == "" {
		return l, false, nil
	}
	action, known := leaseActions[text]
	if !known {
		return l, false, req.BadHeader("x-ms-lease-action", text)
	}
	next, err = act(r, l, action)
	if err == nil && action == "renew" {
		r.Out.Set("X-Ms-Lease-Renewed", "true")
	}
	if text == "acquire-release" {
		next = lease.Lease{}
	}
	return next, true, err
}

// leaseAtStart is the lease that a new path begins with, if the request proposes one.
func leaseAtStart(r *req.Request) (lease.Lease, *wire.Error) {
	if r.Header("X-Ms-Proposed-Lease-Id") == "" {
		return lease.Lease{}, nil
	}
	return act(r, lease.Lease{}, "acquire")
}

// act does an action of Lease Blob with the request's other headers.
func act(r *req.Request, l lease.Lease, action string) (lease.Lease, *wire.Error) {
	inner := *r
	inner.In = r.In.Clone()
	inner.In.Set("X-Ms-Lease-Action", action)
	next, _, err := inner.Lease(l)
	return next, err
}
