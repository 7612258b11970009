package keyvault_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

func TestSecretRoundTrip(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.secrets(t, "kv1")

	nbf, exp := start.Add(time.Hour), start.Add(48*time.Hour)
	set, err := c.SetSecret(t.Context(), "Db-Password", azsecrets.SetSecretParameters{
		Value: to.Ptr("p@ss"), ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"team": to.Ptr("core")},
		SecretAttributes: &azsecrets.SecretAttributes{NotBefore: &nbf, Expires: &exp},
	}, nil)
	check(t, err)
	if got := string(*set.ID); !strings.HasPrefix(got, "https://kv1.vault.azure.net/secrets/Db-Password/") || len(set.ID.Version()) != 32 {
		t.Errorf("id = %s", got)
	}
	// Names do not differ by case; not yet valid secrets are readable.
	got, err := c.GetSecret(t.Context(), "db-password", "", nil)
	check(t, err)
	if *got.Value != "p@ss" || *got.ContentType != "text/plain" || *got.Tags["team"] != "core" {
		t.Errorf("secret = %+v", got.Secret)
	}
	a := got.Attributes
	if !*a.Enabled || !a.NotBefore.Equal(nbf) || !a.Expires.Equal(exp) || !a.Created.Equal(start) || *a.RecoveryLevel != "Recoverable+Purgeable" || *a.RecoverableDays != 90 {
		t.Errorf("attributes = %+v", a)
	}
	l.advance(72 * time.Hour) // expired, and still readable
	if _, err = c.GetSecret(t.Context(), "db-password", set.ID.Version(), nil); err != nil {
		t.Errorf("an expired secret: %v", err)
	}
	second, err := c.SetSecret(t.Context(), "db-password", azsecrets.SetSecretParameters{Value: to.Ptr("new")}, nil)
	check(t, err)
	latest, err := c.GetSecret(t.Context(), "db-password", "", nil)
	check(t, err)
	if *latest.Value != "new" || latest.ID.Version() != second.ID.Version() || latest.Tags != nil || latest.ContentType != nil {
		t.Errorf("the latest version is %+v", latest.Secret)
	}
}

func TestUpdateSecret(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.secrets(t, "kv1")
	v1, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("1"), Tags: map[string]*string{"a": to.Ptr("1")}}, nil)
	check(t, err)
	v2, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("2")}, nil)
	check(t, err)
	l.advance(time.Minute)
	_, err = c.UpdateSecretProperties(t.Context(), "s", v1.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(false)}, ContentType: to.Ptr("old"),
	}, nil)
	check(t, err)
	up, err := c.UpdateSecretProperties(t.Context(), "s", "", azsecrets.UpdateSecretPropertiesParameters{Tags: map[string]*string{"b": to.Ptr("2")}}, nil)
	check(t, err)
	if up.ID.Version() != v2.ID.Version() || up.Value != nil || *up.Tags["b"] != "2" || !up.Attributes.Updated.Equal(start.Add(time.Minute)) {
		t.Errorf("update of the latest version = %+v", up.Secret)
	}
	_, err = c.GetSecret(t.Context(), "s", v1.ID.Version(), nil)
	wantError(t, err, 403, "Forbidden", "SecretDisabled")
	_, err = c.UpdateSecretProperties(t.Context(), "s", v1.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(true)}}, nil)
	check(t, err)
	again, err := c.GetSecret(t.Context(), "s", v1.ID.Version(), nil)
	check(t, err)
	if *again.Value != "1" || *again.ContentType != "old" || *again.Tags["a"] != "1" {
		t.Errorf("enabled again: %+v", again.Secret)
	}
}

func TestSecretRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	sixteen := make([]string, 16)
	for i := range sixteen {
		sixteen[i] = fmt.Sprintf(`"t%d":"x"`, i)
	}
	tests := []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"no value", "PUT", "secrets/a", `{}`, 400, "BadParameter"},
		{"no body", "PUT", "secrets/a", ``, 400, "BadParameter"},
		{"empty value", "PUT", "secrets/a", `{"value":""}`, 400, "BadParameter"},
		{"not JSON", "PUT", "secrets/a", `{`, 400, "BadParameter"},
		{"25 KB are enough", "PUT", "secrets/big", `{"value":"` + strings.Repeat("x", 25600) + `"}`, 200, ""},
		{"one byte more is not", "PUT", "secrets/a", `{"value":"` + strings.Repeat("x", 25601) + `"}`, 400, "BadParameter"},
		{"content type of 255", "PUT", "secrets/a", `{"value":"x","contentType":"` + strings.Repeat("é", 255) + `"}`, 200, ""},
		{"content type of 256", "PUT", "secrets/a", `{"value":"x","contentType":"` + strings.Repeat("é", 256) + `"}`, 400, "BadParameter"},
		{"16 tags", "PUT", "secrets/a", `{"value":"x","tags":{` + strings.Join(sixteen, ",") + `}}`, 400, "BadParameter"},
		{"15 tags", "PUT", "secrets/a", `{"value":"x","tags":{` + strings.Join(sixteen[1:], ",") + `}}`, 200, ""},
		{"long tag", "PUT", "secrets/a", `{"value":"x","tags":{"k":"` + strings.Repeat("x", 513) + `"}}`, 400, "BadParameter"},
		{"expires before it is valid", "PUT", "secrets/a", `{"value":"x","attributes":{"nbf":200,"exp":100}}`, 400, "BadParameter"},
		{"name", "PUT", "secrets/a_b", `{"value":"x"}`, 400, "BadParameter"},
		{"name of 128", "PUT", "secrets/" + strings.Repeat("n", 128), `{"value":"x"}`, 400, "BadParameter"},
		{"name of 127", "PUT", "secrets/" + strings.Repeat("n", 127), `{"value":"x"}`, 200, ""},
		{"missing", "GET", "secrets/none", ``, 404, "SecretNotFound"},
		{"missing version", "GET", "secrets/big/" + strings.Repeat("0", 32), ``, 404, "SecretNotFound"},
		{"update of nothing", "PATCH", "secrets/none", `{}`, 404, "SecretNotFound"},
		{"update of no version", "PATCH", "secrets/big/" + strings.Repeat("0", 32), `{}`, 404, "SecretNotFound"},
		{"delete of nothing", "DELETE", "secrets/none", ``, 404, "SecretNotFound"},
		{"recover of nothing", "POST", "deletedsecrets/none/recover", ``, 404, "SecretNotFound"},
		{"purge of nothing", "DELETE", "deletedsecrets/none", ``, 404, "SecretNotFound"},
		{"deleted of nothing", "GET", "deletedsecrets/none", ``, 404, "SecretNotFound"},
		{"backup of nothing", "POST", "secrets/none/backup", ``, 404, "SecretNotFound"},
		{"restore of garbage", "POST", "secrets/restore", `{"value":"bm9wZQ"}`, 400, "BadParameter"},
		{"restore of nothing", "POST", "secrets/restore", `{}`, 400, "BadParameter"},
		{"maxresults 0", "GET", "secrets?maxresults=0", ``, 400, "BadParameter"},
		{"maxresults 26", "GET", "secrets?maxresults=26", ``, 400, "BadParameter"},
		{"maxresults x", "GET", "secrets?maxresults=x", ``, 400, "BadParameter"},
		{"bad skiptoken", "GET", "secrets?$skiptoken=nope", ``, 400, "BadParameter"},
		{"conversion of a plain secret", "GET", "secrets/big?outContentType=application/x-pem-file", ``, 400, "BadParameter"},
		{"no such path", "GET", "storage", ``, 404, "NotFound"},
		{"no such method", "POST", "secrets/big", ``, 405, "MethodNotAllowed"},
	}
	for _, tt := range tests { // in order: some rows need what others made
		a := l.call(t, tt.method, tt.path, tt.body)
		if a.status != tt.status {
			t.Errorf("%s: status %d, want %d: %.200s", tt.name, a.status, tt.status, a.body)
			continue
		}
		if tt.code == "" {
			continue
		}
		if code, _, message := a.code(t); code != tt.code || message == "" {
			t.Errorf("%s: code %s %q, want %s", tt.name, code, message, tt.code)
		}
	}
}

func TestSlashes(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	if a := l.call(t, "PUT", "secrets/s", `{"value":"x"}`); a.status != 200 {
		t.Fatal(a.body)
	}
	for _, path := range []string{"secrets/s", "secrets/s/", "/secrets//s", "Secrets/S"} {
		if a := l.call(t, "GET", path, ""); a.status != 200 || !strings.Contains(a.body, `"value":"x"`) {
			t.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
	}
}

func TestListSecretsAndVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.secrets(t, "kv1")
	want := make([]string, 0, 60)
	for i := range 60 {
		name := fmt.Sprintf("s%02d", i)
		want = append(want, name)
		_, err := c.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
		check(t, err)
	}
	var got []string
	pages := 0
	for pager := c.NewListSecretPropertiesPager(nil); pager.More(); pages++ {
		p, err := pager.NextPage(t.Context())
		check(t, err)
		if len(p.Value) > 25 {
			t.Errorf("a page of %d", len(p.Value))
		}
		for _, s := range p.Value {
			if s.ID.Version() != "" {
				t.Errorf("item %s has a version", *s.ID)
			}
			got = append(got, s.ID.Name())
		}
	}
	if pages != 3 || !slices.Equal(got, want) {
		t.Errorf("%d pages: %v", pages, got)
	}

	// Versions come in the order of their identifiers, not of their making.
	made := make([]string, 0, 30)
	for i := range 30 {
		s, err := c.SetSecret(t.Context(), "versions", azsecrets.SetSecretParameters{Value: to.Ptr(fmt.Sprint(i))}, nil)
		check(t, err)
		made = append(made, s.ID.Version())
	}
	var listed []string
	for pager := c.NewListSecretPropertiesVersionsPager("versions", nil); pager.More(); {
		p, err := pager.NextPage(t.Context())
		check(t, err)
		for _, s := range p.Value {
			listed = append(listed, s.ID.Version())
		}
	}
	sorted := slices.Sorted(slices.Values(made))
	if diff := cmp.Diff(sorted, listed); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if slices.Equal(sorted, made) {
		t.Error("30 versions were made in the order of their identifiers")
	}
	// The first page link names the port, as the service's does, and keeps maxresults.
	a := l.call(t, http.MethodGet, "secrets?maxresults=7", "")
	if !strings.Contains(a.body, "https://kv1.vault.azure.net:443/secrets?") || !strings.Contains(a.body, "maxresults=7") {
		t.Errorf("page = %s", a.body)
	}
	if a := l.call(t, http.MethodGet, "secrets/none/versions", ""); a.body != `{"value":[],"nextLink":null}` {
		t.Errorf("versions of nothing = %s", a.body)
	}
}
