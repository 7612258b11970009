package cli

import (
	"fmt"
	"slices"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// generation is what a session declared, on its way into a directory.
type generation struct {
	project iac.Project
	result  view.Generated
}

func newGeneration(opt *generateOptions, found []session.Declaration, unpaired []engine.Unpaired) *generation {
	g := &generation{
		project: iac.Project{Format: opt.format, Imports: opt.imports},
		result: view.Generated{
			Schema: view.GeneratedSchema, Format: string(opt.format), Directory: opt.dir, Unpaired: len(unpaired),
			Resources: []view.GeneratedFor{}, Files: []string{}, Command: nextSteps(opt.format, opt.dir),
		},
	}
	for _, d := range found {
		g.add(d)
	}
	for _, u := range unpaired {
		g.lacks("%s (%s) has no target: %s", u.Resource.Name, u.ID, u.Reason)
	}
	slices.Sort(g.result.Undeclared)
	g.project.Undeclared = g.result.Undeclared
	return g
}

// lacks says what is not in the code.
func (g *generation) lacks(format string, args ...any) {
	g.result.Undeclared = append(g.result.Undeclared, fmt.Sprintf(format, args...))
}

// add takes in what one pair declares.
func (g *generation) add(d session.Declaration) {
	unit := iac.Unit{Source: place(d.Source), Target: place(d.Target)}
	declared := 0
	for _, it := range d.Items {
		unit.Items = append(unit.Items, iac.Item{Key: string(it.Key), Parent: string(it.Parent), Blocks: it.Blocks})
		if slices.ContainsFunc(it.Blocks, g.project.Has) {
			declared++
		}
	}
	g.result.Resources = append(g.result.Resources, view.GeneratedFor{
		Source: d.Source.ID, Target: d.Target.ID, Type: d.Source.Type, Declared: declared,
		Items: int64(len(d.Items)) + d.Bare + d.Failed,
	})
	switch {
	case d.CannotDeclare:
		g.lacks("%s: the plugin for %s writes no declarations; atg apply copies what it holds", d.Source.Name, d.Plugin.Title)
	case d.Bare > 0:
		g.lacks("%s: %s of content, not structure: atg apply copies that", d.Source.Name, items(d.Bare))
	}
	if without := len(d.Items) - declared; without > 0 {
		g.lacks("%s: without a type in %s: %s", d.Source.Name, iac.Title(g.project.Format), items(int64(without)))
	}
	g.fails(d)
	if len(unit.Items) > 0 {
		g.project.Units = append(g.project.Units, unit)
	}
}

// fails takes in what could not be declared. The README gets no more of an error than its
// kind, so that it stays the same as long as the source does.
func (g *generation) fails(d session.Declaration) {
	g.result.Failed += d.Failed
	for _, f := range d.Failures {
		g.result.Failures = append(g.result.Failures, view.GeneratedFailed{
			Resource: d.Source.ID, Item: string(f.Item), Message: view.Brief(f.Err), Hint: view.HintOf(f.Err),
		})
		what := string(f.Item)
		if what == "" {
			what = "a part of the listing"
		}
		g.lacks("%s: %s could not be declared (%s)", d.Source.Name, what, errs.KindOf(f.Err))
	}
	if more := d.Failed - int64(len(d.Failures)); more > 0 {
		g.lacks("%s: could not be declared either: %s", d.Source.Name, items(more))
	}
}

// items writes a count.
func items(n int64) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}

func place(r plugin.Resource) iac.Place {
	return iac.Place{
		ID: r.ID, Name: r.Name, Type: r.Type, TenantID: r.TenantID, SubscriptionID: r.SubscriptionID, ResourceGroup: r.ResourceGroup,
	}
}

// write composes the code and puts it into the directory.
func (g *generation) write(opt *generateOptions) error {
	files, sum, err := g.project.Files()
	if err != nil {
		return &errs.Error{Op: "write the declarations as " + string(opt.format), Kind: errs.Internal, Err: err}
	}
	g.result.Declared, g.result.Imports = sum.Resources, sum.Imports
	g.result.Parameters, g.result.Secrets = len(sum.Parameters), sum.Secrets
	if g.result.Failed > 0 && !opt.force {
		if earlier, err := iac.Earlier(opt.dir); err != nil || earlier {
			return &errs.Error{
				Op: "write over the code in " + opt.dir, Kind: errs.Conflict, Err: errIncomplete,
				Hint: "mend the causes and run it again, or write the rest with --force",
			}
		}
	}
	done, err := iac.Write(opt.dir, files, opt.force)
	if err != nil {
		return err
	}
	g.result.Files, g.result.Changed, g.result.Removed = done.Files, done.Changed, done.Removed
	return nil
}
