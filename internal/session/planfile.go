package session

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// PlanSchema is the version of PlanFile's JSON form.
const PlanSchema = 1

// planFormat marks a file as a plan of this program.
const planFormat = "atg-plan"

// PlanFile is a plan that can be carried out later as it was seen. It holds names,
// counts, and digests of what the source's listings say; no content and no secret.
type PlanFile struct {
	Format       string                     `json:"format"` // "atg-plan"
	Schema       int                        `json:"schema"`
	Run          string                     `json:"run"` // the run that planned
	Version      string                     `json:"version"`
	Created      time.Time                  `json:"created"`
	Cloud        string                     `json:"cloud,omitempty"`
	SourceTenant string                     `json:"sourceTenant"`
	TargetTenant string                     `json:"targetTenant"`
	Mode         plugin.Mode                `json:"mode"`
	Overwrite    bool                       `json:"overwrite"`
	Types        []string                   `json:"types,omitempty"`
	Settings     map[string]plugin.Settings `json:"settings,omitempty"`
	Filter       filter.Rules               `json:"filter,omitzero"`
	Source       PlanScope                  `json:"source"`
	Resources    []string                   `json:"resources"` // IDs of all source resources of the types, sorted
	Pairs        []PlanPair                 `json:"pairs"`
	Unpaired     []engine.Unpaired          `json:"unpaired,omitempty"`
	Plan         map[plugin.State]int64     `json:"plan"`
	Estimate     *engine.Estimate           `json:"estimate,omitempty"`
}

// PlanScope says where the source resources were looked for.
type PlanScope struct {
	SubscriptionID string `json:"subscriptionId,omitempty"`
	ResourceGroup  string `json:"resourceGroup,omitempty"`
	Inventory      string `json:"inventory,omitempty"`
}

// PlanPair is one pair of a plan.
type PlanPair struct {
	pairRef
	Type          string                 `json:"type"`
	Plugin        string                 `json:"plugin"`
	PluginVersion string                 `json:"pluginVersion"`
	Plan          map[plugin.State]int64 `json:"plan"`
	Listing       []KindDigest           `json:"listing"` // of the source, by kind
}

// KindDigest stands for the items of one kind as the source's listing shows them.
type KindDigest struct {
	Kind  string `json:"kind"`
	Items int64  `json:"items"`
	// Digest is the exclusive or of the SHA-256 sums of key and revision of each item, in
	// hexadecimal: it does not depend on the order, and holds nothing of the content.
	Digest string `json:"digest"`
}

// PlanToFile plans as Plan does and returns the plan in a form that can be carried out
// later. There is no such form, and an error beside the report, if the plan did not come
// to its end or the source could not be listed in full.
func (s *Session) PlanToFile(ctx context.Context) (*engine.Report, *PlanFile, error) {
	listings := make([][]KindDigest, len(s.pairs))
	for i, p := range s.pairs { // before the plan: what changes meanwhile is then refused later
		var err error
		if listings[i], err = s.listing(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	r, err := s.Plan(ctx)
	if err != nil || r.Run.Canceled {
		return r, nil, err
	}
	if !r.Run.Complete {
		return r, nil, &errs.Error{
			Op: "save the plan", Kind: errs.Unavailable, Err: errors.New("not every resource could be listed to its end"),
			Hint: "mend the causes that the plan names, then plan again",
		}
	}
	return r, s.planFile(r, listings), nil
}

func (s *Session) planFile(r *engine.Report, listings [][]KindDigest) *PlanFile {
	e, from := s.engine, s.opt.Source
	f := &PlanFile{
		Format: planFormat, Schema: PlanSchema, Run: e.Run, Version: e.Version, Created: time.Now().UTC().Truncate(time.Second),
		Cloud: s.opt.Cloud, SourceTenant: e.SourceTenant, TargetTenant: e.TargetTenant, Mode: e.Mode, Overwrite: e.Overwrite,
		Types: s.opt.Types, Settings: e.Settings, Filter: e.Filter.Rules(), Unpaired: s.unpaired, Plan: r.Plan, Estimate: r.Estimate,
		Source:    PlanScope{from.SubscriptionID, from.ResourceGroup, from.Inventory},
		Resources: s.found, Pairs: make([]PlanPair, 0, len(s.pairs)),
	}
	for i, ref := range pairRefs(s.pairs) {
		info := s.pairs[i].Plugin.Info()
		f.Pairs = append(f.Pairs, PlanPair{
			pairRef: ref, Type: info.Type, Plugin: info.Name, PluginVersion: info.Version,
			Plan: r.Pairs[i].Plan, Listing: listings[i],
		})
	}
	return f
}

// listing digests what the listings of a source say.
func (s *Session) listing(ctx context.Context, p engine.Pair) ([]KindDigest, error) {
	info := p.Plugin.Info()
	if !info.Supports(s.engine.Mode) {
		return nil, nil
	}
	sums, counts := map[string]*[sha256.Size]byte{}, map[string]int64{}
	opt := plugin.DiscoverOptions{Mode: s.engine.Mode, Settings: s.engine.Settings[info.Name]}
	for it, err := range p.Plugin.Discover(ctx, p.Source, opt) {
		if err != nil {
			return nil, err
		}
		if sums[it.Kind] == nil {
			sums[it.Kind] = &[sha256.Size]byte{}
		}
		counts[it.Kind]++
		one := sha256.Sum256([]byte(string(it.Key) + "\x00" + it.Rev))
		for i, b := range one {
			sums[it.Kind][i] ^= b
		}
	}
	out := make([]KindDigest, 0, len(sums))
	for kind, sum := range sums {
		out = append(out, KindDigest{kind, counts[kind], hex.EncodeToString(sum[:])})
	}
	slices.SortFunc(out, func(a, b KindDigest) int { return cmp.Compare(a.Kind, b.Kind) })
	return out, ctx.Err()
}

// Write writes the plan to a file that only this user can read. A file of that name is
// replaced, and only by a whole one.
func (f *PlanFile) Write(path string) error {
	const op = "write the plan"
	doc, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Internal, Err: err}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".atg-plan-*") // mode 0600
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Invalid, Resource: path, Err: err, Hint: "name a file in a directory that can be written"}
	}
	_, err = temp.Write(append(doc, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Invalid, Resource: path, Err: errors.Join(err, os.Remove(temp.Name()))}
	}
	return nil
}

// maxPlanFile bounds what is read: a plan of 100,000 pairs is smaller.
const maxPlanFile = 256 << 20

// ReadPlanFile reads what Write wrote. It fails with kind Invalid if the file is no plan,
// and Unsupported if a newer version of this program wrote it.
func ReadPlanFile(path string) (*PlanFile, error) {
	const op = "read the plan"
	invalid := func(err error) error {
		return &errs.Error{Op: op, Kind: errs.Invalid, Resource: path, Err: err, Hint: "write a plan with `atg plan --out FILE`"}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, invalid(errors.Unwrap(err))
	}
	if info.IsDir() || info.Size() > maxPlanFile {
		return nil, invalid(errors.New("it is no plan: a directory, or too large"))
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, invalid(err)
	}
	var f PlanFile
	if err := json.NewDecoder(bytes.NewReader(doc)).Decode(&f); err != nil || f.Format != planFormat {
		return nil, invalid(errors.New("it is no plan that atg wrote"))
	}
	if f.Schema != PlanSchema {
		return nil, &errs.Error{
			Op: op, Kind: errs.Unsupported, Resource: path,
			Err:  fmt.Errorf("its form is version %d, this program knows %d", f.Schema, PlanSchema),
			Hint: "plan again with this version",
		}
	}
	return &f, nil
}

// OpenPlan opens a session that carries out a plan. It signs in, reads the pairs of the
// plan anew and compares all with what was planned. It fails with kind Conflict, naming
// everything that changed, if tenants, plugins or the source are not those of the plan,
// and with kind Invalid if opt says another mode.
func OpenPlan(ctx context.Context, f *PlanFile, opt Options) (*Session, error) {
	if opt.Mode != "" && opt.Mode != f.Mode {
		return nil, stale(fmt.Sprintf("it was made in %s mode, not %s", f.Mode, opt.Mode))
	}
	if changed := f.plugins(opt.Registry); len(changed) > 0 {
		return nil, stale(changed...)
	}
	opt.Mode, opt.Overwrite, opt.Settings, opt.Filter, opt.Types, opt.Cloud, opt.Choose = f.Mode, f.Overwrite, f.Settings, f.Filter, f.Types, f.Cloud, nil
	opt.Source.SubscriptionID, opt.Source.ResourceGroup, opt.Source.Inventory = f.Source.SubscriptionID, f.Source.ResourceGroup, f.Source.Inventory
	err := errors.Join(
		expectTenant("the plan", plugin.Source, &opt.Source, f.SourceTenant, opt.Env),
		expectTenant("the plan", plugin.Target, &opt.Target, f.TargetTenant, opt.Env))
	if err != nil {
		return nil, err
	}
	o, s, err := begin(ctx, opt, NewRunID())
	if err != nil {
		return nil, err
	}
	if err := sameTenants("the plan", o, f.SourceTenant, f.TargetTenant); err != nil {
		return nil, err
	}
	if err := s.follow(ctx, o, f); err != nil {
		return nil, err
	}
	o.announce(s.pairs, s.unpaired)
	return s, nil
}

// follow reads the pairs of a plan and refuses the plan if the source changed.
func (s *Session) follow(ctx context.Context, o *opener, f *PlanFile) error {
	changed, err := o.resourcesChanged(ctx, f)
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		return stale(changed...)
	}
	refs := make([]pairRef, 0, len(f.Pairs))
	for _, p := range f.Pairs {
		refs = append(refs, p.pairRef)
	}
	var lost []engine.Unpaired
	if s.pairs, lost, err = o.hydrate(ctx, matches(refs)); err != nil {
		return err
	}
	for _, u := range lost {
		changed = append(changed, "a pair cannot be read any more: "+u.Reason)
	}
	if len(lost) > 0 {
		return stale(changed...)
	}
	for i, p := range s.pairs {
		now, err := s.listing(ctx, p)
		if err != nil {
			return err
		}
		changed = append(changed, differences(p.Source.Resource.Name, f.Pairs[i].Listing, now)...)
	}
	if len(changed) > 0 {
		return stale(changed...)
	}
	s.unpaired = f.Unpaired
	s.engine.Unpaired = s.unpaired
	return nil
}

// maxChanges is how many changes a refusal names; more say nothing new.
const maxChanges = 10

// stale refuses a plan.
func stale(changed ...string) error {
	if more := len(changed) - maxChanges; more > 0 {
		changed = append(changed[:maxChanges:maxChanges], fmt.Sprintf("and %d more", more))
	}
	return &errs.Error{
		Op: "carry out the plan", Kind: errs.Conflict, Code: "StalePlan",
		Err:  errors.New("it is not what would be done now: " + strings.Join(changed, "; ")),
		Hint: "nothing was written; plan again with `atg plan --out FILE`",
	}
}

// plugins names the plugins that are not those of the plan.
func (f *PlanFile) plugins(reg *plugin.Registry) []string {
	var out []string
	for _, p := range f.Pairs {
		var line string
		if now := reg.Named(p.Plugin); now == nil {
			line = fmt.Sprintf("there is no plugin %s any more", p.Plugin)
		} else if v := now.Info().Version; v != p.PluginVersion {
			line = fmt.Sprintf("plugin %s was %s and is now %s", p.Plugin, p.PluginVersion, v)
		}
		if line != "" && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// resourcesChanged names the source resources that are new or gone since the plan.
func (o *opener) resourcesChanged(ctx context.Context, f *PlanFile) ([]string, error) {
	all, err := o.read(ctx, &o.source)
	if err != nil {
		return nil, err
	}
	var out []string
	then, ids := f.Resources, idsOf(all.resources)
	for _, id := range ids {
		if !slices.Contains(then, id) {
			out = append(out, "new at the source: "+nameOf(id))
		}
	}
	for _, id := range then {
		if !slices.Contains(ids, id) {
			out = append(out, "gone from the source: "+nameOf(id))
		}
	}
	return out, nil
}

// idsOf returns the IDs of resources in lower case, sorted: Azure compares them so.
func idsOf(rs []plugin.Resource) []string {
	out := make([]string, 0, len(rs))
	for _, r := range rs {
		out = append(out, strings.ToLower(r.ID))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func nameOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// differences says how two listings of a source differ, by kind.
func differences(name string, then, now []KindDigest) []string {
	byKind := map[string][2]KindDigest{}
	for i, list := range [][]KindDigest{then, now} {
		for _, d := range list {
			pair := byKind[d.Kind]
			pair[i] = d
			byKind[d.Kind] = pair
		}
	}
	var out []string
	for kind, d := range byKind {
		switch {
		case d[0].Items != d[1].Items:
			out = append(out, fmt.Sprintf("%s had %d items of kind %s and now has %d", name, d[0].Items, kind, d[1].Items))
		case d[0].Digest != d[1].Digest:
			out = append(out, fmt.Sprintf("items of kind %s changed in %s", kind, name))
		}
	}
	slices.Sort(out)
	return out
}
