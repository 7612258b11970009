package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

const accountID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"

const endpoints = `"primaryEndpoints":{"blob":"https://acct.z7.blob.storage.azure.net/","dfs":"https://acct.dfs.core.windows.net/","table":"","microsoftEndpoints":{"blob":"https://x/"}}`

var someKey = base64.StdEncoding.EncodeToString([]byte("canary-key-of-an-account"))

// wire answers requests by what they ask for, and counts them.
type wire struct {
	n      atomic.Int64
	last   atomic.Pointer[http.Request]
	refuse string // in the path or query of a request that is refused
	keys   string // the body of listKeys
}

// Do implements policy.Transporter.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	w.n.Add(1)
	w.last.Store(req)
	status, body := http.StatusOK, `{}`
	switch {
	case w.refuse != "" && strings.Contains(req.URL.String(), w.refuse):
		status, body = http.StatusForbidden, `{"error":{"code":"AuthorizationFailed","message":"The client lacks 'x'."}}`
	case strings.HasSuffix(req.URL.Path, "/listKeys"):
		body = w.keys
	case req.URL.Query().Get("comp") == "userdelegationkey":
		body = `<UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>2026-01-01T00:00:00Z</SignedStart><SignedExpiry>2027-01-01T00:00:00Z</SignedExpiry><SignedService>b</SignedService><SignedVersion>2026-06-06</SignedVersion><Value>` + someKey + `</Value></UserDelegationKey>`
	case req.Method == http.MethodDelete:
		status, body = http.StatusNoContent, ""
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func endpoint(w *wire, properties string) plugin.Endpoint {
	return plugin.Endpoint{
		Resource:   plugin.Resource{ID: accountID, Name: "acct", Kind: "StorageV2", SKU: "Standard_LRS", Properties: json.RawMessage("{" + properties + "}")},
		Credential: token{},
		Options:    policy.ClientOptions{Transport: w, Cloud: cloud.AzurePublic, Retry: policy.RetryOptions{MaxRetries: -1}},
	}
}

func given(name, value string) func(string) (secret.Value, bool) {
	return func(n string) (secret.Value, bool) { return secret.New(value), n == name }
}

func account(t *testing.T, e plugin.Endpoint, useKey bool) *Account {
	t.Helper()
	a, err := new(Cache).For(e, useKey)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFacts(t *testing.T) {
	t.Parallel()
	e := endpoint(&wire{}, endpoints+`,"isHnsEnabled":true,"allowSharedKeyAccess":false,"allowBlobPublicAccess":false`)
	e.Resource.SKU = "Premium_LRS"
	a := account(t, e, false)
	if !a.HNS || !a.NoSharedKey || !a.NoPublicAccess || !a.Premium() || !a.Has(Blob) || a.Has(Table) || a.Has(File) {
		t.Errorf("%+v", a.Facts)
	}
	if got, err := a.URL(Blob); got != "https://acct.z7.blob.storage.azure.net/" || err != nil {
		t.Errorf("%s, %v: the address is not the one that Resource Manager gave", got, err)
	}
	if _, err := a.URL(Queue); errs.KindOf(err) != errs.Unsupported {
		t.Errorf("a service that is not there: %v", err)
	}
	plain := account(t, endpoint(&wire{}, endpoints), false)
	if plain.HNS || plain.NoSharedKey || plain.NoPublicAccess || plain.Premium() || plain.UsesKey() {
		t.Errorf("%+v", plain.Facts)
	}
}

func TestFactsAreRefused(t *testing.T) {
	t.Parallel()
	for name, properties := range map[string]string{
		"not read": "", "no JSON": `"primaryEndpoints":`, "no TLS": `"primaryEndpoints":{"blob":"http://acct/"}`, "no address": `"primaryEndpoints":{"blob":"acct"}`,
	} {
		e := endpoint(&wire{}, properties)
		if properties == "" {
			e.Resource.Properties = nil
		}
		if _, err := new(Cache).For(e, false); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v, want an error of kind invalid", name, err)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	list := `{"keys":[{"keyName":"a","value":"r","permissions":"READ"},{"keyName":"b","value":"` + someKey + `","permissions":"FULL"}]}`
	tests := []struct {
		name       string
		secret     func(string) (secret.Value, bool)
		properties string
		keys       string
		useKey     bool
		want       string
		kind       errs.Kind
		requests   int64
	}{
		{"given", given(secretKey, "mine"), "", "", false, "mine", "", 0},
		{"given in a connection string", given(secretConnection, "AccountName=x; AccountKey=a==;EndpointSuffix=y"), "", "", false, "a==", "", 0},
		{"a connection string without it", given(secretConnection, "AccountName=x"), "", list, true, someKey, "", 1},
		{"given, though the account refuses keys", given(secretKey, "mine"), `,"allowSharedKeyAccess":false`, "", true, "mine", "", 0},
		{"listed, the first with full rights", nil, "", list, true, someKey, "", 1},
		{"only keys that read", nil, "", `{"keys":[{"value":"r","permissions":"Read"}]}`, true, "", errs.NotFound, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &wire{keys: tt.keys}
			e := endpoint(w, endpoints+tt.properties)
			e.Secret = tt.secret
			a := account(t, e, tt.useKey)
			if !a.UsesKey() {
				t.Error("the key is not used")
			}
			for range 2 {
				got, err := a.Key(t.Context())
				if got.Reveal() != tt.want || errs.KindOf(err) != tt.kind {
					t.Errorf("%q, %v", got.Reveal(), err)
				}
			}
			if w.n.Load() != tt.requests {
				t.Errorf("%d requests, want %d", w.n.Load(), tt.requests)
			}
		})
	}
}

func TestKeysThatTheAccountDoesNotTake(t *testing.T) {
	t.Parallel()
	e := endpoint(&wire{}, endpoints+`,"allowSharedKeyAccess":false`)
	_, err := new(Cache).For(e, true)
	if errs.KindOf(err) != errs.Unsupported || !strings.Contains(errs.HintOf(err), "sign-in=entra") {
		t.Errorf("%v, hint %q", err, errs.HintOf(err))
	}
	if _, err := account(t, e, false).Key(t.Context()); errs.KindOf(err) != errs.Unsupported {
		t.Errorf("its key: %v", err)
	}
}

func TestABadKeyIsNotQuoted(t *testing.T) {
	t.Parallel()
	e := endpoint(&wire{}, endpoints)
	e.Secret = given(secretKey, "canary not base64!")
	a := account(t, e, false)
	_, blobs := a.Blobs(t.Context())
	_, path := a.Path(t.Context(), "c", "d/e")
	for _, err := range []error{blobs, path} {
		if errs.KindOf(err) != errs.Invalid || !errors.Is(err, ErrNoKey) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v", err)
		}
	}
}

func TestReadSAS(t *testing.T) {
	t.Parallel()
	w := &wire{}
	a := account(t, endpoint(w, endpoints), false)
	first, err := a.ReadSAS(t.Context(), "c", false)
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(first.Reveal())
	if err != nil || q.Get("sr") != "c" || q.Get("sp") != "r" || q.Get("spr") != "https" || q.Get("skoid") != "o" || q.Get("sig") == "" {
		t.Errorf("the signature is %v, %v", q, err)
	}
	until, err := time.Parse(time.RFC3339, q.Get("se"))
	if left := time.Until(until); err != nil || left < sasRenew || left > sasLife {
		t.Errorf("it lives for %v, %v", left, err)
	}
	again, _ := a.ReadSAS(t.Context(), "c", false)
	tags, _ := a.ReadSAS(t.Context(), "c", true)
	other, _ := a.ReadSAS(t.Context(), "d", false)
	if !again.Equal(first) || tags.Equal(first) || other.Equal(first) || !strings.Contains(tags.Reveal(), "sp=rt") {
		t.Error("signatures are not kept by container and rights")
	}
	if n := w.n.Load(); n != 1 {
		t.Errorf("%d requests for four signatures, want 1", n)
	}
	if strings.Contains(fmt.Sprintf("%v %+v", first, first), "sig=") {
		t.Error("a signature can be printed")
	}
}

func TestReadSASWithTheAccountsKey(t *testing.T) {
	t.Parallel()
	list := `{"keys":[{"value":"` + someKey + `","permissions":"full"}]}`
	for name, e := range map[string]plugin.Endpoint{
		"no right to delegate": endpoint(&wire{refuse: "userdelegationkey", keys: list}, endpoints),
		"the key is given": func() plugin.Endpoint {
			e := endpoint(&wire{refuse: "listKeys"}, endpoints)
			e.Secret = given(secretKey, someKey)
			return e
		}(),
	} {
		got, err := account(t, e, false).ReadSAS(t.Context(), "c", false)
		if err != nil || strings.Contains(got.Reveal(), "skoid") || !strings.Contains(got.Reveal(), "sig=") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := account(t, endpoint(&wire{refuse: "e"}, endpoints), false)
	var answer *azcore.ResponseError
	if _, err := a.ReadSAS(t.Context(), "c", false); !errors.As(err, &answer) || answer.RawResponse.Request.URL.Query().Get("comp") != "userdelegationkey" {
		t.Errorf("neither is to be had: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.ReadSAS(ended, "c", false); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

func TestManage(t *testing.T) {
	t.Parallel()
	w := &wire{refuse: "forbidden"}
	a := account(t, endpoint(w, endpoints), false)
	var out json.RawMessage
	if err := a.Manage(t.Context(), http.MethodPut, "/blobServices/default?x=y", map[string]int{"a": 1}, &out); err != nil || string(out) != "{}" {
		t.Errorf("%s, %v", out, err)
	}
	req := w.last.Load()
	body, _ := io.ReadAll(req.Body)
	if req.URL.Path != accountID+"/blobServices/default" || req.URL.RawQuery != "api-version="+apiVersion+"&x=y" || string(body) != `{"a":1}` || req.Header.Get("Authorization") != "Bearer t" {
		t.Errorf("%s %s: %s", req.Method, req.URL, body)
	}
	if err := a.Manage(t.Context(), http.MethodDelete, "/managementPolicies/default", nil, &out); err != nil {
		t.Error(err)
	}
	var answer *azcore.ResponseError
	if err := a.Manage(t.Context(), http.MethodGet, "/forbidden", nil, nil); !errors.As(err, &answer) || answer.StatusCode != http.StatusForbidden {
		t.Errorf("%v", err)
	}
	if err := a.Manage(t.Context(), http.MethodPut, "/x", func() {}, nil); err == nil {
		t.Error("what is no JSON is sent")
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	var c Cache
	w := &wire{}
	one := endpoint(w, endpoints)
	first, err := c.For(one, false)
	if err != nil {
		t.Fatal(err)
	}
	same := endpoint(w, endpoints)
	if got, _ := c.For(same, false); got != first {
		t.Error("the same endpoint gives another account")
	}
	other := map[string]plugin.Endpoint{"another transport": endpoint(&wire{}, endpoints), "other properties": endpoint(w, endpoints+`,"isHnsEnabled":true`)}
	keyed := endpoint(w, endpoints)
	keyed.Secret = given(secretKey, someKey)
	other["a key"] = keyed
	for name, e := range other {
		if got, err := c.For(e, false); got == first || err != nil {
			t.Errorf("%s: the same account, %v", name, err)
		}
	}
	if got, _ := c.For(one, true); got == first {
		t.Error("signing in in another way gives the same account")
	}
	for i := range 2 * kept {
		e := endpoint(w, endpoints)
		e.Resource.ID = fmt.Sprint(accountID, i)
		if _, err := c.For(e, false); err != nil {
			t.Fatal(err)
		}
		if got, _ := c.For(one, false); got != first {
			t.Fatalf("what is used all the time is lost after %d others", i)
		}
	}
	if len(c.entries) != kept {
		t.Errorf("the cache holds %d accounts, want %d", len(c.entries), kept)
	}
}

func TestClientsAreMadeOnce(t *testing.T) {
	t.Parallel()
	a := account(t, endpoint(&wire{}, endpoints), false)
	one, err1 := a.Blobs(t.Context())
	two, err2 := a.Blobs(t.Context())
	if one != two || err1 != nil || err2 != nil {
		t.Errorf("%p %p %v %v", one, two, err1, err2)
	}
	tries := 0
	for range 2 {
		_, err := Memo(a, func() (int, error) { tries++; return 0, errors.New("not now") })
		if err == nil {
			t.Error("an error is lost")
		}
	}
	if tries != 2 {
		t.Errorf("what could not be made is made %d times, want 2", tries)
	}
	p, err := a.Path(t.Context(), "c", "a b/ü")
	if err != nil || p.DFSURL() != "https://acct.dfs.core.windows.net/c/a%20b/%C3%BC" {
		t.Errorf("%v, %v", p, err)
	}
}

func TestUntouched(t *testing.T) {
	t.Parallel()
	before := time.Now()
	a := account(t, endpoint(&wire{}, endpoints), false)
	listed := time.Now()
	if a.Untouched(before) || !a.Untouched(listed) {
		t.Error("what was seen before the account was opened counts, or what was seen after does not")
	}
	a.Wrote()
	if a.Untouched(listed) || !a.Untouched(time.Now().Add(time.Millisecond)) {
		t.Error("a write is not noticed, or for ever")
	}
}
