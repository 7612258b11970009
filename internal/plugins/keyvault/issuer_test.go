package keyvault

import (
	"slices"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const digi = `"name":"digi","provider":"DigiCert","accountId":"acc","password":"pw","orgId":"org"`

func TestIssuerIsCopiedWithoutCredentials(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"issuers":[{` + digi + `}]}`})
	for _, r := range []run{full(), template()} {
		if r.mode == plugin.Replication {
			if c := l.compare(r, "issuers/digi"); c.State != plugin.Missing {
				t.Errorf("before: %+v", c)
			}
			out := l.replicate(r, "issuers/digi")
			l.wantStatus(out, plugin.Created)
			if !slices.Equal(out.Warnings, []string{warnNoCredentials}) {
				t.Errorf("warnings = %q", out.Warnings)
			}
		}
		l.sameFields("issuers/digi", "provider", "orgDetails", "enabled")
		l.wantStatus(l.replicate(r, "issuers/digi"), plugin.Unchanged)
		c := l.compare(r, "issuers/digi")
		if c.State != plugin.Same || c.Proven != (r.mode == plugin.Template) {
			t.Errorf("%s after: %+v", r.mode, c)
		}
	}
}

func TestIssuerKeepsItsCredentials(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"issuers":[{` + digi + `,"enabled":false}]}`,
		target: `{"issuers":[{"name":"digi","provider":"GlobalSign","accountId":"mine","password":"own","orgId":"other"}]}`,
	})
	if c := l.compare(full(), "issuers/digi"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"provider", "organization", "enabled"}) {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(full(), "issuers/digi"), errs.Conflict)
	l.wantStatus(l.replicate(full().over(), "issuers/digi"), plugin.Updated)
	l.sameFields("issuers/digi", "provider", "orgDetails", "enabled")
	if f := l.fields(l.target, "issuers/digi"); f["accountId"] != "mine" || f["password"] != "own" {
		t.Errorf("the target's credentials are %q, %q", f["accountId"], f["password"])
	}
}

func TestContactsAreOneItem(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"contacts":[{"email":"a@contoso.com","name":"A","phone":"1"},{"email":"b@contoso.com"}]}`})
	if c := l.compare(full(), "contacts"); c.State != plugin.Missing {
		t.Errorf("before: %+v", c)
	}
	l.wantStatus(l.replicate(full(), "contacts"), plugin.Created)
	l.sameFields("contacts", "contacts")
	l.wantStatus(l.replicate(full(), "contacts"), plugin.Unchanged)
	if c := l.compare(full(), "contacts"); c.State != plugin.Same || !c.Proven {
		t.Errorf("after: %+v", c)
	}
}

func TestOtherContactsAreKept(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"contacts":[{"email":"a@contoso.com"}]}`, target: `{"contacts":[{"email":"x@fabrikam.com"}]}`})
	if c := l.compare(full(), "contacts"); c.State != plugin.Different {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(full(), "contacts"), errs.Conflict)
	l.wantStatus(l.replicate(full().over(), "contacts"), plugin.Updated)
	l.sameFields("contacts", "contacts")
}
