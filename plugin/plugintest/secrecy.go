package plugintest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// secretChecks look for secret values where none may be.
func secretChecks() []Check {
	return []Check{
		{Name: "Secrets/Canary", Claim: "a secret value shows in no item, outcome, comparison, event, checkpoint, error, log line, URL or generated code", Alone: true, run: checkCanary},
	}
}

// newCanary returns a text that nothing else contains. It has characters that JSON, URLs
// and HTML write in other ways.
func newCanary(r *rand.Rand) string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	core := make([]byte, 28)
	for i := range core {
		core[i] = letters[r.IntN(len(letters))]
	}
	return "Cn" + string(core[:14]) + `/+&"=é` + string(core[14:])
}

// needle is a form in which a canary can show.
type needle struct{ form, text string }

// needles returns the forms of a canary: whole and both its plain ends, and encoded, also
// in the middle of a longer text.
func needles(canary string) []needle {
	out := []needle{
		{"plain", canary},
		{"its beginning", canary[:14]},
		{"its end", canary[len(canary)-12:]},
		{"URL-encoded query", url.QueryEscape(canary)},
		{"URL-encoded path", url.PathEscape(canary)},
		{"hex", hex.EncodeToString([]byte(canary))},
		{"upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(canary)))},
	}
	if quoted, err := json.Marshal(canary); err == nil {
		out = append(out, needle{"JSON-escaped", strings.Trim(string(quoted), `"`)})
	}
	for lead := range 3 { // base64 depends on how many bytes stand before
		padded := append(make([]byte, lead), canary...)
		padded = padded[:len(padded)/3*3]
		skip := (lead*8 + 5) / 6
		out = append(out,
			needle{"base64", base64.StdEncoding.EncodeToString(padded)[skip:]},
			needle{"URL-safe base64", base64.URLEncoding.EncodeToString(padded)[skip:]})
	}
	return out
}

// dragnet catches what a plugin gives away. It is safe for concurrent use.
type dragnet struct {
	t       *trial
	needles []needle

	mu    sync.Mutex // guards what follows
	looks int
}

// see searches a value in every form in which the program may print or store it.
func (n *dragnet) see(where string, v any) {
	texts := []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v)}
	if raw, err := json.Marshal(v); err == nil {
		texts = append(texts, string(raw))
	}
	if err, ok := v.(error); ok {
		for e := errs.Find(err); e != nil; e = errs.Find(e.Err) {
			texts = append(texts, fmt.Sprintf("%+v", *e))
		}
	}
	n.search(where, texts...)
}

func (n *dragnet) search(where string, texts ...string) {
	n.mu.Lock()
	n.looks++
	n.mu.Unlock()
	for _, text := range texts {
		for _, x := range n.needles {
			if strings.Contains(text, x.text) {
				n.t.errorf("a secret shows (%s) in %s", x.form, where)
				return
			}
		}
	}
}

// checkCanary runs everything in both modes, undisturbed and under faults, and looks
// through all that comes out of the plugin. It replaces the loggers of the process.
func checkCanary(t *trial) {
	b := t.newBench(few)
	n := &dragnet{t: t, needles: needles(b.canary)}
	var logs bytes.Buffer
	defer captureLogs(&logs)()
	failures, turn := passing(), 0
	for _, v := range t.subject.variants() {
		t.eachMode(func(mode plugin.Mode) {
			r := run{mode: mode, variant: v}
			t.didWork(what(r), t.lookThrough(b, n, r))
			b.disturb(failures[turn%len(failures)].Fault, "") // both sides
			t.lookThrough(b, n, r)
			b.world.Heal()
			turn++
		})
	}
	if b.canary == "" || !strings.Contains(fmt.Sprint(b.objects(b.source)), b.canary) {
		t.errorf("Subject.Seed puts the canary nowhere: nothing is shown")
	}
	n.search("the log", logs.String())
	for _, req := range b.world.Requests() {
		n.search("the URL of "+req.Method+" to "+req.Host, req.Path+"?"+req.Query)
	}
	t.logf("%d results were looked through", n.looks)
}

// lookThrough runs everything once and shows the dragnet all that comes out.
func (t *trial) lookThrough(b *bench, n *dragnet, r run) *tally {
	p := b.pairWith(r.variant, nil, nil, 0)
	r.marks = &marks{}
	items, failed := p.discover(t.ctx, r)
	for _, err := range failed {
		n.see("an error of Discover", err)
	}
	y := p.replicateItems(t.ctx, items, r)
	for _, it := range items {
		n.see("item "+string(it.Key), it)
		n.search("the reference of "+string(it.Key), string(it.Ref))
		n.see("the outcome of "+string(it.Key), y.outcomes[it.Key])
		if err := y.failed[it.Key]; err != nil {
			n.see("the error of "+string(it.Key), err)
		}
		n.search("the checkpoint of "+string(it.Key), string(r.marks.load(it.Key)))
		n.see("the event of "+string(it.Key), doneEvent(p, it, y))
		p.exercise(t.ctx, it, r, func(what string, v any) {
			n.see(what+" of "+string(it.Key), v)
			if blocks, ok := v.([]iac.Block); ok {
				n.search("the code of "+string(it.Key), renderAll(blocks)...)
			}
		})
	}
	est, err := p.estimate(t.ctx, r.mode)
	n.see("Estimate", est)
	if err != nil {
		n.see("an error of Estimate", err)
	}
	return y
}

// doneEvent is what an engine tells of an item that ended.
func doneEvent(p *pair, it plugin.Item, y *tally) event.ItemDone {
	out := y.outcomes[it.Key]
	return event.ItemDone{
		Resource: p.from.Resource.ID, Item: it.Key, Kind: it.Kind, Status: out.Status,
		Reason: out.Reason, Warnings: out.Warnings, Bytes: out.Bytes, Err: y.failed[it.Key],
	}
}

// captureLogs sends what the process logs to w: package log, slog and the Azure SDK. The
// function that it returns puts the former loggers back.
func captureLogs(w *bytes.Buffer) func() {
	safe := &lockedWriter{w: w}
	flags, out, prefix, logger := log.Flags(), log.Writer(), log.Prefix(), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(safe, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(safe)
	azlog.SetListener(func(_ azlog.Event, msg string) { _, _ = safe.Write([]byte(msg + "\n")) })
	return func() {
		azlog.SetListener(nil)
		slog.SetDefault(logger)
		log.SetOutput(out)
		log.SetFlags(flags)
		log.SetPrefix(prefix)
	}
}

type lockedWriter struct {
	mu sync.Mutex // guards w
	w  *bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
