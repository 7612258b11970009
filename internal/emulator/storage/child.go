package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// child is an operation of Resource Manager on a service of an account or on what the
// service holds. Containers, shares, queues and tables live in the data plane alone: the
// operation is done by a request to it, as the resource provider does.
type child struct {
	svc    *Service
	entry  *entry
	call   wire.Call
	kind   kit.Kind
	server kit.Server
}

// defaults are the properties of the services of a new account.
var defaults = map[kit.Kind]map[string]any{
	kit.Blob: {
		"cors": map[string]any{"corsRules": []any{}}, "deleteRetentionPolicy": map[string]any{"allowPermanentDelete": false, "enabled": false},
	},
	kit.File: {
		"cors": map[string]any{"corsRules": []any{}}, "protocolSettings": map[string]any{"smb": map[string]any{}},
		"shareDeleteRetentionPolicy": map[string]any{"enabled": true, "days": 7},
	},
	kit.Queue: {"cors": map[string]any{"corsRules": []any{}}},
	kit.Table: {"cors": map[string]any{"corsRules": []any{}}},
}

// service answers <kind>Services and <kind>Services/default.
func (c *child) service() (wire.Answer, bool, *wire.Error) {
	path := string(c.kind) + "services/default"
	props := c.svc.doc(c.entry, path)
	if props == nil {
		props = cloneMap(defaults[c.kind])
	}
	switch {
	case c.call.Method == http.MethodGet && len(c.call.Rest) == 1:
		return wire.Answer{Body: []any{c.show(props)}}, true, nil
	case c.call.Method == http.MethodGet:
		return wire.Answer{Body: c.show(props)}, true, nil
	case c.call.Method != http.MethodPut || len(c.call.Rest) == 1:
		return wire.Answer{}, false, nil
	}
	var in struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(c.call.Body, &in); err != nil {
		return wire.Answer{}, true, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	for k, v := range in.Properties {
		props[k] = v
	}
	if err := c.svc.configure(c.entry, c.kind, props); err != nil {
		return wire.Answer{}, true, badRequest("InvalidRequestPropertyValue", "%s", err.Error())
	}
	return wire.Answer{Body: c.show(props)}, true, nil
}

// configure stores the settings of a service and tells it.
func (s *Service) configure(e *entry, kind kit.Kind, props map[string]any) error {
	if server, ok := s.servers[kind].(kit.Configurer); ok {
		if err := server.Configure(s.accountOf(e), props); err != nil {
			return err
		}
	}
	s.setDoc(e, string(kind)+"services/default", props)
	return nil
}

// title is the kind as resource types spell it: "blobServices".
func (c *child) title() string { return string(c.kind) + "Services" }

func (c *child) show(props map[string]any) map[string]any {
	out := resource(c.entry.id+"/"+c.title()+"/default", "Microsoft.Storage/storageAccounts/"+c.title(), "default", props)
	if c.kind == kit.Blob || c.kind == kit.File {
		out["sku"] = c.call.Resource.Body["sku"]
	}
	return out
}

// request sends one to the data plane, in the account's own name.
func (c *child) request(method, path string, query url.Values, header map[string]string, body []byte) *recorder {
	u := url.URL{Scheme: "https", Host: c.entry.name + "." + string(c.kind) + suffix, Path: "/" + path, RawQuery: query.Encode()}
	w := newRecorder()
	r, err := http.NewRequestWithContext(context.Background(), method, u.String(), bytes.NewReader(body))
	if err != nil {
		kit.WriteError(w, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidUri", Message: err.Error()})
		return w
	}
	r.RequestURI = u.RequestURI()
	for k, v := range header {
		r.Header.Set(k, v)
	}
	version := versions[len(versions)-1]
	r.Header.Set("X-Ms-Version", version)
	c.server.Serve(&kit.Call{
		W: w, R: r, Account: c.svc.accountOf(c.entry), Service: c.kind, Path: path, Version: version,
		Now: c.svc.opt.Clock().UTC(), Grant: access.Everything(), Fetch: c.svc.fetch,
	})
	return w
}

// failure turns a refusal of the data plane into one of ARM.
func (w *recorder) failure() *wire.Error {
	if w.status < http.StatusBadRequest {
		return nil
	}
	code := w.code
	if code == "" {
		code = w.header.Get("X-Ms-Error-Code")
	}
	message := "The specified resource cannot be used: " + code + "."
	if _, rest, ok := strings.Cut(w.body.String(), "<Message>"); ok {
		message, _, _ = strings.Cut(rest, "\n")
	}
	return &wire.Error{Status: w.status, Code: code, Message: message}
}
