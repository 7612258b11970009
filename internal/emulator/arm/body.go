package arm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// clone copies a resource so deep that neither side can change the other.
func clone(r wire.Resource) wire.Resource {
	r.Body = cloneMap(r.Body)
	return r
}

// cloneMap copies a JSON object; never nil.
func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m)+4) // ARM adds id, name, type, systemData
	for k, v := range m {
		out[k] = cloneValue(v)
	}
	return out
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneMap(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = cloneValue(e)
		}
		return out
	}
	return v
}

// merge applies a JSON merge patch (RFC 7396) and leaves both arguments as they are.
func merge(target, patch map[string]any) map[string]any {
	out := cloneMap(target)
	for k, v := range patch {
		if v == nil {
			delete(out, k)
			continue
		}
		object, ok := v.(map[string]any)
		if !ok {
			out[k] = cloneValue(v)
			continue
		}
		old, _ := out[k].(map[string]any)
		out[k] = merge(old, object)
	}
	return out
}

// properties returns the body's properties and makes them if there are none.
func properties(body map[string]any) map[string]any {
	p, ok := body["properties"].(map[string]any)
	if !ok {
		p = map[string]any{}
		body["properties"] = p
	}
	return p
}

// tagsOf reads a body's tags; what is no string is left out.
func tagsOf(body map[string]any) map[string]string {
	raw, _ := body["tags"].(map[string]any)
	out := make(map[string]string, len(raw))
	for k, v := range raw {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// systemData says who made and who last changed a resource.
func systemData(c wire.Claims, before map[string]any, now time.Time) map[string]any {
	at := now.UTC().Format("2006-01-02T15:04:05.0000000Z")
	data := map[string]any{
		"createdBy": c.AppID, "createdByType": "Application", "createdAt": at,
		"lastModifiedBy": c.AppID, "lastModifiedByType": "Application", "lastModifiedAt": at,
	}
	if old, ok := before["systemData"].(map[string]any); ok {
		for _, k := range []string{"createdBy", "createdByType", "createdAt"} {
			data[k] = old[k]
		}
	}
	return data
}

// wellFormed checks the fields that mean the same for every resource.
func wellFormed(body map[string]any) *wire.Error {
	for _, field := range []string{"properties", "tags"} {
		if _, object := body[field].(map[string]any); body[field] != nil && !object {
			return errInvalidContent(fmt.Errorf("%s is not a JSON object", field))
		}
	}
	if tags, ok := body["tags"].(map[string]any); ok {
		for name, v := range tags {
			if _, text := v.(string); !text && v != nil {
				return errInvalidContent(fmt.Errorf("the tag %s is not a string", name))
			}
		}
	}
	return nil
}

// recode reads a JSON object into a struct.
func recode(body map[string]any, into any) *wire.Error {
	raw, err := json.Marshal(body)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return errInvalidContent(err)
	}
	return nil
}
