package rbac

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// CallerOf returns whom an endpoint's credential signs in as, from the claims of its
// token for Resource Manager
// (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference). The
// token is not verified: it came from the authority, and nothing is decided by it but
// what to expect of Azure.
func CallerOf(ctx context.Context, side plugin.Side, e plugin.Endpoint) (plugin.Caller, error) {
	const op = "find out who is signed in"
	audience := e.Options.Cloud.Services[azcloud.ResourceManager].Audience
	if audience == "" {
		return plugin.Caller{}, &errs.Error{Op: op, Kind: errs.Internal, Side: string(side), Err: errors.New("the cloud has no Resource Manager")}
	}
	// CAE is asked for as the SDK's clients do, so that their token is found in the cache.
	token, err := e.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}, EnableCAE: true})
	if err != nil {
		return plugin.Caller{}, classify.Error(op, side, "", "", err)
	}
	return callerIn(token.Token), nil
}

// claims are those of an access token that tell whose it is.
type claims struct {
	TenantID   string          `json:"tid"`
	ObjectID   string          `json:"oid"`
	AppID      string          `json:"appid"`
	Authorized string          `json:"azp"`    // appid, in tokens of version 2
	Kind       string          `json:"idtyp"`  // "app" or "user", where the token has it
	Scope      string          `json:"scp"`    // what a user lets the application do: tokens of applications have none
	Groups     []string        `json:"groups"` // absent, or left out where they are too many
	Names      json.RawMessage `json:"_claim_names"`
}

// callerIn reads a token's claims; of one that is not a JWT it returns nobody.
func callerIn(token string) plugin.Caller {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return plugin.Caller{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return plugin.Caller{}
	}
	out := plugin.Caller{TenantID: c.TenantID, ObjectID: c.ObjectID, AppID: c.AppID, User: c.Kind == "user" || (c.Kind == "" && c.Scope != "")}
	if out.AppID == "" {
		out.AppID = c.Authorized
	}
	if len(c.Names) == 0 { // else the list of groups is kept elsewhere
		out.Groups = c.Groups
	}
	return out
}
