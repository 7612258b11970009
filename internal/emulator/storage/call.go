package storage

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// versions are those that the services take in x-ms-version, in their order (Azure:
// Versioning for the Azure Storage services).
var versions = []string{
	"2009-07-17", "2009-09-19", "2011-08-18", "2012-02-12", "2013-08-15", "2014-02-14", "2015-02-21", "2015-04-05", "2015-07-08", "2015-12-11",
	"2016-05-31", "2016-10-16", "2017-04-17", "2017-07-29", "2017-11-09", "2018-03-28", "2018-06-17", "2018-11-09", "2019-02-02", "2019-07-07",
	"2019-10-10", "2019-12-12", "2020-02-10", "2020-04-08", "2020-06-12", "2020-08-04", "2020-10-02", "2020-12-06", "2021-02-12", "2021-04-10",
	"2021-06-08", "2021-08-06", "2021-10-04", "2021-12-02", "2022-11-02", "2023-01-03", "2023-05-03", "2023-08-03", "2023-11-03", "2024-02-04",
	"2024-05-04", "2024-08-04", "2024-11-04", "2025-01-05", "2025-05-05", "2025-07-05", "2025-11-05", "2026-02-06", "2026-04-06", "2026-06-06",
	"2026-10-06", "2026-12-06",
}

// call is one request on its way through the checks that all services share.
type call struct {
	svc      *Service
	entry    *entry
	set      settings
	place    place
	w        http.ResponseWriter
	r        *http.Request
	now      time.Time
	internal bool      // sent by a service of Azure, not by the client
	grant    kit.Grant // nil: sign in
}

// serve checks the request in the services' order and hands it on: version, network,
// limits, who asks.
func (c *call) serve() *wire.Error {
	version, err := c.version()
	if err != nil {
		return err
	}
	if version != "" {
		c.w.Header().Set("X-Ms-Version", version)
	}
	if err := c.admit(); err != nil {
		return err
	}
	server, ok := c.svc.servers[c.place.kind]
	if !ok {
		return &wire.Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This emulator has no " + string(c.place.kind) + " service."}
	}
	acc := c.access()
	grant := c.grant
	if grant == nil {
		if grant, err = c.svc.gate.SignIn(c.r, acc, c.place.kind, server, c.now); err != nil {
			return err
		}
	}
	if claims, ok := access.Claims(grant); ok {
		wire.NoteCaller(c.w, claims.TenantID, claims.AppID)
	}
	if strings.EqualFold(c.r.URL.Query().Get("comp"), "userdelegationkey") {
		return c.delegationKey(acc, grant, version)
	}
	server.Serve(&kit.Call{
		W: c.w, R: c.r, Account: acc.Account, Service: c.place.kind, Path: strings.TrimPrefix(c.r.URL.Path, "/"),
		Version: version, Now: c.now, Grant: grant, Fetch: c.svc.fetch,
	})
	return nil
}

// version is x-ms-version, or that of a signature.
func (c *call) version() (string, *wire.Error) {
	v := c.r.Header.Get("X-Ms-Version")
	if v == "" {
		q := c.r.URL.Query()
		if q.Has("sig") {
			v = q.Get("sv")
		}
		if api := q.Get("api-version"); api != "" {
			v = api
		}
		return v, nil
	}
	if !slices.Contains(versions, v) {
		e := &wire.Error{Status: http.StatusBadRequest, Code: "InvalidHeaderValue", Message: "The value for one of the HTTP headers is not in the correct format."}
		return "", kit.WithDetail(kit.WithDetail(e, "HeaderName", "x-ms-version"), "HeaderValue", v)
	}
	return v, nil
}

// admit applies the account's network rules and limits.
func (c *call) admit() *wire.Error {
	if c.place.secondary && c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.r.Method != http.MethodOptions {
		return &wire.Error{Status: http.StatusForbidden, Code: "WriteOperationNotSupportedOnSecondary", Message: "Write operations are not allowed."} // words not confirmed
	}
	if !c.set.network.lets(c.svc.opt.ClientAddress, c.internal) {
		return &wire.Error{Status: http.StatusForbidden, Code: "AuthorizationFailure", Message: "This request is not authorized to perform this operation."}
	}
	if c.svc.opt.Limits && !c.entry.meter.admit(c.now) {
		return &wire.Error{Status: http.StatusServiceUnavailable, Code: "ServerBusy", Message: "Operations per second is over the account limit."}
	}
	return nil
}

// access is the account as signing in sees it.
func (c *call) access() access.Account {
	c.svc.mu.RLock()
	defer c.svc.mu.RUnlock()
	acc := access.Account{
		Account: c.entry.account(), SharedKey: c.set.sharedKey, Anonymous: c.set.anonymous, DelegationKey: c.entry.delegation,
		ClientIP: c.svc.opt.ClientAddress, Encrypted: c.internal || c.r.TLS != nil,
	}
	for _, k := range c.entry.keys {
		acc.Keys = append(acc.Keys, k.raw)
	}
	return acc
}

// jsonErrors is implemented by servers whose errors are not XML: the table service.
type jsonErrors interface {
	WriteError(w http.ResponseWriter, r *http.Request, e *wire.Error)
}

// writeError answers in the words of the service that was asked.
func (c *call) writeError(e *wire.Error) {
	if own, ok := c.svc.servers[c.place.kind].(jsonErrors); ok {
		own.WriteError(c.w, c.r, e)
		return
	}
	kit.WriteError(c.w, e)
}
