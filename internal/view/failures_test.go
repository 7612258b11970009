package view

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
)

// said is an error in the words of a service.
type said string

func (s said) Error() string { return string(s) }

func TestError(t *testing.T) {
	t.Parallel()
	denied := &errs.Error{
		Op: "read the secret values", Kind: errs.PermissionDenied, Side: "source",
		Resource: rg + "kv-prod", Item: "secrets/db", Status: 403, Code: "Forbidden/ForbiddenByRbac",
		Action:    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
		RequestID: "5f0c0000-0000-4000-8000-000000000000",
		Err:       said("Caller is not authorized to perform action on resource.\r\nIf role assignments were changed recently, please observe propagation time."),
	}
	for name, tc := range map[string]struct {
		err   error
		done  string
		style Style
	}{
		"denied":       {denied, "0 of 12 items of this vault; the other 41 resources went on", Style{Width: 80}},
		"denied.color": {denied, "", Style{Width: 80, Color: true}},
		"wrapped":      {fmt.Errorf("plan: %w", denied), "", Style{}},
		"no-sign-in": {&errs.Error{
			Op: "sign in", Kind: errs.Unauthenticated, Side: "target", Code: "AADSTS7000215", Status: 401,
			Err: said("AADSTS7000215: Invalid client secret provided."),
		}, "", Style{Width: 80}},
		"own-hint": {&errs.Error{Op: "choose the cloud", Kind: errs.Invalid, Err: errors.New(`there is no cloud "mars"`), Hint: "use one of: public, usgovernment, china"}, "", Style{}},
		"plain":    {errors.New("open /nowhere: no such file or directory"), "", Style{Width: 80}},
		"evil": {&errs.Error{
			Op: "read the secret", Kind: errs.Conflict, Resource: "kv\x1b[2Jx",
			Err: errors.New("a\x1b]0;title\x07b\u009b1mc"),
		}, "", Style{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(b *strings.Builder) error { return Error(b, tc.err, tc.done, tc.style) })
			golden(t, "error."+name+".golden", got)
			if !tc.style.Color && strings.ContainsAny(got, "\x1b\x07") {
				t.Error("a control character reaches the terminal")
			}
		})
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	for _, kind := range errs.Kinds() {
		if hints[hintKey{kind, ""}] == "" {
			t.Errorf("kind %s has no hint", kind)
		}
	}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("x"), ""},
		{&errs.Error{Op: "x", Kind: errs.Invalid, Hint: "mine"}, "mine"},
		{fmt.Errorf("y: %w", &errs.Error{Op: "x", Kind: errs.Invalid, Hint: "mine"}), "mine"},
		{&errs.Error{Op: "x", Kind: errs.NotFound, Side: "source"}, "check the name and the source tenant and subscription"},
		{&errs.Error{Op: "x", Kind: errs.NotFound}, "check the name and the tenant and subscription"},
		{&errs.Error{Op: "x", Kind: errs.NotFound, Side: "target", Code: "ResourceGroupNotFound"}, "check --target-resource-group and --target-subscription-id"},
		{&errs.Error{Op: "x", Kind: errs.Conflict, Code: "Conflict/ObjectIsBeingRecovered"}, "the target vault is still recovering this object: run it again in a minute"},
		{&errs.Error{Op: "x", Kind: errs.Throttled, Code: "Nobody/Knows"}, hints[hintKey{errs.Throttled, ""}]},
		{&errs.Error{Op: "x", Err: context.Canceled}, hints[hintKey{errs.Canceled, ""}]},
	} {
		if got := HintOf(tc.err); got != tc.want {
			t.Errorf("HintOf(%v) = %q, want %q", tc.err, got, tc.want)
		}
	}
	for _, h := range Hints() {
		for _, side := range []string{"", "source", "target"} {
			if filled := fill(h, side, ""); strings.ContainsAny(filled, "{}") {
				t.Errorf("a hole is left: %s", filled)
			}
		}
	}
}

func TestShortMessages(t *testing.T) {
	t.Parallel()
	got := render(t, func(b *strings.Builder) error {
		return errors.Join(
			Usage(b, errors.New("unknown flag: --x"), "atg plan", Style{Width: 80}),
			Usage(b, errors.New("unknown command"), "", Style{}),
			Warning(b, "a secret on the command line can be read by others", Style{Width: 40}),
			Note(b, "open https://microsoft.com/devicelogin", Style{}),
			Prompt(b, "Write? ", Style{Color: true}),
		)
	})
	golden(t, "short.golden", got)
}
