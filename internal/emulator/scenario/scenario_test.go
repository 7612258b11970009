package scenario_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

const good = `{"tenants":[{
  "id":"11111111-1111-4111-8111-111111111111","name":"contoso",
  "principals":[{"appId":"11111111-1111-4111-8111-111111111112","objectId":"11111111-1111-4111-8111-111111111113","name":"app","secretExpires":"2030-01-02T03:04:05Z"}],
  "subscriptions":[{"id":"11111111-1111-4111-8111-111111111114","name":"s","resourceGroups":[{"name":"rg","location":"westeurope","tags":{"a":"b"},
    "resources":[
      {"type":"Microsoft.KeyVault/vaults","name":"kv","sku":{"name":"standard"},"properties":{"anything":{"deep":[1]}},"data":{"secrets":[{"name":"n"}]}},
      {"type":"Microsoft.KeyVault/vaults/secrets","name":"kv/n"}]}]}],
  "roleAssignments":[{"principal":"APP","role":"Owner","scope":"/Subscriptions/11111111-1111-4111-8111-111111111114/resourceGroups/rg"}]}]}`

func TestDecode(t *testing.T) {
	t.Parallel()
	s, err := scenario.Decode(strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	tenant := s.Tenants[0]
	if got := tenant.DomainName(); got != "contoso.onmicrosoft.com" {
		t.Errorf("domain %s", got)
	}
	if got := tenant.Principals[0].SecretExpires; !got.Equal(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("secretExpires %v", got)
	}
	group := tenant.Subscriptions[0].ResourceGroups[0]
	ids := make([]string, 0, len(group.Resources))
	for _, r := range group.Resources {
		ids = append(ids, scenario.ResourceID("SUB", group.Name, r))
	}
	want := []string{
		"/subscriptions/SUB/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv",
		"/subscriptions/SUB/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/secrets/n",
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	if got := string(group.Resources[0].Data); got != `{"secrets":[{"name":"n"}]}` {
		t.Errorf("data %s", got)
	}
}

// TestDecodeErrors changes the good scenario in one place each.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, changed, want string }{
		{"unknown at the top", `{"tenants"`, `{"x":1,"tenants"`, "x: unknown field; here may stand tenants"},
		{"unknown deep", `"sku":{`, `"skew":{`, "tenants[0].subscriptions[0].resourceGroups[0].resources[0].skew: unknown field; here may stand data, identity, kind"},
		{"case counts", `"sku":{`, `"SKU":{`, "resources[0].SKU: unknown field"},
		{"list for object", `"sku":{"name":"standard"}`, `"sku":[]`, "resources[0].sku: an object is expected, not a list"},
		{"object for list", `"principals":[`, `"principals":{"a":`, "invalid character"},
		{"text for list", `"roleAssignments":[`, `"roleAssignments":"x","domain":[`, "tenants[0].domain: a text is expected, not a list"},
		{"number for text", `"name":"contoso"`, `"name":7`, "tenants[0].name: a text is expected, not a number"},
		{"text for bool", `"name":"app"`, `"name":"app","disabled":"yes"`, "principals[0].disabled: true or false is expected, not a text"},
		{"bool for text", `"a":"b"`, `"a":true`, "tags.a: a text is expected, not true or false"},
		{"object for element", `"principals":[{`, `"principals":[3,{`, "principals[0]: an object is expected, not a number"},
		{"text for a list", `"tags":{"a":"b"},`, `"tags":{"a":"b"}},"x",{`, "resourceGroups[1]: an object is expected, not a text"},
		{"given twice", `"sku":{`, `"sku":{},"sku":{`, "resources[0].sku: is given twice"},
		{"given twice in data", `"data":{`, `"data":{"secrets":[],`, "resources[0].data.secrets: is given twice"},
		{"bad time", "2030-01-02", "2030-13-02", "parsing time"},
		{"more text", "", "", ""},
		{"no GUID", `"id":"11111111-1111-4111-8111-111111111111"`, `"id":"11111111"`, `tenants[0].id: "11111111" is no GUID`},
		{"GUID in braces", `"id":"11111111-1111-4111-8111-111111111111"`, `"id":"{11111111-1111-4111-8111-111111111111}"`, "is no GUID"},
		{"empty name", `"name":"s"`, `"name":" "`, "tenants[0].subscriptions[0].name: must not be empty"},
		{"no location", `"location":"westeurope"`, `"location":""`, "resourceGroups[0].location: must not be empty"},
		{"bad type", `"type":"Microsoft.KeyVault/vaults",`, `"type":"vaults",`, `resources[0].type: "vaults" is not of the form`},
		{"name too short", `"name":"kv/n"`, `"name":"kv"`, `resources[1].name: "kv" has 1 parts, but a Microsoft.KeyVault/vaults/secrets has 2`},
		{"twice", `"type":"Microsoft.KeyVault/vaults/secrets","name":"kv/n"`, `"type":"microsoft.keyvault/Vaults","name":"KV"`, "stands at tenants[0].subscriptions[0].resourceGroups[0].resources[0].name already"},
		{"unknown principal", `"principal":"APP"`, `"principal":"other"`, `roleAssignments[0].principal: tenant contoso has no principal "other"`},
		{"no role", `"role":"Owner"`, `"role":""`, "roleAssignments[0].role: must not be empty"},
		{"foreign scope", `"scope":"/Subscriptions/11111111-1111-4111-8111-111111111114`, `"scope":"/subscriptions/11111111-1111-4111-8111-1111111111140`, "is in no subscription of tenant contoso"},
		{"bad certificate", `"name":"app"`, `"name":"app","certificate":"x"`, "principals[0].certificate: is no PEM certificate"},
		{"broken certificate", `"name":"app"`, `"name":"app","certificate":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"`, "certificate: is no certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, tt.old, tt.changed, 1)
			if tt.old == "" {
				text, tt.want = good+"\n{}", "line 9, column 1: text behind the end"
			} else if text == good {
				t.Fatal("nothing was changed")
			}
			if _, err := scenario.Decode(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestDecodeNoScenario(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "line 1, column 0",
		"{\n \"tenants\": ]": "near line 2, column 12",
		"[]":                 "the document: an object is expected, not a list",
		"{}":                 "tenants: at least one tenant is needed",
	} {
		if _, err := scenario.Decode(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestDefault(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(scenario.Default())
	if err != nil {
		t.Fatal(err)
	}
	again, err := scenario.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(scenario.Default(), again); diff != "" {
		t.Error(diff)
	}
	if len(again.Tenants) != 2 || again.Tenants[0].Name != "contoso" || again.Tenants[1].Name != "fabrikam" {
		t.Errorf("%+v", again.Tenants)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	p := scenario.Principal{Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
	if cert, err := p.ParseCertificate(); err != nil || !bytes.Equal(cert.Raw, der) {
		t.Errorf("%v", err)
	}
	if cert, err := (scenario.Principal{}).ParseCertificate(); err != nil || cert != nil {
		t.Errorf("%v %v", cert, err)
	}
}
