// Package seed makes a vault's objects from a scenario. The format is documented in package
// keyvault.
package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
)

// seed is a vault's data in a scenario.
type seed struct {
	Secrets             []seedSecret      `json:"secrets"`
	Keys                []seedKey         `json:"keys"`
	Certificates        []seedCertificate `json:"certificates"`
	Issuers             []seedIssuer      `json:"issuers"`
	Contacts            []issuers.Contact `json:"contacts"`
	DeletedSecrets      []seedSecret      `json:"deletedSecrets"`
	DeletedKeys         []seedKey         `json:"deletedKeys"`
	DeletedCertificates []seedCertificate `json:"deletedCertificates"`
	Generate            *seedGenerate     `json:"generate"`
}

type seedSecret struct {
	Name        string            `json:"name"`
	Value       string            `json:"value"`
	ContentType string            `json:"contentType"`
	Tags        map[string]string `json:"tags"`
	Enabled     *bool             `json:"enabled"`
	NotBefore   *seedTime         `json:"notBefore"`
	Expires     *seedTime         `json:"expires"`
	Versions    []seedSecret      `json:"versions"`
}

type seedKey struct {
	Name      string                `json:"name"`
	Kty       string                `json:"kty"`
	Size      int                   `json:"size"`
	Curve     string                `json:"curve"`
	KeyOps    []string              `json:"keyOps"`
	Tags      map[string]string     `json:"tags"`
	Enabled   *bool                 `json:"enabled"`
	NotBefore *seedTime             `json:"notBefore"`
	Expires   *seedTime             `json:"expires"`
	Rotation  *vault.RotationPolicy `json:"rotationPolicy"`
	Versions  int                   `json:"versions"`
}

type seedCertificate struct {
	Name           string               `json:"name"`
	Subject        string               `json:"subject"`
	SANs           *pki.SANs            `json:"sans"`
	EKUs           []string             `json:"ekus"`
	KeyUsage       []string             `json:"keyUsage"`
	KeyType        string               `json:"keyType"`
	KeySize        int                  `json:"keySize"`
	Curve          string               `json:"curve"`
	Exportable     *bool                `json:"exportable"`
	ContentType    string               `json:"contentType"`
	Tags           map[string]string    `json:"tags"`
	ValidityMonths int                  `json:"validityMonths"`
	Versions       int                  `json:"versions"`
	Enabled        *bool                `json:"enabled"`
	Issuer         string               `json:"issuer"`
	ReuseKey       *bool                `json:"reuseKey"`
	Lifetime       []pki.LifetimeAction `json:"lifetimeActions"`
}

type seedIssuer struct {
	Name      string  `json:"name"`
	Provider  string  `json:"provider"`
	AccountID *string `json:"accountId"`
	Password  *string `json:"password"`
	OrgID     *string `json:"orgId"`
	Enabled   *bool   `json:"enabled"`
}

type seedGenerate struct {
	Secrets    int    `json:"secrets"`
	Prefix     string `json:"prefix"`
	ValueBytes int    `json:"valueBytes"`
	Seed       uint64 `json:"seed"`
}

// seedTime is an RFC 3339 text or Unix seconds.
type seedTime int64

// UnmarshalJSON implements json.Unmarshaler.
func (t *seedTime) UnmarshalJSON(data []byte) error {
	if n, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*t = seedTime(n)
		return nil
	}
	var at time.Time
	if err := json.Unmarshal(data, &at); err != nil {
		return fmt.Errorf("%s is neither an RFC 3339 time nor Unix seconds: %w", data, err)
	}
	*t = seedTime(at.Unix())
	return nil
}

func (t *seedTime) unix() *int64 { return (*int64)(t) }

// versionStep lies between the versions of a seeded object.
const versionStep = time.Hour

// Plant makes the objects of data, a vault's "data" object, in a vault. Its format is
// documented in package keyvault. On an error some of the objects may have been made.
func Plant(v *vault.Vault, data json.RawMessage, now time.Time) error {
	var in seed
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("seed: something follows the object")
	}
	if err := in.plant(v, now); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

func (in seed) plant(v *vault.Vault, now time.Time) error {
	for _, i := range in.Issuers {
		if err := i.plant(v); err != nil {
			return err
		}
	}
	if len(in.Contacts) > 0 {
		if _, err := v.Book.SetContacts(issuers.Contacts{Contacts: in.Contacts}); err != nil {
			return fmt.Errorf("contacts: %w", err)
		}
	}
	if in.Generate != nil {
		if err := in.Generate.plant(v, now); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		secrets []seedSecret
		deleted bool
	}{{in.Secrets, false}, {in.DeletedSecrets, true}} {
		for _, sec := range group.secrets {
			if err := sec.plant(v, now, group.deleted); err != nil {
				return err
			}
		}
	}
	return in.plantKeys(v, now)
}

func (i seedIssuer) plant(v *vault.Vault) error {
	in := issuers.In{Provider: &i.Provider, Attributes: &issuers.AttributesIn{Enabled: i.Enabled}}
	if i.AccountID != nil || i.Password != nil {
		in.Credentials = &issuers.Credentials{AccountID: i.AccountID, Password: i.Password}
	}
	if i.OrgID != nil {
		in.Org = &issuers.Org{ID: i.OrgID, Admins: []issuers.OrgAdmin{}}
	}
	if !vault.ValidName(i.Name) {
		return fmt.Errorf("issuer %q: not a valid name", i.Name)
	}
	if _, err := v.Book.Set(i.Name, in); err != nil {
		return fmt.Errorf("issuer %s: %w", i.Name, err)
	}
	return nil
}

func (s seedSecret) plant(v *vault.Vault, now time.Time, deleted bool) error {
	if !vault.ValidName(s.Name) {
		return fmt.Errorf("secret %q: not a valid name", s.Name)
	}
	all := append(append([]seedSecret{}, s.Versions...), s)
	loaded := make([]vault.LoadedSecret, 0, len(all))
	for i, one := range all {
		if i < len(s.Versions) && (one.Name != "" || one.Versions != nil) {
			return fmt.Errorf("secret %s: a version has neither name nor versions", s.Name)
		}
		loaded = append(loaded, vault.LoadedSecret{Value: one.Value, ContentType: one.ContentType, Dated: vault.Dated{
			Made: now.Add(-versionStep * time.Duration(len(all)-1-i)), Tags: one.Tags,
			In: vault.AttributesIn{Enabled: one.Enabled, NotBefore: one.NotBefore.unix(), Expires: one.Expires.unix()},
		}})
	}
	return v.LoadSecret(s.Name, loaded, deleted)
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// plant makes secrets that depend on nothing but the seed. Names, and values, share one
// piece of memory.
func (g seedGenerate) plant(v *vault.Vault, now time.Time) error {
	if g.Prefix == "" {
		g.Prefix = "secret-"
	}
	if g.ValueBytes == 0 {
		g.ValueBytes = 32
	}
	width := max(7, len(strconv.Itoa(g.Secrets)))
	if g.Secrets < 0 || g.ValueBytes < 1 || g.ValueBytes > vault.MaxSecret || !vault.ValidName(g.Prefix+strings.Repeat("0", width)) {
		return fmt.Errorf("generate: secrets, prefix or valueBytes cannot be")
	}
	rnd := rand.New(rand.NewPCG(g.Seed, 0x6b76))
	values := make([]byte, g.Secrets*g.ValueBytes)
	for i := range values {
		values[i] = letters[rnd.IntN(len(letters))]
	}
	text := string(values)
	var names strings.Builder
	names.Grow(g.Secrets * (len(g.Prefix) + width))
	for i := range g.Secrets {
		fmt.Fprintf(&names, "%s%0*d", g.Prefix, width, i+1)
	}
	all, n := names.String(), len(g.Prefix)+width
	return v.LoadGenerated(g.Secrets, now, func(i int) vault.GeneratedSecret {
		s := vault.GeneratedSecret{Name: all[i*n : (i+1)*n], Value: text[i*g.ValueBytes : (i+1)*g.ValueBytes]}
		for b := 0; b < len(s.ID); b += 8 {
			for x, j := rnd.Uint64(), 0; j < 8; j++ {
				s.ID[b+j] = byte(x >> (8 * j))
			}
		}
		return s
	})
}
