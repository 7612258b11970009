package session

import (
	"cmp"
	"context"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/grant"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// CheckAccess tells of both ends of every pair what the side's principal holds there. It
// reads only. Azure is asked once in a session; later calls return the same report.
func (s *Session) CheckAccess(ctx context.Context) (*rbac.Report, error) {
	if s.access != nil {
		return s.access, nil
	}
	report, err := s.checker.Check(ctx, s.subjects())
	if err != nil {
		return nil, err
	}
	s.access = report
	return report, nil
}

// Access is the report of CheckAccess, and nil if nobody has asked for it: by that call
// or by Plan or Apply.
func (s *Session) Access() *rbac.Report { return s.access }

// MayApply returns nil unless a permission is surely missing on either side; the error
// then names it. With Options.SkipAccessCheck it asks nobody.
func (s *Session) MayApply(ctx context.Context) error {
	if s.opt.SkipAccessCheck {
		return nil
	}
	report, err := s.CheckAccess(ctx)
	if err != nil {
		return err
	}
	return report.Err()
}

// Grants lists what the sides need at the ends of the pairs, for a script. Names say who
// gets it on a side instead of who is signed in there; "" and no entry mean the latter.
func (s *Session) Grants(ctx context.Context, sides []plugin.Side, names map[plugin.Side]string) ([]grant.Item, error) {
	var out []grant.Item
	for _, side := range sides {
		for _, subject := range s.subjects() {
			if subject.Side != side {
				continue
			}
			it, err := s.grant(ctx, subject, names[side])
			if err != nil {
				return nil, err
			}
			out = append(out, it)
		}
	}
	return out, nil
}

func (s *Session) grant(ctx context.Context, subject rbac.Subject, name string) (grant.Item, error) {
	who, err := s.checker.Caller(ctx, subject.Side, subject.Endpoint)
	if err != nil {
		return grant.Item{}, err
	}
	if name != "" {
		who = plugin.Caller{TenantID: who.TenantID, ObjectID: name}
	}
	access, err := rbac.AccessOf(ctx, subject, who)
	if err != nil {
		return grant.Item{}, err
	}
	it := grant.Item{
		Side: subject.Side, TenantID: who.TenantID, Plugin: subject.Plugin, Mode: subject.Mode, Settings: subject.Settings,
		Resource: subject.Endpoint.Resource, Access: access, Who: grant.Grantee{ObjectID: who.ObjectID, User: who.User},
	}
	if name != "" {
		it.Who = grant.Grantee{Name: name}
	}
	return it, nil
}

// subjects are both ends of every pair.
func (s *Session) subjects() []rbac.Subject {
	mode := cmp.Or(s.engine.Mode, plugin.Template)
	out := make([]rbac.Subject, 0, 2*len(s.pairs))
	for _, p := range s.pairs {
		one := rbac.Subject{Side: plugin.Source, Plugin: p.Plugin, Mode: mode, Settings: s.engine.Settings[p.Plugin.Info().Name], Endpoint: p.Source}
		out = append(out, one)
		if !p.Future {
			one.Side, one.Endpoint = plugin.Target, p.Target
			out = append(out, one)
		}
	}
	return out
}
