package plugintest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// toy replicates shelves. Each name in bugs makes it break one rule; without one it is a
// correct plugin.
type toy struct {
	bugs  map[string]bool
	state *toyState
}

func newToy(bugs ...string) *toy {
	p := &toy{bugs: map[string]bool{}, state: &toyState{}}
	for _, b := range bugs {
		p.bugs[b] = true
	}
	return p
}

var (
	_ plugin.Plugin          = (*toy)(nil)
	_ plugin.BatchReplicator = (*toy)(nil)
	_ plugin.Comparer        = (*toy)(nil)
	_ plugin.Declarer        = (*toy)(nil)
	_ plugin.Estimator       = (*toy)(nil)
)

func (p *toy) Info() plugin.Info {
	info := plugin.Info{
		Name: "shelf", Title: "Shelf", Version: "1.0.0", Contract: plugin.ContractVersion, Type: shelfType,
		Modes: plugin.Modes(),
		Items: []plugin.ItemKind{
			{Name: "crate", Plural: "crates"},
			{Name: "ledger", Plural: "ledgers"},
			{Name: "note", Plural: "notes", Batch: 3},
			{Name: "pin", Plural: "pins", Secret: true},
		},
		Settings: []plugin.Setting{{Name: "revive", Default: "no", Values: []string{"no", "yes"}, Help: "Whether buried names are revived."}},
	}
	if p.bugs["setting with a bad default"] {
		info.Settings = append(info.Settings, plugin.Setting{Name: "colour", Default: "blue", Values: []string{"red"}, Help: "Nothing."})
	}
	return info
}

func (p *toy) Permissions(mode plugin.Mode) []plugin.Permission {
	target := []string{actRead, actWrite}
	source := []string{actRead}
	if mode == plugin.Replication {
		source, target = append(source, actContent), append(target, actContent)
	}
	p.breakPermissions(mode, &source, &target)
	reason := "to list and to read"
	if p.bugs["permission without reason"] {
		reason = ""
	}
	return []plugin.Permission{
		{Side: plugin.Source, DataActions: source, Reason: reason},
		{Side: plugin.Target, DataActions: target, Reason: "to write"},
	}
}

// shelfThing is a thing as the plugin sees it. It shares no code with the service.
type shelfThing struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Crate  string `json:"crate,omitempty"`
	Label  string `json:"label,omitempty"`
	Sealed bool   `json:"sealed,omitempty"`
	Value  string `json:"content,omitempty"`
}

// shelfClient talks to one shelf.
type shelfClient struct {
	pl   runtime.Pipeline
	base string
	side plugin.Side
	name string
	bugs map[string]bool
}

func (p *toy) client(e plugin.Endpoint, side plugin.Side) shelfClient {
	auth := runtime.NewBearerTokenPolicy(e.Credential, []string{"https://storage.azure.com/.default"}, nil)
	pl := runtime.NewPipeline("shelf", "v1.0.0", runtime.PipelineOptions{PerRetry: []policy.Policy{auth}}, &e.Options)
	return shelfClient{pl: pl, base: "https://" + e.Resource.Name + shelfDomain, side: side, name: e.Resource.Name, bugs: p.bugs}
}

// do sends one request and decodes the answer into out.
func (c shelfClient) do(ctx context.Context, op, method, path string, in, out any, header ...string) error {
	req, err := runtime.NewRequest(ctx, method, c.base+path)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Raw().Header.Set(header[i], header[i+1])
	}
	if in != nil {
		if err := runtime.MarshalAsJSON(req, in); err != nil {
			return err
		}
	}
	resp, err := c.pl.Do(req)
	if err == nil && !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated) {
		err = runtime.NewResponseError(resp)
	}
	if err == nil && out != nil {
		err = runtime.UnmarshalAsJSON(resp, out)
	}
	return c.breakError(classify.Error(op, c.side, c.name, "", err))
}

func (p *toy) Discover(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		ctx := p.breakContext(ctx)
		c := p.client(src, plugin.Source)
		next := "/things?" + url.Values{"after": {p.breakCursor(opt.After)}}.Encode()
		for next != "" {
			var page struct {
				Things []shelfThing
				Next   string
			}
			if err := c.do(ctx, "list the things", http.MethodGet, next, nil, &page); err != nil {
				if !p.bugs["a failed page ends the list silently"] || errs.Find(err).Status != http.StatusInternalServerError {
					yield(plugin.Item{}, err)
				}
				return
			}
			next = page.Next
			for _, th := range page.Things {
				if !p.yield(ctx, c, opt, th, yield) {
					p.breakStop(ctx, c, next)
					return
				}
			}
		}
	}
}

// yield hands one thing to the consumer.
func (p *toy) yield(ctx context.Context, c shelfClient, opt plugin.DiscoverOptions, th shelfThing, yield func(plugin.Item, error) bool) bool {
	it := plugin.Item{Key: plugin.Key(th.Kind + "/" + th.Name), Kind: th.Kind, Size: -1, Ref: plugin.Encode(th), Cursor: th.Name}
	if th.Crate != "" {
		it.Parent = plugin.Key("crate/" + th.Crate)
	}
	if !p.breakItem(ctx, c, opt, &it, th) {
		return true
	}
	return yield(it, nil)
}

// content reads a thing's content. Only a sealed thing has none to show.
func (c shelfClient) content(ctx context.Context, name string) (secret.Value, error) {
	var out struct{ Content string }
	err := c.do(ctx, "read the content", http.MethodGet, "/things/"+name+"/content", nil, &out)
	return secret.New(out.Content), err
}

// difference says how the target's thing differs from the source's: "missing", "buried",
// the name of a field, or "" for not at all.
func (p *toy) difference(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value) (string, error) {
	c := p.client(t.Target, plugin.Target)
	var got shelfThing
	err := c.do(ctx, "read the thing", http.MethodGet, "/things/"+th.Name, nil, &got)
	switch e := errs.Find(err); {
	case e != nil && e.Code == "ThingBuried":
		return "buried", nil
	case e != nil && e.Code == "ThingNotFound":
		return "missing", nil
	}
	if err != nil {
		return "", err
	}
	if got.Kind != th.Kind || got.Crate != th.Crate || got.Label != p.label(th) {
		return "label", nil
	}
	if t.Mode == plugin.Template || th.Kind == "crate" {
		return "", nil
	}
	value, err := c.content(ctx, th.Name)
	if err != nil {
		return "", err
	}
	if !value.Equal(want) {
		return "content", nil
	}
	return "", nil
}

// wanted returns the thing of a task and the content that the target shall have.
func (p *toy) wanted(ctx context.Context, t plugin.Task) (shelfThing, secret.Value, error) {
	th, err := plugin.Decode[shelfThing](t.Item)
	if err != nil {
		return th, secret.Value{}, err
	}
	name := p.breakRead(ctx, t, th)
	if t.Mode == plugin.Template || th.Kind == "crate" || th.Sealed {
		return th, secret.Value{}, nil
	}
	value, err := p.client(t.Source, plugin.Source).content(ctx, name)
	return th, value, err
}

const (
	sealed = "the thing is sealed: its content cannot be read"
	buried = "the name is buried at the target; set revive=yes"
)

func (p *toy) Replicate(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
	th, want, err := p.wanted(ctx, t)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if th.Sealed {
		return plugin.Outcome{Status: plugin.Skipped, Reason: sealed}, nil
	}
	p.breakSource(ctx, t, th)
	diff, err := p.difference(ctx, t, th, want)
	if err != nil {
		return plugin.Outcome{}, err
	}
	out, err := p.settle(ctx, t, th, want, diff)
	return p.breakOutcome(ctx, t, th, want, out, err)
}

// settle brings the target to what the difference asks for.
func (p *toy) settle(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value, diff string) (plugin.Outcome, error) {
	switch {
	case diff == "":
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case diff == "buried" && p.Info().Setting(t.Settings, "revive") == "no":
		return plugin.Outcome{Status: plugin.Skipped, Reason: buried}, nil
	case diff == "missing" || diff == "buried":
		return p.create(ctx, t, th, want, diff)
	case !t.Overwrite && !p.bugs["overwrites"]:
		return plugin.Outcome{}, &errs.Error{
			Op: "replicate the thing", Kind: errs.Conflict, Side: "target", Item: string(t.Item.Key),
			Hint: "atg apply --overwrite", Err: fmt.Errorf("the target's %s differs", diff),
		}
	}
	if err := p.write(ctx, t, th, want, false); err != nil {
		return plugin.Outcome{}, err
	}
	return plugin.Outcome{Status: plugin.Updated, Bytes: int64(want.Len())}, nil
}

func (p *toy) create(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value, diff string) (plugin.Outcome, error) {
	if diff == "buried" {
		err := p.client(t.Target, plugin.Target).do(ctx, "revive the name", http.MethodPost, "/things/"+th.Name+"/revive", nil, nil)
		// Where the answer was lost, the next try finds the name revived already.
		if e := errs.Find(err); err != nil && (e == nil || e.Code != "ThingNotFound") {
			return plugin.Outcome{}, err
		}
	}
	err := p.write(ctx, t, th, want, true)
	// An answer that was lost makes the next try find what the first one made.
	if e := errs.Find(err); e != nil && e.Code == "ThingExists" && !p.bugs["lost answer is a conflict"] {
		if diff, again := p.difference(ctx, t, th, want); again == nil && diff == "" {
			return plugin.Outcome{Status: plugin.Created, Bytes: int64(want.Len())}, nil
		}
	}
	if err != nil {
		return plugin.Outcome{}, err
	}
	return plugin.Outcome{Status: plugin.Created, Bytes: int64(want.Len())}, nil
}

// write sends a thing, and before it the pages of a ledger, with a checkpoint for each.
func (p *toy) write(ctx context.Context, t plugin.Task, th shelfThing, want secret.Value, create bool) error {
	c := p.client(t.Target, plugin.Target)
	if th.Kind == "ledger" && t.Mode == plugin.Replication {
		if err := p.stagePages(ctx, c, t, th, want); err != nil {
			return err
		}
	}
	body := map[string]string{"kind": th.Kind, "crate": th.Crate, "label": p.label(th), "content": p.breakValue(t.Mode, want.Reveal())}
	if create {
		return c.do(ctx, "make the thing", http.MethodPut, "/things/"+th.Name, body, nil, "If-None-Match", "*")
	}
	return c.do(ctx, "replace the thing", http.MethodPut, "/things/"+th.Name, body, nil)
}

func (p *toy) stagePages(ctx context.Context, c shelfClient, t plugin.Task, th shelfThing, want secret.Value) error {
	done := 0
	if t.Checkpoint != nil {
		if err := json.Unmarshal(t.Checkpoint, &done); err != nil {
			return &errs.Error{Op: "read the checkpoint", Kind: errs.Internal, Err: err}
		}
		done = p.breakCheckpoint(done)
	}
	text := want.Reveal()
	const pageSize = 16
	for n := done; n*pageSize < len(text); n++ {
		page := map[string]string{"content": text[n*pageSize : min((n+1)*pageSize, len(text))]}
		if err := c.do(ctx, "stage a page", http.MethodPut, fmt.Sprintf("/things/%s/pages/%d", th.Name, n), page, nil); err != nil {
			return err
		}
		if t.Save != nil {
			if err := t.Save([]byte(fmt.Sprint(n + 1))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *toy) Compare(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
	th, want, err := p.wanted(ctx, t)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if th.Sealed {
		return plugin.Comparison{State: plugin.Cannot, Reason: sealed}, nil
	}
	diff, err := p.difference(ctx, t, th, want)
	if err != nil {
		return plugin.Comparison{}, err
	}
	switch diff {
	case "":
		return p.breakSame(ctx, t, th, want), nil
	case "missing", "buried":
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	return p.breakDifferent(plugin.Comparison{State: plugin.Different, Fields: []string{diff}}), nil
}

func (p *toy) Declare(_ context.Context, t plugin.Task) ([]iac.Block, error) {
	th, err := plugin.Decode[shelfThing](t.Item)
	if err != nil {
		return nil, err
	}
	content := iac.Param{Name: th.Name + "_content", Sensitive: !p.bugs["parameter not sensitive"]}
	ref := iac.Ref(content.Name)
	if p.bugs["unknown parameter"] {
		ref = "nobody"
	}
	typ := "contoso_thing"
	if p.bugs["arguments that the provider lacks"] {
		typ = "azurerm_key_vault_secret"
	}
	return []iac.Block{{
		Name: th.Name, Params: []iac.Param{content},
		TF:  &iac.TFForm{Type: typ, Attrs: iac.Object{{Name: "label", Value: p.label(th)}, {Name: "content", Value: ref}}},
		ARM: &iac.ARMForm{Type: shelfType + "/things", APIVersion: "2024-01-01", Name: t.Target.Resource.Name + "/" + th.Name, Attrs: iac.Object{{Name: "properties", Value: iac.Object{{Name: "content", Value: ref}}}}},
	}}, nil
}

func (p *toy) Estimate(ctx context.Context, src plugin.Endpoint, mode plugin.Mode) (plugin.Estimate, error) {
	est := plugin.Estimate{Exact: true}
	for _, err := range p.Discover(ctx, src, plugin.DiscoverOptions{Mode: mode}) {
		if err != nil {
			return est, err
		}
		est.Items++
	}
	est.Duration = time.Duration(est.Items) * time.Millisecond
	if p.bugs["estimates bytes for a template"] {
		est.Bytes = est.Items * 10
	}
	if p.bugs["counts twice"] {
		est.Items *= 2
	}
	return est, nil
}

func (p *toy) label(th shelfThing) string {
	if p.bugs["loses labels"] {
		return ""
	}
	return strings.Clone(th.Label)
}
