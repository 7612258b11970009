package grant_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/grant"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	object  = "11111111-1111-1111-1111-111111111111"
	subA    = "aaaaaaaa-0000-0000-0000-000000000000"
	subB    = "bbbbbbbb-0000-0000-0000-000000000000"
	admin   = "00482a5a-887f-4fb3-b363-3b7fe8e74483" // Key Vault Administrator
	reader  = "acdd72a7-3385-48ef-bd42-f606fba81ae7" // Reader
	certs   = "a4417e6f-fecd-4de8-b567-7b0420556985" // Key Vault Certificates Officer
	kvRead  = "21090545-7ca7-4776-b22c-e363652d74d2" // Key Vault Reader
	version = "v1.2.3"
)

func vaultIn(sub, name string) plugin.Resource {
	return plugin.Resource{
		ID: "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/" + name, Name: name,
		Type: "Microsoft.KeyVault/vaults", ResourceGroup: "rg", SubscriptionID: sub,
	}
}

func item(side plugin.Side, res plugin.Resource) grant.Item {
	return grant.Item{Side: side, TenantID: "t-" + string(side), Plugin: keyvault.New(), Mode: plugin.Template, Resource: res, Who: grant.Grantee{ObjectID: object}}
}

// carriedOut runs a script with an az that only tells its arguments, and returns those of
// each call, one line for each call with blanks between the quoted words.
func carriedOut(t testing.TB, script string) []string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	stub := "#!/bin/sh\n{ for a in \"$@\"; do printf '[%s]' \"$a\"; done; printf '\\n'; } >> '" + log + "'\ncase $* in *'definition list'*) echo 0;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(stub), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bash, "-s")
	cmd.Stdin, cmd.Dir = strings.NewReader(script), dir
	cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func assignment(role string, res plugin.Resource) string {
	return "[role][assignment][create][--assignee-object-id][" + object + "][--assignee-principal-type][ServicePrincipal][--role][" + role +
		"][--scope][" + res.ID + "][--subscription][" + res.SubscriptionID + "][--output][none]"
}

func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	one, two := vaultIn(subA, "kv-one"), vaultIn(subB, "kv-two")
	items := []grant.Item{item(plugin.Target, two), item(plugin.Source, one), item(plugin.Source, one)}
	for prefer, roles := range map[catalog.Preference][]string{"": {admin, reader}, catalog.Fewest: {admin, reader}, catalog.Narrowest: {certs, kvRead, reader}} {
		text, err := grant.Bash(items[1:], grant.Options{Prefer: prefer, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, r := range roles {
			want = append(want, assignment(r, one))
		}
		if diff := cmp.Diff(want, carriedOut(t, text)); diff != "" {
			t.Errorf("%q: -want +got\n%s", prefer, diff)
		}
	}
	text, err := grant.Bash(items, grant.Options{Version: version})
	if err != nil {
		t.Fatal(err)
	}
	calls := carriedOut(t, text)
	if len(calls) != 4 || !strings.Contains(calls[0], "kv-one") || !strings.Contains(calls[3], "kv-two") {
		t.Errorf("both sides, source first:\n%s", strings.Join(calls, "\n"))
	}
	for _, want := range []string{"Written by atg v1.2.3", "# Source, template mode: Key Vault in tenant t-source\n", "# kv-two\n", admin + "  Key Vault Administrator", "--prefer narrowest makes that", "set -euo pipefail"} {
		if !strings.Contains(text, want) {
			t.Errorf("the script lacks %q:\n%s", want, text)
		}
	}
}

func TestCustomRole(t *testing.T) {
	t.Parallel()
	one, two := vaultIn(subA, "kv-one"), vaultIn(subB, "kv-two")
	items := []grant.Item{item(plugin.Source, two), item(plugin.Source, one)}
	text, err := grant.Bash(items, grant.Options{CustomRole: true})
	if err != nil {
		t.Fatal(err)
	}
	calls := carriedOut(t, text)
	const name = "atg keyvault source (template)"
	if len(calls) != 4 || !strings.HasPrefix(calls[0], "[role][definition][list][--name]["+name+"]") ||
		calls[2] != assignment(name, one) || calls[3] != assignment(name, two) {
		t.Fatalf("calls:\n%s", strings.Join(calls, "\n"))
	}
	_, raw, _ := strings.Cut(calls[1], "[role][definition][create][--role-definition][")
	raw, _, _ = strings.Cut(raw, "][--subscription]["+subA+"]")
	roles, err := grant.CustomRoles(items)
	if err != nil || len(roles) != 1 {
		t.Fatal(roles, err)
	}
	var got grant.CustomRole
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if diff := cmp.Diff(roles[0], got); diff != "" {
		t.Error(diff)
	}
	want := []string{"/subscriptions/" + subA, "/subscriptions/" + subB}
	if diff := cmp.Diff(want, got.AssignableScopes); diff != "" {
		t.Error(diff)
	}
	if len(got.DataActions) != 6 || len(got.Actions) != 3 || got.Name != name {
		t.Errorf("%+v", got)
	}
	both := append(items, item(plugin.Target, two))
	for n, list := range map[int][]grant.Item{1: items, 2: both} {
		roles, err := grant.CustomRoles(list)
		if err != nil || len(roles) != n {
			t.Fatal(roles, err)
		}
		text, err := grant.RolesJSON(roles)
		if err != nil || (text[0] == '{') != (n == 1) || !json.Valid(text) {
			t.Errorf("%d roles: %v\n%s", n, err, text)
		}
	}
}

func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	it := item(plugin.Source, vaultIn(subA, "kv-one"))
	it.Access = plugin.Access{By: "access policies", Grant: [][]string{{"az", "keyvault", "set-policy", "--name", "kv-one", "--object-id", object, "--secret-permissions", "get", "list"}}}
	text, err := grant.Bash([]grant.Item{it, item(plugin.Source, vaultIn(subA, "kv-two"))}, grant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		assignment(admin, vaultIn(subA, "kv-two")), assignment(reader, vaultIn(subA, "kv-two")),
		assignment(reader, vaultIn(subA, "kv-one")),
		"[keyvault][set-policy][--name][kv-one][--object-id][" + object + "][--secret-permissions][get][list][--output][none]",
	}
	if diff := cmp.Diff(want, carriedOut(t, text)); diff != "" {
		t.Error(diff)
	}
	it.Who = grant.Grantee{Name: "app@contoso.com"}
	if _, err := grant.Bash([]grant.Item{it}, grant.Options{}); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "by object ID") {
		t.Errorf("an access policy for a sign-in name: %v", err)
	}
}

func TestAssignees(t *testing.T) {
	t.Parallel()
	for want, who := range map[string]grant.Grantee{
		"[--assignee-object-id][" + object + "][--assignee-principal-type][User]": {ObjectID: object, User: true},
		"[--assignee][it's me@contoso.com]":                                       {Name: "it's me@contoso.com"},
	} {
		it := item(plugin.Source, vaultIn(subA, "kv-one"))
		it.Who = who
		text, err := grant.Bash([]grant.Item{it}, grant.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range carriedOut(t, text) {
			if !strings.Contains(c, want) {
				t.Errorf("%s lacks %s", c, want)
			}
		}
	}
}

// TestNothingFromOutsideIsCarriedOut: names that a shell would take for something else
// reach az as they are.
func TestNothingFromOutsideIsCarriedOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"$(touch hacked)", "`touch hacked`", "'; touch hacked; '", "\"; touch hacked; \"", "a b", "a\ntouch hacked\n", "a;touch hacked", "a&touch hacked&",
		"#", "\\", "!!", "~", "*", "{a,b}", "<x", ">hacked", "|touch hacked", "\u2028touch hacked",
	} {
		it := item(plugin.Source, vaultIn(subA, name))
		it.TenantID, it.Who = name, grant.Grantee{Name: name}
		for _, opt := range []grant.Options{{Version: name}, {CustomRole: true}} {
			text, err := grant.Bash([]grant.Item{it}, opt)
			if err != nil {
				t.Fatal(err)
			}
			text += "\nif [ -e hacked ]; then echo 'something was carried out' >&2; exit 1; fi\n"
			joined := strings.Join(carriedOut(t, text), "\n")
			if !strings.Contains(joined, "[--assignee]["+name+"]") || !strings.Contains(joined, "[--scope]["+it.Resource.ID+"]") {
				t.Errorf("%q does not arrive:\n%s", name, joined)
			}
		}
	}
}

// TestScriptStopsAndGoesOn: a failure of az ends the script with its words; an assignment
// that is there already does not.
func TestScriptStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	text, err := grant.Bash([]grant.Item{item(plugin.Source, vaultIn(subA, "kv-one"))}, grant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for said, fails := range map[string]bool{"(RoleAssignmentExists) The role assignment already exists.": false, "(AuthorizationFailed) no": true} {
		cmd := exec.CommandContext(t.Context(), bash, "-s")
		cmd.Stdin = strings.NewReader("az() { echo '" + said + "' >&2; return 1; }\n" + text)
		out, err := cmd.CombinedOutput()
		if (err != nil) != fails || strings.Contains(string(out), said) != fails {
			t.Errorf("az says %q: %v, %q", said, err, out)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	nobody := item(plugin.Target, vaultIn(subA, "kv"))
	nobody.Who = grant.Grantee{}
	odd := item(plugin.Target, plugin.Resource{ID: "kv", Name: "kv"})
	for want, items := range map[string][]grant.Item{
		"there is no resource":          nil,
		"nobody is named":               {nobody},
		"no ID of a resource in a subs": {odd},
	} {
		if _, err := grant.Bash(items, grant.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := grant.CustomRoles([]grant.Item{odd}); err == nil {
		t.Error("a custom role without a subscription")
	}
	if _, err := grant.Bash([]grant.Item{odd}, grant.Options{CustomRole: true}); err == nil {
		t.Error("a custom role without a subscription")
	}
	_, err := grant.Bash([]grant.Item{nobody}, grant.Options{})
	if errs.HintOf(err) != "name the principal: --target-assignee ID" {
		t.Errorf("hint %q", errs.HintOf(err))
	}
}

// odd is a plugin whose rights no built-in role grants.
type odd struct{ *keyvault.Plugin }

func (odd) Permissions(plugin.Mode) []plugin.Permission {
	return []plugin.Permission{{Side: plugin.Source, DataActions: []string{"Contoso.Boxes/boxes/open/action"}, Reason: "open boxes"}}
}

func TestWhatNoBuiltInRoleGrants(t *testing.T) {
	t.Parallel()
	it := item(plugin.Source, vaultIn(subA, "kv-one"))
	it.Plugin = odd{keyvault.New()}
	text, err := grant.Bash([]grant.Item{it}, grant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	calls := carriedOut(t, text)
	if len(calls) != 4 || !strings.Contains(calls[1], "Contoso.Boxes/boxes/open/action") || !strings.Contains(calls[2], reader) || !strings.Contains(calls[3], "[--role][atg keyvault source (template)]") {
		t.Errorf("calls:\n%s", strings.Join(calls, "\n"))
	}
}
