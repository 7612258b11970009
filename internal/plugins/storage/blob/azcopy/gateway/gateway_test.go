package gateway

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// azure answers what comes through the gateway, and keeps it.
type azure struct {
	mu      sync.Mutex // guards what follows
	got     []*http.Request
	refuses int // so many copies, for their signature
}

// Do implements policy.Transporter.
func (z *azure) Do(req *http.Request) (*http.Response, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	resp := &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Request: req, ContentLength: 5, Body: io.NopCloser(strings.NewReader("hello"))}
	if req.URL.Query().Get("comp") == "userdelegationkey" {
		key := base64.StdEncoding.EncodeToString([]byte("canary-delegation-key"))
		resp.StatusCode, resp.Body = http.StatusOK, io.NopCloser(strings.NewReader(`<UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>2026-01-01T00:00:00Z</SignedStart><SignedExpiry>2027-01-01T00:00:00Z</SignedExpiry><SignedService>b</SignedService><SignedVersion>2026-06-06</SignedVersion><Value>`+key+`</Value></UserDelegationKey>`))
		return resp, nil
	}
	z.got = append(z.got, req)
	if z.refuses > 0 && req.Header.Get(copySource) != "" {
		z.refuses--
		resp.StatusCode = http.StatusForbidden
		resp.Header.Set(errorCode, "CannotVerifyCopySource")
	}
	return resp, nil
}

type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "canary-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (z *azure) account(t *testing.T, name string, useKey bool) *account.Account {
	t.Helper()
	a, err := new(account.Cache).For(plugin.Endpoint{
		Resource: plugin.Resource{
			ID: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/" + name, Name: name, Kind: "StorageV2",
			Properties: json.RawMessage(`{"primaryEndpoints":{"blob":"https://` + name + `.blob.core.windows.net/"}}`),
		},
		Credential: token{},
		Options:    policy.ClientOptions{Transport: z, Cloud: cloud.AzurePublic},
		Secret: func(string) (secret.Value, bool) {
			return secret.New(base64.StdEncoding.EncodeToString([]byte("canary-key"))), useKey
		},
	}, useKey)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// client is a gateway and one who uses it.
type client struct {
	*Gateway
	*azure
	http *http.Client
}

func open(t *testing.T, useKey bool) client {
	t.Helper()
	z := &azure{}
	g, err := Open(t.Context(), Order{From: z.account(t, "src", useKey), To: z.account(t, "dst", useKey), Container: "box", Since: time.Unix(1e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	proxy, err := url.Parse(g.Proxy().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{Proxy: http.ProxyURL(proxy)}
	t.Cleanup(tr.CloseIdleConnections)
	return client{g, z, &http.Client{Transport: tr}}
}

// send sends a request and returns the answer's status and code; and what came to Azure, if
// anything did.
func (c client) send(t *testing.T, method, address string, header ...string) (status int, code string, came *http.Request) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header[header[i]] = []string{header[i+1]}
	}
	c.got = nil
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if len(c.got) > 0 {
		came = c.got[len(c.got)-1]
	}
	return resp.StatusCode, resp.Header.Get(errorCode), came
}

const (
	from = "http://src.blob.core.windows.net/"
	to   = "http://dst.blob.core.windows.net/"
	sig  = "sv=1&sig=none"
)

func TestOnlyWhatACopyNeedsIsLetThrough(t *testing.T) {
	t.Parallel()
	c := open(t, false)
	copies := func(source string) []string {
		return []string{"x-ms-copy-source", source, "x-ms-blob-type", "BlockBlob"}
	}
	for _, tt := range []struct {
		what, method, address string
		header                []string
		passes                bool
	}{
		{"a listing", "GET", from + "box?restype=container&comp=list&" + sig, nil, true},
		{"properties of a container", "GET", to + "box?restype=container&" + sig, nil, true},
		{"properties of a blob", "HEAD", to + "box/a%20b?" + sig, nil, true},
		{"tags", "GET", from + "box/x?comp=tags&" + sig, nil, true},
		{"a blob", "PUT", to + "box/a/b%2Fc?" + sig, copies(from + "box/a%2Fb/c?" + sig), true},
		{"a block", "PUT", to + "box/x?comp=block&blockid=AA&" + sig, copies(from + "box/x?" + sig), true},
		{"blocks", "PUT", to + "box/x?comp=blocklist&" + sig, nil, true},
		{"blocks once more", "PUT", to + "box/x?comp=blocklist&" + sig, nil, false},
		{"blocks of nobody", "PUT", to + "box/y?comp=blocklist&" + sig, nil, false},
		{"content", "GET", from + "box/x?" + sig, nil, false},
		{"another container", "GET", from + "other?restype=container&comp=list&" + sig, nil, false},
		{"containers", "GET", from + "?comp=list&" + sig, nil, false},
		{"a container's policies", "GET", to + "box?restype=container&comp=acl&" + sig, nil, false},
		{"a snapshot", "HEAD", from + "box/x?snapshot=1&" + sig, nil, false},
		{"another host", "GET", "http://management.azure.com/box?restype=container&comp=list", nil, false},
		{"a write to the source", "PUT", from + "box/x?" + sig, copies(from + "box/x?" + sig), false},
		{"a delete at the source", "DELETE", from + "box/x?" + sig, nil, false},
		{"new properties", "PUT", to + "box/x?comp=properties&" + sig, copies(from + "box/x?" + sig), false},
		{"a blob of its own", "PUT", to + "box/x?" + sig, []string{"x-ms-blob-type", "BlockBlob"}, false},
		{"a page blob", "PUT", to + "box/x?" + sig, []string{"x-ms-copy-source", from + "box/x?" + sig, "x-ms-blob-type", "PageBlob"}, false},
		{"a blob of another name", "PUT", to + "box/x?" + sig, copies(from + "box/y?" + sig), false},
		{"a blob of another container", "PUT", to + "box/x?" + sig, copies(from + "other/x?" + sig), false},
		{"a blob of another host", "PUT", to + "box/x?" + sig, copies("http://evil.blob.core.windows.net/box/x"), false},
		{"a blob's past", "PUT", to + "box/x?" + sig, copies(from + "box/x?versionid=1&" + sig), false},
	} {
		status, code, came := c.send(t, tt.method, tt.address, tt.header...)
		if (came != nil) != tt.passes || !tt.passes && (status != http.StatusForbidden || code != "AuthorizationPermissionMismatch") {
			t.Errorf("%s: %d %s, passed on: %t", tt.what, status, code, came != nil)
		}
		if came == nil {
			continue
		}
		if came.URL.Scheme != "https" || strings.Contains(came.URL.RawQuery, "sig=") || came.Header.Get("Authorization") != "Bearer canary-token" || came.Header.Get("Proxy-Authorization") != "" {
			t.Errorf("%s: %s with %v", tt.what, came.URL, came.Header)
		}
	}
	if status, code, came := c.send(t, "PUT", to+"box?restype=container&"+sig); status != http.StatusConflict || code != "ContainerAlreadyExists" || came != nil {
		t.Errorf("a new container: %d %s, %v", status, code, came)
	}
	if status, code, came := c.send(t, "DELETE", to+"box/x?"+sig); status != http.StatusNotFound || code != "BlobNotFound" || came != nil {
		t.Errorf("a delete: %d %s, %v", status, code, came)
	}
	if status, code, came := c.send(t, "GET", to+"box/x?restype=account&comp=properties&"+sig); status != http.StatusOK || code != "" || came != nil {
		t.Errorf("properties of the account: %d %s, %v", status, code, came)
	}
}

func TestAWriteIsSignedAndOnCondition(t *testing.T) {
	t.Parallel()
	for _, useKey := range []bool{false, true} {
		c := open(t, useKey)
		c.refuses = 1
		status, code, came := c.send(t, "PUT", to+"box/a%3Fb?"+sig, "x-ms-copy-source", from+"box/a%3Fb?"+sig, "x-ms-blob-type", "BlockBlob", "x-ms-meta-Camel_Case", "v")
		if status != http.StatusCreated || code != "" || len(c.got) != 2 {
			t.Fatalf("%d %s after %d requests", status, code, len(c.got))
		}
		source, err := url.Parse(came.Header.Get(copySource))
		if err != nil || source.Scheme != "https" || source.EscapedPath() != "/box/a%3Fb" || source.Query().Get("sp") != "r" || len(source.Query().Get("sig")) < 40 {
			t.Errorf("it is to be copied from %s, %v", source, err)
		}
		if came.Header.Get("If-None-Match") != "*" || came.Header.Get(sourceUnmodified) != "Sun, 09 Sep 2001 01:46:40 GMT" {
			t.Errorf("it is written on condition of %v", came.Header)
		}
		if came.Header["x-ms-meta-Camel_Case"] == nil { //nolint:staticcheck // names of metadata are sent as they are
			t.Errorf("the metadata is lost or of another case: %v", came.Header)
		}
		if signed := came.URL.Query().Get("sig") != ""; signed != useKey || signed && came.URL.Query().Get("sp") != "rcwlt" {
			t.Errorf("with the key %t: %s", useKey, came.URL)
		}
	}
}

func TestWithoutThePasswordNothingPasses(t *testing.T) {
	t.Parallel()
	c := open(t, false)
	proxy, err := url.Parse(c.Proxy().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []*url.Userinfo{nil, url.UserPassword("atg", "guess"), url.UserPassword("other", c.password)} {
		proxy.User = who
		tr := &http.Transport{Proxy: http.ProxyURL(proxy)}
		c.http.Transport = tr
		if status, _, came := c.send(t, "HEAD", to+"box/x?"+sig); status != http.StatusProxyAuthRequired || came != nil {
			t.Errorf("%v: %d, %v", who, status, came)
		}
		tr.CloseIdleConnections()
	}
	if strings.Contains(fmt.Sprint(c.Proxy()), c.password) || strings.Contains(c.Source()+c.Target(), c.password) {
		t.Error("the password is shown")
	}
}

func TestWhatIsNoRequestEndsTheConnection(t *testing.T) {
	t.Parallel()
	c := open(t, false)
	for what, text := range map[string]string{
		"a long head": "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead),
		"nonsense":    "hello\r\n\r\n",
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, text) // it may be closed before all is read
		if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
			t.Errorf("%s is answered with %q", what, line)
		}
		_ = conn.Close()
	}
}
