package azurite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/plugin"
)

func (s *server) queues(t *testing.T, name string) *azqueue.ServiceClient {
	t.Helper()
	cred, err := azqueue.NewSharedKeyCredential(name, accountKey)
	must(t, err)
	c, err := azqueue.NewServiceClientWithSharedKeyCredential("https://"+name+".queue.core.windows.net/", cred, &azqueue.ClientOptions{ClientOptions: s.options()})
	must(t, err)
	return c
}

// manyMessages is more than peeking shows.
const manyMessages = 70

func seedQueues(t *testing.T, s *azqueue.ServiceClient) {
	t.Helper()
	ctx := t.Context()
	_, err := s.CreateQueue(ctx, "orders", &azqueue.CreateOptions{Metadata: map[string]*string{"team": to("sales"), "note": to("a=b; c")}})
	must(t, err)
	orders := s.NewQueueClient("orders")
	_, err = orders.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: []*azqueue.SignedIdentifier{
		{ID: to("adders"), AccessPolicy: &azqueue.AccessPolicy{
			Start: to(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Expiry: to(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)), Permission: to("raup"),
		}},
	}})
	must(t, err)
	for _, m := range []struct {
		text string
		ttl  int32
	}{{"<one>&\u2603", 3600}, {"for ever", -1}, {"twice", 3600}, {"twice", 3600}, {strings.Repeat("x", 64<<10), 3600}} {
		_, err := orders.EnqueueMessage(ctx, m.text, &azqueue.EnqueueMessageOptions{TimeToLive: &m.ttl})
		must(t, err)
	}
	for _, name := range []string{"empty", "many"} {
		_, err := s.CreateQueue(ctx, name, nil)
		must(t, err)
	}
	for i := range manyMessages {
		_, err := s.NewQueueClient("many").EnqueueMessage(ctx, fmt.Sprintf("message %03d", i), &azqueue.EnqueueMessageOptions{TimeToLive: to(int32(-1))})
		must(t, err)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	s := start(t)
	from, at := s.queues(t, source), s.queues(t, target)
	seedQueues(t, from)
	// Messages that peeking does not show are got, which hides them at the source for a while:
	// it is not done a second time to prove them.
	s.replicate(t, plugin.Settings{"parts": "queues", "messages": "get"}, 6, 1)
	want, got := queueLines(t, from), queueLines(t, at)
	for i := range manyMessages {
		want = append(want, fmt.Sprintf("many %q for ever", fmt.Sprintf("message %03d", i)))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3+5+manyMessages {
		t.Errorf("%d lines, and the accounts differ (-source +target):\n%s", len(got), diff)
	}
	p, err := from.NewQueueClient("many").GetProperties(t.Context(), nil)
	if err != nil || *p.ApproximateMessagesCount != manyMessages {
		t.Errorf("the source has %s messages, %v", text(p.ApproximateMessagesCount), err)
	}
}

// queueLines is an account as the SDK alone shows it: one line for each queue and message.
// It takes the messages out of the queues, after which they cannot be seen for a while.
func queueLines(t *testing.T, s *azqueue.ServiceClient) []string {
	t.Helper()
	ctx := t.Context()
	var out []string
	for pages := s.NewListQueuesPager(&azqueue.ListQueuesOptions{Include: azqueue.ListQueuesInclude{Metadata: true}}); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range page.Queues {
			c := s.NewQueueClient(*q.Name)
			acl, err := c.GetAccessPolicy(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			line := "queue " + *q.Name + " " + metadata(q.Metadata)
			for _, p := range acl.SignedIdentifiers {
				line += fmt.Sprintf(" %s %v %v %v", *p.ID, text(p.AccessPolicy.Start), text(p.AccessPolicy.Expiry), text(p.AccessPolicy.Permission))
			}
			out = append(append(out, line), messages(t, c, *q.Name)...)
		}
	}
	return out
}

// messages are those of a queue in their order of text, with how long they live: for ever,
// or about an hour.
func messages(t *testing.T, c *azqueue.QueueClient, name string) []string {
	t.Helper()
	var out []string
	for {
		r, err := c.DequeueMessages(t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: to(int32(32)), VisibilityTimeout: to(int32(600))})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Messages) == 0 {
			slices.Sort(out)
			return out
		}
		for _, m := range r.Messages {
			life := "for ever"
			if left := time.Until(*m.ExpirationTime); left < 2*time.Hour && left > 50*time.Minute {
				life = "for an hour"
			} else if left < 1000*time.Hour {
				life = left.String()
			}
			out = append(out, fmt.Sprintf("%s %q %s", name, *m.MessageText, life))
		}
	}
}
