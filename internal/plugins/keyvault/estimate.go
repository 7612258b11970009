package keyvault

import (
	"context"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The service's limits for one vault in one region, per second; the service counts over
// 10 seconds: https://learn.microsoft.com/azure/key-vault/general/service-limits.
const (
	writesPerSecond     = 30  // setting secrets and importing certificates, together
	keyCreatesPerSecond = 2   // creating software keys; HSM keys: half of that
	readsPerSecond      = 400 // everything else
)

// Estimate implements plugin.Estimator. It counts by listing names, so the number of
// items is exact; the duration is what the service's limits allow for a first run.
func (p *Plugin) Estimate(ctx context.Context, src plugin.Endpoint, mode plugin.Mode) (plugin.Estimate, error) {
	c, err := p.cache.For(src)
	if err != nil {
		return plugin.Estimate{}, classify.Error("count the items", plugin.Source, src.Resource.ID, "", err)
	}
	count := map[string]int64{}
	est := plugin.Estimate{Exact: true}
	for _, l := range listings {
		for _, err := range l.items(ctx, c) {
			if err != nil {
				return plugin.Estimate{}, classify.Error("count "+l.plural(), plugin.Source, src.Resource.ID, "", err)
			}
			count[l.kind]++
			est.Items++
		}
	}
	writes := count[kindSecret]
	if mode == plugin.Replication {
		writes += count[kindCertificate]
	}
	rest := est.Items - writes - count[kindKey] // read at both sides and written by other operations
	est.Duration = perSecond(writes, writesPerSecond) + perSecond(count[kindKey], keyCreatesPerSecond) + perSecond(3*rest, readsPerSecond)
	return est, nil
}

// perSecond is how long n operations take at a rate.
func perSecond(n, rate int64) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(rate)
}
