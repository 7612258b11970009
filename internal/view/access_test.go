package view

import (
	"errors"
	"strings"
	"testing"
)

func accesses() []Access {
	return []Access{
		{
			Side: "source", Name: "kv-contoso", Type: "Microsoft.KeyVault/vaults", Principal: "11111111-1111-1111-1111-111111111111", By: "Azure RBAC",
			Rights: []AccessRight{
				{State: "held", Action: "Microsoft.KeyVault/vaults/keys/read", Data: true, Reason: "list the keys"},
				{State: "missing", Action: "Microsoft.KeyVault/vaults/secrets/getSecret/action", Data: true, Reason: "read the values of secrets and the private keys of certificates", Why: "no role at the resource or above it grants it", Role: "Key Vault Secrets User"},
				{State: "unknown", Action: "Microsoft.KeyVault/vaults/read", Reason: "read the resource itself", Why: "a role grants it under a condition"},
			},
		},
		{
			Side: "target", Name: "kv-fabrikam", Type: "Microsoft.KeyVault/vaults", By: "access policies",
			Rights: []AccessRight{{State: "held", Action: "Microsoft.KeyVault/vaults/keys/read", Data: true, Reason: "list the keys"}},
			Fact:   "its firewall lets through 1 address range and 0 subnets alone", Hint: "run from one of them",
		},
	}
}

func TestAccessReport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		all   bool
		style Style
	}{"access_all.golden": {true, Style{}}, "access_amiss.golden": {false, Style{Width: 80, Color: true}}} {
		golden(t, name, render(t, func(b *strings.Builder) error { return AccessReport(b, accesses(), tt.all, tt.style) }))
	}
}

func TestAccessReportIsSilentIfAllIsWell(t *testing.T) {
	t.Parallel()
	well := accesses()[1:]
	well[0].Fact = ""
	if got := render(t, func(b *strings.Builder) error { return AccessReport(b, well, false, Style{}) }); got != "" {
		t.Errorf("%q", got)
	}
	if got := render(t, func(b *strings.Builder) error { return AccessReport(b, well, true, Style{}) }); !strings.HasSuffix(got, "\n1 permission held, 0 missing, 0 unknown at 1 resource\n") {
		t.Errorf("%q", got)
	}
}

func TestAccessReportCannotWrite(t *testing.T) {
	t.Parallel()
	if err := AccessReport(full{}, accesses(), true, Style{}); err == nil {
		t.Error("an error of the writer is lost")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }
