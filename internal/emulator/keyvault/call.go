package keyvault

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxBody is the longest request body that is read.
const maxBody = 4 << 20

// apiVersions are those of the data plane, in their order. The service's words for
// others are not known.
var apiVersions = []string{
	"2015-06-01", "2016-10-01", "7.0-preview", "7.0", "7.1-preview", "7.1", "7.2-preview", "7.2", "7.3-preview", "7.3",
	"7.4-preview.1", "7.4", "7.5-preview.1", "7.5", "7.6-preview.1", "7.6-preview.2", "7.6",
	"2025-06-01-preview", "2025-07-01", "2026-04-01",
}

// call is one request on its way through the checks.
type call struct {
	svc    *Service
	vault  *entry
	set    settings
	r      *http.Request
	header http.Header // of the answer

	op      *operation
	name    string
	version string
	claims  wire.Claims
	query   url.Values
	body    []byte
}

// serve checks the request in the service's order and does the operation: token, network,
// api-version, path, permission, limits.
func (c *call) serve() (int, any, *wire.Error) {
	if err := c.authenticate(); err != nil {
		return 0, nil, err
	}
	if err := c.set.admit(c); err != nil {
		return 0, nil, err
	}
	c.query = c.r.URL.Query()
	if !slices.Contains(apiVersions, c.query.Get("api-version")) {
		return 0, nil, vault.BadParameter("The request URI has a missing or unknown api-version: %q", c.query.Get("api-version"))
	}
	if err := c.route(); err != nil {
		return 0, nil, err
	}
	if err := c.authorize(); err != nil {
		return 0, nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBody))
	if err != nil {
		return 0, nil, vault.BadParameter("The request body cannot be read: %s", err.Error())
	}
	c.body = body
	if err := c.meter(); err != nil {
		return 0, nil, err
	}
	return c.op.serve(c)
}

// meter counts the call against the service limits, if they are on.
func (c *call) meter() *wire.Error {
	if !c.svc.opt.Limits {
		return nil
	}
	class, weight := throttle.Ordinary, 1
	if c.op.class != nil {
		class = c.op.class(c)
	}
	if c.op.object == "keys" && c.name != "" {
		if s := c.vault.data.KeyShape(c.name, c.version); s.Kty != "" {
			weight = throttle.Weight(s.Kty, s.Size, jwk.IsHSM(s.Kty))
		}
	}
	return c.vault.meter.Admit(c.svc.opt.Clock(), class, weight)
}

// atLeast tells whether the caller uses an API version or a later one.
func (c *call) atLeast(version string) bool {
	return slices.Index(apiVersions, c.query.Get("api-version")) >= slices.Index(apiVersions, version)
}

// into reads the JSON body.
func (c *call) into(v any) *wire.Error {
	if len(c.body) == 0 {
		return nil // what is missing is refused by name
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return vault.BadParameter("Property  has invalid value\r\n")
	}
	return nil
}

// base is the address of the vault as identifiers have it.
func (e *entry) base() string { return "https://" + strings.ToLower(e.name) + suffix }

// list is a page on the wire. The link is null on the last one.
type list struct {
	Value    any     `json:"value"`
	NextLink *string `json:"nextLink"`
}

// marker is the content of a $skiptoken.
type marker struct {
	Next   string `json:"NextMarker"`
	Target int    `json:"TargetLocation"`
}

// paging reads maxresults and $skiptoken. The service's words for bad ones are not known.
func (c *call) paging() (after string, n int, err *wire.Error) {
	n = vault.MaxPage
	if text := c.query.Get("maxresults"); text != "" {
		v, bad := strconv.Atoi(text)
		if bad != nil || v < 1 || v > vault.MaxPage {
			return "", 0, vault.BadParameter("invalid value for maxresults: %q. It must be between 1 and %d", text, vault.MaxPage)
		}
		n = v
	}
	token := c.query.Get("$skiptoken")
	if token == "" {
		return "", n, nil
	}
	var m marker
	data, bad := base64.StdEncoding.DecodeString(token)
	if bad != nil || json.Unmarshal(data, &m) != nil || m.Next == "" {
		return "", 0, vault.BadParameter("invalid value for $skiptoken")
	}
	return m.Next, n, nil
}

// page answers a list. The link names the port, as the service's do.
func (c *call) page(items any, next string) (int, any, *wire.Error) {
	out := list{Value: items}
	if next != "" {
		token, err := json.Marshal(marker{Next: next})
		if err != nil {
			return 0, nil, vault.BadParameter("%s", err.Error())
		}
		q := url.Values{"api-version": {c.query.Get("api-version")}, "$skiptoken": {base64.StdEncoding.EncodeToString(token)}}
		for _, k := range []string{"maxresults", "includePending"} {
			if v := c.query.Get(k); v != "" {
				q.Set(k, v)
			}
		}
		link := c.vault.base() + ":443" + c.r.URL.EscapedPath() + "?" + q.Encode()
		out.NextLink = &link
	}
	return http.StatusOK, out, nil
}
