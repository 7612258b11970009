package keyvault

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/test/golden"
)

const declared = `{
	"secrets":[
		{"name":"db-password","value":"hunter2","contentType":"text/plain","tags":{"owner":"a","cost center":"b"},"notBefore":"2024-01-02T03:04:05Z","expires":"2030-01-02T03:04:05Z"},
		{"name":"off","value":"hunter2","enabled":false}],
	"keys":[
		{"name":"rsa","kty":"RSA","size":2048,"keyOps":["sign","verify"],"tags":{"a":"b"},"expires":2000000000},
		{"name":"ec","kty":"EC","curve":"P-384",` + rotating + `}],
	"certificates":[{"name":"tls","subject":"CN=tls.contoso.com","sans":{"dns_names":["tls.contoso.com"],"emails":["a@contoso.com"],"upns":["u"]},
		"ekus":["1.3.6.1.5.5.7.3.1"],"keyUsage":["digitalSignature"],"keyType":"RSA","keySize":2048,"tags":{"a":"b"},"validityMonths":6,
		"lifetimeActions":[{"trigger":{"days_before_expiry":30},"action":{"action_type":"AutoRenew"}},{"trigger":{"lifetime_percentage":80},"action":{"action_type":"EmailContacts"}}]},
		{"name":"fixed","subject":"CN=fixed","exportable":false}],
	"issuers":[{"name":"digi","provider":"DigiCert","accountId":"acc","password":"hunter2","orgId":"org"}],
	"contacts":[{"email":"a@contoso.com","name":"A","phone":"1"},{"email":"b@contoso.com"}]}`

func TestDeclare(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: declared})
	for _, r := range []run{template(), full()} {
		var blocks []decl.Block
		for _, it := range l.list(r) {
			b, err := l.plugin.Declare(t.Context(), l.task(r, it))
			if err != nil {
				t.Fatalf("%s: %v", it.Key, err)
			}
			blocks = append(blocks, b...)
		}
		for format, file := range map[decl.Format]string{decl.Terraform: "main.tf", decl.Bicep: "main.bicep", decl.ARM: "azuredeploy.json"} {
			var b bytes.Buffer
			if err := iac.Render(&b, format, blocks, iac.Options{}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "hunter2") {
				t.Errorf("%s %s holds a secret", r.mode, format)
			}
			path := filepath.Join("testdata", string(r.mode), file)
			golden.File(t, path, b.String())
		}
	}
	for _, c := range l.calls() {
		if readsValue(c) || c.Write() {
			t.Errorf("declaring makes the request %s %s", c.Method, c.Path)
		}
	}
}

func TestDeclareWhatIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{})
	for _, k := range []string{kindKey, kindCertificate, kindIssuer, kindSecret} {
		it := plugin.Item{Key: plugin.Key(k), Kind: k, Ref: plugin.Encode(ref{Name: "gone"})}
		if _, err := l.plugin.Declare(t.Context(), l.task(full(), it)); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: error = %v", k, err)
		}
		if _, err := l.plugin.Replicate(t.Context(), l.task(full(), it)); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: Replicate gives %v", k, err)
		}
	}
}
