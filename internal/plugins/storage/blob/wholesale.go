package blob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/azcopy"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/azcopy/gateway"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// withAzCopy is the value of the setting copy that has AzCopy bring a container's block
// blobs, all those that the target lacks in one job, before its blobs are looked at one by one.
const withAzCopy = "azcopy"

// programs are the AzCopies that were found, by the name that the user gave.
type programs struct{ found sync.Map }

func (p *programs) find(ctx context.Context, name string) (azcopy.Program, error) {
	if known, ok := p.found.Load(name); ok {
		return known.(azcopy.Program), nil
	}
	program, err := azcopy.Find(ctx, name)
	if err == nil {
		p.found.Store(name, program)
	}
	return program, err
}

// wholesale is a container on its way through AzCopy.
type wholesale struct {
	part.Job
	programs *programs
	name     string
	state    wholesaleState
}

// wholesaleState is what a checkpoint says of a container whose blobs AzCopy brings.
type wholesaleState struct {
	Dir    string        `json:"dir"`              // of AzCopy's own, by its name
	Job    string        `json:"job,omitempty"`    // AzCopy's ID; "" before it has said it
	Since  time.Time     `json:"since"`            // the source's clock when it began
	Status plugin.Status `json:"status,omitempty"` // of the container itself; "" before that was done
}

// readState reads a checkpoint; ok is false if it is not one of a wholesale copy.
func readState(checkpoint []byte) (s wholesaleState, ok bool) {
	return s, json.Unmarshal(checkpoint, &s) == nil && s.Dir != ""
}

// replicateContainer copies a container and, where that is asked for, has AzCopy bring its blobs.
func (p *Part) replicateContainer(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	if j.Setting(setCopy) != withAzCopy || j.Mode != plugin.Replication {
		return containerAlone(ctx, j)
	}
	w := &wholesale{Job: j, programs: &p.programs, name: strings.TrimPrefix(string(j.Item.Key), containers.Prefix)}
	var again bool
	if w.state, again = readState(j.Checkpoint); again {
		w.Checkpoint = nil // the container's own part was done, or can be begun anew
	}
	out, err := w.itself(ctx)
	if err != nil {
		return out, err
	}
	if why := w.unfit(); why != "" {
		out.Warnings = append(out.Warnings, "AzCopy was not used: "+why+".")
		return out, nil
	}
	if !again {
		if lacks, err := w.lacking(ctx); err != nil || !lacks {
			return out, err
		}
	}
	return w.fill(ctx, out)
}

func containerAlone(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	c, err := containers.New(j)
	if err != nil {
		return plugin.Outcome{}, err
	}
	return c.Replicate(ctx)
}

// itself copies the container without its blobs, unless that was done before.
func (w *wholesale) itself(ctx context.Context) (plugin.Outcome, error) {
	if w.state.Status != "" {
		return plugin.Outcome{Status: w.state.Status}, nil
	}
	return containerAlone(ctx, w.Job)
}

// unfit says why AzCopy cannot bring the container's blobs as they have to be; "" if it can.
func (w *wholesale) unfit() string {
	switch {
	case w.Confined:
		return "it copies whole containers, and a filter confines this run"
	case w.Setting(setHistory) != historyNone:
		return "it does not copy snapshots and versions, which have to come before the blob"
	case w.From.HNS || w.To.HNS:
		return "with a hierarchical namespace, directories have to come before what is in them, and names have rules"
	case w.To.Premium() && !strings.EqualFold(w.To.Kind, "BlockBlobStorage"):
		return "the target takes no block blobs"
	default:
		return ""
	}
}

// pagesLooked is how far both sides are listed to see whether a job is worth while. Where as
// many blobs are there already, what is lacking further on comes without AzCopy, which would
// ask for each of them.
const pagesLooked = 40

// lacking tells whether the source has a blob for AzCopy that the target lacks, among the
// first ones.
func (w *wholesale) lacking(ctx context.Context) (bool, error) {
	src, err := w.From.Blobs(ctx)
	if err != nil {
		return false, w.Fail("reach the blob service", plugin.Source, err)
	}
	dst, err := w.To.Blobs(ctx)
	if err != nil {
		return false, w.Fail("reach the blob service", plugin.Target, err)
	}
	l := part.Listing{Source: w.From, Target: w.To, Mode: w.Mode, Setting: w.Setting}
	there := newSide(l, dst.NewContainerClient(w.name), "")
	query := queryFor(w.Setting, w.From.Facts)
	for range pagesLooked {
		entries, next, err := readPage(ctx, src.NewContainerClient(w.name), query)
		if err != nil {
			return false, w.Fail("list the blobs of "+w.name, plugin.Source, err, readBlobs, readTags)
		}
		for _, e := range entries {
			if !forAzCopy(propsOf(e)) {
				continue
			}
			if at, ok := there.find(ctx, e.Name); !ok || at.now == nil {
				return true, nil
			}
		}
		if next == "" {
			break
		}
		query.Marker = next
	}
	return false, nil
}

// forAzCopy tells whether AzCopy brings such a blob: no other type, nothing that cannot be
// read, and no marker of a directory.
func forAzCopy(p props) bool {
	if p.Type != blockBlob || p.Tier == tierArchive {
		return false
	}
	for k := range p.Metadata {
		if strings.EqualFold(k, "hdi_isfolder") {
			return false
		}
	}
	return true
}

// fill runs AzCopy, and adds to the container's outcome what came of it. Only an end of ctx
// and an AzCopy that is not to be had are errors: what AzCopy did not bring goes its own way.
func (w *wholesale) fill(ctx context.Context, out plugin.Outcome) (plugin.Outcome, error) {
	program, err := w.programs.find(ctx, w.Setting(setAzCopy))
	if err != nil {
		return plugin.Outcome{}, err
	}
	if err := w.begin(out.Status); err != nil {
		return plugin.Outcome{}, err
	}
	got, err := w.run(ctx, program)
	if ctx.Err() != nil {
		return plugin.Outcome{}, w.Fail("copy with AzCopy", plugin.Target, context.Cause(ctx))
	}
	if err == nil {
		err = azcopy.Leave(w.state.Dir)
	}
	out.Bytes = got.Bytes
	if got.Completed > 0 {
		out.Path = pathAzCopy
		if out.Status == plugin.Unchanged {
			out.Status = plugin.Updated
		}
	}
	out.Warnings = append(out.Warnings, remarks(got, err)...)
	return out, nil
}

// begin saves what is needed to go on.
func (w *wholesale) begin(status plugin.Status) error {
	if w.state.Dir == "" {
		w.state = wholesaleState{Dir: azcopy.NewName(), Since: w.From.Now()}
	}
	w.state.Status = status
	return w.save("")
}

// save saves the state, with the job's ID if it is known.
func (w *wholesale) save(job string) error {
	if job != "" {
		w.state.Job = job
	}
	if w.Save == nil {
		return nil
	}
	raw, err := json.Marshal(w.state)
	if err == nil {
		err = w.Save(raw)
	}
	return w.Fail("save a checkpoint", plugin.Target, err)
}

// run goes on with the job of the checkpoint. If there is none, or this AzCopy does not
// know it, it begins a new one.
func (w *wholesale) run(ctx context.Context, program azcopy.Program) (azcopy.Result, error) {
	dir, err := azcopy.Enter(w.state.Dir)
	if err != nil {
		return azcopy.Result{}, err
	}
	g, err := gateway.Open(ctx, gateway.Order{From: w.From, To: w.To, Container: w.name, Since: w.state.Since})
	if err != nil {
		return azcopy.Result{}, err
	}
	defer func() { _ = g.Close() }() // nothing is under way any more
	c := azcopy.Copy{
		Program: program, Source: g.Source(), Target: g.Target(), Proxy: g.Proxy(), Unsigned: gateway.Unsigned(), Dir: dir, Job: w.state.Job,
		Tags:  w.Setting(setTags) == tagsCopied && hasTags(w.From.Facts) && hasTags(w.To.Facts),
		Tiers: hasTiers(w.From.Facts) && hasTiers(w.To.Facts),
		Begun: w.save, Moved: w.Progress,
	}
	got, err := c.Run(ctx)
	if c.Job != "" && errors.Is(err, azcopy.ErrUnknownJob) {
		c.Job = ""
		got, err = c.Run(ctx)
	}
	return got, err
}

// remarks says what of a job a reader must know.
func remarks(got azcopy.Result, err error) []string {
	const rest = "What it did not copy goes the way that blobs have without it"
	switch {
	case err != nil:
		return []string{fmt.Sprintf("AzCopy did not end well (%v). %s.", err, rest)}
	case got.Failed > 0 || got.Status == azcopy.Failed || got.Status == azcopy.Cancelled:
		return []string{fmt.Sprintf("AzCopy's job ended as %s, with %d blobs copied and %d not. %s.", got.Status, got.Completed, got.Failed, rest)}
	default:
		return nil
	}
}

// pathAzCopy is how reports call it.
const pathAzCopy = "azcopy"

// mayBeBrought tells whether AzCopy may have brought the blob since it was listed.
func (b *blobJob) mayBeBrought(src seen) bool {
	return b.Setting(setCopy) == withAzCopy && forAzCopy(src.props)
}

// found is the outcome of a blob that the target has. It was created if AzCopy brought it
// after this run began to list its container, which since tells.
func (b *blobJob) found(since bool) plugin.Outcome {
	if since && b.Setting(setCopy) == withAzCopy && (b.ref.Props == nil || forAzCopy(*b.ref.Props)) {
		return plugin.Outcome{Status: plugin.Created, Path: pathAzCopy}
	}
	return plugin.Outcome{Status: plugin.Unchanged}
}

// via is the path that a blob takes by itself.
func via(setting string) string {
	if setting == withAzCopy {
		return way.Auto
	}
	return setting
}

// compareContainer compares a container. One whose blobs AzCopy is bringing is not done.
func (p *Part) compareContainer(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	if _, cut := readState(j.Checkpoint); cut {
		return plugin.Comparison{State: plugin.Different, Fields: []string{"blobs that AzCopy has not brought yet"}}, nil
	}
	c, err := containers.New(j)
	if err != nil {
		return plugin.Comparison{}, err
	}
	return c.Compare(ctx)
}
