package pace_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// writes is Key Vault's limit for writes, as a plugin would declare it.
var writes = plugin.Limit{
	Name: "writes", Host: "*.vault.*", Count: 300, Per: 10 * time.Second,
	Requests: []string{"PUT /secrets/*", "POST /certificates/*/import", "PUT /keys/*"},
	Source:   "Azure Key Vault service limits",
}

// service is an HTTP server in the bubble's time. It refuses what goes over a limit in a
// sliding window, as seen by its own clock: half of the latency after the request went.
type service struct {
	limit   int
	per     time.Duration
	latency func() time.Duration

	mu       sync.Mutex
	seen     []time.Time
	refused  int
	atWork   int
	mostWork int
}

func (s *service) Do(req *http.Request) (*http.Response, error) {
	l := s.latency()
	time.Sleep(l / 2)
	resp := s.answer(req)
	time.Sleep(l - l/2)
	s.mu.Lock()
	s.atWork--
	s.mu.Unlock()
	return resp, nil
}

func (s *service) answer(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atWork++
	s.mostWork = max(s.mostWork, s.atWork)
	now := time.Now()
	for len(s.seen) > 0 && now.Sub(s.seen[0]) >= s.per {
		s.seen = s.seen[1:]
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
	if s.limit > 0 && len(s.seen) >= s.limit {
		s.refused++
		resp.StatusCode = http.StatusTooManyRequests
		left := s.per - now.Sub(s.seen[0])
		resp.Header.Set("Retry-After", strconv.Itoa(int((left+time.Second-1)/time.Second)))
		return resp
	}
	s.seen = append(s.seen, now)
	return resp
}

// client sends requests through a pipeline that has the limiter's policy.
func client(t testing.TB, l *pace.Limiter, transport policy.Transporter) runtime.Pipeline {
	t.Helper()
	return runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, &policy.ClientOptions{
		Transport:        transport,
		PerRetryPolicies: []policy.Policy{l.Policy(plugin.Target)},
	})
}

func send(ctx context.Context, p runtime.Pipeline, method, url string) (int, error) {
	req, err := runtime.NewRequest(ctx, method, url)
	if err != nil {
		return 0, err
	}
	resp, err := p.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

func limiter(t testing.TB, opt pace.Options) *pace.Limiter {
	t.Helper()
	l, err := pace.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// flood sends n requests with so many workers and returns how many were not answered 200.
func flood(t testing.TB, p runtime.Pipeline, workers, n int, method, url string) (bad int64) {
	t.Helper()
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				if status, err := send(t.Context(), p, method, url); err != nil || status != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return failed.Load()
}

func TestKnownLimitIsKeptAndUsed(t *testing.T) {
	t.Parallel()
	for name, latency := range map[string]func() time.Duration{
		"even":   func() time.Duration { return 20 * time.Millisecond },
		"uneven": func() time.Duration { return time.Millisecond + rand.N(200*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{limit: 300, per: 10 * time.Second, latency: latency}
				p := client(t, limiter(t, pace.Options{Limits: []plugin.Limit{writes}}), s)
				start := time.Now()
				bad := flood(t, p, 16, 3000, http.MethodPut, "https://kv1.vault.azure.net/secrets/a?api-version=7.6")
				// The limit lets 300 through at once and 300 more every 10 s.
				if took, least := time.Since(start), 90*time.Second; bad != 0 || s.refused != 0 || float64(took) > 1.15*float64(least) {
					t.Errorf("%d refused, %d failed; took %s of at least %s", s.refused, bad, took, least)
				}
			})
		})
	}
}

func TestOtherRequestsAndHostsAreNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: func() time.Duration { return time.Millisecond }}
		p := client(t, limiter(t, pace.Options{Limits: []plugin.Limit{writes}}), s)
		start := time.Now()
		flood(t, p, 16, 300, http.MethodPut, "https://kv1.vault.azure.net/secrets/a")
		flood(t, p, 16, 1000, http.MethodGet, "https://kv1.vault.azure.net/secrets/a")
		flood(t, p, 16, 1000, http.MethodPatch, "https://kv1.vault.azure.net/secrets/a/0123")
		flood(t, p, 16, 300, http.MethodPut, "https://kv2.vault.azure.net/secrets/a")
		flood(t, p, 16, 1000, http.MethodPut, "https://management.azure.com/secrets/a")
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %s: requests were counted that the limit does not name", took)
		}
		flood(t, p, 1, 1, http.MethodPost, "https://KV1.vault.azure.net/certificates/c/import")
		if took := time.Since(start); took < 9*time.Second {
			t.Errorf("took %s: the 301st write was not held back", took)
		}
	})
}

func TestThrottlingHalvesAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var slowed []int
		var mu sync.Mutex
		l := limiter(t, pace.Options{PerHost: 32, Slowed: func(side plugin.Side, host string, pause time.Duration, atOnce int) {
			mu.Lock()
			defer mu.Unlock()
			if side != plugin.Target || host != "acct.table.core.windows.net" || pause <= 0 {
				t.Errorf("slowed: %s %s %s", side, host, pause)
			}
			slowed = append(slowed, atOnce)
		}})
		// An unknown limit: 50 requests a second.
		s := &service{limit: 50, per: time.Second, latency: func() time.Duration { return 20 * time.Millisecond }}
		p := client(t, l, s)
		start := time.Now()
		bad := flood(t, p, 32, 3000, http.MethodGet, "https://acct.table.core.windows.net/t")
		took := time.Since(start)
		if took > 90*time.Second {
			t.Errorf("3000 requests at 50 a second took %s (%d refused, %d failed)", took, s.refused, bad)
		}
		if len(slowed) == 0 || slowed[0] != 16 || bad > 30 {
			t.Errorf("slowed to %v, %d failed", slowed, bad)
		}
		s.limit, s.mostWork = 0, 0
		flood(t, p, 32, 3000, http.MethodGet, "https://acct.table.core.windows.net/t")
		if s.mostWork != 32 {
			t.Errorf("at most %d requests at once after the jam, want 32 again", s.mostWork)
		}
	})
}

func TestPauseHoldsTheHostAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, pace.Options{})
		done, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/")
		if err != nil {
			t.Fatal(err)
		}
		done(pace.Answer{Sent: true, Throttled: true, RetryAfter: 30 * time.Second})
		for _, tt := range []struct {
			side plugin.Side
			host string
			wait time.Duration
		}{
			{plugin.Target, "b.example", 0},
			{plugin.Source, "a.example", 0},
			{plugin.Target, "a.example", 30 * time.Second},
		} {
			start := time.Now()
			done, err := l.Wait(t.Context(), tt.side, "GET", tt.host, "/")
			if err != nil || time.Since(start) != tt.wait {
				t.Errorf("%s %s waited %s, %v; want %s", tt.side, tt.host, time.Since(start), err, tt.wait)
				continue
			}
			done(pace.Answer{Sent: true})
		}
	})
}

func TestLongPauseFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, pace.Options{})
		done, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/")
		if err != nil {
			t.Fatal(err)
		}
		done(pace.Answer{Sent: true, Throttled: true, RetryAfter: time.Hour})
		s := &service{latency: func() time.Duration { return 0 }}
		start := time.Now()
		_, err = send(t.Context(), client(t, l, s), http.MethodGet, "https://a.example/")
		if errs.KindOf(err) != errs.Throttled || errs.RetryAfter(err) != time.Hour || time.Since(start) != 0 {
			t.Errorf("err = %v after %s, want a throttle of one hour at once", err, time.Since(start))
		}
		if len(s.seen) != 0 {
			t.Error("the request was sent")
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	synctest.Test(t, func(t *testing.T) {
		for name, opt := range map[string]pace.Options{
			"host":   {PerHost: 1},
			"global": {Global: 1},
			"rule":   {Limits: []plugin.Limit{{Name: "one", Host: "*", Count: 1, Per: time.Hour}}},
		} {
			l := limiter(t, opt)
			done, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Minute, func() { cancel(stop) })
			if _, err := l.Wait(ctx, plugin.Target, "GET", "a.example", "/"); !errors.Is(err, stop) {
				t.Errorf("%s: err = %v", name, err)
			}
			done(pace.Answer{})
			if done, err = l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/"); err != nil {
				t.Fatal(err)
			}
			done(pace.Answer{})
		}
	})
}

// slot counts who leaves and returns.
type slot struct{ left, returned atomic.Int64 }

func (s *slot) Leave() { s.left.Add(1) }

func (s *slot) Return(ctx context.Context) error {
	s.returned.Add(1)
	return ctx.Err()
}

func TestWaitingRequestLeavesItsWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, pace.Options{PerHost: 1})
		var s slot
		ctx := pace.WithSlot(t.Context(), &s)
		first, err := l.Wait(ctx, plugin.Target, "GET", "a.example", "/")
		if err != nil || s.left.Load() != 0 {
			t.Fatalf("err = %v, left %d times without waiting", err, s.left.Load())
		}
		time.AfterFunc(time.Minute, func() {
			if s.left.Load() != 1 || s.returned.Load() != 0 {
				t.Errorf("left %d, returned %d while waiting", s.left.Load(), s.returned.Load())
			}
			first(pace.Answer{Sent: true})
		})
		second, err := l.Wait(ctx, plugin.Target, "GET", "a.example", "/")
		if err != nil || s.left.Load() != 1 || s.returned.Load() != 1 {
			t.Fatalf("err = %v, left %d, returned %d", err, s.left.Load(), s.returned.Load())
		}
		second(pace.Answer{Sent: true})
	})
}

func TestFailedReturnGivesThePlaceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, pace.Options{PerHost: 1})
		first, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/")
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { first(pace.Answer{Sent: true}) })
		if _, err := l.Wait(pace.WithSlot(t.Context(), gone{}), plugin.Target, "GET", "a.example", "/"); !errors.Is(err, errGone) {
			t.Errorf("err = %v", err)
		}
		if _, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/"); err != nil {
			t.Error(err)
		}
	})
}

var errGone = errors.New("gone")

type gone struct{}

func (gone) Leave()                       {}
func (gone) Return(context.Context) error { return errGone }

func TestLimitsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]plugin.Limit{
		"no count":    {Host: "*", Per: time.Second},
		"no span":     {Host: "*", Count: 1},
		"no host":     {Count: 1, Per: time.Second},
		"bad host":    {Host: "[", Count: 1, Per: time.Second},
		"no path":     {Host: "*", Count: 1, Per: time.Second, Requests: []string{"PUT"}},
		"no method":   {Host: "*", Count: 1, Per: time.Second, Requests: []string{" /a"}},
		"bad pattern": {Host: "*", Count: 1, Per: time.Second, Requests: []string{"PUT /["}},
	} {
		if _, err := pace.New(pace.Options{Limits: []plugin.Limit{l}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			status        int
			header, value string
			wait          time.Duration
		}{
			"seconds":          {429, "Retry-After", "7", 7 * time.Second},
			"milliseconds":     {503, "x-ms-retry-after-ms", "250", 250 * time.Millisecond},
			"date":             {429, "Retry-After", "date", 9 * time.Second},
			"nonsense":         {429, "Retry-After", "soon", 0},
			"not a throttling": {500, "Retry-After", "7", 0},
		} {
			if tt.value == "date" { // which has whole seconds
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				tt.value = time.Now().Add(tt.wait).UTC().Format(http.TimeFormat)
			}
			l := limiter(t, pace.Options{})
			answer := transport(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: tt.status, Header: http.Header{http.CanonicalHeaderKey(tt.header): {tt.value}}, Body: http.NoBody, Request: r}, nil
			})
			p := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, &policy.ClientOptions{
				Transport: answer, Retry: policy.RetryOptions{MaxRetries: -1}, PerRetryPolicies: []policy.Policy{l.Policy(plugin.Source)},
			})
			if _, err := send(t.Context(), p, http.MethodGet, "https://a.example/"); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := l.Wait(t.Context(), plugin.Source, "GET", "a.example", "/"); err != nil || time.Since(start) != tt.wait {
				t.Errorf("%s: the next request waited %s, %v; want %s", name, time.Since(start), err, tt.wait)
			}
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequestWithoutAnswerCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, pace.Options{Limits: []plugin.Limit{{Name: "one", Host: "a.*", Count: 1, Per: time.Minute}}})
		p := client(t, l, transport(func(*http.Request) (*http.Response, error) { return nil, context.Canceled }))
		ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: -1})
		if _, err := send(ctx, p, http.MethodGet, "https://a.example/"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := l.Wait(t.Context(), plugin.Target, "GET", "a.example", "/"); err != nil || time.Since(start) != time.Minute {
			t.Errorf("waited %s, %v", time.Since(start), err)
		}
	})
}

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	p := enginetest.New(enginetest.NewWorld(), "fake", "Test/vaults")
	p.About.Limits = []plugin.Limit{writes}
	r, err := plugin.NewRegistry(p, enginetest.New(enginetest.NewWorld(), "other", "Test/others"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]plugin.Limit{writes}, pace.LimitsOf(r)); diff != "" {
		t.Error(diff)
	}
}
