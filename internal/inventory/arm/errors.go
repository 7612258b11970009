package arm

import (
	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
)

// wrap adds what this layer knows to an error of the SDK. A credential's own refusal
// stays as it is.
func (c *Client) wrap(op, resource string, err error) error {
	return classify.Error(op, c.side, resource, "", err)
}

func (c *Client) fail(kind errs.Kind, op, resource string, err error) error {
	return &errs.Error{Op: op, Kind: kind, Side: string(c.side), Resource: resource, Err: err}
}
