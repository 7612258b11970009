package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// principal is a servicePrincipal, with what clients of Azure read of it.
type principal struct {
	ODataType string   `json:"@odata.type,omitempty"` // only among directory objects
	ID        string   `json:"id"`
	AppID     string   `json:"appId"`
	Name      string   `json:"displayName"`
	Enabled   bool     `json:"accountEnabled"`
	Names     []string `json:"servicePrincipalNames"`
	Kind      string   `json:"servicePrincipalType"`
}

// collection is a list as OData has it.
type collection struct {
	Context string `json:"@odata.context"`
	Value   []any  `json:"value"`
}

func of(p entra.Principal) principal {
	return principal{ID: p.ObjectID, AppID: p.AppID, Name: p.Name, Enabled: !p.Disabled, Names: []string{p.AppID}, Kind: "Application"}
}

// byKey is servicePrincipals(appId='…').
var byKey = regexp.MustCompile(`(?i)^servicePrincipals\(appId='([^']*)'\)$`)

// answer looks a request up in the caller's tenant.
func (s *Service) answer(c wire.Claims, version, path string, r *http.Request) (any, *wire.Error) {
	all := s.opt.Directory.ServicePrincipals(c.TenantID)
	head, rest, _ := strings.Cut(path, "/")
	context := "https://" + r.Host + "/" + version + "/$metadata#" + head
	kind := strings.ToLower(head)
	if r.Method == http.MethodPost && kind == "directoryobjects" && strings.EqualFold(rest, "getByIds") {
		return byIDs(all, context, r)
	}
	if r.Method != http.MethodGet {
		return nil, refusal(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	if m := byKey.FindStringSubmatch(path); m != nil {
		return find(all, m[1], func(p entra.Principal) string { return p.AppID })
	}
	if rest != "" {
		return object(all, kind, head, rest)
	}
	switch kind {
	case "serviceprincipals":
		return filtered(all, context, r.URL.Query().Get("$filter"))
	case "organization":
		return s.organization(c, context)
	case "users", "groups":
		return collection{context, []any{}}, nil
	case "me":
		return nil, refusal(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	return nil, noSegment(head)
}

// object returns the one with an ID.
func object(all []entra.Principal, kind, head, id string) (any, *wire.Error) {
	switch kind {
	case "serviceprincipals", "directoryobjects":
		return find(all, id, func(p entra.Principal) string { return p.ObjectID })
	case "users", "groups":
		return nil, absent(id)
	}
	return nil, noSegment(head)
}

func noSegment(head string) *wire.Error {
	return refusal(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", head)
}

func (s *Service) organization(c wire.Claims, context string) (any, *wire.Error) {
	t, ok := s.opt.Directory.TenantOf(c.TenantID)
	if !ok {
		return nil, absent(c.TenantID)
	}
	domain := map[string]any{"name": t.Domain, "isDefault": true, "isInitial": true}
	return collection{context, []any{map[string]any{"id": t.ID, "displayName": t.Name, "verifiedDomains": []any{domain}}}}, nil
}

// find returns the principal with a key.
func find(all []entra.Principal, key string, keyOf func(entra.Principal) string) (any, *wire.Error) {
	i := slices.IndexFunc(all, func(p entra.Principal) bool { return strings.EqualFold(keyOf(p), key) })
	if i < 0 {
		return nil, absent(key)
	}
	return of(all[i]), nil
}

// filters are the forms of $filter that clients of Azure send, each with what it compares.
var filters = []struct {
	form *regexp.Regexp
	of   func(entra.Principal) string
}{
	{regexp.MustCompile(`(?i)^appId eq '((?:[^']|'')*)'$`), func(p entra.Principal) string { return p.AppID }},
	{regexp.MustCompile(`(?i)^id eq '((?:[^']|'')*)'$`), func(p entra.Principal) string { return p.ObjectID }},
	{regexp.MustCompile(`(?i)^displayName eq '((?:[^']|'')*)'$`), func(p entra.Principal) string { return p.Name }},
	{regexp.MustCompile(`(?i)^servicePrincipalNames/any\((\w+):\s*\w+ eq '((?:[^']|'')*)'\)$`), func(p entra.Principal) string { return p.AppID }},
}

// filtered returns the principals that a filter lets through; all without one.
func filtered(all []entra.Principal, context, filter string) (any, *wire.Error) {
	out := collection{context, []any{}}
	if filter == "" {
		for _, p := range all {
			out.Value = append(out.Value, of(p))
		}
		return out, nil
	}
	for _, f := range filters {
		m := f.form.FindStringSubmatch(strings.TrimSpace(filter))
		if m == nil {
			continue
		}
		want := strings.ReplaceAll(m[len(m)-1], "''", "'")
		for _, p := range all {
			if strings.EqualFold(f.of(p), want) {
				out.Value = append(out.Value, of(p))
			}
		}
		return out, nil
	}
	return nil, refusal(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified: '%s'.", filter)
}

// maxIDs is how many objects getByIds takes:
// https://learn.microsoft.com/graph/api/directoryobject-getbyids.
const maxIDs = 1000

// maxBody bounds a request body, in bytes.
const maxBody = 1 << 20

// byIDs answers getByIds: what is not there is left out.
func byIDs(all []entra.Principal, context string, r *http.Request) (any, *wire.Error) {
	var in struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil {
		return nil, refusal(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	if len(in.IDs) == 0 || len(in.IDs) > maxIDs {
		return nil, refusal(http.StatusBadRequest, "Request_BadRequest", "Invalid number of ids: %d. The number must be between 1 and %d.", len(in.IDs), maxIDs)
	}
	wanted := len(in.Types) == 0 || slices.ContainsFunc(in.Types, func(t string) bool {
		return strings.EqualFold(t, "servicePrincipal") || strings.EqualFold(t, "directoryObject")
	})
	out := collection{context, []any{}}
	for _, p := range all {
		if wanted && slices.ContainsFunc(in.IDs, func(id string) bool { return strings.EqualFold(id, p.ObjectID) }) {
			object := of(p)
			object.ODataType = "#microsoft.graph.servicePrincipal"
			out.Value = append(out.Value, object)
		}
	}
	return out, nil
}

func refusal(status int, code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func unauthorized(message string) *wire.Error {
	e := refusal(http.StatusUnauthorized, "InvalidAuthenticationToken", "%s", message)
	e.Header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`}
	return e
}

func absent(what string) *wire.Error {
	return refusal(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", what)
}
