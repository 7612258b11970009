package main

import (
	"strings"
	"testing"
)

func TestExtract(t *testing.T) {
	t.Parallel()
	in := `{"provider_schemas":{"registry.terraform.io/hashicorp/azurerm":{"resource_schemas":{
		"azurerm_key_vault_secret":{"version":0,"block":{"description":"long","attributes":{"name":{"type":"string","description":"x","required":true}},
			"block_types":{"timeouts":{"nesting_mode":"single","block":{"attributes":{"read":{"type":"string","optional":true}}}}}}},
		"azurerm_dns_zone":{"block":{}}}},
		"registry.terraform.io/hashicorp/random":{"resource_schemas":{"azurerm_key_vault_odd":{"block":{}}}}}}`
	got, err := extract(strings.NewReader(in), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"provider":"azurerm 1.2.3"}
{"type":"azurerm_key_vault_secret","block":{"attributes":{"name":{"type":"string","required":true}},"block_types":{"timeouts":{"nesting_mode":"single","block":{"attributes":{"read":{"type":"string","optional":true}}}}}}}
`
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for name, bad := range map[string]string{"no JSON": "{", "another provider": `{"provider_schemas":{}}`} {
		if _, err := extract(strings.NewReader(bad), "1"); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
