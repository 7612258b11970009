package plugintest

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// pureChecks look at what a plugin says of itself; they start nothing.
func pureChecks() []Check {
	return []Check{
		{Name: "Info", Claim: "name, version, type, modes, item kinds and settings are valid and always the same", run: checkInfo},
		{Name: "Permissions/Declared", Claim: "each permission has a side, a reason and named actions, without wildcards", run: checkDeclared},
		{Name: "Permissions/Known", Claim: "each action is an operation of the provider", run: checkKnown},
		{Name: "Permissions/TemplateSubset", Claim: "template mode needs nothing that replication does not need", run: checkTemplateSubset},
	}
}

var (
	shortName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	version   = regexp.MustCompile(`^\d+\.\d+\.\d+`)
	armType   = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*(/[A-Za-z0-9]+)+$`)
)

func checkInfo(t *trial) {
	info := t.subject.Plugin.Info()
	if _, err := plugin.NewRegistry(t.subject.Plugin); err != nil {
		t.errorf("the registry refuses it: %v", err)
	}
	if !reflect.DeepEqual(info, t.subject.Plugin.Info()) {
		t.errorf("two calls of Info differ")
	}
	t.matches("Name", info.Name, shortName)
	t.matches("Version", info.Version, version)
	t.matches("Type", info.Type, armType)
	if info.Title == "" {
		t.errorf("Title is empty")
	}
	seen := map[plugin.Mode]bool{}
	for _, m := range info.Modes {
		if !slices.Contains(plugin.Modes(), m) || seen[m] {
			t.errorf("mode %q is unknown or named twice", m)
		}
		seen[m] = true
	}
	t.checkItemKinds(info)
	t.checkSettings(info)
	for _, s := range info.Cannot {
		if strings.TrimSpace(s) == "" {
			t.errorf("Cannot has an empty sentence")
		}
	}
}

func (t *trial) checkItemKinds(info plugin.Info) {
	if len(info.Items) == 0 {
		t.errorf("Items names no kind")
	}
	seen := map[string]bool{}
	for _, k := range info.Items {
		t.matches("item kind", k.Name, shortName)
		if k.Plural == "" || seen[k.Name] {
			t.errorf("item kind %q has no plural or is named twice", k.Name)
		}
		seen[k.Name] = true
	}
}

func (t *trial) checkSettings(info plugin.Info) {
	seen := map[string]bool{}
	for _, s := range info.Settings {
		t.matches("setting", s.Name, shortName)
		if s.Help == "" || seen[s.Name] {
			t.errorf("setting %q has no help or is named twice", s.Name)
		}
		if len(s.Values) > 0 && !slices.Contains(s.Values, s.Default) {
			t.errorf("setting %q: the default %q is not a legal value", s.Name, s.Default)
		}
		seen[s.Name] = true
	}
}

func (t *trial) matches(what, got string, re *regexp.Regexp) {
	if !re.MatchString(got) {
		t.errorf("%s %q does not match %s", what, got, re)
	}
}

func checkDeclared(t *trial) {
	for _, mode := range t.subject.Plugin.Info().Modes {
		perms := t.subject.Plugin.Permissions(mode)
		if len(perms) == 0 {
			t.errorf("%s mode declares no permission: nothing can be done without one", mode)
		}
		for _, p := range perms {
			if p.Side != plugin.Source && p.Side != plugin.Target {
				t.errorf("%s mode: side %q", mode, p.Side)
			}
			if strings.TrimSpace(p.Reason) == "" {
				t.errorf("%s mode: %v has no reason", mode, actionsOf(p))
			}
			if len(actionsOf(p)) == 0 {
				t.errorf("%s mode: the permission to %q names no action", mode, p.Reason)
			}
			for _, a := range actionsOf(p) {
				if strings.Contains(a, "*") || strings.Count(a, "/") < 2 {
					t.errorf("%s mode: %q is not the name of one operation", mode, a)
				}
			}
		}
	}
}

func checkKnown(t *trial) {
	if len(t.subject.Operations) == 0 {
		t.skipf("the subject has no list of the provider's operations")
	}
	known := map[string]bool{}
	for _, op := range t.subject.Operations {
		known[strings.ToLower(op)] = true
	}
	for _, mode := range t.subject.Plugin.Info().Modes {
		for _, p := range t.subject.Plugin.Permissions(mode) {
			for _, a := range actionsOf(p) {
				if !known[strings.ToLower(a)] {
					t.errorf("%s mode: the provider has no operation %q", mode, a)
				}
			}
		}
	}
}

func checkTemplateSubset(t *trial) {
	info := t.subject.Plugin.Info()
	if !info.Supports(plugin.Template) || !info.Supports(plugin.Replication) {
		t.skipf("the plugin has one mode only")
	}
	full := rightsOf(t.subject.Plugin.Permissions(plugin.Replication))
	for _, r := range rightsOf(t.subject.Plugin.Permissions(plugin.Template)) {
		if !slices.Contains(full, r) {
			t.errorf("template mode needs %s at the %s, replication does not", r.action, r.side)
		}
	}
}

// right is one action on one side.
type right struct {
	side   plugin.Side
	action string // in lower case
	data   bool
}

// rightsOf takes permissions apart; each right comes once.
func rightsOf(ps []plugin.Permission) []right {
	var out []right
	add := func(r right) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, p := range ps {
		for _, a := range p.Actions {
			add(right{p.Side, strings.ToLower(a), false})
		}
		for _, a := range p.DataActions {
			add(right{p.Side, strings.ToLower(a), true})
		}
	}
	return out
}

func actionsOf(p plugin.Permission) []string { return slices.Concat(p.Actions, p.DataActions) }
