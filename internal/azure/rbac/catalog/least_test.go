package catalog

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func kv(data bool, names ...string) []Operation {
	out := make([]Operation, len(names))
	for i, n := range names {
		out[i] = Operation{"Microsoft.KeyVault/vaults/" + n, data}
	}
	return out
}

func names(roles []Role) []string {
	out := []string{}
	for _, r := range roles {
		out = append(out, r.Name)
	}
	return out
}

func TestLeast(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		need   []Operation
		prefer Preference
		want   []string
	}{
		{"values of secrets", kv(true, "secrets/getSecret/action", "secrets/readMetadata/action"), Fewest, []string{"Key Vault Secrets User"}},
		{"metadata", kv(true, "secrets/readMetadata/action"), Fewest, []string{"Key Vault Secrets User"}}, // the Reader may open support tickets and more
		{"keys", kv(true, "keys/read"), Fewest, []string{"Key Vault Certificate User"}},
		{"the vault itself", kv(false, "read"), Fewest, []string{"Reader"}},
		{"release", kv(true, "keys/release/action"), Fewest, []string{"Key Vault Crypto Service Release User"}},
		{"secrets and keys, one role", kv(true, "secrets/setSecret/action", "keys/create/action"), Fewest, []string{"Key Vault Administrator"}},
		{"secrets and keys, least", kv(true, "secrets/setSecret/action", "keys/create/action"), Narrowest, []string{"Key Vault Crypto Officer", "Key Vault Secrets Officer"}},
		{"case", []Operation{{"MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION", true}}, Fewest, []string{"Key Vault Secrets User"}},
		{"nothing", nil, Fewest, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Least(tt.need, tt.prefer)
			if diff := cmp.Diff(tt.want, names(got.Roles)); diff != "" || len(got.Uncovered) > 0 {
				t.Errorf("-want +got\n%s, uncovered %v", diff, got.Uncovered)
			}
		})
	}
}

func TestLeastSaysWhatNoRoleGrants(t *testing.T) {
	t.Parallel()
	odd := Operation{"Contoso.Boxes/boxes/open/action", true}
	got := Least(append(kv(true, "secrets/getSecret/action"), odd), Fewest)
	if diff := cmp.Diff([]Operation{odd}, got.Uncovered); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Key Vault Secrets User"}, names(got.Roles)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(kv(true, "secrets/readMetadata/action"), got.Beyond); diff != "" {
		t.Error(diff)
	}
}

// TestLeastIsLeast holds the search against a plain look at every set of roles.
func TestLeastIsLeast(t *testing.T) {
	t.Parallel()
	var pool []Role
	for _, r := range BuiltIn().Roles {
		if r.For == "" {
			pool = append(pool, r)
		}
	}
	ops := append(kv(false, "read", "write"), Operation{"Microsoft.Authorization/permissions/read", false})
	p, _ := Operations("Microsoft.KeyVault")
	for _, a := range p.DataActions {
		ops = append(ops, Operation{a, true})
	}
	rapid.Check(t, func(t *rapid.T) {
		need := rapid.SliceOfNDistinct(rapid.SampledFrom(ops), 1, 6, func(o Operation) Operation { return o }).Draw(t, "need")
		roles := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, 9, func(r Role) string { return r.ID }).Draw(t, "roles")
		prefer := rapid.SampledFrom(Preferences()).Draw(t, "preference")
		got := LeastOf(roles, need, prefer)
		coverable := slices.DeleteFunc(slices.Clone(need), func(op Operation) bool { return slices.ContainsFunc(got.Uncovered, op.same) })
		for set := range 1 << len(roles) {
			var some []Role
			for i, r := range roles {
				if set&(1<<i) != 0 {
					some = append(some, r)
				}
			}
			if covers(some, coverable) && worse(got, some, prefer) {
				t.Fatalf("%v would be better than %v for %v", names(some), names(got.Roles), need)
			}
		}
		if !covers(got.Roles, coverable) {
			t.Fatalf("%v does not grant %v", names(got.Roles), coverable)
		}
	})
}

// TestRolesAreLeast looks at every set of as many roles as were chosen, and of fewer, for
// what the plugins need: none that suffices grants less. Nothing here knows which roles
// those are.
func TestRolesAreLeast(t *testing.T) {
	t.Parallel()
	for _, p := range plugins.All() {
		for _, mode := range p.Info().Modes {
			for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
				t.Run(p.Info().Name+"/"+string(mode)+"/"+string(side), func(t *testing.T) {
					t.Parallel()
					need := append([]Operation{{Name: p.Info().Type + "/read"}}, OperationsOf(side, p.Permissions(mode))...)
					for _, prefer := range Preferences() {
						got := Least(need, prefer)
						if !covers(got.Roles, need) || len(got.Uncovered) > 0 {
							t.Fatalf("%s: %v does not suffice", prefer, names(got.Roles))
						}
						eachSufficient(need, len(got.Roles), func(set []Role) {
							if worse(got, set, prefer) {
								t.Errorf("%s: %v is chosen, and %v grants less", prefer, names(got.Roles), names(set))
							}
						})
					}
				})
			}
		}
	}
}

// eachSufficient calls f with every set of up to n roles for everybody that grants all of
// ops. Roles that grant none of them are left out: without them such a set is no worse.
func eachSufficient(ops []Operation, n int, f func([]Role)) {
	if len(ops) > 63 {
		panic("more operations than there are bits")
	}
	var roles []Role
	var grants []uint64 // by role: a bit for each operation that it grants
	for _, r := range BuiltIn().Roles {
		var bits uint64
		for i, op := range ops {
			if r.Covers(op) {
				bits |= 1 << i
			}
		}
		if r.For == "" && bits != 0 {
			roles, grants = append(roles, r), append(grants, bits)
		}
	}
	all := uint64(1)<<len(ops) - 1
	var grow func(from int, set []Role, granted uint64)
	grow = func(from int, set []Role, granted uint64) {
		if granted == all {
			f(set)
		}
		for i := from; i < len(roles) && len(set) < n; i++ {
			grow(i+1, append(set[:len(set):len(set)], roles[i]), granted|grants[i])
		}
	}
	grow(0, nil, 0)
}

func covers(roles []Role, ops []Operation) bool {
	return !slices.ContainsFunc(ops, func(op Operation) bool {
		return !slices.ContainsFunc(roles, func(r Role) bool { return r.Covers(op) })
	})
}

// reaches are those of the built-in roles, by ID.
var reaches = sync.OnceValue(func() map[string]reach {
	out := map[string]reach{}
	for _, r := range BuiltIn().Roles {
		out[r.ID] = reachOf(r.Element)
	}
	return out
})

// worse tells whether c is worse than another set that suffices.
func worse(c Choice, other []Role, prefer Preference) bool {
	sum := reachOf(Element{})
	for _, r := range other {
		sum = sum.with(reaches()[r.ID])
	}
	b := sum.breadth()
	if prefer == Fewest && len(other) != len(c.Roles) {
		return len(other) < len(c.Roles)
	}
	return b.less(c.Breadth)
}

// TestBroadRolesAreBroad: the estimate ranks what is obviously broader after what is not.
func TestBroadRolesAreBroad(t *testing.T) {
	t.Parallel()
	byName := map[string]Breadth{}
	for _, r := range BuiltIn().Roles {
		byName[r.Name] = reachOf(r.Element).breadth()
	}
	for _, pair := range [][2]string{
		{"Reader", "Contributor"},
		{"Contributor", "Owner"},
		{"Reader", "Key Vault Contributor"},
		{"Reader", "User Access Administrator"},
		{"Key Vault Secrets User", "Key Vault Reader"},
		{"Key Vault Reader", "Key Vault Secrets Officer"},
		{"Key Vault Secrets Officer", "Key Vault Administrator"},
		{"Key Vault Administrator", "Owner"},
	} {
		// Contributor and Owner differ in what is taken back only, which an estimate of
		// patterns does not see.
		if byName[pair[1]].less(byName[pair[0]]) {
			t.Errorf("%s %v ranks after %s %v", pair[0], byName[pair[0]], pair[1], byName[pair[1]])
		}
	}
}

func TestRolesForOthersAreNotProposed(t *testing.T) {
	t.Parallel()
	need := append(kv(false, "read"), kv(true, "secrets/setSecret/action")...)
	for _, prefer := range Preferences() {
		for _, r := range Least(need, prefer).Roles {
			if r.For != "" {
				t.Errorf("%s proposes %s, which is for %s", prefer, r.Name, r.For)
			}
		}
	}
}

func TestParseProviderRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"[actions]\nContoso.Boxes/read\n",
		"# source: x\n# date: y\nContoso.Boxes/read\n",
		"# source: x\n# date: y\n[actions]\nOther.Thing/read\n",
	} {
		if _, err := parseProvider("Contoso.Boxes", text); err == nil {
			t.Errorf("accepted: %q", text)
		}
	}
	if _, err := readProviders(); err != nil {
		t.Error(err)
	}
	if _, err := builtIn(); err != nil {
		t.Error(err)
	}
	if s := (Operation{"a", true}); !s.same(Operation{"A", true}) || s.same(Operation{"a", false}) {
		t.Error("operations are compared by name without case, and by plane")
	}
}
