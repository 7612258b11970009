package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// request is what is read of a line of the emulator's request log.
type request struct {
	Service  string        `json:"service"`
	Method   string        `json:"method"`
	Host     string        `json:"host"`
	Path     string        `json:"path"`
	Query    string        `json:"query"`
	Status   int           `json:"status"`
	Duration time.Duration `json:"duration"`
}

// calls counts requests. Each request is counted in one of the kinds.
type calls struct {
	reads      int // of a secret at the source
	looks      int // at a secret of the target
	writes     int // to the target, whatever the answer
	touched    int // changes asked of the source: there must be none
	listing    int // pages of listings, of both vaults
	challenges int // answered 401: how Key Vault tells a client where to sign in
	other      int // sign-in and Resource Manager
	throttled  int // answered 429; counted in its kind, too

	answering time.Duration // sum of the time that the emulator took to answer
}

func (c calls) total() int {
	return c.reads + c.looks + c.writes + c.touched + c.listing + c.challenges + c.other
}

// items is the number of calls that work on single secrets.
func (c calls) items() int { return c.reads + c.looks + c.writes + c.touched }

func (c calls) plus(o calls) calls {
	return calls{
		c.reads + o.reads, c.looks + o.looks, c.writes + o.writes, c.touched + o.touched, c.listing + o.listing,
		c.challenges + o.challenges, c.other + o.other, c.throttled + o.throttled, c.answering + o.answering,
	}
}

func (c *calls) add(r request) {
	c.answering += r.Duration
	if r.Status == http.StatusTooManyRequests {
		c.throttled++
	}
	read, source := r.Method == http.MethodGet, r.Host == sourceVault+vaultSuffix
	switch {
	case r.Service != "keyvault":
		c.other++
	case r.Status == http.StatusUnauthorized:
		c.challenges++
	case read && !strings.HasPrefix(r.Path, "/secrets/"):
		c.listing++
	case read && source:
		c.reads++
	case read:
		c.looks++
	case source:
		c.touched++
	default:
		c.writes++
	}
}

// requestLog reads the emulator's log, run by run.
type requestLog struct {
	path string
	done int64 // bytes read so far
}

// accountCalls counts the requests to storage accounts.
type accountCalls struct {
	requests int
	listing  int // pages of listings, of both accounts
	writes   int // to the target, whatever the answer
	touched  int // changes asked of the source
}

// ofAccounts counts the requests to both accounts since the last call.
func (l *requestLog) ofAccounts() (c accountCalls, err error) {
	err = l.each(func(r request) {
		write := r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.Contains(r.Query, "comp=userdelegationkey")
		switch r.Host {
		case sourceAccount + blobSuffix:
			if write {
				c.touched++
			}
		case targetAccount + blobSuffix:
			if write {
				c.writes++
			}
		default:
			return
		}
		c.requests++
		if r.Method == http.MethodGet && strings.Contains(r.Query, "comp=list") {
			c.listing++
		}
	})
	return c, err
}

// each reads the requests since the last call. A line that is not whole yet is left.
func (l *requestLog) each(tell func(request)) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(l.done, io.SeekStart); err != nil {
		return err
	}
	for in := bufio.NewReaderSize(f, 1<<16); ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		var r request
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			return fmt.Errorf("request log: %w", err)
		}
		l.done += int64(len(line))
		tell(r)
	}
}

// next counts the requests since the last call, in parts: whatever came before the source
// was listed first, and then a part from each listing to the next. Every phase of a run
// lists the source once, and begins when the one before has ended; a listing is the first
// good answer of the source, at the path and without the token of a further page.
func (l *requestLog) next() (parts []calls, err error) {
	parts = []calls{{}}
	first := "" // path of the listing
	err = l.each(func(r request) {
		if first == "" && r.opensListing() {
			first = r.Path
		}
		if r.Path == first && r.opensListing() {
			parts = append(parts, calls{})
		}
		parts[len(parts)-1].add(r)
	})
	if err != nil {
		return nil, err
	}
	return parts, nil
}

// opensListing tells whether r is a good answer with the first page of a listing of the
// source.
func (r request) opensListing() bool {
	return r.Host == sourceVault+vaultSuffix && r.Method == http.MethodGet && r.Status == http.StatusOK &&
		!strings.HasPrefix(r.Path, "/secrets/") && !strings.Contains(strings.ToLower(r.Query), "skiptoken")
}
