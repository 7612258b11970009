package entra

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// visible resolves a tenant segment for the endpoints that also answer for "common" and
// its kin: those give the segment itself, with the placeholder ID "{tenantid}".
func (a *Authority) visible(segment string) (Tenant, *stsError) {
	if isMultiTenant(segment) {
		return Tenant{ID: "{tenantid}", Name: strings.ToLower(segment)}, nil
	}
	return a.tenantFor(segment)
}

func issuerV2(in instance, t Tenant) string {
	return "https://" + in.network + "/" + t.ID + "/v2.0"
}

// openID is the metadata document (OpenID Connect Discovery 1.0, with Entra's extras).
type openID struct {
	TokenEndpoint       string   `json:"token_endpoint"`
	TokenAuthMethods    []string `json:"token_endpoint_auth_methods_supported"`
	JWKSURI             string   `json:"jwks_uri"`
	ResponseModes       []string `json:"response_modes_supported"`
	SubjectTypes        []string `json:"subject_types_supported"`
	SigningAlgs         []string `json:"id_token_signing_alg_values_supported"`
	ResponseTypes       []string `json:"response_types_supported"`
	Scopes              []string `json:"scopes_supported"`
	Issuer              string   `json:"issuer"`
	AuthorizeEndpoint   string   `json:"authorization_endpoint"`
	DeviceEndpoint      string   `json:"device_authorization_endpoint"`
	LogoutEndpoint      string   `json:"end_session_endpoint"`
	Claims              []string `json:"claims_supported"`
	RegionScope         *string  `json:"tenant_region_scope"`
	CloudInstance       string   `json:"cloud_instance_name"`
	GraphHost           string   `json:"msgraph_host"`
	HTTPLogout          bool     `json:"http_logout_supported"`
	RequestURISupported bool     `json:"request_uri_parameter_supported"`
}

func (a *Authority) metadata(w http.ResponseWriter, r *http.Request, in call) {
	t, fault := a.visible(in.segment)
	if fault != nil {
		a.fail(w, r, fault)
		return
	}
	wire.WriteJSON(w, http.StatusOK, openIDOf(in, t))
}

func openIDOf(in call, t Tenant) openID {
	base, protocol, issuer := "https://"+in.host+"/"+t.ID, "/oauth2", issuerV1(in.cloud.issuer, t.ID)
	keys := "https://" + in.host + "/common/discovery/keys"
	var region *string
	if isMultiTenant(in.segment) {
		base = "https://" + in.host + "/" + t.Name
	} else {
		world := "WW"
		region = &world
	}
	if in.v2 {
		protocol, issuer, keys = "/oauth2/v2.0", issuerV2(in.cloud, t), base+"/discovery/v2.0/keys"
	}
	return openID{
		TokenEndpoint:     base + protocol + "/token",
		TokenAuthMethods:  []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		JWKSURI:           keys,
		ResponseModes:     []string{"query", "fragment", "form_post"},
		SubjectTypes:      []string{"pairwise"},
		SigningAlgs:       []string{"RS256"},
		ResponseTypes:     []string{"code", "id_token", "code id_token", "id_token token"},
		Scopes:            []string{"openid", "profile", "email", "offline_access"},
		Issuer:            issuer,
		AuthorizeEndpoint: base + protocol + "/authorize",
		DeviceEndpoint:    base + protocol + "/devicecode",
		LogoutEndpoint:    base + protocol + "/logout",
		Claims:            []string{"sub", "iss", "aud", "exp", "iat", "nbf", "tid", "oid", "appid", "ver"},
		RegionScope:       region,
		CloudInstance:     in.cloud.name,
		GraphHost:         in.cloud.graph,
		HTTPLogout:        true,
	}
}

type discoveryBody struct {
	Endpoint string              `json:"tenant_discovery_endpoint"`
	Version  string              `json:"api-version"`
	Metadata []discoveryMetadata `json:"metadata"`
}

type discoveryMetadata struct {
	Network string   `json:"preferred_network"`
	Cache   string   `json:"preferred_cache"`
	Aliases []string `json:"aliases"`
}

// discovery answers which hosts belong together, for an authorization_endpoint the
// client names.
func (a *Authority) discovery(w http.ResponseWriter, r *http.Request, _ call) {
	asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	if err != nil || asked.Scheme != "https" || !a.Owns(strings.ToLower(asked.Hostname())) {
		a.fail(w, r, errInstance())
		return
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	body := discoveryBody{
		Endpoint: "https://" + asked.Hostname() + "/" + segment + "/v2.0/.well-known/openid-configuration",
		Version:  "1.1",
	}
	for _, in := range instances {
		body.Metadata = append(body.Metadata, discoveryMetadata{in.network, in.cache, slices.Clone(in.aliases)})
	}
	wire.WriteJSON(w, http.StatusOK, body)
}

type realmBody struct {
	Version       string `json:"ver"`
	AccountType   string `json:"account_type"`
	Domain        string `json:"domain_name,omitempty"`
	CloudInstance string `json:"cloud_instance_name,omitempty"`
	CloudAudience string `json:"cloud_audience_urn,omitempty"`
}

// userRealm tells that a domain is managed here, or is unknown.
func (a *Authority) userRealm(w http.ResponseWriter, in call) {
	body := realmBody{Version: "1.0", AccountType: "Unknown"}
	user, err := url.PathUnescape(in.rest)
	if err == nil {
		_, domain, _ := strings.Cut(user, "@")
		if t, ok := a.TenantOf(domain); ok && domain != "" {
			body.AccountType, body.Domain = "Managed", t.Domain
			body.CloudInstance, body.CloudAudience = in.cloud.name, "urn:federation:MicrosoftOnline"
		}
	}
	wire.WriteJSON(w, http.StatusOK, body)
}
