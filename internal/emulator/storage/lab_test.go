package storage_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

// The accounts of the laboratory: one in each tenant.
const (
	source = "srcacct"
	target = "dstacct"
)

// key is the first key of an account.
func key(account string) string {
	return base64.StdEncoding.EncodeToString([]byte("the first key of " + account))
}

// lab is an emulator with two accounts in two tenants.
type lab struct {
	emu *emulator.Emulator

	mu sync.Mutex
	at time.Time
}

// newLab starts an emulator; data is that of the source account, properties are those of
// both in ARM.
func newLab(tb testing.TB, data string, properties map[string]any) *lab {
	tb.Helper()
	l := &lab{at: time.Now().UTC()}
	s := scenario.Default()
	for i, name := range []string{source, target} {
		t := &s.Tenants[i]
		r := scenario.Resource{
			Type: "Microsoft.Storage/storageAccounts", Name: name, Kind: "StorageV2", SKU: map[string]any{"name": "Standard_RAGRS"}, Properties: properties,
			Data: fmt.Appendf(nil, `{"accountKeys":[%q]}`, key(name)),
		}
		if i == 0 && data != "" {
			r.Data = fmt.Appendf(nil, `{"accountKeys":[%q],%s}`, key(name), data)
		}
		t.Subscriptions[0].ResourceGroups[0].Resources = append(t.Subscriptions[0].ResourceGroups[0].Resources, r)
		t.RoleAssignments = append(t.RoleAssignments, scenario.RoleAssignment{
			Principal: t.Principals[0].Name, Role: "Storage Blob Data Owner", Scope: "/subscriptions/" + t.Subscriptions[0].ID,
		})
	}
	emu, err := emulator.Start(emulator.Options{Scenario: s, Clock: l.now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = emu.Close() })
	l.emu = emu
	return l
}

func (l *lab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// pass lets time go by for the emulator alone.
func (l *lab) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

func (l *lab) options() policy.ClientOptions {
	return policy.ClientOptions{
		Transport: &http.Client{Transport: l.emu.Transport()},
		Retry:     policy.RetryOptions{MaxRetries: -1, RetryDelay: time.Millisecond},
	}
}

// tenant is the name of the tenant that an account is in.
func tenant(account string) string {
	if account == source {
		return "contoso"
	}
	return "fabrikam"
}

func (l *lab) credential(tb testing.TB, tenantName string) azcore.TokenCredential {
	tb.Helper()
	id, err := l.emu.Principal(tenantName)
	if err != nil {
		tb.Fatal(err)
	}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.AppID, id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: l.options()})
	if err != nil {
		tb.Fatal(err)
	}
	return cred
}

func blobURL(account string) string { return "https://" + account + ".blob.core.windows.net/" }

// withKey is a client of an account that signs with its key.
func (l *lab) withKey(tb testing.TB, account string) *service.Client {
	tb.Helper()
	cred, err := service.NewSharedKeyCredential(account, key(account))
	if err != nil {
		tb.Fatal(err)
	}
	c, err := service.NewClientWithSharedKeyCredential(blobURL(account), cred, &service.ClientOptions{ClientOptions: l.options()})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// withToken is a client of an account with the token of a tenant's principal.
func (l *lab) withToken(tb testing.TB, account, tenantName string) *service.Client {
	tb.Helper()
	c, err := service.NewClient(blobURL(account), l.credential(tb, tenantName), &service.ClientOptions{ClientOptions: l.options()})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// bare is a client without a credential: of a URL with a SAS, or an anonymous one.
func (l *lab) bare(tb testing.TB, url string) *service.Client {
	tb.Helper()
	c, err := service.NewClientWithNoCredential(url, &service.ClientOptions{ClientOptions: l.options()})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (l *lab) bareBlob(tb testing.TB, url string) *blob.Client {
	tb.Helper()
	c, err := blob.NewClientWithNoCredential(url, &blob.ClientOptions{ClientOptions: l.options()})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (l *lab) arm(tb testing.TB, tenantName string) (string, azcore.TokenCredential, *arm.ClientOptions) {
	tb.Helper()
	id, err := l.emu.Principal(tenantName)
	if err != nil {
		tb.Fatal(err)
	}
	return id.SubscriptionID, l.credential(tb, tenantName), &arm.ClientOptions{ClientOptions: l.options()}
}

func group(account string) string { return "rg-" + tenant(account) }

func (l *lab) id(tb testing.TB, account string) string {
	tb.Helper()
	p, err := l.emu.Principal(tenant(account))
	if err != nil {
		tb.Fatal(err)
	}
	return "/subscriptions/" + p.SubscriptionID + "/resourceGroups/" + group(account) + "/providers/Microsoft.Storage/storageAccounts/" + account
}

// made creates a container.
func made(tb testing.TB, c *service.Client, name string) *container.Client {
	tb.Helper()
	cc := c.NewContainerClient(name)
	if _, err := cc.Create(tb.Context(), nil); err != nil {
		tb.Fatal(err)
	}
	return cc
}

// code is the error code of a refusal, "" for none.
func code(err error) string {
	var re *azcore.ResponseError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &re):
		return re.ErrorCode
	}
	return err.Error()
}

// wantCode fails unless an error has a code; "" is for success.
func wantCode(tb testing.TB, what string, err error, want string) {
	tb.Helper()
	if got := code(err); got != want {
		tb.Errorf("%s: %q, want %q (%v)", what, got, want, err)
	}
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

// body makes a request's body.
func body(s string) io.ReadSeekCloser { return nopCloser{strings.NewReader(s)} }

type nopCloser struct{ io.ReadSeeker }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// text reads a blob.
func text(ctx context.Context, b *blob.Client, opt *blob.DownloadStreamOptions) (string, error) {
	r, err := b.DownloadStream(ctx, opt)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	var buf bytes.Buffer
	_, err = buf.ReadFrom(r.Body)
	return buf.String(), err
}

func wantText(tb testing.TB, b *blob.Client, want string) {
	tb.Helper()
	got, err := text(tb.Context(), b, nil)
	if err != nil || got != want {
		tb.Errorf("content %q, want %q: %v", got, want, err)
	}
}
