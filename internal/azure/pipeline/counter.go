package pipeline

import (
	"maps"
	"sync"
)

// Counter counts requests by host. The zero Counter is ready for use, also concurrently.
type Counter struct {
	mu    sync.Mutex
	hosts map[string]Counts // mu guards hosts
}

// Counts are the numbers of one host. A retried request counts once for each try.
type Counts struct {
	Requests  int64 `json:"requests"`
	Retries   int64 `json:"retries"`   // tries after the first
	Throttled int64 `json:"throttled"` // answers 429, and 503 with Retry-After
	Failed    int64 `json:"failed"`    // tries that got no answer at all
}

// Add sums two counts.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Requests + o.Requests, c.Retries + o.Retries, c.Throttled + o.Throttled, c.Failed + o.Failed}
}

// Hosts returns the counts so far by host name.
func (c *Counter) Hosts() map[string]Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.hosts)
}

// Total returns the counts so far over all hosts.
func (c *Counter) Total() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum Counts
	for _, n := range c.hosts {
		sum = sum.Add(n)
	}
	return sum
}

func (c *Counter) add(host string, n Counts) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hosts == nil {
		c.hosts = map[string]Counts{}
	}
	c.hosts[host] = c.hosts[host].Add(n)
}
