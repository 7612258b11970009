package keyvault

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// child is the body of a secret or key as an ARM resource.
type child struct {
	Properties struct {
		Value       *string             `json:"value"`
		ContentType *string             `json:"contentType"`
		Attributes  *vault.AttributesIn `json:"attributes"`
		Kty         string              `json:"kty"`
		KeyOps      []string            `json:"keyOps"`
		KeySize     int                 `json:"keySize"`
		CurveName   string              `json:"curveName"`

		RotationPolicy *vault.RotationPolicy `json:"rotationPolicy"`
	} `json:"properties"`
	Tags map[string]string `json:"tags"`
}

// childCall is an operation on secrets or keys of a live vault.
type childCall struct {
	wire.Call
	vault *entry
	in    child
}

func (s *Service) child(c wire.Call) (childCall, *wire.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.live[strings.ToLower(c.Resource.Name)]
	if !ok {
		return childCall{}, &wire.Error{Status: http.StatusNotFound, Code: "VaultNotFound", Message: "The vault '" + c.Resource.Name + "' does not exist."}
	}
	cc := childCall{Call: c, vault: e}
	if len(c.Body) > 0 {
		if err := json.Unmarshal(c.Body, &cc.in); err != nil {
			return cc, badRequest("The request body is not valid: %s", err.Error())
		}
	}
	return cc, nil
}

// operateSecrets answers Secrets - Create Or Update, Update, Get and List of the
// management API, which never show a value.
func (s *Service) operateSecrets(c wire.Call) (wire.Answer, bool, *wire.Error) {
	cc, err := s.child(c)
	if err != nil {
		return wire.Answer{}, true, err
	}
	data := cc.vault.data
	in := vault.SecretIn{Value: cc.in.Properties.Value, ContentType: cc.in.Properties.ContentType, Attributes: cc.in.Properties.Attributes, Tags: cc.in.Tags}
	switch {
	case len(c.Rest) == 1 && c.Method == http.MethodGet:
		return wire.Answer{Body: all(data.ListSecrets, cc.secret)}, true, nil
	case len(c.Rest) != 2:
		return wire.Answer{}, false, nil
	case !vault.ValidName(c.Rest[1]):
		return wire.Answer{}, true, badRequest("The secret name '%s' is invalid.", c.Rest[1])
	case c.Method == http.MethodPut:
		got, err := data.SetSecret(c.Rest[1], in)
		return wire.Answer{Body: cc.secret(got)}, true, err
	case c.Method == http.MethodPatch && in.Value != nil:
		got, err := data.SetSecret(c.Rest[1], in)
		return wire.Answer{Body: cc.secret(got)}, true, err
	case c.Method == http.MethodPatch:
		got, err := data.UpdateSecret(c.Rest[1], "", in)
		return wire.Answer{Body: cc.secret(got)}, true, err
	case c.Method == http.MethodGet:
		got, err := data.LookSecret(c.Rest[1])
		return wire.Answer{Body: cc.secret(got)}, true, err
	}
	return wire.Answer{}, false, nil
}

// operateKeys answers Keys - Create If Not Exist, Get, List, Get Version and List
// Versions of the management API.
func (s *Service) operateKeys(c wire.Call) (wire.Answer, bool, *wire.Error) {
	cc, err := s.child(c)
	if err != nil {
		return wire.Answer{}, true, err
	}
	if len(c.Rest) > 1 && !vault.ValidName(c.Rest[1]) {
		return wire.Answer{}, true, badRequest("The key name '%s' is invalid.", c.Rest[1])
	}
	switch {
	case c.Method == http.MethodGet:
		return cc.readKeys()
	case c.Method == http.MethodPut && len(c.Rest) == 2:
		got, err := cc.createKey(c.Rest[1])
		return wire.Answer{Body: cc.key(got, c.Rest)}, true, err
	}
	return wire.Answer{}, false, nil
}

// readKeys answers keys, keys/NAME, keys/NAME/versions and keys/NAME/versions/VERSION.
func (c childCall) readKeys() (wire.Answer, bool, *wire.Error) {
	data := c.vault.data
	if len(c.Rest) == 1 {
		return wire.Answer{Body: all(data.ListKeys, c.keyItem)}, true, nil
	}
	if len(c.Rest) > 2 && !strings.EqualFold(c.Rest[2], "versions") || len(c.Rest) > 4 {
		return wire.Answer{}, false, nil
	}
	if len(c.Rest) == 3 {
		versions := func(after string, n int) vault.Page[vault.KeyItem] { return data.ListKeyVersions(c.Rest[1], after, n) }
		return wire.Answer{Body: all(versions, c.keyItem)}, true, nil
	}
	version := ""
	if len(c.Rest) == 4 {
		version = c.Rest[3]
	}
	got, err := data.GetKey(c.Rest[1], version)
	return wire.Answer{Body: c.key(got, c.Rest)}, true, err
}

// createKey makes the first version only: a key that is there is answered as it is.
func (c childCall) createKey(name string) (vault.Key, *wire.Error) {
	if got, err := c.vault.data.GetKey(name, ""); err == nil {
		return got, nil
	}
	p := c.in.Properties
	if p.RotationPolicy != nil {
		if err := p.RotationPolicy.Check(); err != nil {
			return vault.Key{}, err
		}
	}
	got, err := c.vault.data.CreateKey(name, vault.KeyIn{
		Kty: p.Kty, Size: p.KeySize, Crv: p.CurveName, KeyOps: p.KeyOps, Attributes: p.Attributes, Tags: c.in.Tags,
	})
	if err == nil && p.RotationPolicy != nil {
		_, err = c.vault.data.SetRotationPolicy(name, *p.RotationPolicy)
	}
	return got, err
}

// rotation is the policy of a key as ARM shows it: with its actions in lower case, and
// only if one was set.
func (c childCall) rotation(name string) any {
	p, err := c.vault.data.GetRotationPolicy(name)
	if err != nil || p.Attributes.Created == 0 {
		return nil
	}
	p.ID, p.Actions = "", slices.Clone(p.Actions)
	for i, a := range p.Actions {
		p.Actions[i].Action.Type = strings.ToLower(a.Action.Type)
	}
	return p
}

// all collects every page of a list.
func all[T any](list func(after string, n int) vault.Page[T], show func(T) map[string]any) []any {
	out := []any{}
	for after := ""; ; {
		p := list(after, vault.MaxPage)
		for _, item := range p.Items {
			out = append(out, show(item))
		}
		if after = p.Marker; after == "" {
			return out
		}
	}
}

func (c childCall) secret(s vault.Secret) map[string]any {
	name, version := lastSegments(s.ID)
	uri := c.vault.base() + "/secrets/" + name
	props := map[string]any{"attributes": armAttributes(s.Attributes), "secretUri": uri, "secretUriWithVersion": uri}
	if version != "" {
		props["secretUriWithVersion"] = uri + "/" + version
	}
	if s.ContentType != "" {
		props["contentType"] = s.ContentType
	}
	return c.resource("secrets", []string{name}, s.Tags, props)
}

func (c childCall) key(k vault.Key, rest []string) map[string]any {
	if k.Key == nil {
		return nil
	}
	props := map[string]any{
		"attributes": armAttributes(k.Attributes), "kty": k.Key.Kty, "keyOps": k.Key.KeyOps,
		"keyUri": c.vault.base() + "/keys/" + rest[1], "keyUriWithVersion": k.Key.KID,
	}
	if k.Key.Crv != "" {
		props["curveName"] = k.Key.Crv
	} else {
		props["keySize"] = len(k.Key.N) * 8
	}
	if p := c.rotation(rest[1]); p != nil {
		props["rotationPolicy"] = p
	}
	return c.resource("keys", rest[1:], k.Tags, props)
}

func (c childCall) keyItem(k vault.KeyItem) map[string]any {
	name, version := lastSegments(k.KID)
	path := []string{name}
	if version != "" {
		path = []string{name, "versions", version}
	}
	return c.resource("keys", path, k.Tags, map[string]any{"attributes": armAttributes(k.Attributes), "keyUri": c.vault.base() + "/keys/" + name})
}

// resource is the ARM shape of a child; path is its name and what follows.
func (c childCall) resource(kind string, path []string, tags map[string]string, props map[string]any) map[string]any {
	typ := "Microsoft.KeyVault/vaults/" + kind
	if len(path) > 1 {
		typ += "/versions"
	}
	return map[string]any{
		"id": c.Resource.ID + "/" + kind + "/" + strings.Join(path, "/"), "name": path[len(path)-1], "type": typ,
		"location": c.vault.location, "tags": tags, "properties": props,
	}
}

func armAttributes(a vault.Attributes) map[string]any {
	out := map[string]any{"enabled": a.Enabled, "created": a.Created, "updated": a.Updated}
	if a.NotBefore != 0 {
		out["nbf"] = a.NotBefore
	}
	if a.Expires != 0 {
		out["exp"] = a.Expires
	}
	return out
}

// lastSegments splits an identifier into name and, if there is one, version.
func lastSegments(id string) (name, version string) {
	parts := strings.Split(strings.TrimPrefix(id, "https://"), "/")
	if len(parts) > 2 {
		name = parts[2]
	}
	if len(parts) > 3 {
		version = parts[3]
	}
	return name, version
}
