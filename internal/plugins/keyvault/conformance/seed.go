package conformance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// content is the seed format of the emulator's Key Vault, as far as it is used here.
type content struct {
	Secrets             []secret      `json:"secrets,omitempty"`
	Keys                []key         `json:"keys,omitempty"`
	Certificates        []certificate `json:"certificates,omitempty"`
	Issuers             []issuer      `json:"issuers,omitempty"`
	Contacts            []contact     `json:"contacts,omitempty"`
	DeletedSecrets      []secret      `json:"deletedSecrets,omitempty"`
	DeletedKeys         []key         `json:"deletedKeys,omitempty"`
	DeletedCertificates []certificate `json:"deletedCertificates,omitempty"`
	Generate            *generate     `json:"generate,omitempty"`
}

type secret struct {
	Name        string            `json:"name,omitempty"`
	Value       string            `json:"value"`
	ContentType string            `json:"contentType,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Enabled     *bool             `json:"enabled,omitempty"`
	NotBefore   int64             `json:"notBefore,omitempty"`
	Expires     int64             `json:"expires,omitempty"`
	Versions    []secret          `json:"versions,omitempty"`
}

type key struct {
	Name     string            `json:"name"`
	Kty      string            `json:"kty,omitempty"`
	Size     int               `json:"size,omitempty"`
	Curve    string            `json:"curve,omitempty"`
	KeyOps   []string          `json:"keyOps,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Enabled  *bool             `json:"enabled,omitempty"`
	Expires  int64             `json:"expires,omitempty"`
	Rotation json.RawMessage   `json:"rotationPolicy,omitempty"`
	Versions int               `json:"versions,omitempty"`
}

type certificate struct {
	Name        string            `json:"name"`
	Subject     string            `json:"subject,omitempty"`
	SANs        map[string]any    `json:"sans,omitempty"`
	Exportable  *bool             `json:"exportable,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Versions    int               `json:"versions,omitempty"`
	Enabled     *bool             `json:"enabled,omitempty"`
	Issuer      string            `json:"issuer,omitempty"`
	Lifetime    json.RawMessage   `json:"lifetimeActions,omitempty"`
}

type issuer struct {
	Name      string `json:"name"`
	Provider  string `json:"provider"`
	AccountID string `json:"accountId,omitempty"`
	Password  string `json:"password,omitempty"`
	OrgID     string `json:"orgId,omitempty"`
}

type contact struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

type generate struct {
	Secrets int `json:"secrets"`
}

// The objects whose names lie soft-deleted in some targets.
const (
	plainSecret      = "secret-0000"
	plainKey         = "key-plain"
	taggedKey        = "key-384"
	plainCertificate = "cert-plain"
)

// rsaFrom is how large a seed must be to hold an RSA key: making one takes long, and the
// checks that run often use small seeds.
const rsaFrom = 50

func encode(c content) json.RawMessage {
	raw, err := json.Marshal(c)
	if err != nil { // every member can be marshalled
		panic(err)
	}
	return raw
}

func off() *bool { return new(bool) }

// seed fills a vault with every kind of object and every case that is treated on its own.
func seed(r *rand.Rand, n int, canary string) json.RawMessage {
	now := time.Now()
	c := content{
		Secrets:        append(oddSecrets(now, canary), plainSecrets(r, n, canary)...),
		Keys:           keys(now),
		Certificates:   certificates(),
		Issuers:        []issuer{{Name: "issuer-ca", Provider: "DigiCert", AccountID: "account-7", Password: canary, OrgID: "org-7"}, {Name: "issuer-bare", Provider: "GlobalSign"}},
		Contacts:       []contact{{Email: "zoe@contoso.example", Name: "Zoë", Phone: "+31 20 0000000"}, {Email: "ops@contoso.example"}},
		DeletedSecrets: []secret{{Name: "secret-gone", Value: canary}},
		DeletedKeys:    []key{{Name: "key-gone"}},
	}
	if n >= rsaFrom {
		c.Keys = append(c.Keys, key{Name: "key-rsa", Kty: "RSA", Size: 2048, KeyOps: []string{"encrypt", "decrypt"}})
	}
	return encode(c)
}

func plainSecrets(r *rand.Rand, n int, canary string) []secret {
	out := make([]secret, n)
	for i := range out {
		out[i] = secret{Name: fmt.Sprintf("secret-%04d", i), Value: fmt.Sprintf("%d-%s-%d", r.Uint32(), canary, i)}
		switch i % 4 {
		case 1:
			out[i].ContentType = "application/json"
		case 2:
			out[i].Tags = map[string]string{"number": fmt.Sprint(i), "a tag": "ü&=<>"}
		case 3:
			out[i].Expires = time.Now().Add(time.Duration(r.IntN(1000)) * time.Hour).Unix()
		}
	}
	return out
}

func oddSecrets(now time.Time, canary string) []secret {
	tags := map[string]string{}
	for i := range 15 { // as many as a secret may have
		tags[fmt.Sprintf("tag-%02d", i)] = strings.Repeat("x", 40)
	}
	return []secret{
		{Name: "secret-disabled", Value: "off " + canary, Enabled: off(), Tags: map[string]string{"state": "off"}},
		{Name: "secret-expired", Value: "old " + canary, Expires: now.AddDate(-1, 0, 0).Unix(), NotBefore: now.AddDate(-2, 0, 0).Unix()},
		{Name: "secret-not-yet", Value: "new " + canary, NotBefore: now.AddDate(1, 0, 0).Unix()},
		{Name: "secret-long", Value: canary + strings.Repeat("0123456789abcdef", 1500), ContentType: "text/plain; what is long"},
		{Name: "secret-lines", Value: "line 1 " + canary + "\nline \"2\"\t\\ ünïcödé 漢字 \u2028"},
		{Name: "secret-tagged", Value: canary, Tags: tags},
		{Name: "Secret-UPPER", Value: canary + " in upper case"},
		{Name: "secret-history", Value: canary + " v2", ContentType: "third", Versions: []secret{
			{Value: canary + " v0", ContentType: "first", Tags: map[string]string{"v": "0"}},
			{Value: canary + " v1", ContentType: "second", Expires: now.AddDate(0, 1, 0).Unix()},
		}},
		{Name: "secret-gap", Value: canary + " v2", Versions: []secret{{Value: canary + " v0"}, {Value: canary + " v1", Enabled: off()}}},
		{Name: "secret-back-and-forth", Value: canary, Versions: []secret{{Value: canary}, {Value: canary + " in between"}}},
	}
}

func keys(now time.Time) []key {
	rotation := json.RawMessage(`{"lifetimeActions": [{"trigger": {"timeAfterCreate": "P18M"}, "action": {"type": "Rotate"}},
		{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}], "attributes": {"expiryTime": "P2Y"}}`)
	return []key{
		{Name: plainKey},
		{Name: taggedKey, Curve: "P-384", KeyOps: []string{"verify"}, Tags: map[string]string{"for": "verifying only"}},
		{Name: "key-disabled", Curve: "P-521", Enabled: off()},
		{Name: "key-expired", Expires: now.AddDate(0, -1, 0).Unix()},
		{Name: "key-hardware", Kty: "EC-HSM"},
		{Name: "key-rotating", Rotation: rotation, Versions: 2},
	}
}

func certificates() []certificate {
	lifetime := json.RawMessage(`[{"trigger": {"lifetime_percentage": 70}, "action": {"action_type": "AutoRenew"}}]`)
	return []certificate{
		{Name: plainCertificate, Tags: map[string]string{"tier": "web"}},
		{
			Name: "cert-pem", ContentType: "application/x-pem-file", Subject: "CN=pem.contoso.example, O=Contoso",
			SANs: map[string]any{"dns_names": []string{"pem.contoso.example", "alt.contoso.example"}, "emails": []string{"a@contoso.example"}}, Lifetime: lifetime,
		},
		{Name: "cert-history", Versions: 3},
		{Name: "cert-disabled", Enabled: off()},
		{Name: "cert-locked", Exportable: off()},
		{Name: "cert-unknown", Issuer: "Unknown"},
		{Name: "cert-of-ca", Issuer: "issuer-ca"},
	}
}

// change returns another object of o's key.
func change(o wire.Object) json.RawMessage {
	name := o.Key[strings.Index(o.Key, "/")+1:]
	switch o.Kind {
	case "secret":
		return encode(content{Secrets: []secret{{Name: name, Value: "something else", Tags: map[string]string{"other": "yes"}}}})
	case "key":
		curve := "P-384"
		if o.Fields["curve"] == curve {
			curve = "P-256"
		}
		return encode(content{Keys: []key{{Name: name, Curve: curve}}})
	case "certificate":
		return encode(content{Certificates: []certificate{{Name: name, Subject: "CN=something else"}}})
	case "issuer":
		return encode(content{Issuers: []issuer{{Name: name, Provider: o.Fields["provider"], OrgID: "something else"}}})
	case "contacts":
		return encode(content{Contacts: []contact{{Email: "else@fabrikam.example"}}})
	}
	return nil
}
