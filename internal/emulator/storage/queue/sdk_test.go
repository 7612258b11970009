package queue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue"
)

const host = "https://acct.queue.core.windows.net/"

func newLab(tb testing.TB, l **kittest.Lab, opt queue.Options) (*azqueue.ServiceClient, *queue.Server) {
	tb.Helper()
	opt.Clock = func() time.Time { return (*l).Now() }
	s := queue.New(opt)
	*l = kittest.New(tb, map[kit.Kind]kit.Server{kit.Queue: s})
	c, err := azqueue.NewServiceClientWithNoCredential(host, &azqueue.ClientOptions{ClientOptions: (*l).Options()})
	check(tb, err)
	return c, s
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantCode(tb testing.TB, err error, status int, code string) {
	tb.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.StatusCode != status || re.ErrorCode != code {
		tb.Errorf("error is %v, want %d %s", err, status, code)
	}
}

func TestQueuesLifecycle(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	svc, s := newLab(t, &l, queue.Options{})
	ctx := t.Context()
	md := map[string]*string{"team": to.Ptr("a b"), "tier": to.Ptr("1")}
	for _, n := range []string{"work", "work-poison", "zz9"} {
		_, err := svc.CreateQueue(ctx, n, &azqueue.CreateOptions{Metadata: md})
		check(t, err)
	}
	_, err := svc.CreateQueue(ctx, "work", &azqueue.CreateOptions{Metadata: md})
	check(t, err) // the same metadata: 204
	_, err = svc.CreateQueue(ctx, "work", nil)
	wantCode(t, err, 409, "QueueAlreadyExists")
	for name, code := range map[string]string{"ab": "OutOfRangeInput", "Work": "InvalidResourceName", "a--b": "InvalidResourceName", "-ab": "InvalidResourceName", "ab-": "InvalidResourceName"} {
		_, err = svc.CreateQueue(ctx, name, nil)
		wantCode(t, err, 400, code)
	}
	var got []string
	for p := svc.NewListQueuesPager(&azqueue.ListQueuesOptions{Prefix: to.Ptr("work"), MaxResults: to.Ptr(int32(1)), Include: azqueue.ListQueuesInclude{Metadata: true}}); p.More(); {
		page, err := p.NextPage(ctx)
		check(t, err)
		for _, q := range page.Queues {
			got = append(got, *q.Name+"="+*q.Metadata["team"])
		}
	}
	if want := []string{"work=a b", "work-poison=a b"}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	q := svc.NewQueueClient("work")
	_, err = q.SetMetadata(ctx, &azqueue.SetMetadataOptions{Metadata: map[string]*string{"only": to.Ptr("x")}})
	check(t, err)
	props, err := q.GetProperties(ctx, nil)
	check(t, err)
	if len(props.Metadata) != 1 || *props.ApproximateMessagesCount != 0 {
		t.Errorf("properties: %v %d", props.Metadata, *props.ApproximateMessagesCount)
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, err = q.SetAccessPolicy(ctx, &azqueue.SetAccessPolicyOptions{QueueACL: []*azqueue.SignedIdentifier{{ID: to.Ptr("p"), AccessPolicy: &azqueue.AccessPolicy{Start: &start, Expiry: to.Ptr(start.AddDate(1, 0, 0)), Permission: to.Ptr("raup")}}}})
	check(t, err)
	pol, err := q.GetAccessPolicy(ctx, nil)
	check(t, err)
	if len(pol.SignedIdentifiers) != 1 || *pol.SignedIdentifiers[0].AccessPolicy.Permission != "raup" {
		t.Errorf("policies: %v", pol.SignedIdentifiers)
	}
	if ps, ok := s.Policies(kittest.Account("acct").ID, "work"); !ok || !ps[0].Start.Equal(start) || s.Public("", "") != "" {
		t.Errorf("policies behind the wire: %v", ps)
	}
	_, err = svc.DeleteQueue(ctx, "work", nil)
	check(t, err)
	_, err = q.GetProperties(ctx, nil)
	wantCode(t, err, 404, "QueueNotFound")
	_, err = q.Delete(ctx, nil)
	wantCode(t, err, 404, "QueueNotFound")
}

func TestMessages(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	svc, _ := newLab(t, &l, queue.Options{})
	ctx := t.Context()
	_, err := svc.CreateQueue(ctx, "work", nil)
	check(t, err)
	q := svc.NewQueueClient("work")
	first, err := q.EnqueueMessage(ctx, "one <&> ☃", &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))})
	check(t, err)
	_, err = q.EnqueueMessage(ctx, "two", &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(60))})
	check(t, err)
	_, err = q.EnqueueMessage(ctx, "hidden", &azqueue.EnqueueMessageOptions{VisibilityTimeout: to.Ptr(int32(600))})
	check(t, err)
	if at := *first.Messages[0].ExpirationTime; at.Year() != 9999 {
		t.Errorf("a message that never expires expires %s", at)
	}
	peeked, err := q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: to.Ptr(int32(32))})
	check(t, err)
	var texts []string
	for _, m := range peeked.Messages {
		texts = append(texts, *m.MessageText)
	}
	if diff := cmp.Diff([]string{"one <&> ☃", "two"}, texts); diff != "" {
		t.Errorf("peeked (-want +got):\n%s", diff)
	}
	got, err := q.DequeueMessage(ctx, nil)
	check(t, err)
	m := got.Messages[0]
	if *m.DequeueCount != 1 || !m.TimeNextVisible.Equal(kittest.Start.Add(30*time.Second)) || *m.PopReceipt == *first.Messages[0].PopReceipt {
		t.Errorf("taken: %+v", m)
	}
	_, err = q.DeleteMessage(ctx, *m.MessageID, *first.Messages[0].PopReceipt, nil)
	wantCode(t, err, 400, "PopReceiptMismatch")
	_, err = q.DeleteMessage(ctx, *m.MessageID, "%%%", nil)
	wantCode(t, err, 400, "InvalidQueryParameterValue")
	up, err := q.UpdateMessage(ctx, *m.MessageID, *m.PopReceipt, "one changed", &azqueue.UpdateMessageOptions{VisibilityTimeout: to.Ptr(int32(5))})
	check(t, err)
	l.Advance(5 * time.Second)
	again, err := q.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{NumberOfMessages: to.Ptr(int32(5)), VisibilityTimeout: to.Ptr(int32(1))})
	check(t, err)
	if len(again.Messages) != 2 || *again.Messages[1].MessageText != "one changed" || *again.Messages[1].DequeueCount != 2 {
		t.Errorf("taken again: %d", len(again.Messages))
	}
	_, err = q.DeleteMessage(ctx, *m.MessageID, *up.PopReceipt, nil)
	wantCode(t, err, 400, "PopReceiptMismatch")
	_, err = q.DeleteMessage(ctx, *m.MessageID, *again.Messages[1].PopReceipt, nil)
	check(t, err)
	_, err = q.UpdateMessage(ctx, *again.Messages[0].MessageID, *again.Messages[0].PopReceipt, "", &azqueue.UpdateMessageOptions{VisibilityTimeout: to.Ptr(int32(600))})
	wantCode(t, err, 400, "OutOfRangeQueryParameterValue") // it would expire hidden
	l.Advance(60 * time.Second)
	props, err := q.GetProperties(ctx, nil)
	check(t, err)
	if *props.ApproximateMessagesCount != 1 {
		t.Errorf("%d messages after one was deleted and one expired", *props.ApproximateMessagesCount)
	}
	_, err = q.DeleteMessage(ctx, *m.MessageID, *again.Messages[1].PopReceipt, nil)
	wantCode(t, err, 404, "MessageNotFound")
	_, err = q.ClearMessages(ctx, nil)
	check(t, err)
	_, err = q.EnqueueMessage(ctx, strings.Repeat("x", 64<<10), nil)
	check(t, err)
	_, err = q.EnqueueMessage(ctx, strings.Repeat("x", 64<<10+1), nil)
	wantCode(t, err, 413, "RequestBodyTooLarge")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	svc, s := newLab(t, &l, queue.Options{})
	ctx := t.Context()
	_, err := svc.SetProperties(ctx, &azqueue.SetPropertiesOptions{Logging: &azqueue.Logging{Version: to.Ptr("1.0"), Read: to.Ptr(true), Write: to.Ptr(false), Delete: to.Ptr(false), RetentionPolicy: &azqueue.RetentionPolicy{Enabled: to.Ptr(true), Days: to.Ptr(int32(3))}}})
	check(t, err)
	got, err := svc.GetServiceProperties(ctx, nil)
	check(t, err)
	if !*got.Logging.Read || *got.Logging.RetentionPolicy.Days != 3 || !*got.HourMetrics.Enabled {
		t.Errorf("settings: %+v", got.StorageServiceProperties)
	}
	_, err = svc.GetStatistics(ctx, nil)
	wantCode(t, err, 400, "InvalidQueryParameterValue")
	if objs, err := s.Objects(kittest.Account("acct")); err != nil || len(objs) != 1 || objs[0].Kind != "queueService" {
		t.Errorf("objects: %v %v", objs, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	svc, _ := newLab(t, &l, queue.Options{})
	_, err := svc.CreateQueue(t.Context(), "work", nil)
	check(t, err)
	tests := []struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		{"POST", "work/messages?messagettl=0", "<QueueMessage><MessageText>a</MessageText></QueueMessage>", nil, 400, "OutOfRangeQueryParameterValue"},
		{"POST", "work/messages?messagettl=-1", "<QueueMessage><MessageText>a</MessageText></QueueMessage>", []string{"x-ms-version", "2016-05-31"}, 400, "OutOfRangeQueryParameterValue"},
		{"POST", "work/messages?messagettl=5&visibilitytimeout=5", "<QueueMessage><MessageText>a</MessageText></QueueMessage>", nil, 400, "InvalidQueryParameterValue"},
		{"POST", "work/messages?visibilitytimeout=604801", "<QueueMessage><MessageText>a</MessageText></QueueMessage>", nil, 400, "OutOfRangeQueryParameterValue"},
		{"POST", "work/messages", "", nil, 400, "InvalidXmlDocument"},
		{"POST", "work/messages", "<QueueMessage>", nil, 400, "InvalidXmlDocument"},
		{"POST", "work/messages", "<QueueMessage/>", nil, 400, "MissingRequiredXmlNode"},
		{"POST", "work/messages", strings.Repeat("x", 600<<10), nil, 413, "RequestBodyTooLarge"},
		{"POST", "none/messages", "<QueueMessage><MessageText>a</MessageText></QueueMessage>", nil, 404, "QueueNotFound"},
		{"GET", "work/messages?numofmessages=33", "", nil, 400, "OutOfRangeQueryParameterValue"},
		{"GET", "work/messages?numofmessages=x", "", nil, 400, "InvalidQueryParameterValue"},
		{"GET", "work/messages?visibilitytimeout=0", "", nil, 400, "OutOfRangeQueryParameterValue"},
		{"GET", "work/messages?peekonly=true&numofmessages=0", "", nil, 400, "OutOfRangeQueryParameterValue"},
		{"PUT", "work/messages/1?popreceipt=AAAA", "", nil, 400, "MissingRequiredQueryParameter"},
		{"PUT", "work/messages/1?visibilitytimeout=1", "", nil, 400, "MissingRequiredQueryParameter"},
		{"PUT", "work/messages/1?visibilitytimeout=1&popreceipt=AAAA", "", nil, 404, "MessageNotFound"},
		{"DELETE", "work/messages/1", "", nil, 400, "MissingRequiredQueryParameter"},
		{"PATCH", "work", "", nil, 405, "UnsupportedHttpVerb"},
		{"GET", "work/other", "", nil, 400, "InvalidUri"},
		{"GET", "?comp=list&maxresults=5001", "", nil, 400, "OutOfRangeQueryParameterValue"},
		{"PUT", "work?comp=metadata", "", []string{"x-ms-meta-a-b", "1"}, 400, "InvalidMetadata"},
		{"PUT", "work?comp=metadata", "", []string{"x-ms-meta-a", strings.Repeat("x", 8<<10)}, 400, "MetadataTooLarge"},
		{"PUT", "work?comp=acl", "<x", nil, 400, "InvalidXmlDocument"},
		{"PUT", "?restype=service&comp=properties", "<x", nil, 400, "InvalidXmlDocument"},
	}
	for _, tc := range tests {
		h := append([]string{"x-ms-version", "2026-02-06"}, tc.header...)
		if a := l.Do(t, tc.method, host+tc.path, tc.body, h...); a.Status != tc.status || a.Header.Get("x-ms-error-code") != tc.code {
			t.Errorf("%s %s: %d %s, want %d %s", tc.method, tc.path, a.Status, a.Body, tc.status, tc.code)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	svc, _ := newLab(t, &l, queue.Options{})
	_, err := svc.CreateQueue(t.Context(), "work", nil)
	check(t, err)
	tests := []struct{ method, path, want string }{
		{"GET", "?comp=list", "queues/read|l|s"},
		{"GET", "?comp=properties&restype=service", "read|r|s"},
		{"PUT", "work", "queues/write|cw|c"},
		{"GET", "work?comp=metadata", "queues/read|r|c"},
		{"PUT", "work?comp=metadata", "queues/write|w|c"},
		{"GET", "work?comp=acl", "queues/getAcl/action||c"},
		{"PUT", "work?comp=acl", "queues/setAcl/action||c"},
		{"POST", "work/messages", "queues/messages/add/action,queues/messages/write|a|o"},
		{"GET", "work/messages", "queues/messages/process/action,queues/messages/read|p|o queues/messages/process/action,queues/messages/delete|p|o"},
		{"GET", "work/messages?peekonly=true", "queues/messages/read|r|o"},
		{"DELETE", "work/messages", "queues/messages/delete|d|o"},
		{"PUT", "work/messages/1", "queues/messages/write|u|o"},
		{"DELETE", "work/messages/1", "queues/messages/process/action,queues/messages/delete|p|o"},
		{"DELETE", "work", "queues/delete|d|c"},
	}
	for _, tc := range tests {
		l.Needs()
		l.Do(t, tc.method, host+tc.path, "")
		var got []string
		for _, n := range l.Needs() {
			got = append(got, strings.ReplaceAll(strings.Join(n.Actions, ","), "Microsoft.Storage/storageAccounts/queueServices/", "")+"|"+n.Letters+"|"+n.Type)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s %s asks for %v, want %s", tc.method, tc.path, got, tc.want)
		}
	}
	l.Deny(func(kit.Need) bool { return true })
	for _, tc := range tests {
		if a := l.Do(t, tc.method, host+tc.path, ""); a.Status != 403 || a.Header.Get("x-ms-error-code") != "AuthorizationPermissionMismatch" {
			t.Errorf("%s %s without rights: %d", tc.method, tc.path, a.Status)
		}
	}
}

func TestSeedAndLimits(t *testing.T) {
	t.Parallel()
	var l *kittest.Lab
	_, s := newLab(t, &l, queue.Options{Limits: true})
	acct := kittest.Account("acct")
	data := `{"tables":1,"queues":[{"name":"work","metadata":{"Team":"a"},"policies":[{"id":"p","permission":"r"}],
		"messages":[{"text":"first","ttl":-1},{"text":"second","hidden":60}],"generate":{"count":3,"bytes":12,"seed":1}}]}`
	check(t, s.Seed(acct, []byte(data), kittest.Start))
	objs, err := s.Objects(acct)
	check(t, err)
	if len(objs) != 6 || objs[0].Fields["metadata"] != "team=a" || objs[0].Fields["messages"] != "5" || objs[1].Fields["text"] != "first" || objs[2].Fields["visible"] != "2026-03-01T12:01:00Z" || len(objs[3].Fields["text"]) != 12 {
		t.Errorf("objects: %v", objs)
	}
	for _, bad := range []string{`{"queues":[{"nam":1}]}`, `{"queues":[{"name":"A"}]}`, `{"queues":5}`, `{"queues":[{"name":"abc","metadata":{"a-b":""}}]}`, `{"queues":[{"name":"abc","policies":[{"id":"x","permission":"q"}]}]}`, `{"queues":[{"name":"abc","messages":[{"text":"` + strings.Repeat("x", 64<<10+1) + `"}]}]}`} {
		if s.Seed(acct, []byte(bad), kittest.Start) == nil {
			t.Errorf("%.60s is taken", bad)
		}
	}
	status := 0
	for i := 0; i <= 2000 && status != 503; i++ {
		status = l.Do(t, "GET", host+"work/messages?peekonly=true", "").Status
	}
	if status != 503 {
		t.Errorf("the 2,001st message of a second is answered with %d", status)
	}
	s.Drop(acct.ID)
	if objs, err := s.Objects(acct); err != nil || len(objs) != 0 {
		t.Errorf("objects of a dropped account: %v %v", objs, err)
	}
}
