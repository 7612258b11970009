package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// entry is one resource as the file has it. Names compare without case, as in ARM; null is
// as good as absent.
type entry struct {
	ID             string            `json:"id"`
	Type           string            `json:"type"`
	Name           string            `json:"name"`
	ResourceGroup  string            `json:"resourceGroup"`
	SubscriptionID string            `json:"subscriptionId"`
	TenantID       string            `json:"tenantId"`
	Kind           string            `json:"kind"`
	Location       string            `json:"location"`
	SKU            sku               `json:"sku"`
	Tags           map[string]string `json:"tags"`
	Properties     *object           `json:"properties"`
	ignored
}

// ignored are the fields of ARM's resource envelope that an inventory does not need: those
// of GenericResourceExpanded in the SDK, and those that az adds.
type ignored struct {
	Identity          json.RawMessage `json:"identity"`
	Plan              json.RawMessage `json:"plan"`
	ManagedBy         json.RawMessage `json:"managedBy"`
	ExtendedLocation  json.RawMessage `json:"extendedLocation"`
	SystemData        json.RawMessage `json:"systemData"`
	CreatedTime       json.RawMessage `json:"createdTime"`
	ChangedTime       json.RawMessage `json:"changedTime"`
	ProvisioningState json.RawMessage `json:"provisioningState"`
	Zones             json.RawMessage `json:"zones"`
	Etag              json.RawMessage `json:"etag"`
}

// sku is a text, or an object with a name among other fields.
type sku string

// UnmarshalJSON implements json.Unmarshaler.
func (s *sku) UnmarshalJSON(b []byte) error {
	var long struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(b, (*string)(s)) == nil {
		return nil
	}
	if json.Unmarshal(b, &long) != nil {
		return errors.New(`"sku" must be a text, or an object with "name"`)
	}
	*s = sku(long.Name)
	return nil
}

// object is a JSON object, unread.
type object json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (o *object) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return errors.New(`"properties" must be an object`)
	}
	*o = bytes.Clone(b)
	return nil
}

var unknownField = regexp.MustCompile(`^json: unknown field "(.*)"$`)

// parse reads one entry strictly. On an error it also returns where in raw it is, in bytes.
func parse(raw json.RawMessage) (entry, int64, error) {
	var e entry
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(&e)
	if err == nil {
		return e, 0, nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		if wrong.Field == "" {
			return e, wrong.Offset, errors.New("an entry must be an object")
		}
		return e, wrong.Offset, fmt.Errorf("%q must be %s, not %s", wrong.Field, form(wrong), wrong.Value)
	}
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		return e, int64(max(0, bytes.Index(raw, []byte(`"`+m[1]+`"`)))), fmt.Errorf("there is no field %q in an inventory", m[1])
	}
	return e, 0, err
}

// form says in JSON's words what a field must hold.
func form(wrong *json.UnmarshalTypeError) string {
	if wrong.Type.Kind().String() == "string" {
		return "a text"
	}
	return "an object of texts"
}

// resource checks an entry and completes it from its ID.
func (e entry) resource() (plugin.Resource, error) {
	if e.ID == "" {
		return plugin.Resource{}, errors.New(`"id" is missing`)
	}
	res, err := inventory.FromID(e.ID)
	if err != nil {
		return res, err
	}
	for _, f := range []struct{ field, given, fromID string }{
		{"type", e.Type, res.Type},
		{"name", lastSegment(e.Name), res.Name},
		{"resourceGroup", e.ResourceGroup, res.ResourceGroup},
		{"subscriptionId", e.SubscriptionID, res.SubscriptionID},
	} {
		if f.given != "" && !strings.EqualFold(f.given, f.fromID) {
			return res, fmt.Errorf("%q is %q, but the ID says %q", f.field, f.given, f.fromID)
		}
	}
	res.Kind, res.Location, res.TenantID, res.SKU, res.Tags = e.Kind, e.Location, e.TenantID, string(e.SKU), e.Tags
	if e.Properties != nil {
		res.Properties = json.RawMessage(*e.Properties)
	}
	return res, nil
}

// lastSegment returns the own name of a child resource: listings say "server/database".
func lastSegment(name string) string {
	return name[strings.LastIndexByte(name, '/')+1:]
}
