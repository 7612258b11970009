package keyvault

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// TestImportIDs asks a target for the IDs of what it has, has not, and has in a form that
// Terraform cannot read.
func TestImportIDs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		target string
		want   map[string]string // beginnings of IDs, by item; "" for none
	}{
		{"nothing there", `{}`, map[string]string{"secrets/db-password": "", "keys/rsa": "", "certificates/tls": "", "issuers/digi": "", "contacts": ""}},
		{"all there", declared, map[string]string{
			"secrets/db-password": "/secrets/db-password/", "secrets/off": "", "keys/rsa": "/keys/rsa/",
			"certificates/tls": "/certificates/tls/", "issuers/digi": "/certificates/issuers/digi", "contacts": "/certificates/contacts",
		}},
		{
			"there and disabled", `{"keys":[{"name":"rsa","kty":"RSA","enabled":false}],"certificates":[{"name":"tls","subject":"CN=a","enabled":false}]}`,
			map[string]string{"keys/rsa": "", "certificates/tls": ""},
		},
		{"a certificate of that name", `{"certificates":[{"name":"db-password","subject":"CN=a"},{"name":"rsa","subject":"CN=a"}]}`, map[string]string{"secrets/db-password": "", "keys/rsa": ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, vaults{source: declared, target: tt.target})
			for _, it := range l.list(template()) {
				want, asked := tt.want[string(it.Key)]
				if !asked {
					continue
				}
				blocks, err := l.plugin.Declare(t.Context(), l.task(template(), it))
				if err != nil {
					t.Fatal(err)
				}
				got, err := blocks[0].TF.Import(t.Context())
				_, path, _ := strings.Cut(got, ".vault.azure.net")
				if err != nil || (want == "") != (got == "") || !strings.HasPrefix(path, want) {
					t.Errorf("%s: %q, %v; want %q", it.Key, got, err, want)
				}
				if version := strings.TrimPrefix(path, want); strings.HasSuffix(want, "/") && len(version) != 32 {
					t.Errorf("%s: the version is %q", it.Key, version)
				}
			}
		})
	}
}

func TestImportFails(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: declared, target: declared})
	items := l.list(template())
	if err := l.AddFault(wire.Fault{Name: "no", Host: "kv-fabrikam.vault.azure.net", Kind: "status", Status: 403, Code: "Forbidden"}); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		blocks, err := l.plugin.Declare(t.Context(), l.task(template(), it))
		if err != nil {
			t.Fatal(err)
		}
		if id, err := blocks[0].TF.Import(t.Context()); errs.KindOf(err) != errs.PermissionDenied {
			t.Errorf("%s: %q, %v", it.Key, id, err)
		}
	}
}
