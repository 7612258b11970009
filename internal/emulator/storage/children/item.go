package children

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// get is an item as ARM shows it, read from the data plane.
func (c *Child) get(name string) (map[string]any, *wire.Error) {
	method, query := http.MethodGet, c.query()
	header := map[string]string{}
	switch c.Kind {
	case kit.Queue:
		query = c.with("metadata")
	case kit.Table:
		header["Accept"] = "application/json;odata=nometadata"
	case kit.Blob, kit.File, kit.DFS, kit.Web:
	}
	w := c.request(method, c.path(name), query, header, nil)
	if err := w.Failure(); err != nil {
		return nil, err
	}
	props := c.properties(name, w.Header())
	if c.Kind == kit.Blob {
		c.immutability(name, props)
	}
	typ := "Microsoft.Storage/storageAccounts/" + c.title() + "/" + collections[c.Kind]
	out := resource(c.Account.ID+"/"+c.title()+"/default/"+collections[c.Kind]+"/"+name, typ, name, props)
	if etag := w.Header().Get("Etag"); etag != "" {
		out["etag"] = etag
	}
	return out, nil
}

// properties translates the headers of an item.
func (c *Child) properties(name string, h http.Header) map[string]any {
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
	switch c.Kind {
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
	if c.Kind == kit.Blob || c.Kind == kit.File {
		c.leased(props, h)
	}
	return props
}

func (c *Child) leased(props map[string]any, h http.Header) {
	for member, header := range map[string]string{"leaseStatus": "X-Ms-Lease-Status", "leaseState": "X-Ms-Lease-State", "leaseDuration": "X-Ms-Lease-Duration"} {
		if v := h.Get(header); v != "" {
			props[member] = strings.ToUpper(v[:1]) + v[1:]
		}
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		props["lastModifiedTime"] = t.UTC().Format(stamp)
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
func (c *Child) list() ([]any, *wire.Error) {
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

func (c *Child) names() ([]string, *wire.Error) {
	if c.Kind == kit.Table {
		return c.tables()
	}
	var out []string
	for marker := ""; ; {
		q := url.Values{"comp": {"list"}}
		if marker != "" {
			q.Set("marker", marker)
		}
		w := c.request(http.MethodGet, "", q, nil, nil)
		if err := w.Failure(); err != nil {
			return nil, err
		}
		var page listed
		if err := xml.Unmarshal(w.Body.Bytes(), &page); err != nil {
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

func (c *Child) tables() ([]string, *wire.Error) {
	var out []string
	for next := ""; ; {
		q := url.Values{}
		if next != "" {
			q.Set("NextTableName", next)
		}
		w := c.request(http.MethodGet, "Tables", q, map[string]string{"Accept": "application/json;odata=nometadata"}, nil)
		if err := w.Failure(); err != nil {
			return nil, err
		}
		var page struct{ Value []struct{ TableName string } }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			return nil, broken(err)
		}
		for _, t := range page.Value {
			out = append(out, t.TableName)
		}
		if next = w.Header().Get("X-Ms-Continuation-Nexttablename"); next == "" {
			return out, nil
		}
	}
}

func broken(err error) *wire.Error {
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: fmt.Sprintf("The data plane's list cannot be read: %v", err)}
}
