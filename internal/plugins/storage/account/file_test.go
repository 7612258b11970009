package account

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const withFiles = `"primaryEndpoints":{"blob":"https://acct.blob.core.windows.net/","file":"https://acct.z7.file.storage.azure.net/"}`

func TestShareSAS(t *testing.T) {
	t.Parallel()
	w := &wire{}
	a := account(t, endpoint(w, withFiles), false)
	first, err := a.ShareSAS(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(first.Reveal())
	if err != nil || q.Get("sr") != "s" || q.Get("sp") != "r" || q.Get("spr") != "https" || q.Get("skoid") != "o" || q.Get("sig") == "" {
		t.Errorf("the signature is %v, %v", q, err)
	}
	again, _ := a.ShareSAS(t.Context(), "s")
	other, _ := a.ShareSAS(t.Context(), "d")
	container, _ := a.ReadSAS(t.Context(), "s", false)
	if !again.Equal(first) || other.Equal(first) || container.Equal(first) {
		t.Error("signatures are not kept by share")
	}
	if n := w.n.Load(); n != 2 { // each service has a delegation key of its own
		t.Errorf("%d requests for signatures of two services, want 2", n)
	}
	a.Refused(first)
	if _, err := a.ShareSAS(t.Context(), "s"); err != nil || w.n.Load() != 3 {
		t.Errorf("after a refusal: %d requests, %v", w.n.Load(), err)
	}
}

func TestShareSASWithTheAccountsKey(t *testing.T) {
	t.Parallel()
	list := `{"keys":[{"value":"` + someKey + `","permissions":"full"}]}`
	for name, e := range map[string]plugin.Endpoint{
		"no right to delegate": endpoint(&wire{refuse: "userdelegationkey", keys: list}, withFiles),
		"the key is given": func() plugin.Endpoint {
			e := endpoint(&wire{refuse: "listKeys"}, withFiles)
			e.Secret = given(secretKey, someKey)
			return e
		}(),
	} {
		got, err := account(t, e, false).ShareSAS(t.Context(), "s")
		if err != nil || strings.Contains(got.Reveal(), "skoid") || !strings.Contains(got.Reveal(), "sig=") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := account(t, endpoint(&wire{refuse: "e"}, withFiles), false)
	var answer *azcore.ResponseError
	if _, err := a.ShareSAS(t.Context(), "s"); !errors.As(err, &answer) || answer.RawResponse.Request.URL.Query().Get("comp") != "userdelegationkey" {
		t.Errorf("neither is to be had: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.ShareSAS(ended, "s"); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// TestFileClients: what stands in a path goes into the address as it is.
func TestFileClients(t *testing.T) {
	t.Parallel()
	a := account(t, endpoint(&wire{}, withFiles), false)
	f, err := a.File(t.Context(), "s", "d/e f/%41ä.")
	if err != nil || !strings.HasSuffix(f.URL(), "/s/d/e%20f/%2541%C3%A4.") {
		t.Errorf("%s, %v", f.URL(), err)
	}
	top, err := a.File(t.Context(), "s", "x")
	if err != nil || !strings.HasSuffix(top.URL(), "/s/x") {
		t.Errorf("%s, %v", top.URL(), err)
	}
	d, err := a.Directory(t.Context(), "s", "")
	if err != nil || !strings.HasSuffix(strings.TrimSuffix(d.URL(), "/"), "/s") {
		t.Errorf("%s, %v", d.URL(), err)
	}
	e := endpoint(&wire{}, withFiles)
	e.Secret = given(secretKey, "no base64 of a key!")
	if _, err := account(t, e, false).File(t.Context(), "s", "x"); errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), "base64") {
		t.Errorf("a key that is none: %v", err)
	}
	none := account(t, endpoint(&wire{}, endpoints), false)
	if _, err := none.Directory(t.Context(), "s", "x"); errs.KindOf(err) != errs.Unsupported {
		t.Errorf("an account without the service: %v", err)
	}
}
