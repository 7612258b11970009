package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// double answers as the deployments API does
// (https://learn.microsoft.com/rest/api/resources/deployments): a PUT is answered with 201
// and the address of its status, which is asked until the deployment is over. Each step of
// states is one look at the deployment.
type double struct {
	mu       sync.Mutex
	group    bool                // the resource group is there
	states   []string            // of the deployment, one a look; the last one stays
	ops      map[string][]string // operations, by deployment, in the order of the looks
	failure  string              // error of the status document, as JSON
	validate string              // answer to validate; "": 200 without resources
	refuse   string              // answer to PUT with 400; "": it is taken
	whatIf   string              // answer to whatIf
	cancel   int                 // status of the answer to cancel; 0: 204
	looks    int
	requests []string
	bodies   map[string]string // of what was sent, by the last segment of the path
	onLook   func(n int)
}

func (d *double) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	path := req.URL.Path
	d.requests = append(d.requests, req.Method+" "+path[strings.LastIndexByte(path, '/')+1:])
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if d.bodies == nil {
			d.bodies = map[string]string{}
		}
		d.bodies[path[strings.LastIndexByte(path, '/')+1:]] = string(b)
	}
	status, header, body := d.answer(req.Method, path)
	resp := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}}, Request: req, Body: io.NopCloser(strings.NewReader(body))}
	if header != "" {
		resp.Header.Set("Azure-AsyncOperation", header)
	}
	return resp, nil
}

const statusPage = "https://management.azure.com/subscriptions/sub/operationStatuses/1?api-version=2025-04-01"

func (d *double) answer(method, path string) (status int, async, body string) {
	switch {
	case method == http.MethodHead && d.group:
		return 204, "", ""
	case method == http.MethodHead:
		return 404, "", ""
	case strings.HasSuffix(path, "/validate"):
		if strings.HasPrefix(d.validate, `{"error"`) {
			return 400, "", d.validate
		}
		return 200, "", orEmpty(d.validate)
	case strings.HasSuffix(path, "/whatIf"):
		return 200, "", d.whatIf
	case strings.HasSuffix(path, "/cancel"):
		if d.cancel != 0 {
			return d.cancel, "", `{"error":{"code":"DeploymentCannotBeCancelled","message":"no"}}`
		}
		d.states, d.looks = []string{"Running", "Canceled"}, 0
		return 204, "", ""
	case method == http.MethodPut && strings.Contains(path, "/deployments/"):
		if d.refuse != "" {
			return 400, "", d.refuse
		}
		return 201, statusPage, `{"properties":{"provisioningState":"Accepted"}}`
	case method == http.MethodPut:
		d.group = true
		return 201, "", `{}`
	case strings.Contains(path, "/operationStatuses/"):
		return 200, "", d.status()
	case strings.HasSuffix(path, "/operations"):
		return 200, "", d.operations(path)
	default:
		return 200, "", `{"properties":{"provisioningState":"` + d.look() + `"}}`
	}
}

func orEmpty(s string) string {
	if s == "" {
		return "{}"
	}
	return s
}

// look is the state of the deployment now; the next look sees the next one.
func (d *double) look() string {
	i := min(d.looks, len(d.states)-1)
	d.looks++
	if d.onLook != nil {
		d.onLook(d.looks)
	}
	return d.states[i]
}

func (d *double) status() string {
	state := d.look()
	if state == "Failed" {
		return `{"status":"Failed","error":` + d.failure + `}`
	}
	return `{"status":"` + state + `"}`
}

func (d *double) operations(path string) string {
	parts := strings.Split(path, "/")
	steps := d.ops[parts[len(parts)-2]]
	if len(steps) == 0 {
		return `{"value":[]}`
	}
	return `{"value":[` + steps[min(d.looks, len(steps))-1] + `]}`
}

// operation is one operation of a deployment as the API lists it.
func operation(id, typ, state, message string) string {
	b, _ := json.Marshal(map[string]any{
		"operationId": id, "properties": map[string]any{
			"provisioningOperation": "Create", "provisioningState": state, "statusCode": "Conflict",
			"targetResource": map[string]any{"id": id, "resourceType": typ},
			"statusMessage":  json.RawMessage(orEmpty(message)),
		},
	})
	return string(b)
}

// vault is the ID of a vault in the group that the tests deploy to.
func vault(name string) string {
	return "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/" + name
}

type credential struct{}

func (credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// events keeps what was told.
type events struct {
	mu  sync.Mutex
	all []event.Event
}

func (e *events) emit(ev event.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

// told lists the resources and their states, in the order of the events.
func (e *events) told() []string {
	var out []string
	for _, ev := range e.all {
		if r, ok := ev.(event.DeployResource); ok {
			out = append(out, r.Resource[strings.LastIndexByte(r.Resource, '/')+1:]+" "+string(r.State))
		}
	}
	return out
}

const groupTemplate = `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "parameters": {"name": {"defaultValue": "kv-one"}},
 "variables": {"plan": "kv-var"},
 "resources": [
  {"type": "Microsoft.KeyVault/vaults", "name": "[parameters('name')]", "kind": "k", "tags": {"atg-source-id": "/x"}},
  {"type": "Microsoft.KeyVault/vaults/secrets", "name": "kv-two/s"},
  {"type": "Microsoft.KeyVault/vaults", "name": "[variables('plan')]", "condition": "[true()]"},
  {"type": "Microsoft.KeyVault/vaults", "name": "[concat('a', 'b')]"},
  {"type": "Microsoft.KeyVault/vaults", "name": "loop", "copy": {"name": "c", "count": 3}},
  {"type": "Microsoft.Resources/deployments", "name": "inner"}]}`

// open makes a driver whose requests go to the double, and which never waits.
func open(t testing.TB, at *double, e *events, change func(*Options)) *Driver {
	t.Helper()
	template, err := ParseTemplate([]byte(groupTemplate), "azuredeploy.json")
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{
		Template: template, SubscriptionID: "sub", ResourceGroup: "rg", Location: "eastus", Name: "atg-run",
		Credential: credential{}, Emit: e.emit,
		Client: policy.ClientOptions{Transport: at, Retry: policy.RetryOptions{MaxRetries: -1}},
		Sleep:  func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
	}
	if change != nil {
		change(&opt)
	}
	d, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// compact is JSON without spaces.
func compact(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
