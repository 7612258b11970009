package account

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// apiVersion is that of Microsoft.Storage which armstorage v4.1.0 speaks.
const apiVersion = "2026-04-01"

// Manage asks Resource Manager for something of the account. path follows the account's
// resource ID ("/blobServices/default") and may carry a query ("?$expand=…"). in is sent
// as JSON unless it is nil; the answer's JSON goes to out unless that is nil. A
// json.RawMessage on either side is passed on as it is, so nothing that this program does
// not know is lost. Errors are the SDK's; classify.Error reads them. Only operations that
// answer at once are meant: no poller follows.
func (a *Account) Manage(ctx context.Context, method, path string, in, out any) error {
	c, err := a.manager()
	if err != nil {
		return err
	}
	req, err := runtime.NewRequest(ctx, method, c.Endpoint()+a.ID+path)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	q := req.Raw().URL.Query()
	q.Set("api-version", apiVersion)
	req.Raw().URL.RawQuery = q.Encode()
	req.Raw().Header.Set("Accept", "application/json")
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(body)), "application/json"); err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
	}
	resp, err := c.Pipeline().Do(req) //nolint:bodyclose // azcore reads bodies that nobody asked to stream
	if err != nil {
		return err
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusNoContent) {
		return runtime.NewResponseError(resp)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	return runtime.UnmarshalAsJSON(resp, out)
}

// manager returns the client of Resource Manager, which is made once.
func (a *Account) manager() (*arm.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.manag != nil {
		return a.manag, nil
	}
	c, err := arm.NewClient("account.Client", "v1.0.0", a.credential, &arm.ClientOptions{ClientOptions: a.options, DisableRPRegistration: true})
	if err != nil {
		return nil, fmt.Errorf("reach Resource Manager: %w", err)
	}
	a.manag = c
	return c, nil
}
