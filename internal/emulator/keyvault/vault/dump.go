package vault

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Dump returns every live object that does not belong to another one, sorted by Key, with
// all that can be known of it. The form of the fields is documented in package keyvault.
func (v *Vault) Dump() []wire.Object {
	out := v.dumpBook()
	v.mu.RLock()
	defer v.mu.RUnlock()
	v.secrets.All(func(s *secret) {
		if !s.Managed {
			out = append(out, dumpSecret(s))
		}
	})
	v.keys.All(func(k *key) {
		if !k.Managed {
			out = append(out, dumpKey(k))
		}
	})
	v.certs.All(func(c *certificate) { out = append(out, v.dumpCert(c)) })
	slices.SortFunc(out, func(a, b wire.Object) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// eachVersion adds the fields of each version under "v0.", "v1.", … if there is more
// than one.
func eachVersion[V any](fields map[string]string, versions []V, of func(*V) map[string]string) {
	fields["versions"] = strconv.Itoa(len(versions))
	if len(versions) == 0 {
		return
	}
	maps.Copy(fields, of(&versions[len(versions)-1]))
	if len(versions) < 2 {
		return
	}
	for i := range versions {
		for k, val := range of(&versions[i]) {
			fields["v"+strconv.Itoa(i)+"."+k] = val
		}
	}
}

func dumpStamps(fields map[string]string, s stamps, tags map[string]string) map[string]string {
	fields["enabled"] = strconv.FormatBool(!s.Disabled)
	fields["notBefore"] = instant(s.NotBefore)
	fields["expires"] = instant(s.Expires)
	lines := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		lines = append(lines, k+"="+tags[k])
	}
	fields["tags"] = strings.Join(lines, "\n")
	return fields
}

// instant writes a stored time; "" for none.
func instant(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}

func dumpSecret(s *secret) wire.Object {
	f := map[string]string{}
	eachVersion(f, s.Versions, func(ver *secretVersion) map[string]string {
		return dumpStamps(map[string]string{"value": ver.Value, "contentType": ver.ContentType}, ver.stamps, ver.Tags)
	})
	return wire.Object{Key: "secrets/" + s.Name, Kind: "secret", Fields: f}
}

func dumpKey(k *key) wire.Object {
	f := map[string]string{"rotationPolicy": ""}
	eachVersion(f, k.Versions, func(ver *keyVersion) map[string]string {
		spec := ver.Material.Spec()
		return dumpStamps(map[string]string{
			"kty": spec.Kty, "size": strconv.Itoa(spec.Size), "curve": spec.Curve, "thumbprint": ver.Material.Thumbprint(),
			"ops": strings.Join(slices.Sorted(slices.Values(ver.Ops)), ","), "exportable": strconv.FormatBool(ver.Exportable),
		}, ver.stamps, ver.Tags)
	})
	if k.Rotation != nil {
		p := *k.Rotation
		p.ID, p.Attributes.Created, p.Attributes.Updated = "", 0, 0
		f["rotationPolicy"] = canonical(p)
	}
	return wire.Object{Key: "keys/" + k.Name, Kind: "key", Fields: f}
}

func (v *Vault) dumpCert(c *certificate) wire.Object {
	p := c.Policy
	p.ID, p.Attributes = "", nil
	f := map[string]string{
		"policy": canonical(p), "exportable": strconv.FormatBool(p.Exportable()), "contentType": p.Secret.ContentType,
		"hasPrivateKey": "false", "operation": "", "keyThumbprint": "",
	}
	if k, ok := v.keys.Get(c.Name, v.now()); ok {
		f["hasPrivateKey"] = "true"
		f["keyThumbprint"] = k.latest().Material.Thumbprint()
	}
	if c.Operation != nil {
		f["operation"] = c.Operation.Status
	}
	eachVersion(f, c.Versions, func(ver *certVersion) map[string]string {
		return dumpStamps(map[string]string{
			"x5t": base64.RawURLEncoding.EncodeToString(ver.thumbprint()), "chain": strconv.Itoa(len(ver.Certs)),
		}, ver.stamps, ver.Tags)
	})
	return wire.Object{Key: "certificates/" + c.Name, Kind: "certificate", Fields: f}
}

func (v *Vault) dumpBook() []wire.Object {
	var out []wire.Object
	v.Book.Each(func(name string, i issuers.Issuer, password string) {
		f := map[string]string{
			"provider": i.Provider, "accountId": "", "password": password, "enabled": strconv.FormatBool(i.Attributes.Enabled),
		}
		if i.Credentials != nil && i.Credentials.AccountID != nil {
			f["accountId"] = *i.Credentials.AccountID
		}
		f["orgDetails"] = organisation(i.Org)
		out = append(out, wire.Object{Key: "issuers/" + name, Kind: "issuer", Fields: f})
	})
	if c, err := v.Book.GetContacts(); err == nil {
		out = append(out, wire.Object{Key: "contacts", Kind: "contacts", Fields: map[string]string{"contacts": canonical(c.Contacts)}})
	}
	return out
}

// organisation is the JSON of an issuer's organisation; "" for one that says nothing.
func organisation(o *issuers.Org) string {
	if o == nil || (o.ID == nil || *o.ID == "") && len(o.Admins) == 0 && o.Zip == 0 {
		return ""
	}
	return canonical(o)
}

// canonical is the JSON of a value with sorted members.
func canonical(val any) string {
	data, err := json.Marshal(val)
	if err != nil {
		return fmt.Sprint(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return fmt.Sprint(err)
	}
	if data, err = json.Marshal(tree); err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}
