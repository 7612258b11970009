package view

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
)

func signIns(checked bool) AuthStatus {
	until := time.Date(2026, 11, 23, 1, 30, 0, 0, time.FixedZone("", 3600))
	source := SignInStatus{
		Side: "source", SignedIn: true, Link: "AZURE_*", TenantID: "11111111-1111-4111-8111-111111111111", Principal: "atg-source",
		AppID: "aaaaaaaa-0000-4000-8000-000000000001", ObjectID: "bbbbbbbb-0000-4000-8000-000000000001", Expires: &until,
		Attempts: []SignInLink{
			{"ATG_SOURCE_*", LinkFailed, "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value."},
			{"AZURE_*", LinkWon, "atg-source"},
		},
	}
	target := SignInStatus{Side: "target", Attempts: []SignInLink{
		{"AZURE_*", LinkFailed, "is of tenant 11111111-1111-4111-8111-111111111111; this side is tenant 22222222-2222-4222-8222-222222222222"},
		{"managed identity", LinkNotTried, "no metadata service answers: this is no Azure machine"},
		{"interactive", LinkNotTried, "there is no terminal"},
	}}
	target.Fail(&errs.Error{Op: "sign in", Kind: errs.Unauthenticated, Side: "target", Hint: "set AZURE_DATAPLANE_CLIENT_ID", Err: errors.New("no credential works")})
	if checked {
		source.Subscriptions = []Subscription{{"c0000000-0000-4000-8000-000000000001", "contoso production", "Enabled", source.TenantID}}
		target = source
		target.Side, target.Subscriptions, target.Attempts = "target", nil, source.Attempts[1:]
		target.Fail(&errs.Error{Op: "see any subscription", Kind: errs.PermissionDenied, Side: "target", Err: errors.New("the principal holds no role"), Hint: "give it the role Reader"})
	}
	return AuthStatus{
		Schema: AuthStatusSchema, Cloud: "public", Authority: "https://login.microsoftonline.com", ResourceManager: "https://management.azure.com",
		Checked: checked, Sides: []SignInStatus{source, target},
	}
}

func TestAuthStatus(t *testing.T) {
	t.Parallel()
	golden(t, "auth.golden", render(t, func(b *strings.Builder) error { return signIns(false).Write(b, Style{Width: 80}) }))
	golden(t, "auth.check.golden", render(t, func(b *strings.Builder) error { return signIns(true).Write(b, Style{Color: true}) }))
	golden(t, "auth.json.golden", render(t, func(b *strings.Builder) error { return JSON(b, signIns(true)) }))
	wrong := SignInStatus{Side: "target"}
	wrong.Fail(&errs.Error{Op: "sign in", Kind: errs.Invalid, Side: "target", Err: errors.New("the client secret is missing")})
	got := render(t, func(b *strings.Builder) error { return AuthStatus{Sides: []SignInStatus{wrong}}.Write(b, Style{}) })
	if !strings.Contains(got, "error        sign in (target): the client secret is missing\n") {
		t.Errorf("an error without a chain is not shown:\n%s", got)
	}
	if err := signIns(true).Write(full{}, Style{}); err == nil {
		t.Error("an error of the writer is lost")
	}
}
