package pace

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// rule counts the requests of one limit to one host.
type rule struct {
	limit  plugin.Limit
	atWork int
	ended  []time.Time // when the requests of the last span ended, oldest first
}

// free tells whether the rule has a place, and if not, after how long it may have one;
// 0: not before a request ends.
func (r *rule) free(now time.Time) (ok bool, after time.Duration) {
	old := 0
	for old < len(r.ended) && now.Sub(r.ended[old]) >= r.limit.Per {
		old++
	}
	r.ended = r.ended[old:]
	switch {
	case r.atWork+len(r.ended) < r.limit.Count:
		return true, 0
	case len(r.ended) == 0:
		return false, 0
	}
	return false, r.limit.Per - now.Sub(r.ended[0])
}

func (r *rule) leave(now time.Time, sent bool) {
	r.atWork--
	if sent {
		r.ended = append(r.ended, now)
	}
}

// check refuses a limit that cannot be kept.
func check(l plugin.Limit) error {
	switch {
	case l.Count < 1:
		return fmt.Errorf("count %d is less than 1", l.Count)
	case l.Per <= 0:
		return fmt.Errorf("span %s is not longer than 0", l.Per)
	}
	if _, err := path.Match(l.Host, ""); err != nil || l.Host == "" {
		return fmt.Errorf("host pattern %q is not valid", l.Host)
	}
	for _, q := range l.Requests {
		method, pattern, ok := strings.Cut(q, " ")
		if !ok || method == "" || !strings.HasPrefix(pattern, "/") {
			return fmt.Errorf("request %q is not a method and a path", q)
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return errors.New("request " + q + ": " + err.Error())
		}
	}
	return nil
}

// counts tells whether a limit counts a request.
func counts(l plugin.Limit, method, urlPath string) bool {
	if len(l.Requests) == 0 {
		return true
	}
	for _, q := range l.Requests {
		m, pattern, _ := strings.Cut(q, " ")
		if strings.EqualFold(m, method) && matches(pattern, path.Clean(urlPath)) {
			return true
		}
	}
	return false
}

// matches compares a name, in lower case, with a pattern that check has seen.
func matches(pattern, name string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}
