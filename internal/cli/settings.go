package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// settingOf marks the flags that stand for a setting of a plugin.
const settingOf = "atg_setting"

// settingsGiven are the settings that a command line gives, as PLUGIN.SETTING=VALUE.
type settingsGiven struct {
	set   []string // by --set
	named []string // by flags of their own
}

// all lists them. What --set says comes last, and so counts: a flag may come from a variable.
// A command that takes none gives none.
func (s *settingsGiven) all() []string {
	if s == nil {
		return nil
	}
	return slices.Concat(s.named, s.set)
}

// addSettings adds --set, and a flag for each setting that has one of its own.
func addSettings(a *App, cmd *cobra.Command) *settingsGiven {
	f, s := cmd.Flags(), &settingsGiven{}
	f.StringArrayVar(&s.set, "set", nil, "set an option of a plugin: `PLUGIN.SETTING=VALUE`; may be repeated")
	reg, err := a.Registry()
	if err != nil {
		return s // the command says so when it needs the plugins
	}
	for _, p := range reg.All() {
		info := p.Info()
		for _, d := range info.Settings {
			if d.Flag == "" {
				continue
			}
			f.Var(&settingFlag{plugin: info.Name, setting: d, to: s}, d.Flag, "same as --set "+info.Name+"."+d.Name+": "+d.Help)
			f.Lookup(d.Flag).DefValue = d.Default
			_ = f.SetAnnotation(d.Flag, settingOf, []string{info.Name})
			if len(d.Values) > 0 {
				_ = cmd.RegisterFlagCompletionFunc(d.Flag, cobra.FixedCompletions(d.Values, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
	return s
}

// settingNames lists the names of --set and of the flags that stand for it.
func settingNames(f *pflag.FlagSet) []string {
	names := []string{"set"}
	f.VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Annotations[settingOf]; ok {
			names = append(names, f.Name)
		}
	})
	return names
}

// settingFlag is a flag that stands for a setting.
type settingFlag struct {
	plugin  string
	setting plugin.Setting
	to      *settingsGiven
	value   string
}

// String implements pflag.Value.
func (s *settingFlag) String() string { return s.value }

// Type implements pflag.Value: legal values stand in the help text.
func (s *settingFlag) Type() string {
	if len(s.setting.Values) == 0 {
		return "value"
	}
	return strings.Join(s.setting.Values, "|")
}

// Set implements pflag.Value.
func (s *settingFlag) Set(value string) error {
	if len(s.setting.Values) > 0 && !slices.Contains(s.setting.Values, value) {
		return usagef("%q is not one of %s", value, strings.Join(s.setting.Values, ", "))
	}
	s.value = value
	s.to.named = append(s.to.named, s.plugin+"."+s.setting.Name+"="+value)
	return nil
}
