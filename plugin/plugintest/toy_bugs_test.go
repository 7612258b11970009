package plugintest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// The bugs of the toy plugin. Each function changes nothing without its bug.

// toyState is what a correct plugin would not have: memory between calls.
type toyState struct {
	mu   sync.Mutex // guards what follows
	last string
	kept [][]byte
	stop chan struct{} // ends the goroutines that bugs leave behind
}

func (p *toy) breakPermissions(mode plugin.Mode, source, target *[]string) {
	full := mode == plugin.Replication
	switch {
	case p.bugs["misspelt permission"]:
		*source = append(*source, "Contoso.Shelf/shelves/things/getContent/action")
	case p.bugs["permission too much"] && full:
		*target = append(*target, actDelete)
	case p.bugs["permission too few"] && full:
		*target = (*target)[:2]
	case p.bugs["template needs more"] && !full:
		*target = append(*target, actDelete)
	}
}

func (p *toy) breakContext(ctx context.Context) context.Context {
	if p.bugs["deaf to cancellation"] {
		return context.WithoutCancel(ctx)
	}
	if p.bugs["leaves a goroutine"] && p.state.stop != nil {
		go func() { <-p.state.stop }()
	}
	return ctx
}

// breakCursor makes a listing start one page too far or one thing too early.
func (p *toy) breakCursor(after string) string {
	if p.bugs["cursor too early"] && after != "" {
		last := after[len(after)-1]
		return after[:len(after)-1] + string(last-1) + "~"
	}
	return after
}

// breakStop is called when the consumer wants no more.
func (p *toy) breakStop(ctx context.Context, c shelfClient, next string) {
	for p.bugs["goes on after the break"] && next != "" {
		var page struct{ Next string }
		if c.do(ctx, "list the things", http.MethodGet, next, nil, &page) != nil {
			return
		}
		next = page.Next
	}
}

// breakItem spoils an item, and tells whether it is to be yielded at all.
func (p *toy) breakItem(ctx context.Context, c shelfClient, opt plugin.DiscoverOptions, it *plugin.Item, th shelfThing) bool {
	switch {
	case p.bugs["wrong kind"] && th.Kind == "note":
		it.Kind = "slip"
	case p.bugs["forgets pins"] && th.Kind == "pin":
		return false
	case p.bugs["digest of a secret"] && th.Kind == "pin":
		it.Digest = "sha256:0000"
	case p.bugs["keeps all items"]:
		p.state.mu.Lock()
		p.state.kept = append(p.state.kept, make([]byte, 512))
		p.state.mu.Unlock()
	case p.bugs["secret in an item"] && opt.Mode == plugin.Replication && th.Kind == "pin":
		if v, err := c.content(ctx, th.Name); err == nil {
			it.Attrs = map[string]string{"hint": base64.RawStdEncoding.EncodeToString([]byte("x" + v.Reveal()))}
		}
	}
	return true
}

// breakRead returns the name of the thing whose content is to be read.
func (p *toy) breakRead(ctx context.Context, t plugin.Task, th shelfThing) string {
	c := p.client(t.Source, plugin.Source)
	if p.bugs["reads values in template mode"] && t.Mode == plugin.Template {
		_, _ = c.content(ctx, th.Name)
	}
	if p.bugs["shares state between items"] && th.Kind != "crate" && !th.Sealed {
		p.state.mu.Lock()
		p.state.last = th.Name
		p.state.mu.Unlock()
		_ = c.do(ctx, "read the thing", http.MethodGet, "/things/"+th.Name, nil, nil)
		p.state.mu.Lock()
		defer p.state.mu.Unlock()
		return p.state.last
	}
	return th.Name
}

// breakSource is called before the target is looked at.
func (p *toy) breakSource(ctx context.Context, t plugin.Task, th shelfThing) {
	if p.bugs["marks the source"] {
		_ = p.client(t.Source, plugin.Source).do(ctx, "mark", http.MethodPut, "/things/"+th.Name, th, nil, "If-None-Match", "*")
	}
}

func (p *toy) breakValue(mode plugin.Mode, v string) string {
	if p.bugs["template copies contents"] && mode == plugin.Template {
		return "something"
	}
	if p.bugs["cuts contents"] && len(v) > 20 {
		return v[:20]
	}
	return v
}

func (p *toy) breakCheckpoint(done int) int {
	if p.bugs["checkpoint off by one"] {
		return done + 1
	}
	return done
}

// breakError spoils a classified error.
func (c shelfClient) breakError(err error) error {
	e := errs.Find(err)
	switch {
	case e == nil:
	case c.bugs["409 is passing"] && e.Status == http.StatusConflict && e.Code == "Conflict":
		e.Kind = errs.Unavailable
	case c.bugs["denial without a name"] && e.Kind == errs.PermissionDenied:
		return &errs.Error{Op: e.Op, Kind: e.Kind, Status: e.Status, Err: fmt.Errorf("denied")}
	}
	return err
}

// breakOutcome is called when Replicate is done.
func (p *toy) breakOutcome(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value, out plugin.Outcome, err error) (plugin.Outcome, error) {
	switch {
	case p.bugs["writes what is the same"] && out.Status == plugin.Unchanged:
		_ = p.write(ctx, t, th, want, false)
	case p.bugs["secret in the log"]:
		slog.DebugContext(ctx, "copied", "hex", fmt.Sprintf("%x", want.Reveal()))
	case p.bugs["secret in an outcome"]:
		out.Warnings = append(out.Warnings, "was "+want.Reveal())
	case p.bugs["secret in an error"] && err != nil:
		err = fmt.Errorf("%w (%q)", err, want.Reveal())
	case p.bugs["skips without a reason"]:
		out.Reason = ""
	case p.bugs["tries a 404 again"] && errs.KindOf(err) == errs.NotFound:
		_ = p.write(ctx, t, th, want, true)
	}
	return out, err
}

// ReplicateBatch takes notes one after another: the service knows no batches.
func (p *toy) ReplicateBatch(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
	outs := make([]plugin.Outcome, len(ts))
	for i, t := range ts {
		t.Overwrite = t.Overwrite || p.bugs["a batch overwrites"]
		if p.bugs["a batch forgets its last"] && i == len(ts)-1 {
			outs[i].Status = plugin.Created
			continue
		}
		out, err := p.Replicate(ctx, t)
		switch {
		case errs.KindOf(err) == errs.Conflict: // left to itself
		case err != nil && p.bugs["a batch hides failures"]:
			outs[i].Status = plugin.Created
		case err != nil:
			return nil, err
		default:
			outs[i] = out
		}
	}
	return outs, nil
}

// breakSame is called when Compare finds no difference.
func (p *toy) breakSame(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value) plugin.Comparison {
	if p.bugs["compare writes"] {
		_ = p.write(ctx, t, th, want, false)
	}
	if p.bugs["same without proof or reason"] {
		return plugin.Comparison{State: plugin.Same}
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}
}

// breakDifferent is called when Compare finds a difference.
func (p *toy) breakDifferent(c plugin.Comparison) plugin.Comparison {
	if p.bugs["blind to drift"] {
		return plugin.Comparison{State: plugin.Same, Proven: true}
	}
	return c
}
