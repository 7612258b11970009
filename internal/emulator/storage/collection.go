package storage

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// collections are what the services hold, as ARM names it.
var collections = map[kit.Kind]string{kit.Blob: "containers", kit.File: "shares", kit.Queue: "queues", kit.Table: "tables"}

// collection answers <kind>Services/default/<collection> and what is below it.
func (c *child) collection() (wire.Answer, bool, *wire.Error) {
	rest := c.call.Rest
	if !strings.EqualFold(rest[2], collections[c.kind]) {
		return wire.Answer{}, false, nil
	}
	switch {
	case len(rest) == 3 && c.call.Method == http.MethodGet:
		list, err := c.list()
		return wire.Answer{Body: list}, true, err
	case len(rest) == 4:
		return c.item(rest[3])
	case len(rest) > 4 && c.kind == kit.Blob:
		return c.container(rest[3], rest[4:])
	}
	return wire.Answer{}, false, nil
}

// itemBody is what a PUT or PATCH of a container, share, queue or table says.
type itemBody struct {
	Properties struct {
		PublicAccess   *string           `json:"publicAccess"`
		Metadata       map[string]string `json:"metadata"`
		DefaultScope   string            `json:"defaultEncryptionScope"`
		DenyOverride   *bool             `json:"denyEncryptionScopeOverride"`
		Quota          int               `json:"shareQuota"`
		AccessTier     string            `json:"accessTier"`
		Protocols      string            `json:"enabledProtocols"`
		RootSquash     string            `json:"rootSquash"`
		Immutable      *enabled          `json:"immutableStorageWithVersioning"`
		SignedPolicies []signedPolicy    `json:"signedIdentifiers"`
	} `json:"properties"`
}

type enabled struct {
	Enabled bool `json:"enabled"`
}

type signedPolicy struct {
	ID     string `json:"id"`
	Policy struct {
		Start      string `json:"startTime"`
		Expiry     string `json:"expiryTime"`
		Permission string `json:"permission"`
	} `json:"accessPolicy"`
}

// item answers one container, share, queue or table.
func (c *child) item(name string) (wire.Answer, bool, *wire.Error) {
	switch c.call.Method {
	case http.MethodGet:
		body, err := c.get(name)
		return wire.Answer{Body: body}, true, err
	case http.MethodDelete:
		w := c.request(http.MethodDelete, c.path(name), c.query(), nil, nil)
		if err := w.failure(); err != nil && err.Status != http.StatusNotFound {
			return wire.Answer{}, true, err
		} else if err != nil {
			return wire.Answer{Status: http.StatusNoContent}, true, nil
		}
		return wire.Answer{}, true, nil
	case http.MethodPut, http.MethodPatch:
		return c.put(name)
	}
	return wire.Answer{}, false, nil
}

// path is that of an item in the data plane, and query what says that it is an item.
func (c *child) path(name string) string {
	if c.kind == kit.Table {
		return "Tables('" + name + "')"
	}
	return name
}

func (c *child) query() url.Values {
	switch c.kind {
	case kit.Blob:
		return url.Values{"restype": {"container"}}
	case kit.File:
		return url.Values{"restype": {"share"}}
	case kit.Queue, kit.Table, kit.DFS, kit.Web:
	}
	return url.Values{}
}

// with is the query of an item with comp.
func (c *child) with(comp string) url.Values {
	q := c.query()
	q.Set("comp", comp)
	return q
}

// put creates an item, or updates it if it is there.
func (c *child) put(name string) (wire.Answer, bool, *wire.Error) {
	var in itemBody
	if len(c.call.Body) > 0 {
		if err := json.Unmarshal(c.call.Body, &in); err != nil {
			return wire.Answer{}, true, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
		}
	}
	_, err := c.get(name)
	created := err != nil && err.Status == http.StatusNotFound
	switch {
	case err != nil && !created, created && c.call.Method == http.MethodPatch:
		return wire.Answer{}, true, err
	case created:
		err = c.create(name, in)
	default:
		err = c.update(name, in)
	}
	if err == nil {
		err = c.setPolicies(name, in)
	}
	if err == nil && c.kind == kit.Blob && in.Properties.Immutable != nil && in.Properties.Immutable.Enabled {
		err = c.lockVersions(name)
	}
	if err != nil {
		return wire.Answer{}, true, err
	}
	body, err := c.get(name)
	status := http.StatusOK
	if created && c.kind != kit.Queue && c.kind != kit.Table {
		status = http.StatusCreated
	}
	return wire.Answer{Status: status, Body: body}, true, err
}

// headers are the request headers that carry what an item's body says.
func (c *child) headers(in itemBody) map[string]string {
	p := in.Properties
	h := map[string]string{}
	for k, v := range p.Metadata {
		h["x-ms-meta-"+k] = v
	}
	switch c.kind {
	case kit.Blob:
		if p.PublicAccess != nil && !strings.EqualFold(*p.PublicAccess, "None") {
			h["x-ms-blob-public-access"] = strings.ToLower(*p.PublicAccess)
		}
		if p.DefaultScope != "" {
			h["x-ms-default-encryption-scope"] = p.DefaultScope
			h["x-ms-deny-encryption-scope-override"] = strconv.FormatBool(p.DenyOverride != nil && *p.DenyOverride)
		}
	case kit.File:
		for name, v := range map[string]string{"x-ms-access-tier": p.AccessTier, "x-ms-enabled-protocols": p.Protocols, "x-ms-root-squash": p.RootSquash} {
			if v != "" {
				h[name] = v
			}
		}
		if p.Quota > 0 {
			h["x-ms-share-quota"] = strconv.Itoa(p.Quota)
		}
	case kit.Queue, kit.Table, kit.DFS, kit.Web:
	}
	return h
}

func (c *child) create(name string, in itemBody) *wire.Error {
	if c.kind == kit.Table {
		body, err := json.Marshal(map[string]string{"TableName": name})
		if err != nil {
			return badRequest("InvalidRequestContent", "%v", err)
		}
		h := map[string]string{"Content-Type": "application/json", "Accept": "application/json;odata=nometadata"}
		return c.request(http.MethodPost, "Tables", nil, h, body).failure()
	}
	return c.request(http.MethodPut, name, c.query(), c.headers(in), nil).failure()
}

// update sets what an existing item can be told; what a request leaves out stays.
func (c *child) update(name string, in itemBody) *wire.Error {
	if c.kind == kit.Table {
		return nil
	}
	h := c.headers(in)
	if in.Properties.Metadata != nil {
		if err := c.request(http.MethodPut, name, c.with("metadata"), h, nil).failure(); err != nil {
			return err
		}
	}
	switch {
	case c.kind == kit.File:
		delete(h, "x-ms-enabled-protocols")
		return c.request(http.MethodPut, name, c.with("properties"), h, nil).failure()
	case c.kind == kit.Blob && in.Properties.PublicAccess != nil:
		now := c.request(http.MethodGet, name, c.with("acl"), nil, nil)
		if err := now.failure(); err != nil {
			return err
		}
		return c.request(http.MethodPut, name, c.with("acl"), h, now.body.Bytes()).failure()
	}
	return nil
}

// setPolicies sets the stored access policies that the bodies of tables and shares carry.
func (c *child) setPolicies(name string, in itemBody) *wire.Error {
	if in.Properties.SignedPolicies == nil || c.kind != kit.Table && c.kind != kit.File {
		return nil
	}
	type policy struct {
		ID         string `xml:"Id"`
		Start      string `xml:"AccessPolicy>Start,omitempty"`
		Expiry     string `xml:"AccessPolicy>Expiry,omitempty"`
		Permission string `xml:"AccessPolicy>Permission,omitempty"`
	}
	doc := struct {
		XMLName xml.Name `xml:"SignedIdentifiers"`
		All     []policy `xml:"SignedIdentifier"`
	}{}
	for _, p := range in.Properties.SignedPolicies {
		doc.All = append(doc.All, policy{p.ID, p.Policy.Start, p.Policy.Expiry, p.Policy.Permission})
	}
	body, err := xml.Marshal(doc)
	if err != nil {
		return badRequest("InvalidRequestContent", "%v", err)
	}
	return c.request(http.MethodPut, name, c.with("acl"), nil, body).failure()
}

// get is an item as ARM shows it, read from the data plane.
func (c *child) get(name string) (map[string]any, *wire.Error) {
	method, query := http.MethodGet, c.query()
	header := map[string]string{}
	switch c.kind {
	case kit.Queue:
		query = c.with("metadata")
	case kit.Table:
		header["Accept"] = "application/json;odata=nometadata"
	case kit.Blob, kit.File, kit.DFS, kit.Web:
	}
	w := c.request(method, c.path(name), query, header, nil)
	if err := w.failure(); err != nil {
		return nil, err
	}
	props := c.properties(name, w.header)
	if c.kind == kit.Blob {
		c.immutability(name, props)
	}
	typ := "Microsoft.Storage/storageAccounts/" + c.title() + "/" + collections[c.kind]
	out := resource(c.entry.id+"/"+c.title()+"/default/"+collections[c.kind]+"/"+name, typ, name, props)
	if etag := w.header.Get("Etag"); etag != "" {
		out["etag"] = etag
	}
	return out, nil
}

// properties translates the headers of an item.
func (c *child) properties(name string, h http.Header) map[string]any {
	props := map[string]any{}
	put := func(member, header string) {
		if v := h.Get(header); v != "" {
			props[member] = v
		}
	}
	metadata := map[string]any{}
	for k, v := range h {
		if key, ok := strings.CutPrefix(strings.ToLower(k), "x-ms-meta-"); ok && len(v) > 0 {
			metadata[key] = v[0]
		}
	}
	if len(metadata) > 0 {
		props["metadata"] = metadata
	}
	switch c.kind {
	case kit.Blob:
		props["publicAccess"] = map[string]string{"": "None", "blob": "Blob", "container": "Container"}[h.Get("X-Ms-Blob-Public-Access")]
		put("defaultEncryptionScope", "X-Ms-Default-Encryption-Scope")
		props["denyEncryptionScopeOverride"] = h.Get("X-Ms-Deny-Encryption-Scope-Override") == "true"
	case kit.File:
		if n, err := strconv.Atoi(h.Get("X-Ms-Share-Quota")); err == nil {
			props["shareQuota"] = n
		}
		put("accessTier", "X-Ms-Access-Tier")
		put("enabledProtocols", "X-Ms-Enabled-Protocols")
		put("rootSquash", "X-Ms-Root-Squash")
	case kit.Table:
		props["tableName"] = name
	case kit.Queue:
		if n, err := strconv.Atoi(h.Get("X-Ms-Approximate-Messages-Count")); err == nil {
			props["approximateMessageCount"] = n
		}
	case kit.DFS, kit.Web:
	}
	if c.kind == kit.Blob || c.kind == kit.File {
		c.leased(props, h)
	}
	return props
}

func (c *child) leased(props map[string]any, h http.Header) {
	for member, header := range map[string]string{"leaseStatus": "X-Ms-Lease-Status", "leaseState": "X-Ms-Lease-State", "leaseDuration": "X-Ms-Lease-Duration"} {
		if v := h.Get(header); v != "" {
			props[member] = strings.ToUpper(v[:1]) + v[1:]
		}
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		props["lastModifiedTime"] = t.UTC().Format(armTime)
	}
}

// listed is what List Containers, Shares and Queues answer, as far as names go.
type listed struct {
	Containers []string `xml:"Containers>Container>Name"`
	Shares     []string `xml:"Shares>Share>Name"`
	Queues     []string `xml:"Queues>Queue>Name"`
	Next       string   `xml:"NextMarker"`
}

// list is every item of the collection.
func (c *child) list() ([]any, *wire.Error) {
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, name := range names {
		item, err := c.get(name)
		if err != nil && err.Status == http.StatusNotFound {
			continue // deleted in between
		}
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func (c *child) names() ([]string, *wire.Error) {
	if c.kind == kit.Table {
		return c.tables()
	}
	var out []string
	for marker := ""; ; {
		q := url.Values{"comp": {"list"}}
		if marker != "" {
			q.Set("marker", marker)
		}
		w := c.request(http.MethodGet, "", q, nil, nil)
		if err := w.failure(); err != nil {
			return nil, err
		}
		var page listed
		if err := xml.Unmarshal(w.body.Bytes(), &page); err != nil {
			return nil, broken(err)
		}
		out = append(out, page.Containers...)
		out = append(out, page.Shares...)
		out = append(out, page.Queues...)
		if marker = page.Next; marker == "" {
			return out, nil
		}
	}
}

func (c *child) tables() ([]string, *wire.Error) {
	var out []string
	for next := ""; ; {
		q := url.Values{}
		if next != "" {
			q.Set("NextTableName", next)
		}
		w := c.request(http.MethodGet, "Tables", q, map[string]string{"Accept": "application/json;odata=nometadata"}, nil)
		if err := w.failure(); err != nil {
			return nil, err
		}
		var page struct{ Value []struct{ TableName string } }
		if err := json.Unmarshal(w.body.Bytes(), &page); err != nil {
			return nil, broken(err)
		}
		for _, t := range page.Value {
			out = append(out, t.TableName)
		}
		if next = w.header.Get("X-Ms-Continuation-Nexttablename"); next == "" {
			return out, nil
		}
	}
}

func broken(err error) *wire.Error {
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: fmt.Sprintf("The data plane's list cannot be read: %v", err)}
}

// now is the emulator's time.
func (c *child) now() time.Time { return c.svc.opt.Clock().UTC() }
