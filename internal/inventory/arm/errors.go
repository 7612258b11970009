package arm

import (
	"github.com/azure-tenant-grapher/atg/errs"
)

// wrap adds what this layer knows to an error of the SDK.
func (c *Client) wrap(op, resource string, err error) error {
	return &errs.Error{Op: op, Side: string(c.side), Resource: resource, Err: err}
}

func (c *Client) invalid(op, resource string, err error) error {
	return &errs.Error{Op: op, Kind: errs.Invalid, Side: string(c.side), Resource: resource, Err: err}
}

func (c *Client) unsupported(op, resource string, err error) error {
	return &errs.Error{Op: op, Kind: errs.Unsupported, Side: string(c.side), Resource: resource, Err: err}
}
