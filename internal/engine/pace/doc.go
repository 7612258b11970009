// Package pace keeps requests to each host at the speed that its service takes. It works
// on single tries of HTTP requests, as a policy of the azcore pipeline, and in three ways:
//
//   - Known limits: a plugin.Limit allows so many requests in a span of time. A request
//     that would go over waits before it is sent. A place is free again one span after
//     the answer came, not after the request went, so that the service, whose clock runs
//     between the two, never counts more than the limit.
//   - Learnt limits: the number of requests at once starts at Options.PerHost, halves when
//     the host answers 429 or 503, and grows by one for each full round of good answers.
//   - Pauses: Retry-After stops all requests to that host, not just the one refused.
//
// A request that waits gives its worker back meanwhile, see WithSlot: a slow service
// does not hold up a fast one.
package pace
