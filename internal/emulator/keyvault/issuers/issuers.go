// Package issuers keeps a vault's certificate issuers and contacts: who signs certificates,
// and who is told of their end. Neither has versions or soft delete.
package issuers

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// issuer is an issuer object. The password is kept and never answered.
type issuer struct {
	Name        string
	Provider    string
	Credentials *Credentials
	Org         *Org
	Disabled    bool
	Created     int64
	Updated     int64
}

// Book holds the issuers and contacts of a vault. It is safe for concurrent use.
type Book struct {
	BaseURL string // "https://name.vault.azure.net"
	Clock   wire.Clock

	mu       sync.RWMutex // guards what follows
	issuers  map[string]*issuer
	contacts []Contact
}

// New makes an empty book.
func New(baseURL string, clock wire.Clock) *Book {
	return &Book{BaseURL: baseURL, Clock: clock, issuers: map[string]*issuer{}}
}

// AttributesIn are the attributes of an issuer that a caller may set.
type AttributesIn struct {
	Enabled *bool `json:"enabled"`
}

// Credentials are an account with a certification authority.
type Credentials struct {
	AccountID *string `json:"account_id,omitempty"`
	Password  *string `json:"pwd,omitempty"`
}

// Org is the organisation that the authority knows.
type Org struct {
	ID     *string    `json:"id,omitempty"`
	Zip    int        `json:"zip"`
	Admins []OrgAdmin `json:"admin_details"`
}

// OrgAdmin is a person of an organisation.
type OrgAdmin struct {
	FirstName *string `json:"first_name,omitempty"`
	LastName  *string `json:"last_name,omitempty"`
	Email     *string `json:"email,omitempty"`
	Phone     *string `json:"phone,omitempty"`
}

// In is the body of set and update.
type In struct {
	Provider    *string       `json:"provider"`
	Credentials *Credentials  `json:"credentials"`
	Org         *Org          `json:"org_details"`
	Attributes  *AttributesIn `json:"attributes"`
}

// Issuer is an IssuerBundle.
type Issuer struct {
	ID          string       `json:"id"`
	Provider    string       `json:"provider"`
	Credentials *Credentials `json:"credentials,omitempty"`
	Org         *Org         `json:"org_details,omitempty"`
	Attributes  Attributes   `json:"attributes"`
}

// Attributes are an issuer's.
type Attributes struct {
	Enabled bool  `json:"enabled"`
	Created int64 `json:"created"`
	Updated int64 `json:"updated"`
}

// Item is a CertificateIssuerItem.
type Item struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
}

// Contact is a person who is told of certificates' ends.
type Contact struct {
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Contacts are those of a vault.
type Contacts struct {
	ID       string    `json:"id,omitempty"`
	Contacts []Contact `json:"contacts"`
}

// NotFound is the service's answer for an issuer that is not there.
func NotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "CertificateIssuerNotFound", Message: "Issuer not found"}
}

// missing is how the service answers a property that is not there.
func missing() *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "BadParameter", Message: "Property  has invalid value\r\n"}
}

// Has tells whether there is an issuer of that name.
func (b *Book) Has(name string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ok := b.issuers[strings.ToLower(name)]
	return ok
}

// Set makes or replaces an issuer.
func (b *Book) Set(name string, in In) (Issuer, *wire.Error) {
	if in.Provider == nil || *in.Provider == "" {
		return Issuer{}, missing()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Clock().Unix()
	i := &issuer{Name: name, Created: now}
	if old, ok := b.issuers[strings.ToLower(name)]; ok {
		i.Created = old.Created
	}
	i.take(in, now)
	b.issuers[strings.ToLower(name)] = i
	return b.showIssuer(i), nil
}

// Update changes what is given.
func (b *Book) Update(name string, in In) (Issuer, *wire.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, ok := b.issuers[strings.ToLower(name)]
	if !ok {
		return Issuer{}, NotFound()
	}
	i.take(in, b.Clock().Unix())
	return b.showIssuer(i), nil
}

func (i *issuer) take(in In, now int64) {
	i.Updated = now
	if in.Provider != nil {
		i.Provider = *in.Provider
	}
	if in.Credentials != nil {
		i.Credentials = in.Credentials
	}
	if in.Org != nil {
		i.Org = in.Org
	}
	if in.Attributes != nil && in.Attributes.Enabled != nil {
		i.Disabled = !*in.Attributes.Enabled
	}
}

// Get reads an issuer without its password.
func (b *Book) Get(name string) (Issuer, *wire.Error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	i, ok := b.issuers[strings.ToLower(name)]
	if !ok {
		return Issuer{}, NotFound()
	}
	return b.showIssuer(i), nil
}

// Delete removes an issuer; there is no soft delete of issuers.
func (b *Book) Delete(name string) (Issuer, *wire.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, ok := b.issuers[strings.ToLower(name)]
	if !ok {
		return Issuer{}, NotFound()
	}
	delete(b.issuers, strings.ToLower(name))
	return b.showIssuer(i), nil
}

// List lists up to n issuers by name, after the marker ("" for the first page), and
// gives the marker of the next page, "" if there is none.
func (b *Book) List(marker string, n int) (page []Item, next string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	page = []Item{}
	last := ""
	for _, k := range slices.Sorted(maps.Keys(b.issuers)) {
		if marker != "" && k <= marker {
			continue
		}
		if len(page) == n {
			return page, last
		}
		i := b.issuers[k]
		page, last = append(page, Item{ID: b.issuerURL(i.Name), Provider: i.Provider}), k
	}
	return page, ""
}

func (b *Book) issuerURL(name string) string { return b.BaseURL + "/certificates/issuers/" + name }

func (b *Book) showIssuer(i *issuer) Issuer {
	out := Issuer{
		ID: b.issuerURL(i.Name), Provider: i.Provider, Org: i.Org,
		Attributes: Attributes{Enabled: !i.Disabled, Created: i.Created, Updated: i.Updated},
	}
	if i.Credentials != nil {
		out.Credentials = &Credentials{AccountID: i.Credentials.AccountID}
	}
	if out.Org != nil && out.Org.Admins == nil {
		org := *out.Org
		org.Admins = []OrgAdmin{}
		out.Org = &org
	}
	return out
}

// SetContacts replaces the contacts of the vault.
func (b *Book) SetContacts(in Contacts) (Contacts, *wire.Error) {
	if len(in.Contacts) == 0 {
		return Contacts{}, missing()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.contacts = slices.Clone(in.Contacts)
	return b.showContacts(), nil
}

// GetContacts reads the contacts of the vault.
func (b *Book) GetContacts() (Contacts, *wire.Error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.contacts) == 0 {
		return Contacts{}, contactsNotFound()
	}
	return b.showContacts(), nil
}

// DeleteContacts removes all contacts of the vault and answers what they were.
func (b *Book) DeleteContacts() (Contacts, *wire.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.contacts) == 0 {
		return Contacts{}, contactsNotFound()
	}
	out := b.showContacts()
	b.contacts = nil
	return out, nil
}

func (b *Book) showContacts() Contacts {
	return Contacts{ID: b.BaseURL + "/certificates/contacts", Contacts: b.contacts}
}

func contactsNotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "ContactsNotFound", Message: "Contacts not found"}
}

// Each calls f with every issuer by name, password included, for the emulator's own use.
func (b *Book) Each(f func(name string, i Issuer, password string)) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, k := range slices.Sorted(maps.Keys(b.issuers)) {
		i := b.issuers[k]
		password := ""
		if i.Credentials != nil && i.Credentials.Password != nil {
			password = *i.Credentials.Password
		}
		f(i.Name, b.showIssuer(i), password)
	}
}
