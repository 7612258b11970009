// Package queue is the part of the storage plugin for Queue Storage: queues with their
// metadata and stored access policies and, if the user wants it, their messages.
//
// # Messages
//
// Queue Storage lets nobody read a queue without a trace. Peek Messages leaves none, but
// shows the first 32 only. Get Messages shows all, one after another, and hides each from
// the queue's consumers for a while and counts it as dequeued. So a queue of up to 32
// messages is copied and compared by peeking; a larger one is read only if the user says
// that the source may be changed that way, and is then compared by the number of messages
// (https://learn.microsoft.com/rest/api/storageservices/peek-messages, …/get-messages).
package queue

import (
	"context"
	"time"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The item kinds.
const (
	kindQueue    = "queue"
	kindMessages = "messages"
)

// The setting about messages, and its values.
const (
	setMessages = "messages"
	messagesNo  = "none"
	messagesFew = "peek"
	messagesAll = "get"
)

// scalability is the page that says the service's limits.
const scalability = "https://learn.microsoft.com/azure/storage/queues/scalability-targets"

// The rights that operations need
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
const (
	actions      = "Microsoft.Storage/storageAccounts/queueServices/queues/"
	readQueues   = actions + "read"
	writeQueues  = actions + "write"
	readPolicy   = actions + "getAcl/action"
	writePolicy  = actions + "setAcl/action"
	readMessages = actions + "messages/read"
	getMessages  = actions + "messages/process/action"
	putMessages  = actions + "messages/add/action"
)

// queues is the part.Part.
type queues struct{}

// New returns the part for queues.
func New() part.Part { return queues{} }

// About implements part.Part.
func (queues) About() part.About {
	return part.About{
		Name: "queues", Service: account.Queue,
		Items: []plugin.ItemKind{
			{Name: kindQueue, Plural: "queues", Holds: true},
			{Name: kindMessages, Plural: "sets of messages", Secret: true},
		},
		Settings: []plugin.Setting{{
			Name: setMessages, Default: messagesNo, Values: []string{messagesNo, messagesFew, messagesAll},
			Help: "whether messages of queues are copied; peek: of queues with up to 32, which leaves the source as it is; get: of all, which CHANGES THE SOURCE: messages of larger queues are hidden from their consumers for five minutes, and each counts as dequeued once more",
		}},
		Limits: []plugin.Limit{{Name: "requests to queues", Host: "*.queue.*", Count: 20_000, Per: time.Second, Source: scalability}},
		Cannot: []string{
			"Messages of queues are copied only with the setting messages; their IDs, insertion times and dequeue counts are the service's own, and those that a consumer holds hidden are not seen.",
		},
		Permissions: permissions,
		PerSecond:   500,
	}
}

// permissions are what the part needs with default settings, under which no message is
// looked at.
func permissions(plugin.Mode) []plugin.Permission {
	need := func(side plugin.Side, action, reason string) plugin.Permission {
		return plugin.Permission{Side: side, Actions: []string{action}, Reason: reason}
	}
	return []plugin.Permission{
		need(plugin.Source, readQueues, "list the queues and their metadata"),
		need(plugin.Source, readPolicy, "read the queues' stored access policies"),
		need(plugin.Target, readQueues, "see which queues are there"),
		need(plugin.Target, writeQueues, "create queues and set their metadata"),
		need(plugin.Target, readPolicy, "see the queues' stored access policies"),
		need(plugin.Target, writePolicy, "set stored access policies"),
	}
}

// Replicate implements part.Part.
func (queues) Replicate(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	r, err := plugin.Decode[ref](j.Item)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if j.Item.Kind == kindMessages {
		return replicateMessages(ctx, j, r)
	}
	return replicateQueue(ctx, j, r)
}

// Compare implements part.Part.
func (queues) Compare(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	r, err := plugin.Decode[ref](j.Item)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if j.Item.Kind == kindMessages {
		return compareMessages(ctx, j, r)
	}
	src, dst, err := both(ctx, j, r)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if !dst.there {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	return part.Verdict(src.differences(dst)), nil
}

// Declare implements part.Part.
func (queues) Declare(ctx context.Context, j part.Job) ([]iac.Block, error) {
	r, err := plugin.Decode[ref](j.Item)
	if err != nil || j.Item.Kind != kindQueue {
		return nil, err
	}
	return declare(ctx, j, r)
}
