package queue

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// service returns the client of the account's queue service, which is made once.
func service(ctx context.Context, a *account.Account) (*azqueue.ServiceClient, error) {
	address, err := a.URL(account.Queue)
	if err != nil {
		return nil, err
	}
	opt := &azqueue.ClientOptions{ClientOptions: a.Options()}
	if !a.UsesKey() {
		return account.Memo(a, func() (*azqueue.ServiceClient, error) { return azqueue.NewServiceClient(address, a.Credential(), opt) })
	}
	key, err := a.Key(ctx)
	if err != nil {
		return nil, err
	}
	return account.Memo(a, func() (*azqueue.ServiceClient, error) {
		cred, err := azqueue.NewSharedKeyCredential(a.Name, key.Reveal())
		if err != nil { // the SDK's text is about the key
			return nil, &errs.Error{Op: "sign in with the account's key", Kind: errs.Invalid, Resource: a.ID, Err: account.ErrNoKey}
		}
		return azqueue.NewServiceClientWithSharedKeyCredential(address, cred, opt)
	})
}

// Discover implements part.Part. Queues come in the order of their names, each followed by
// its messages if they are wanted; a cursor is a queue's name.
func (queues) Discover(ctx context.Context, l part.Listing, yield func(plugin.Item, error) bool) bool {
	c, err := service(ctx, l.Source)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("reach the queue service", err)) && ctx.Err() == nil
	}
	messages := l.Mode == plugin.Replication && l.Setting(setMessages) != messagesNo
	pager := c.NewListQueuesPager(nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return yield(plugin.Item{}, l.Fail("list the queues", err, readQueues)) && ctx.Err() == nil
		}
		for _, q := range page.Queues {
			if q == nil || q.Name == nil || *q.Name <= l.After {
				continue
			}
			if !yieldQueue(q, messages, yield) {
				return false
			}
		}
	}
	return true
}

func yieldQueue(q *azqueue.Queue, messages bool, yield func(plugin.Item, error) bool) bool {
	name := *q.Name
	it := plugin.Item{
		Key: plugin.Key("queues/" + name), Kind: kindQueue, Size: -1,
		Ref: plugin.Encode(ref{Name: name}),
	}
	if !messages {
		it.Cursor = name
		return yield(it, nil)
	}
	all := plugin.Item{
		Key: plugin.Key("messages/" + name), Parent: it.Key, Kind: kindMessages, Size: -1,
		Ref: plugin.Encode(ref{Name: name}), Cursor: name,
	}
	return yield(it, nil) && yield(all, nil)
}
