package auth_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// state is how a link of the chain is set up.
type state string

const (
	absent  state = "absent"
	works   state = "works"
	refused state = "refused" // a wrong secret
	partly  state = "in part" // an application without a secret
	foreign state = "foreign" // of the other side's tenant
	byFile  state = "by file" // a certificate
	noFile  state = "no file" // a certificate that is not there
)

// matrix is one side with its principal, and what the links of its chain are called.
type matrix struct {
	side          plugin.Side
	tenant, other string
	app, value    string
	own, numbered string // prefixes of variables
	sts           *sts
	cert          string // file that the application's certificate is in
}

// setup is how each link that a person can set up is set up.
type setup struct{ flags, own, shared, azure, numbered state }

func (s setup) String() string {
	return fmt.Sprintf("flags %s, own %s, shared %s, AZURE %s, numbered %s", s.flags, s.own, s.shared, s.azure, s.numbered)
}

// principal is a service principal in a state.
func (m *matrix) principal(origin string, st state) auth.Principal {
	p := auth.Principal{Origin: origin, ClientID: m.app}
	switch st {
	case absent:
		return auth.Principal{}
	case works, foreign:
		p.ClientSecret = secret.New(m.value)
	case refused:
		p.ClientSecret = secret.New("wrong")
	case byFile:
		p.CertificatePath = m.cert
	case noFile:
		p.CertificatePath = m.cert + ".none"
	case partly:
	}
	if st == foreign {
		p.TenantID = m.other
	}
	return p
}

// variables are those of a family in a state.
func (m *matrix) variables(prefix string, st state) map[string]string {
	out := map[string]string{}
	p := m.principal("", st)
	for name, value := range map[string]string{
		"CLIENT_ID": p.ClientID, "CLIENT_SECRET": p.ClientSecret.Reveal(), "CLIENT_CERTIFICATE_PATH": p.CertificatePath,
	} {
		if value != "" {
			out[prefix+name] = value
		}
	}
	if p.TenantID != "" && strings.HasPrefix(prefix, "AZURE_TENANT_") {
		out[prefix+"ID"] = p.TenantID
	} else if p.TenantID != "" {
		out[prefix+"TENANT_ID"] = p.TenantID
	}
	return out
}

// resolve runs the chain.
func (m *matrix) resolve(t testing.TB, s setup) (*auth.Result, error) {
	t.Helper()
	vars := map[string]string{"AZURE_TOKEN_CREDENTIALS": "prod"}
	maps.Copy(vars, m.variables(m.own, s.own))
	maps.Copy(vars, m.variables("AZURE_", s.azure))
	maps.Copy(vars, m.variables(m.numbered, s.numbered))
	return auth.Resolve(t.Context(), auth.Config{
		Side: m.side, TenantID: m.tenant, Flags: m.principal("flags", s.flags), Shared: m.principal("other side", s.shared),
		Environment: auth.FromEnvironment(m.side, env(vars)), Options: pipeline.New(m.sts.options(m.side)),
		Refused: "nobody is there",
	})
}

// outcome is what must come of a setup.
type outcome struct {
	Won  string    // the link; "" for none
	Kind errs.Kind // of the error, if no link won
	Said []string  // of the links before the winner, or of all: "link: beginning of what it said"
}

// expect says by the chain's documented order what must come of a setup: the first link
// that works wins; flags end the chain, and so does a file that cannot be read.
func (m *matrix) expect(s setup) outcome {
	links := []struct {
		name string
		state
	}{{"flags", s.flags}, {m.own + "*", s.own}, {"other side", s.shared}, {"AZURE_*", s.azure}, {m.numbered + "*", s.numbered}}
	var out outcome
	for _, l := range links {
		said := map[state]string{
			refused: "AADSTS7000215", partly: "the client secret is not set",
			foreign: "is of tenant " + m.other + "; this side is tenant " + m.tenant,
		}[l.state]
		works := l.state == works || l.state == byFile || l.state == foreign && l.name == "other side" // the tenant that was said with it counts for its own side alone
		switch {
		case l.state == absent:
			continue
		case works:
			out.Won = l.name
			return out
		case l.state == noFile || l.name == "flags" && l.state != refused:
			return outcome{Kind: errs.Invalid}
		}
		out.Said = append(out.Said, l.name+": "+said)
		if l.name == "flags" {
			out.Kind = errs.Unauthenticated
			return out
		}
	}
	out.Kind = errs.Unauthenticated
	out.Said = append(out.Said, hostedSaid[:len(hostedSaid)-1]...)
	out.Said = append(out.Said, "interactive: nobody is there")
	return out
}

// got brings the chain's result into the form of an outcome. What a link said is cut to
// the length of what is expected of it.
func got(res *auth.Result, err error, want []string) outcome {
	var (
		out      outcome
		attempts []auth.Attempt
		chain    *auth.ChainError
	)
	switch {
	case err == nil:
		out.Won, attempts = res.Link, res.Attempts[:len(res.Attempts)-1]
	case errors.As(err, &chain):
		attempts = chain.Attempts
	}
	out.Kind = errs.KindOf(err)
	for i, a := range attempts {
		text := a.Link + ": " + a.Said
		if i < len(want) && strings.HasPrefix(text, want[i]) {
			text = want[i]
		}
		out.Said = append(out.Said, text)
	}
	return out
}

// TestEveryCombination goes through every combination of links that work, fail, are set up
// in part, by a file, for the wrong tenant or not at all, on both sides.
func TestEveryCombination(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	file := pemFile(t, cert, key)
	service := newSTS(t, cert)
	for _, m := range []*matrix{
		{side: plugin.Source, tenant: contoso, other: fabrikam, app: sourceApp, value: sourceSecret, own: "ATG_SOURCE_", numbered: "AZURE_TENANT_1_", sts: service, cert: file},
		{side: plugin.Target, tenant: fabrikam, other: contoso, app: targetApp, value: targetSecret, own: "AZURE_DATAPLANE_", numbered: "AZURE_TENANT_2_", sts: service, cert: file},
	} {
		t.Run(string(m.side), func(t *testing.T) {
			t.Parallel()
			all := setups()
			for _, s := range all {
				want := m.expect(s)
				res, err := m.resolve(t, s)
				have := got(res, err, want.Said)
				if d := cmp.Diff(want, have); d != "" {
					t.Errorf("%s (-want +got):\n%s", s, d)
				}
				if err != nil && strings.Contains(fmt.Sprintf("%+v", err), m.value) {
					t.Errorf("%s: the error holds a secret: %v", s, err)
				}
				if err == nil && (res.TenantID != m.tenant || res.AppID != m.app) {
					t.Errorf("%s: %s of tenant %s", s, res.AppID, res.TenantID)
				}
			}
			if len(all) < 300 {
				t.Errorf("only %d combinations", len(all))
			}
		})
	}
}

// setups are all combinations without flags, in three or more states a link, and each
// state of the flags with all other links working and with none.
func setups() []setup {
	var out []setup
	for _, own := range []state{absent, works, refused, partly, foreign, byFile, noFile} {
		for _, shared := range []state{absent, works, refused, foreign} {
			for _, azure := range []state{absent, works, refused, partly} {
				for _, numbered := range []state{absent, works, foreign} {
					out = append(out, setup{absent, own, shared, azure, numbered})
				}
			}
		}
	}
	for _, flags := range []state{works, refused, partly, foreign, byFile, noFile} {
		for _, rest := range []state{absent, works} {
			out = append(out, setup{flags, rest, rest, rest, rest})
		}
	}
	return out
}

// The public sign-in service is asked about other clouds' ones by default, and would not
// be reachable from a cloud of its own.
func TestSignInServiceOfAnotherCloud(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	s.alone = "login.example.com"
	opt := s.options(plugin.Source)
	opt.Cloud = privateCloud(t)
	res, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Flags: principal("--source-sp-*", "", sourceApp, sourceSecret), Options: pipeline.New(opt),
	})
	if err != nil || res.TenantID != contoso || res.AppID != sourceApp {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, host := range s.hosts {
		if host != s.alone {
			t.Errorf("%s was asked", host)
		}
	}
}

// A browser is started only where that is allowed; here there is none to be found.
func TestBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(newSTS(t).options(plugin.Source)),
		Environment: auth.Environment{Only: "prod"}, AllowInteractive: true,
	})
	var chain *auth.ChainError
	if !errors.As(err, &chain) {
		t.Fatal(err)
	}
	last := chain.Attempts[len(chain.Attempts)-1]
	if last.Link != "browser" || last.Absent || last.Said == "" {
		t.Errorf("%+v", last)
	}
	if filepath.IsAbs(last.Said) {
		t.Errorf("%q is no reason", last.Said)
	}
}
