package children

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// collections are what the services hold, as ARM names it.
var collections = map[kit.Kind]string{kit.Blob: "containers", kit.File: "shares", kit.Queue: "queues", kit.Table: "tables"}

// Answer answers <kind>Services/default/<collection> and what is below it.
func (c *Child) Answer() (wire.Answer, bool, *wire.Error) {
	rest := c.Call.Rest
	if !strings.EqualFold(rest[2], collections[c.Kind]) {
		return wire.Answer{}, false, nil
	}
	switch {
	case len(rest) == 3 && c.Call.Method == http.MethodGet:
		list, err := c.list()
		return wire.Answer{Body: list}, true, err
	case len(rest) == 4:
		return c.item(rest[3])
	case len(rest) > 4 && c.Kind == kit.Blob:
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
func (c *Child) item(name string) (wire.Answer, bool, *wire.Error) {
	switch c.Call.Method {
	case http.MethodGet:
		body, err := c.get(name)
		return wire.Answer{Body: body}, true, err
	case http.MethodDelete:
		w := c.request(http.MethodDelete, c.path(name), c.query(), nil, nil)
		if err := w.Failure(); err != nil && err.Status != http.StatusNotFound {
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
func (c *Child) path(name string) string {
	if c.Kind == kit.Table {
		return "Tables('" + name + "')"
	}
	return name
}

func (c *Child) query() url.Values {
	switch c.Kind {
	case kit.Blob:
		return url.Values{"restype": {"container"}}
	case kit.File:
		return url.Values{"restype": {"share"}}
	case kit.Queue, kit.Table, kit.DFS, kit.Web:
	}
	return url.Values{}
}

// with is the query of an item with comp.
func (c *Child) with(comp string) url.Values {
	q := c.query()
	q.Set("comp", comp)
	return q
}

// put creates an item, or updates it if it is there.
func (c *Child) put(name string) (wire.Answer, bool, *wire.Error) {
	var in itemBody
	if len(c.Call.Body) > 0 {
		if err := json.Unmarshal(c.Call.Body, &in); err != nil {
			return wire.Answer{}, true, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
		}
	}
	created, err := c.write(name, in)
	if err != nil {
		return wire.Answer{}, true, err
	}
	body, err := c.get(name)
	status := http.StatusOK
	if created && c.Kind != kit.Queue && c.Kind != kit.Table {
		status = http.StatusCreated
	}
	return wire.Answer{Status: status, Body: body}, true, err
}

// write makes the item what the body says; created tells whether it was not there.
func (c *Child) write(name string, in itemBody) (created bool, err *wire.Error) {
	_, err = c.get(name)
	created = err != nil && err.Status == http.StatusNotFound
	switch {
	case err != nil && !created, created && c.Call.Method == http.MethodPatch:
		return created, err
	case created:
		err = c.create(name, in)
	default:
		err = c.update(name, in)
	}
	if err == nil {
		err = c.setPolicies(name, in)
	}
	if err == nil && c.Kind == kit.Blob && in.Properties.Immutable != nil && in.Properties.Immutable.Enabled {
		err = c.lockVersions(name)
	}
	return created, err
}

// headers are the request headers that carry what an item's body says.
func (c *Child) headers(in itemBody) map[string]string {
	p := in.Properties
	h := map[string]string{}
	for k, v := range p.Metadata {
		h["x-ms-meta-"+k] = v
	}
	switch c.Kind {
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

func (c *Child) create(name string, in itemBody) *wire.Error {
	if c.Kind == kit.Table {
		body, err := json.Marshal(map[string]string{"TableName": name})
		if err != nil {
			return badRequest("InvalidRequestContent", "%v", err)
		}
		h := map[string]string{"Content-Type": "application/json", "Accept": "application/json;odata=nometadata"}
		return c.request(http.MethodPost, "Tables", nil, h, body).Failure()
	}
	return c.request(http.MethodPut, name, c.query(), c.headers(in), nil).Failure()
}

// update sets what an existing item can be told; what a request leaves out stays.
func (c *Child) update(name string, in itemBody) *wire.Error {
	if c.Kind == kit.Table {
		return nil
	}
	h := c.headers(in)
	if in.Properties.Metadata != nil {
		if err := c.request(http.MethodPut, name, c.with("metadata"), h, nil).Failure(); err != nil {
			return err
		}
	}
	switch {
	case c.Kind == kit.File:
		delete(h, "x-ms-enabled-protocols")
		return c.request(http.MethodPut, name, c.with("properties"), h, nil).Failure()
	case c.Kind == kit.Blob && in.Properties.PublicAccess != nil:
		now := c.request(http.MethodGet, name, c.with("acl"), nil, nil)
		if err := now.Failure(); err != nil {
			return err
		}
		return c.request(http.MethodPut, name, c.with("acl"), h, now.Body.Bytes()).Failure()
	}
	return nil
}

// setPolicies sets the stored access policies that the bodies of tables and shares carry.
func (c *Child) setPolicies(name string, in itemBody) *wire.Error {
	if in.Properties.SignedPolicies == nil || c.Kind != kit.Table && c.Kind != kit.File {
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
	return c.request(http.MethodPut, name, c.with("acl"), nil, body).Failure()
}
