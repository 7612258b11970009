package contoso

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Vault is what lives in a key vault.
type Vault struct {
	Secrets        []Secret      `json:"secrets,omitempty"`
	Keys           []Key         `json:"keys,omitempty"`
	Certificates   []Certificate `json:"certificates,omitempty"`
	Issuers        []Issuer      `json:"issuers,omitempty"`
	Contacts       []Contact     `json:"contacts,omitempty"`
	DeletedSecrets []Secret      `json:"deletedSecrets,omitempty"`
	DeletedKeys    []Key         `json:"deletedKeys,omitempty"`
}

// Secret is a secret; Versions are its older values, the oldest first.
type Secret struct {
	Name        string            `json:"name,omitempty"`
	Value       string            `json:"value"`
	ContentType string            `json:"contentType,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Enabled     *bool             `json:"enabled,omitempty"`
	NotBefore   *time.Time        `json:"notBefore,omitempty"`
	Expires     *time.Time        `json:"expires,omitempty"`
	Versions    []Secret          `json:"versions,omitempty"`
}

// Key is a cryptographic key.
type Key struct {
	Name           string            `json:"name"`
	Kty            string            `json:"kty"`
	Size           int               `json:"size,omitempty"`
	Curve          string            `json:"curve,omitempty"`
	KeyOps         []string          `json:"keyOps,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	Enabled        *bool             `json:"enabled,omitempty"`
	Expires        *time.Time        `json:"expires,omitempty"`
	RotationPolicy any               `json:"rotationPolicy,omitempty"`
}

// Certificate is a certificate that the vault has signed itself; Versions is how often.
type Certificate struct {
	Name           string            `json:"name"`
	Subject        string            `json:"subject"`
	KeyType        string            `json:"keyType"`
	KeySize        int               `json:"keySize,omitempty"`
	Curve          string            `json:"curve,omitempty"`
	Exportable     bool              `json:"exportable"`
	ContentType    string            `json:"contentType"`
	Tags           map[string]string `json:"tags,omitempty"`
	ValidityMonths int               `json:"validityMonths,omitempty"`
	Versions       int               `json:"versions,omitempty"`
	Enabled        *bool             `json:"enabled,omitempty"`
}

// Issuer is a certificate authority's account. Its password never leaves a vault.
type Issuer struct {
	Name      string `json:"name"`
	Provider  string `json:"provider"`
	AccountID string `json:"accountId,omitempty"`
	OrgID     string `json:"orgId,omitempty"`
}

// Contact is told when certificates expire.
type Contact struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

const (
	pfx = "application/x-pkcs12"
	pem = "application/x-pem-file"
)

var (
	apps = []string{"shop", "cart", "search", "billing", "mail", "login", "stock", "reports", "gateway", "worker"}
	uses = []string{"db-password", "db-connection", "api-key", "webhook-secret", "session-key", "smtp-password", "redis-url", "oauth-client-secret", "signing-salt", "sas-token", "license", "feature-token", "queue-key"}
	envs = []string{"prod", "staging", "test"}
)

func off() *bool { b := false; return &b }

// day is midnight UTC, n days after 2025-01-01: far enough from now on either side for
// "expired" and "not yet valid" to stay true.
func day(n int) *time.Time {
	t := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
	return &t
}

const (
	longAgo = -400     // days: before 2025
	farAway = 20 * 365 // days: after 2040
)

// text is n random bytes in base64: what a generated password looks like.
func (m *maker) text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (m *maker) one(of []string) string { return of[m.IntN(len(of))] }

// plainSecrets are ordinary secrets: one for each application and use, with what tags and
// attributes a careful team gives them.
func (m *maker) plainSecrets(env string, count int) []Secret {
	var out []Secret
	for _, app := range apps {
		for _, use := range uses {
			if len(out) == count {
				return out
			}
			s := Secret{Name: fmt.Sprintf("%s-%s-%s", app, use, env), Value: m.value(app, use), Tags: map[string]string{"app": app, "env": env}}
			switch m.IntN(6) {
			case 0:
				s.Expires = day(farAway + m.IntN(365))
			case 1:
				s.ContentType = "text/plain"
				s.Tags["rotated-by"] = m.one([]string{"pipeline", "hand", "terraform"})
			case 2:
				s.Tags = nil
			}
			out = append(out, s)
		}
	}
	return out
}

// value is a value of the form that its use suggests.
func (m *maker) value(app, use string) string {
	switch use {
	case "db-connection":
		return fmt.Sprintf("Server=tcp:sql-contoso-%s.database.windows.net,1433;Database=%s;User ID=%s_rw;Password=%s;Encrypt=True", app, app, app, m.text(18))
	case "redis-url":
		return fmt.Sprintf("rediss://:%s@redis-contoso-%s.redis.cache.windows.net:6380/0", m.text(24), app)
	case "sas-token":
		return "sv=2024-11-04&ss=b&srt=co&sp=rl&se=2040-01-01T00:00:00Z&sig=" + m.text(32)
	default:
		return m.text(16 + m.IntN(24))
	}
}

// appVault holds an application's secrets and every awkward form that a secret can have.
func (m *maker) appVault() *Vault {
	return &Vault{
		Secrets: append(m.plainSecrets(m.one(envs), 118), m.awkward()...),
		Keys: []Key{
			{Name: "token-signing", Kty: "EC", Curve: "P-256", KeyOps: []string{"sign", "verify"}, Tags: map[string]string{"app": "login"}},
			{Name: "data-protection", Kty: "RSA", Size: 2048, KeyOps: []string{"wrapKey", "unwrapKey"}},
		},
		DeletedSecrets: []Secret{
			{Name: "shop-old-api-key", Value: m.text(24)},
			{Name: "mail-retired-password", Value: m.text(24)},
		},
	}
}

// limit is the largest value that a secret may have: 25 kB.
const limit = 25_000

func (m *maker) awkward() []Secret {
	many := map[string]string{}
	for i := range 15 {
		many[fmt.Sprintf("tag-%02d", i+1)] = m.text(9)
	}
	return []Secret{
		{Name: "awkward-25-kilobytes", Value: m.text(limit)[:limit], ContentType: "application/octet-stream"},
		{Name: "awkward-one-space", Value: " "},
		{Name: "awkward-spaces-around", Value: "  " + m.text(9) + "\t"},
		{Name: "awkward-unicode", Value: "пароль-密码-🔑-ñandú-" + m.text(6), Tags: map[string]string{"größe": "außergewöhnlich"}},
		{Name: "awkward-lines", Value: "first line\nsecond line\r\n\nlast line, no line feed after it"},
		{Name: "awkward-json", Value: fmt.Sprintf(`{"user":"svc","password":%q,"hosts":["a","b"],"nested":{"on":true}}`, m.text(12)), ContentType: "application/json"},
		{Name: "awkward-xml", Value: `<add key="a&amp;b" value="&lt;` + m.text(9) + `&gt;"/>`, ContentType: "text/xml"},
		{Name: "awkward-percent-and-quotes", Value: `100%25 "quoted" 'single' \back\slash $HOME ` + "`tick`"},
		{Name: "awkward-fifteen-tags", Value: m.text(12), Tags: many},
		{Name: "awkward-" + strings.Repeat("long-", 23) + "name", Value: m.text(12)},
		{Name: "awkward-expired", Value: m.text(12), NotBefore: day(longAgo - 365), Expires: day(longAgo)},
		{Name: "awkward-not-yet-valid", Value: m.text(12), NotBefore: day(farAway), Expires: day(farAway + 365)},
		{Name: "awkward-disabled", Value: m.text(12), Enabled: off()},
		{Name: "awkward-disabled-and-expired", Value: m.text(12), Enabled: off(), Expires: day(longAgo)},
		{Name: "awkward-four-versions", Value: m.text(12), ContentType: "v4", Versions: []Secret{
			{Value: m.text(12), ContentType: "v1", Tags: map[string]string{"round": "1"}, Expires: day(longAgo)},
			{Value: m.text(12), ContentType: "v2", Tags: map[string]string{"round": "2"}},
			{Value: m.text(12), ContentType: "v3"},
		}},
		{Name: "awkward-old-version-disabled", Value: m.text(12), Versions: []Secret{{Value: m.text(12), Enabled: off()}}},
		{Name: "awkward-same-value-twice", Value: "unchanged", Versions: []Secret{{Value: "unchanged"}}},
		{Name: "Awkward-CASE", Value: m.text(12)},
	}
}

// dataVault is under access policies and holds mostly keys.
func (m *maker) dataVault() *Vault {
	v := &Vault{Secrets: m.plainSecrets(m.one(envs), 84)}
	for i, curve := range []string{"P-256", "P-384", "P-521", "P-256K"} {
		v.Keys = append(v.Keys, Key{
			Name: "ec-" + strings.ToLower(curve), Kty: "EC", Curve: curve, KeyOps: []string{"sign", "verify"},
			Tags: map[string]string{"owner": m.one(apps), "number": fmt.Sprint(i + 1)},
		})
	}
	v.Keys = append(v.Keys,
		Key{Name: "ec-hsm", Kty: "EC-HSM", Curve: "P-256", KeyOps: []string{"sign", "verify"}},
		Key{Name: "ec-disabled", Kty: "EC", Curve: "P-256", Enabled: off()},
		Key{Name: "ec-expired", Kty: "EC", Curve: "P-384", Expires: day(longAgo)},
		Key{Name: "rsa-storage-encryption", Kty: "RSA", Size: 2048, KeyOps: []string{"wrapKey", "unwrapKey"}, RotationPolicy: yearly()},
		Key{Name: "rsa-sql-tde", Kty: "RSA", Size: 2048, KeyOps: []string{"wrapKey", "unwrapKey", "encrypt", "decrypt"}, Tags: map[string]string{"used-by": "sql-contoso-stock"}},
	)
	v.DeletedKeys = []Key{{Name: "ec-retired", Kty: "EC", Curve: "P-256"}}
	return v
}

// yearly is a rotation policy in the form of the Key Vault API: a new version after a
// year, a notice a month before its end.
func yearly() any {
	return map[string]any{
		"attributes": map[string]any{"expiryTime": "P2Y"},
		"lifetimeActions": []any{
			map[string]any{"trigger": map[string]any{"timeAfterCreate": "P1Y"}, "action": map[string]any{"type": "Rotate"}},
			map[string]any{"trigger": map[string]any{"timeBeforeExpiry": "P30D"}, "action": map[string]any{"type": "Notify"}},
		},
	}
}

// edgeVault holds certificates, their issuers and who is told about them.
func (m *maker) edgeVault() *Vault {
	v := &Vault{
		Secrets: m.plainSecrets(m.one(envs), 64),
		Keys:    []Key{{Name: "edge-jwt", Kty: "EC", Curve: "P-256", KeyOps: []string{"sign", "verify"}}},
		Issuers: []Issuer{{Name: "digicert-contoso", Provider: "DigiCert", AccountID: "1234567", OrgID: "7654321"}},
		Contacts: []Contact{
			{Email: "pki@contoso.example", Name: "PKI team", Phone: "+31 20 555 0100"},
			{Email: "oncall@contoso.example"},
		},
	}
	for _, app := range apps[:6] {
		v.Certificates = append(v.Certificates, Certificate{
			Name: "tls-" + app, Subject: "CN=" + app + ".contoso.example", KeyType: "EC", Curve: "P-256", Exportable: true,
			ContentType: []string{pfx, pem}[m.IntN(2)], ValidityMonths: 12, Tags: map[string]string{"app": app},
		})
	}
	v.Certificates = append(v.Certificates,
		Certificate{Name: "tls-rsa-pfx", Subject: "CN=www.contoso.example", KeyType: "RSA", KeySize: 2048, Exportable: true, ContentType: pfx, ValidityMonths: 12},
		Certificate{Name: "tls-rsa-pem", Subject: "CN=api.contoso.example", KeyType: "RSA", KeySize: 2048, Exportable: true, ContentType: pem, ValidityMonths: 24},
		Certificate{Name: "tls-renewed-twice", Subject: "CN=renewed.contoso.example", KeyType: "EC", Curve: "P-384", Exportable: true, ContentType: pfx, ValidityMonths: 6, Versions: 3},
		Certificate{Name: "tls-not-exportable", Subject: "CN=locked.contoso.example", KeyType: "EC", Curve: "P-256", Exportable: false, ContentType: pfx, ValidityMonths: 12},
		Certificate{Name: "tls-disabled", Subject: "CN=off.contoso.example", KeyType: "EC", Curve: "P-256", Exportable: true, ContentType: pem, ValidityMonths: 12, Enabled: off()},
	)
	return v
}

// usedVault is a target that is not quite empty: it holds a secret of its own, one that
// is equal already, and one name that was deleted and can still be recovered.
func (m *maker) usedVault() *Vault {
	return &Vault{
		Secrets: []Secret{
			{Name: "fabrikam-own-secret", Value: m.text(24)},
			{Name: "awkward-one-space", Value: " "},
		},
		DeletedSecrets: []Secret{{Name: "awkward-json", Value: m.text(24)}},
	}
}
