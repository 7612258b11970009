package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Hydrate returns the resource as Azure has it now: GET by ID, with the newest stable
// api-version of its type. Only the ID of the argument is used. Kind, SKU, location, tags and
// properties come from the answer, the properties unchanged; the tenant is the client's.
// A resource that is not there is an *errs.Error of kind NotFound that names the side.
func (c *Client) Hydrate(ctx context.Context, r plugin.Resource) (plugin.Resource, error) {
	const op = "read the resource"
	out, err := inventory.FromID(r.ID)
	if err != nil {
		return r, c.fail(errs.Invalid, op, r.ID, err)
	}
	version, err := c.version(ctx, out)
	if err != nil {
		return r, err
	}
	body, err := c.get(ctx, out, version)
	if err != nil {
		return r, c.wrap(op, r.ID, err)
	}
	c.describe(&out, body.Kind, body.Location, body.SKU, body.Tags)
	out.Properties = body.Properties
	out.SKU = first(out.SKU, skuOf(body.Properties))
	return out, nil
}

// envelope is what ARM answers for any resource, with the properties left as they are:
// decoding them into Go values would round large numbers.
type envelope struct {
	Kind       *string            `json:"kind"`
	Location   *string            `json:"location"`
	SKU        *armresources.SKU  `json:"sku"`
	Tags       map[string]*string `json:"tags"`
	Properties json.RawMessage    `json:"properties"`
}

// get sends GET by ID.
func (c *Client) get(ctx context.Context, r plugin.Resource, version string) (envelope, error) {
	var body envelope
	client, err := armresources.NewClient(r.SubscriptionID, c.cred, &c.options)
	if err != nil {
		return body, err
	}
	var resp *http.Response
	if _, err = client.GetByID(policy.WithCaptureResponse(ctx, &resp), escape(r.ID), version, nil); err != nil {
		return body, err
	}
	raw, err := runtime.Payload(resp)
	if err != nil {
		return body, err
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return body, fmt.Errorf("the answer is not a resource: %w", err)
	}
	return body, nil
}

// escape makes a resource ID fit for a URL's path; the SDK puts it there as it is.
func escape(id string) string {
	segments := strings.Split(strings.Trim(id, "/"), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// skuOf returns the SKU of types that keep it among the properties, as Key Vault does.
func skuOf(properties json.RawMessage) string {
	var p struct {
		SKU struct {
			Name string `json:"name"`
		} `json:"sku"`
	}
	if json.Unmarshal(properties, &p) != nil {
		return "" // another form: the SKU is not known
	}
	return p.SKU.Name
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
