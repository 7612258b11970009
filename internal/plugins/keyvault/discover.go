package keyvault

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ref is how an item's thing is found again.
type ref struct {
	Name string `json:"name"`
	// Disabled is what the listing said; it may have changed since.
	Disabled bool `json:"off,omitempty"`
	// Meta is what the listing said of a secret. Template mode needs it: only the listing
	// shows the current version's properties without its value. Nil if it is too long for
	// a name tag.
	Meta *meta `json:"meta,omitempty"`
}

// maxMeta bounds ref.Meta, in bytes of JSON. Tags may take 15 KB
// (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#secret-tags).
const maxMeta = 4 << 10

// listing is a kind of item as it is listed. Issuers and contacts come first, so that
// certificates find them.
type listing struct {
	kind   string
	prefix string // of keys and cursors; the key itself for contacts
	items  func(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error]
}

var listings = []listing{
	{kindIssuer, "issuers/", listIssuers},
	{kindContacts, "contacts", listContacts},
	{kindSecret, "secrets/", listSecrets},
	{kindKey, "keys/", listKeys},
	{kindCertificate, "certificates/", listCertificates},
}

// Discover implements plugin.Plugin. It reads one page at a time and no values. The
// service lists from the front only: with opt.After, kinds before it are not asked for,
// and names up to it are passed over.
func (p *Plugin) Discover(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		wanted, err := wantedKinds(settingOf(opt.Settings, setKinds))
		if err != nil {
			yield(plugin.Item{}, err)
			return
		}
		first, err := placeOf(opt.After)
		if err != nil {
			yield(plugin.Item{}, err)
			return
		}
		c, err := p.cache.For(src)
		if err != nil {
			yield(plugin.Item{}, classify.Error("list the vault", plugin.Source, src.Resource.ID, "", err))
			return
		}
		after := opt.After
		for _, l := range listings[first:] {
			if wanted[l.kind] && !l.list(ctx, src, c, after, yield) {
				return
			}
			after = ""
		}
	}
}

// list yields a kind's items behind the cursor after. It returns false if the stream has
// to end. A page that fails ends the kind: there is no way to the pages behind it.
func (l listing) list(ctx context.Context, src plugin.Endpoint, c *vault.Clients, after string, yield func(plugin.Item, error) bool) bool {
	passed := after == ""
	for it, err := range l.items(ctx, c) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return yield(plugin.Item{}, classify.Error("list "+l.plural(), plugin.Source, src.Resource.ID, "", err)) && ctx.Err() == nil
		}
		if !passed {
			passed = it.Cursor == after
			continue
		}
		if !yield(it, nil) {
			return false
		}
	}
	if !passed && after != l.prefix { // the item at the cursor is gone; better twice than never
		return l.list(ctx, src, c, "", yield)
	}
	return true
}

func (l listing) plural() string {
	for _, k := range (*Plugin)(nil).Info().Items {
		if k.Name == l.kind {
			return k.Plural
		}
	}
	return l.kind
}

// placeOf returns the listing to which a cursor belongs; the first for "".
func placeOf(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	i := slices.IndexFunc(listings, func(l listing) bool { return strings.HasPrefix(cursor, l.prefix) })
	if i < 0 {
		return 0, &errs.Error{Op: "go on with the listing", Kind: errs.Invalid, Err: fmt.Errorf("%q is no cursor of this plugin", cursor)}
	}
	return i, nil
}

func wantedKinds(setting string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(setting, ",") {
		name = strings.TrimSpace(name)
		known := name == allKinds
		for _, l := range listings {
			if name == allKinds || name == l.kind {
				wanted[l.kind], known = true, true
			}
		}
		if !known {
			return nil, &errs.Error{
				Op: "read the setting " + setKinds, Kind: errs.Invalid, Err: fmt.Errorf("%q is no kind of object", name),
				Hint: "use all, or some of secret,key,certificate,issuer,contacts",
			}
		}
	}
	return wanted, nil
}

// paged turns an SDK pager into a stream of items. It asks for a page when it is needed.
func paged[T, P any](ctx context.Context, pager *runtime.Pager[T], props func(T) []P, item func(P) (plugin.Item, bool)) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(plugin.Item{}, err)
				return
			}
			for _, p := range props(page) {
				if it, ok := item(p); ok && !yield(it, nil) {
					return
				}
			}
		}
	}
}

func listSecrets(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error] {
	return paged(ctx, c.Secrets.NewListSecretPropertiesPager(nil),
		func(p azsecrets.ListSecretPropertiesResponse) []*azsecrets.SecretProperties { return p.Value },
		func(p *azsecrets.SecretProperties) (plugin.Item, bool) {
			m := metaOf(p.Attributes, p.ContentType, p.Tags)
			r := ref{Name: nameOf((*string)(p.ID)), Disabled: m.Disabled, Meta: &m}
			if b, err := json.Marshal(m); err != nil || len(b) > maxMeta {
				r.Meta = nil
			}
			return newItem(kindSecret, "secrets/", r, m.attributes, updated(p.Attributes)), !val(p.Managed)
		})
}

func updated(a *azsecrets.SecretAttributes) *time.Time {
	if a == nil {
		return nil
	}
	return a.Updated
}

func listKeys(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error] {
	return paged(ctx, c.Keys.NewListKeyPropertiesPager(nil),
		func(p azkeys.ListKeyPropertiesResponse) []*azkeys.KeyProperties { return p.Value },
		func(p *azkeys.KeyProperties) (plugin.Item, bool) {
			a := val(p.Attributes)
			attrs := attributesOf(a.Enabled, a.NotBefore, a.Expires)
			r := ref{Name: nameOf((*string)(p.KID)), Disabled: attrs.Disabled}
			return newItem(kindKey, "keys/", r, attrs, a.Updated), !val(p.Managed)
		})
}

func listCertificates(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error] {
	return paged(ctx, c.Certificates.NewListCertificatePropertiesPager(nil),
		func(p azcertificates.ListCertificatePropertiesResponse) []*azcertificates.CertificateProperties {
			return p.Value
		},
		func(p *azcertificates.CertificateProperties) (plugin.Item, bool) {
			a := val(p.Attributes)
			attrs := attributesOf(a.Enabled, a.NotBefore, a.Expires)
			r := ref{Name: nameOf((*string)(p.ID)), Disabled: attrs.Disabled}
			return newItem(kindCertificate, "certificates/", r, attrs, a.Updated), true
		})
}

func listIssuers(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error] {
	return paged(ctx, c.Certificates.NewListIssuerPropertiesPager(nil),
		func(p azcertificates.ListIssuerPropertiesResponse) []*azcertificates.IssuerProperties { return p.Value },
		func(p *azcertificates.IssuerProperties) (plugin.Item, bool) {
			_, name, _ := strings.Cut(val(p.ID), "/certificates/issuers/")
			return newItem(kindIssuer, "issuers/", ref{Name: name}, attributes{}, nil), true
		})
}

// listContacts yields the set of contacts as one item: it is what the service writes at
// once. A vault without contacts answers 404.
func listContacts(ctx context.Context, c *vault.Clients) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		resp, err := c.Certificates.GetContacts(ctx, nil)
		if missing(classify.Error("list the contacts", plugin.Source, "", "", err)) {
			return
		}
		if err != nil {
			yield(plugin.Item{}, err)
			return
		}
		if len(resp.ContactList) > 0 {
			yield(newItem(kindContacts, "", ref{Name: "contacts"}, attributes{}, nil), nil)
		}
	}
}

func newItem(kind, prefix string, r ref, attrs attributes, changed *time.Time) plugin.Item {
	key := prefix + r.Name
	it := plugin.Item{Key: plugin.Key(key), Kind: kind, Size: -1, Ref: plugin.Encode(r), Cursor: key}
	if changed != nil {
		it.Rev, it.Modified = strconv.FormatInt(changed.Unix(), 10), changed.UTC()
	}
	shown := map[string]string{}
	if attrs.Disabled {
		shown["enabled"] = "false"
	}
	if attrs.Expires != 0 {
		shown["expires"] = moment(attrs.Expires).Format(time.DateOnly)
	}
	if len(shown) > 0 {
		it.Attrs = shown
	}
	return it
}

// nameOf returns the name in an object's ID, ".../secrets/NAME" or ".../secrets/NAME/VERSION".
func nameOf(id *string) string { return segment(id, 1) }

// versionOf returns the version in an object's ID; "" if it has none.
func versionOf(id *string) string { return segment(id, 2) }

// segment returns the nth part of an ID's path, counted from 0.
func segment(id *string, n int) string {
	_, rest, _ := strings.Cut(val(id), "://")
	_, path, _ := strings.Cut(rest, "/")
	if parts := strings.Split(path, "/"); n < len(parts) {
		return parts[n]
	}
	return ""
}

// The service's limits for one vault in one region, per second; the service counts over
// 10 seconds: https://learn.microsoft.com/azure/key-vault/general/service-limits.
const (
	writesPerSecond     = 30  // setting secrets and importing certificates, together
	keyCreatesPerSecond = 2   // creating software keys; HSM keys: half of that
	readsPerSecond      = 400 // everything else
)

// Estimate implements plugin.Estimator. It counts by listing names, so the number of
// items is exact; the duration is what the service's limits allow for a first run.
func (p *Plugin) Estimate(ctx context.Context, src plugin.Endpoint, mode plugin.Mode) (plugin.Estimate, error) {
	c, err := p.cache.For(src)
	if err != nil {
		return plugin.Estimate{}, classify.Error("count the items", plugin.Source, src.Resource.ID, "", err)
	}
	count := map[string]int64{}
	est := plugin.Estimate{Exact: true}
	for _, l := range listings {
		for _, err := range l.items(ctx, c) {
			if err != nil {
				return plugin.Estimate{}, classify.Error("count "+l.plural(), plugin.Source, src.Resource.ID, "", err)
			}
			count[l.kind]++
			est.Items++
		}
	}
	writes := count[kindSecret]
	if mode == plugin.Replication {
		writes += count[kindCertificate]
	}
	rest := est.Items - writes - count[kindKey] // read at both sides and written by other operations
	est.Duration = perSecond(writes, writesPerSecond) + perSecond(count[kindKey], keyCreatesPerSecond) + perSecond(3*rest, readsPerSecond)
	return est, nil
}

// perSecond is how long n operations take at a rate.
func perSecond(n, rate int64) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(rate)
}
