// Package children is what Resource Manager knows of containers, shares, queues and tables,
// and of what protects containers. They live in the data plane alone: an operation is done
// by a request to it, as the resource provider does.
package children

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/inside"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// version is that of the requests to the data plane.
const version = "2026-06-06"

// stamp is the form of times.
const stamp = "2006-01-02T15:04:05.0000000Z"

// Child is one operation on what a service of an account holds.
type Child struct {
	Call    wire.Call // Rest begins with <kind>Services/default
	Account kit.Account
	Kind    kit.Kind
	Server  kit.Server
	Now     time.Time
	Fetch   kit.Fetch
}

// title is the kind as resource types spell it: "blobServices".
func (c *Child) title() string { return string(c.Kind) + "Services" }

// request sends one to the data plane, in the account's own name.
func (c *Child) request(method, path string, query url.Values, header map[string]string, body []byte) *inside.Recorder {
	u := url.URL{Scheme: "https", Host: c.Account.Name + "." + string(c.Kind) + ".core.windows.net", Path: "/" + path, RawQuery: query.Encode()}
	w := inside.New()
	r, err := http.NewRequestWithContext(context.Background(), method, u.String(), bytes.NewReader(body))
	if err != nil {
		kit.WriteError(w, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidUri", Message: err.Error()})
		return w
	}
	r.RequestURI = u.RequestURI()
	for k, v := range header {
		r.Header.Set(k, v)
	}
	r.Header.Set("X-Ms-Version", version)
	c.Server.Serve(&kit.Call{
		W: w, R: r, Account: c.Account, Service: c.Kind, Path: path, Version: version,
		Now: c.Now, Grant: access.Everything(), Fetch: c.Fetch,
	})
	return w
}

func resource(id, typ, name string, props map[string]any) map[string]any {
	return map[string]any{"id": id, "type": typ, "name": name, "properties": props}
}

func badRequest(code, format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func conflict(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: code, Message: message}
}

func notFound(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: code, Message: message}
}
