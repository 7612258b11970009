package answers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
)

// question is one call, or a few that belong together; what it returns is what is compared.
type question struct {
	name string
	ask  func(context.Context, world) (string, error)
	// differs is why the two answer differently, and which is right; "" if they must agree.
	differs string
	// want is what the emulator's answer holds where the two differ.
	want string
	// alone tells that Azurite has not got the operation.
	alone bool
}

// answer is a text for what came back: the result, or status and code of a refusal. Of blobs
// it has status and headers of every answer.
func answer(ctx context.Context, w world, q question) string {
	text, err := q.ask(ctx, w)
	if lines := w.seen.take(); lines != "" {
		whole := w.seen.names.Replace(strings.TrimSpace(lines + " " + text))
		return snapshotOf.ReplaceAllString(whole, "snapshot=*")
	}
	var re *azcore.ResponseError
	switch {
	case errors.As(err, &re):
		return fmt.Sprintf("%d %s", re.StatusCode, re.ErrorCode)
	case err != nil:
		return "error: " + err.Error()
	}
	return text
}

func TestSameAnswersAsAzurite(t *testing.T) {
	other := counterpart(t)
	here := emulator(t)
	defer func() {
		for name := range apart {
			if strings.Contains(name, "-") && !here.seen.apart[name] {
				t.Errorf("the emulator never answered with %s, which is not compared because Azurite is said to be wrong about it", name)
			}
		}
	}()
	for _, q := range slices.Concat(tableQuestions(), queueQuestions(), blobQuestions()) {
		mine, theirs := answer(t.Context(), here, q), answer(t.Context(), other, q)
		switch {
		case !strings.Contains(mine, q.want):
			t.Errorf("%s: the emulator answers %s, want %s in it: %s", q.name, mine, q.want, q.differs)
		case q.alone && !strings.Contains(theirs, "501 APINotImplemented"):
			t.Errorf("%s: Azurite is said not to have it, and answers %s", q.name, theirs)
		case mine == theirs && q.differs != "":
			t.Errorf("%s: both answer %s, but the table says that they differ: %s", q.name, mine, q.differs)
		case mine != theirs && q.differs == "":
			t.Errorf("%s: nothing explains that the emulator answers %s, Azurite %s", q.name, mine, theirs)
		case mine != theirs:
			t.Logf("%s: the emulator answers %s, Azurite %s: %s", q.name, mine, theirs, q.differs)
		}
	}
}

// plain is an entity without what differs from server to server.
func plain(data []byte) string {
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return err.Error()
	}
	maps.DeleteFunc(m, func(k string, _ any) bool { return k == "Timestamp" || strings.HasPrefix(k, "odata.") })
	out, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

const table = "Answers"

// day is when the access policies begin.
var day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func insert(entity string) func(context.Context, world) (string, error) {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.tables.NewClient(table).AddEntity(ctx, []byte(entity), nil)
		return plain(r.Value), err
	}
}

func get(pk, rk string) func(context.Context, world) (string, error) {
	return func(ctx context.Context, w world) (string, error) {
		r, err := w.tables.NewClient(table).GetEntity(ctx, pk, rk, nil)
		return plain(r.Value), err
	}
}

func query(opt aztables.ListEntitiesOptions) func(context.Context, world) (string, error) {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for p := w.tables.NewClient(table).NewListEntitiesPager(&opt); p.More(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return "", err
			}
			for _, e := range page.Entities {
				out = append(out, plain(e))
			}
			out = append(out, "|")
		}
		return strings.Join(out, " "), nil
	}
}

func filter(f string) func(context.Context, world) (string, error) {
	return query(aztables.ListEntitiesOptions{Filter: &f, Select: to.Ptr("RowKey")})
}

func batch(acts ...aztables.TransactionAction) func(context.Context, world) (string, error) {
	return func(ctx context.Context, w world) (string, error) {
		_, err := w.tables.NewClient(table).SubmitTransaction(ctx, acts, nil)
		if err == nil {
			return "done", nil
		}
		_, code, _ := strings.Cut(err.Error(), `{"code":"`)
		code, message, _ := strings.Cut(code, `"`)
		_, value, _ := strings.Cut(message, `"value":"`)
		index, _, _ := strings.Cut(value, ":")
		return code + " at " + index, nil
	}
}

func act(kind aztables.TransactionType, entity string) aztables.TransactionAction {
	return aztables.TransactionAction{ActionType: kind, Entity: []byte(entity)}
}

func tableQuestions() []question {
	const all = `{"PartitionKey":"p","RowKey":"all","S":"text \u2603","I":-5,"L@odata.type":"Edm.Int64","L":"9007199254740993","D":5.5,"B":true,
		"T@odata.type":"Edm.DateTime","T":"2013-08-22T01:12:06.2608595Z","G@odata.type":"Edm.Guid","G":"c9da6455-213d-42c9-9a79-3e9149a57833","X@odata.type":"Edm.Binary","X":"AQID"}`
	update := func(entity string, mode aztables.UpdateMode, tag *azcore.ETag) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) {
			_, err := w.tables.NewClient(table).UpdateEntity(ctx, []byte(entity), &aztables.UpdateEntityOptions{UpdateMode: mode, IfMatch: tag})
			return "done", err
		}
	}
	upsert := func(entity string, mode aztables.UpdateMode) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) {
			_, err := w.tables.NewClient(table).UpsertEntity(ctx, []byte(entity), &aztables.UpsertEntityOptions{UpdateMode: mode})
			return "done", err
		}
	}
	remove := func(pk, rk string, tag *azcore.ETag) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) {
			_, err := w.tables.NewClient(table).DeleteEntity(ctx, pk, rk, &aztables.DeleteEntityOptions{IfMatch: tag})
			return "done", err
		}
	}
	create := func(name string) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) {
			r, err := w.tables.CreateTable(ctx, name, nil)
			if err != nil || r.TableName == nil {
				return "", err
			}
			return *r.TableName, nil
		}
	}
	old := to.Ptr(azcore.ETag(`W/"datetime'2020-01-01T00%3A00%3A00.0000000Z'"`))
	return []question{
		{name: "create a table", ask: create(table)},
		{name: "create it again", ask: create(table)},
		{name: "create it in other letters", ask: create("ANSWERS")},
		{name: "a table with a hyphen", ask: create("a-b"), differs: "Table service error codes name InvalidResourceName; Azurite gives no code"},
		{name: "a table of two letters", ask: create("ab"), differs: "Common REST API error codes name OutOfRangeInput; Azurite gives no code"},
		{name: "list tables", ask: func(ctx context.Context, w world) (string, error) {
			page, err := w.tables.NewListTablesPager(nil).NextPage(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(page.Tables), *page.Tables[0].Name), nil
		}},
		{name: "insert every type", ask: insert(all)},
		{name: "get every type", ask: get("p", "all")},
		{name: "insert again", ask: insert(all)},
		{name: "insert without a row key", ask: insert(`{"PartitionKey":"p"}`)},
		{name: "insert a slash", ask: insert(`{"PartitionKey":"a/b","RowKey":"r"}`), differs: "Table service error codes name OutOfRangeInput for a key out of range; Azurite answers InvalidInput"},
		{name: "insert a long text", ask: insert(`{"PartitionKey":"p","RowKey":"long","A":"` + strings.Repeat("x", 32<<10+1) + `"}`)},
		{name: "insert 253 properties", ask: insert(`{"PartitionKey":"p","RowKey":"many"` + properties(253) + `}`), differs: "at most 252 properties beside the keys and the time (data model); Azurite does not count"},
		{name: "insert a property with a hyphen", ask: insert(`{"PartitionKey":"p","RowKey":"name","a-b":1}`), differs: "property names are C# identifiers (data model); Azurite takes any"},
		{name: "insert null", ask: insert(`{"PartitionKey":"p","RowKey":"null","A":null,"B":1}`)},
		{name: "get null", ask: get("p", "null")},
		{name: "insert an apostrophe", ask: insert(`{"PartitionKey":"o'p","RowKey":"r'1","A":1}`)},
		{name: "get an apostrophe", ask: get("o'p", "r'1")},
		{name: "get nothing", ask: get("p", "none")},
		{name: "merge", ask: update(`{"PartitionKey":"p","RowKey":"all","I":6,"New":"n"}`, aztables.UpdateModeMerge, nil)},
		{name: "get merged", ask: get("p", "all")},
		{name: "merge nothing", ask: update(`{"PartitionKey":"p","RowKey":"none","I":6}`, aztables.UpdateModeMerge, nil)},
		{name: "replace an old state", ask: update(`{"PartitionKey":"p","RowKey":"all"}`, aztables.UpdateModeReplace, old)},
		{name: "replace", ask: update(`{"PartitionKey":"p","RowKey":"all","I":7}`, aztables.UpdateModeReplace, nil)},
		{name: "get replaced", ask: get("p", "all")},
		{name: "insert or merge", ask: upsert(`{"PartitionKey":"p","RowKey":"up","A":1}`, aztables.UpdateModeMerge)},
		{name: "insert or replace", ask: upsert(`{"PartitionKey":"p","RowKey":"up","B":1}`, aztables.UpdateModeReplace)},
		{name: "get upserted", ask: get("p", "up")},
		{name: "delete an old state", ask: remove("p", "up", old)},
		{name: "delete", ask: remove("p", "up", nil)},
		{name: "delete again", ask: remove("p", "up", nil)},
		{name: "a batch", ask: batch(act(aztables.TransactionTypeAdd, `{"PartitionKey":"b","RowKey":"1","N":1}`), act(aztables.TransactionTypeAdd, `{"PartitionKey":"b","RowKey":"2","N":2}`), act(aztables.TransactionTypeInsertMerge, `{"PartitionKey":"b","RowKey":"3","N":3}`))},
		{name: "a batch that fails", ask: batch(act(aztables.TransactionTypeAdd, `{"PartitionKey":"b","RowKey":"4"}`), act(aztables.TransactionTypeAdd, `{"PartitionKey":"b","RowKey":"1"}`))},
		{name: "nothing of it is there", ask: get("b", "4")},
		{name: "a batch over partitions", ask: batch(act(aztables.TransactionTypeAdd, `{"PartitionKey":"c","RowKey":"5"}`), act(aztables.TransactionTypeAdd, `{"PartitionKey":"d","RowKey":"5"}`)), differs: "Performing entity group transactions: all entities have one partition key; Azurite does not look"},
		{name: "a batch with an entity twice", ask: batch(act(aztables.TransactionTypeAdd, `{"PartitionKey":"b","RowKey":"6"}`), act(aztables.TransactionTypeDelete, `{"PartitionKey":"b","RowKey":"6"}`))},
		{name: "a mixed batch", ask: batch(act(aztables.TransactionTypeUpdateMerge, `{"PartitionKey":"b","RowKey":"1","M":1}`), act(aztables.TransactionTypeInsertReplace, `{"PartitionKey":"b","RowKey":"2","M":2}`), act(aztables.TransactionTypeDelete, `{"PartitionKey":"b","RowKey":"3"}`))},
		{name: "query pages of one", ask: query(aztables.ListEntitiesOptions{Filter: to.Ptr("PartitionKey eq 'b'"), Top: to.Ptr(int32(1))})},
		{name: "query with and, or", ask: filter("PartitionKey eq 'b' and (N eq 1 or M eq 2)")},
		{name: "query not", ask: filter("not (PartitionKey eq 'p') and RowKey lt '2'")},
		{name: "query an apostrophe", ask: filter("PartitionKey eq 'o''p'")},
		{name: "query a number of another type", ask: filter("N gt 0.5")},
		{name: "query that cannot be read", ask: filter("N eq eq 1")},
		{name: "access policies", ask: func(ctx context.Context, w world) (string, error) {
			c := w.tables.NewClient(table)
			if _, err := c.SetAccessPolicy(ctx, &aztables.SetAccessPolicyOptions{TableACL: []*aztables.SignedIdentifier{{ID: to.Ptr("one"), AccessPolicy: &aztables.AccessPolicy{Permission: to.Ptr("raud"), Start: &day, Expiry: to.Ptr(day.AddDate(1, 0, 0))}}}}); err != nil {
				return "", err
			}
			r, err := c.GetAccessPolicy(ctx, nil)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(r.SignedIdentifiers), *r.SignedIdentifiers[0].ID, *r.SignedIdentifiers[0].AccessPolicy.Permission), nil
		}},
		{name: "delete the table", ask: func(ctx context.Context, w world) (string, error) {
			_, err := w.tables.DeleteTable(ctx, table, nil)
			return "done", err
		}},
		{name: "delete it again", ask: func(ctx context.Context, w world) (string, error) {
			_, err := w.tables.DeleteTable(ctx, table, nil)
			return "done", err
		}},
		{name: "insert into nothing", ask: insert(all)},
	}
}

func properties(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"P%d":1`, i)
	}
	return b.String()
}

func queueQuestions() []question {
	const name = "answers"
	on := func(f func(context.Context, *azqueue.QueueClient) (string, error)) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) { return f(ctx, w.queues.NewQueueClient(name)) }
	}
	create := func(name string, metadata map[string]*string) func(context.Context, world) (string, error) {
		return func(ctx context.Context, w world) (string, error) {
			_, err := w.queues.CreateQueue(ctx, name, &azqueue.CreateOptions{Metadata: metadata})
			return "done", err
		}
	}
	put := func(text string, opt *azqueue.EnqueueMessageOptions) func(context.Context, world) (string, error) {
		return on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			r, err := q.EnqueueMessage(ctx, text, opt)
			if err != nil {
				return "", err
			}
			m := r.Messages[0]
			return fmt.Sprint(len(r.Messages), m.ExpirationTime.Sub(*m.InsertionTime), m.TimeNextVisible.Sub(*m.InsertionTime)), nil
		})
	}
	peek := on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
		r, err := q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: to.Ptr(int32(32))})
		var out []string
		for _, m := range r.Messages {
			out = append(out, fmt.Sprint(*m.MessageText, *m.DequeueCount))
		}
		return strings.Join(out, " "), err
	})
	life := func(ttl, hidden int32) *azqueue.EnqueueMessageOptions {
		return &azqueue.EnqueueMessageOptions{TimeToLive: &ttl, VisibilityTimeout: &hidden}
	}
	return []question{
		{name: "create a queue", ask: create(name, map[string]*string{"a": to.Ptr("b c")})},
		{name: "create it again", ask: create(name, map[string]*string{"a": to.Ptr("b c")})},
		{name: "create it with other metadata", ask: create(name, nil)},
		{name: "a queue in capitals", ask: create("Answers", nil)},
		{name: "a queue of two letters", ask: create("ab", nil)},
		{name: "a queue with two hyphens", ask: create("a--b", nil)},
		{name: "list queues", ask: func(ctx context.Context, w world) (string, error) {
			page, err := w.queues.NewListQueuesPager(&azqueue.ListQueuesOptions{Prefix: to.Ptr("ans"), Include: azqueue.ListQueuesInclude{Metadata: true}}).NextPage(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(page.Queues), *page.Queues[0].Name, *page.Queues[0].Metadata["a"]), nil
		}},
		{name: "put", ask: put("one <&> \u2603", nil)},
		{name: "put for ever", ask: put("two", life(-1, 0))},
		{name: "put hidden", ask: put("three", life(600, 300))},
		{name: "put hidden for longer than it lives", ask: put("x", life(5, 6))},
		{name: "put for no time", ask: put("x", life(0, 0)), differs: "Common REST API error codes: a query parameter outside the permissible range is OutOfRangeQueryParameterValue; Azurite answers InvalidQueryParameterValue"},
		{name: "put the largest", ask: put(strings.Repeat("x", 64<<10), nil)},
		{name: "put too large", ask: put(strings.Repeat("x", 64<<10+1), nil)},
		{name: "peek", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			r, err := q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: to.Ptr(int32(2))})
			return fmt.Sprint(len(r.Messages)), err
		})},
		{name: "peek too many", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: to.Ptr(int32(33))})
			return "done", err
		})},
		{name: "count", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			r, err := q.GetProperties(ctx, nil)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(*r.ApproximateMessagesCount, len(r.Metadata)), nil
		})},
		{name: "get, update, get the wrong way, delete", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			r, err := q.DequeueMessage(ctx, nil)
			if err != nil {
				return "", err
			}
			m := r.Messages[0]
			up, err := q.UpdateMessage(ctx, *m.MessageID, *m.PopReceipt, "changed", &azqueue.UpdateMessageOptions{VisibilityTimeout: to.Ptr(int32(30))})
			if err != nil {
				return "", err
			}
			_, bad := q.DeleteMessage(ctx, *m.MessageID, *m.PopReceipt, nil)
			var re *azcore.ResponseError
			if !errors.As(bad, &re) {
				return "", errors.New("an old receipt is taken")
			}
			_, err = q.DeleteMessage(ctx, *m.MessageID, *up.PopReceipt, nil)
			return fmt.Sprint(*m.MessageText, *m.DequeueCount, re.StatusCode, re.ErrorCode), err
		})},
		{name: "delete what is not there", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.DeleteMessage(ctx, "11111111-2222-3333-4444-555555555555", "AAAA", nil)
			return "done", err
		})},
		{name: "access policies", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			if _, err := q.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: []*azqueue.SignedIdentifier{{ID: to.Ptr("one"), AccessPolicy: &azqueue.AccessPolicy{Permission: to.Ptr("raup")}}}}); err != nil {
				return "", err
			}
			r, err := q.GetAccessPolicy(ctx, nil)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(r.SignedIdentifiers), *r.SignedIdentifiers[0].AccessPolicy.Permission), nil
		})},
		{name: "set metadata", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.SetMetadata(ctx, &azqueue.SetMetadataOptions{Metadata: map[string]*string{"n": to.Ptr("1")}})
			return "done", err
		})},
		{name: "clear", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.ClearMessages(ctx, nil)
			return "done", err
		})},
		{name: "peek nothing", ask: peek},
		{name: "delete the queue", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.Delete(ctx, nil)
			return "done", err
		})},
		{name: "delete it again", ask: on(func(ctx context.Context, q *azqueue.QueueClient) (string, error) {
			_, err := q.Delete(ctx, nil)
			return "done", err
		})},
		{name: "put into nothing", ask: put("x", nil)},
	}
}
