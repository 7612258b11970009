package keyvault_test

import (
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const sample = `{
  "secrets": [
    {"name":"db","value":"new","contentType":"text/plain","tags":{"b":"2","a":"1"},"expires":"2020-01-02T03:04:05Z",
     "versions":[{"value":"old","enabled":false},{"value":"older-is-first","notBefore":1700000000}]},
    {"name":"off","value":"x","enabled":false}],
  "keys": [
    {"name":"sign","keyOps":["verify","sign"],"tags":{"t":"v"},"rotationPolicy":{"lifetimeActions":[{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"rotate"}}],"attributes":{"expiryTime":"P90D"}}},
    {"name":"two","kty":"EC","curve":"P-384","versions":2}],
  "certificates": [
    {"name":"tls","subject":"CN=tls, O=Contoso","sans":{"dns_names":["tls.example"]},"versions":2,"tags":{"t":"v"}},
    {"name":"closed","exportable":false,"contentType":"application/x-pem-file","enabled":false,"issuer":"digi","validityMonths":6,"keyUsage":["digitalSignature"]}],
  "issuers": [{"name":"digi","provider":"DigiCert","accountId":"acc","password":"pw","orgId":"org"}],
  "contacts": [{"email":"a@b.c"}],
  "deletedSecrets": [{"name":"gone","value":"x"}],
  "deletedKeys": [{"name":"gone"}],
  "deletedCertificates": [{"name":"gone-cert"}],
  "generate": {"secrets":3,"prefix":"gen-","valueBytes":8,"seed":1}
}`

func object(t *testing.T, all []wire.Object, key string) wire.Object {
	t.Helper()
	i := slices.IndexFunc(all, func(o wire.Object) bool { return o.Key == key })
	if i < 0 {
		t.Fatalf("no object %s", key)
	}
	return all[i]
}

func TestSeedAndObjects(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", nil)
	check(t, l.svc.Seed(strings.ToUpper(res.ID), json.RawMessage(sample)))
	all, err := l.svc.Objects(res.ID)
	check(t, err)
	keys := make([]string, 0, len(all))
	for _, o := range all {
		keys = append(keys, o.Key)
	}
	want := []string{
		"certificates/closed", "certificates/tls", "contacts", "issuers/digi", "keys/sign", "keys/two",
		"secrets/db", "secrets/gen-0000001", "secrets/gen-0000002", "secrets/gen-0000003", "secrets/off",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Fatalf("objects (-want +got):\n%s", diff)
	}
	wantDB := map[string]string{
		"value": "new", "contentType": "text/plain", "tags": "a=1\nb=2", "enabled": "true", "notBefore": "", "expires": "2020-01-02T03:04:05Z", "versions": "3",
		"v0.value": "old", "v0.contentType": "", "v0.tags": "", "v0.enabled": "false", "v0.notBefore": "", "v0.expires": "",
		"v1.value": "older-is-first", "v1.contentType": "", "v1.tags": "", "v1.enabled": "true", "v1.notBefore": "2023-11-14T22:13:20Z", "v1.expires": "",
		"v2.value": "new", "v2.contentType": "text/plain", "v2.tags": "a=1\nb=2", "v2.enabled": "true", "v2.notBefore": "", "v2.expires": "2020-01-02T03:04:05Z",
	}
	if diff := cmp.Diff(wantDB, object(t, all, "secrets/db").Fields); diff != "" {
		t.Errorf("secret (-want +got):\n%s", diff)
	}
	sign := object(t, all, "keys/sign").Fields
	if sign["kty"] != "EC" || sign["curve"] != "P-256" || sign["ops"] != "sign,verify" || len(sign["thumbprint"]) != 43 || !strings.Contains(sign["rotationPolicy"], `"type":"Rotate"`) || sign["versions"] != "1" {
		t.Errorf("key = %v", sign)
	}
	tls := object(t, all, "certificates/tls").Fields
	if tls["versions"] != "2" || tls["v0.x5t"] == tls["v1.x5t"] || tls["x5t"] != tls["v1.x5t"] || tls["exportable"] != "true" || tls["hasPrivateKey"] != "true" || !strings.Contains(tls["policy"], `"subject":"CN=tls, O=Contoso"`) {
		t.Errorf("certificate = %v", tls)
	}
	closed := object(t, all, "certificates/closed").Fields
	if closed["exportable"] != "false" || closed["contentType"] != "application/x-pem-file" || closed["enabled"] != "false" || closed["expires"] != "2026-09-01T12:00:00Z" {
		t.Errorf("certificate = %v", closed)
	}
	if f := object(t, all, "issuers/digi").Fields; f["provider"] != "DigiCert" || f["accountId"] != "acc" || f["password"] != "pw" || !strings.Contains(f["orgDetails"], `"org"`) {
		t.Errorf("issuer = %v", f)
	}
	// Versions of one second would have no order of their own.
	var page struct {
		Value []struct {
			Attributes struct{ Created int64 }
		}
	}
	check(t, json.Unmarshal([]byte(l.call(t, "GET", "secrets/db/versions", "").body), &page))
	created := make([]int64, 0, len(page.Value))
	for _, v := range page.Value {
		created = append(created, v.Attributes.Created)
	}
	slices.Sort(created)
	if now := start.Unix(); !slices.Equal(created, []int64{now - 7200, now - 3600, now}) {
		t.Errorf("versions were made at %v", created)
	}
	for _, path := range []string{"deletedsecrets/gone", "deletedkeys/gone", "deletedcertificates/gone-cert", "deletedsecrets/gone-cert"} {
		if a := l.call(t, "GET", path, ""); a.status != 200 {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	// The same seed gives the same values.
	other := l.vault(t, "kv2", nil)
	check(t, l.svc.Seed(other.ID, json.RawMessage(`{"generate":{"secrets":3,"prefix":"gen-","valueBytes":8,"seed":1}}`)))
	again, err := l.svc.Objects(other.ID)
	check(t, err)
	if diff := cmp.Diff(object(t, all, "secrets/gen-0000002"), object(t, again, "secrets/gen-0000002")); diff != "" {
		t.Errorf("generated (-first +second):\n%s", diff)
	}
}

func TestSeedRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", nil)
	check(t, l.svc.Seed(res.ID, json.RawMessage(`{"secrets":[{"name":"taken","value":"x"}],"keys":[{"name":"taken-key"}],"certificates":[{"name":"taken-cert"}]}`)))
	for _, tt := range []struct{ name, data, want string }{
		{"unknown member", `{"secretz":[]}`, "secretz"},
		{"unknown member of a secret", `{"secrets":[{"nam":"x"}]}`, "nam"},
		{"not JSON", `{`, "EOF"},
		{"two objects", `{}{}`, "follows"},
		{"time", `{"secrets":[{"name":"x","value":"x","expires":"tomorrow"}]}`, "RFC 3339"},
		{"secret's name", `{"secrets":[{"name":"a_b","value":"x"}]}`, "a_b"},
		{"secret without value", `{"secrets":[{"name":"x"}]}`, "secret x"},
		{"version with a name", `{"secrets":[{"name":"x","value":"x","versions":[{"name":"y","value":"y"}]}]}`, "version"},
		{"name in use", `{"secrets":[{"name":"TAKEN","value":"x"}]}`, "in use"},
		{"certificate's name in use", `{"secrets":[{"name":"taken-cert","value":"x"}]}`, "in use"},
		{"key's name in use", `{"certificates":[{"name":"taken-key"}]}`, "exists"},
		{"generated name in use", `{"generate":{"secrets":1,"prefix":"taken-"},"secrets":[{"name":"taken-0000001","value":"x"}]}`, "in use"},
		{"symmetric key", `{"keys":[{"name":"k","kty":"oct"}]}`, "managed HSMs"},
		{"HSM key in a standard vault", `{"keys":[{"name":"k","kty":"EC-HSM"}]}`, "SKU"},
		{"key operation", `{"keys":[{"name":"k","keyOps":["fly"]}]}`, "fly"},
		{"rotation policy", `{"keys":[{"name":"k","rotationPolicy":{"attributes":{"expiryTime":"P1D"}}}]}`, "28 days"},
		{"key's name", `{"keys":[{"name":"a b"}]}`, "a b"},
		{"certificate's name", `{"certificates":[{"name":"a b"}]}`, "a b"},
		{"certificate's subject", `{"certificates":[{"name":"c","subject":"x"}]}`, "subject"},
		{"certificate's curve", `{"certificates":[{"name":"c","curve":"P-256K"}]}`, "P-256K"},
		{"certificate's issuer", `{"certificates":[{"name":"c","issuer":"nobody"}]}`, "nobody"},
		{"issuer's name", `{"issuers":[{"name":"","provider":"x"}]}`, "issuer"},
		{"issuer without provider", `{"issuers":[{"name":"x"}]}`, "issuer x"},
		{"generate", `{"generate":{"secrets":1,"prefix":"_"}}`, "generate"},
	} {
		err := l.svc.Seed(res.ID, json.RawMessage(tt.data))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
	if err := l.svc.Seed(vaultID(subA, "kv9"), json.RawMessage(`{}`)); err == nil {
		t.Error("a vault that is not there was seeded")
	}
	if _, err := l.svc.Objects(vaultID(subA, "kv9")); err == nil {
		t.Error("a vault that is not there has objects")
	}
}

// TestMillionSecrets: they load in time linear to their number, fit into 350 MB, and a
// page costs what is on it.
func TestMillionSecrets(t *testing.T) {
	if testing.Short() {
		t.Skip("a million secrets take some seconds")
	}
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", nil)
	small := l.vault(t, "kv2", nil)
	began := time.Now()
	check(t, l.svc.Seed(small.ID, json.RawMessage(`{"generate":{"secrets":100000,"seed":7}}`)))
	tenth := time.Since(began)
	before := heap()
	began = time.Now()
	check(t, l.svc.Seed(res.ID, json.RawMessage(`{"generate":{"secrets":1000000,"seed":7}}`)))
	took := time.Since(began)
	used := (heap() - before) >> 20
	t.Logf("loaded in %s, %d MB", took.Round(time.Millisecond), used)
	if used > 350 { // the collector may let the heap double
		t.Errorf("a million secrets take %d MB", used)
	}
	if took > 40*tenth { // ten times as many; the machine may be busier than before
		t.Errorf("loading took %s, a tenth of it %s", took, tenth)
	}
	began = time.Now()
	for range 200 {
		if a := l.call(t, "GET", "secrets?$skiptoken="+`eyJOZXh0TWFya2VyIjoic2VjcmV0LTA5MDAwMDAiLCJUYXJnZXRMb2NhdGlvbiI6MH0=`, ""); !strings.Contains(a.body, "secret-0900001") {
			t.Fatalf("page = %.300s", a.body)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("200 pages took %s", took)
	}
	runtime.KeepAlive(l)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
