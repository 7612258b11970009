package queue

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/policy"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ref is how the part finds a queue again.
type ref struct {
	Name string `json:"name"`
}

// shape is a queue without its messages.
type shape struct {
	there    bool
	metadata map[string]string // names in lower case, as the service compares them
	policies []policy.Policy
	count    int64 // of messages, those that are hidden included
}

// differences names what is not the same at the target.
func (s shape) differences(target shape) (fields []string) {
	if !maps.Equal(s.metadata, target.metadata) {
		fields = append(fields, "metadata")
	}
	if !policy.Same(s.policies, target.policies) {
		fields = append(fields, "stored access policies")
	}
	return fields
}

func client(ctx context.Context, j part.Job, side plugin.Side, name string) (*azqueue.QueueClient, error) {
	c, err := service(ctx, j.On(side))
	if err != nil {
		return nil, j.Fail("reach the queue service", side, err)
	}
	return c.NewQueueClient(name), nil
}

// look reads a queue (Get Queue Metadata, Get Queue ACL).
func look(ctx context.Context, j part.Job, side plugin.Side, name string) (shape, error) {
	c, err := client(ctx, j, side, name)
	if err != nil {
		return shape{}, err
	}
	props, err := c.GetProperties(ctx, nil)
	if queueerror.HasCode(err, queueerror.QueueNotFound) {
		return shape{}, nil
	}
	if err != nil {
		return shape{}, j.Fail("look at the queue", side, err, readQueues)
	}
	acl, err := c.GetAccessPolicy(ctx, nil)
	if err != nil {
		return shape{}, j.Fail("read the stored access policies", side, err, readPolicy)
	}
	s := shape{there: true, metadata: lower(props.Metadata)}
	if props.ApproximateMessagesCount != nil {
		s.count = *props.ApproximateMessagesCount
	}
	for _, id := range acl.SignedIdentifiers {
		if id == nil {
			continue
		}
		var p azqueue.AccessPolicy
		if id.AccessPolicy != nil {
			p = *id.AccessPolicy
		}
		s.policies = append(s.policies, policy.Of(id.ID, p.Start, p.Expiry, p.Permission))
	}
	return s, nil
}

func lower(m map[string]*string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if v != nil {
			out[strings.ToLower(k)] = *v
		}
	}
	return out
}

// both looks at both sides. A queue that is gone from the source is an error of kind
// NotFound.
func both(ctx context.Context, j part.Job, r ref) (src, dst shape, err error) {
	if src, err = look(ctx, j, plugin.Source, r.Name); err != nil {
		return src, dst, err
	}
	if !src.there {
		return src, dst, j.Problem("read the queue", plugin.Source, errs.NotFound, errors.New("it is gone since it was listed"))
	}
	dst, err = look(ctx, j, plugin.Target, r.Name)
	return src, dst, err
}

func replicateQueue(ctx context.Context, j part.Job, r ref) (plugin.Outcome, error) {
	src, dst, err := both(ctx, j, r)
	if err != nil {
		return plugin.Outcome{}, err
	}
	out, err := bring(ctx, j, r, src, dst)
	if err == nil && src.count > 0 && j.Mode == plugin.Replication && j.Setting(setMessages) == messagesNo {
		out.Warnings = append(out.Warnings, messagesStay)
	}
	return out, err
}

// messagesStay is said of a queue that is not empty. How many messages wait in it is left
// out: it is another number at each look.
const messagesStay = "its messages stay at the source; --set storage.messages=peek copies them where a queue has up to 32, storage.messages=get copies all and changes the source"

// bring makes the target's queue like the source's.
func bring(ctx context.Context, j part.Job, r ref, src, dst shape) (plugin.Outcome, error) {
	if !dst.there {
		return create(ctx, j, r, src)
	}
	fields := src.differences(dst)
	if len(fields) == 0 {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	// A run that was cut between creating the queue and setting its policies left it like this.
	unfinished := len(dst.policies) == 0 && slices.Equal(fields, []string{"stored access policies"}) && j.Checkpoint != nil
	if !j.Overwrite && !unfinished {
		return plugin.Outcome{}, j.Problem("create the queue", plugin.Target, errs.Conflict, errors.New("there is one of that name with other "+strings.Join(fields, " and ")))
	}
	return update(ctx, j, r, src, dst)
}

// create makes the queue. The checkpoint tells a later attempt that it is its own.
func create(ctx context.Context, j part.Job, r ref, src shape) (plugin.Outcome, error) {
	c, err := client(ctx, j, plugin.Target, r.Name)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if j.Save != nil && len(src.policies) > 0 {
		if err := j.Save([]byte("creating")); err != nil {
			return plugin.Outcome{}, err
		}
	}
	if _, err := c.Create(ctx, &azqueue.CreateOptions{Metadata: pointers(src.metadata)}); err != nil {
		return plugin.Outcome{}, j.Fail("create the queue", plugin.Target, err, writeQueues)
	}
	if len(src.policies) > 0 {
		if err := setPolicies(ctx, j, c, src); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return plugin.Outcome{Status: plugin.Created}, nil
}

func update(ctx context.Context, j part.Job, r ref, src, dst shape) (plugin.Outcome, error) {
	c, err := client(ctx, j, plugin.Target, r.Name)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if !maps.Equal(src.metadata, dst.metadata) {
		if _, err := c.SetMetadata(ctx, &azqueue.SetMetadataOptions{Metadata: pointers(src.metadata)}); err != nil {
			return plugin.Outcome{}, j.Fail("set the queue's metadata", plugin.Target, err, writeQueues)
		}
	}
	if !policy.Same(src.policies, dst.policies) {
		if err := setPolicies(ctx, j, c, src); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return plugin.Outcome{Status: plugin.Updated}, nil
}

func setPolicies(ctx context.Context, j part.Job, c *azqueue.QueueClient, src shape) error {
	ids := make([]*azqueue.SignedIdentifier, len(src.policies))
	for i, p := range src.policies {
		id, start, expiry, permission := p.Fields()
		ids[i] = &azqueue.SignedIdentifier{ID: id, AccessPolicy: &azqueue.AccessPolicy{Start: start, Expiry: expiry, Permission: permission}}
	}
	if _, err := c.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: ids}); err != nil {
		return j.Fail("set the stored access policies", plugin.Target, err, writePolicy)
	}
	return nil
}

func pointers(m map[string]string) map[string]*string {
	if len(m) == 0 {
		return nil
	}
	out := map[string]*string{}
	for k, v := range m {
		out[k] = &v
	}
	return out
}
