package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// PluginInfo is a plugin in machine form.
type PluginInfo struct {
	Name         string                              `json:"name"`
	Title        string                              `json:"title"`
	Version      string                              `json:"version"`
	Contract     int                                 `json:"contract"`
	Type         string                              `json:"type"`
	Kinds        []string                            `json:"kinds,omitempty"`
	Modes        []plugin.Mode                       `json:"modes"`
	Items        []string                            `json:"items"`
	After        []string                            `json:"after,omitempty"`
	Capabilities plugin.Capabilities                 `json:"capabilities"`
	Settings     []SettingInfo                       `json:"settings,omitempty"`
	Permissions  map[plugin.Mode][]plugin.Permission `json:"permissions"`
	Cannot       []string                            `json:"cannot,omitempty"`
}

// SettingInfo is a plugin's setting in machine form.
type SettingInfo struct {
	Name    string   `json:"name"`
	Default string   `json:"default"`
	Values  []string `json:"values,omitempty"`
	Flag    string   `json:"flag,omitempty"` // that stands for it
	Help    string   `json:"help"`
}

// PluginOf collects what there is to say about p.
func PluginOf(p plugin.Plugin) PluginInfo {
	in := p.Info()
	out := PluginInfo{
		Name: in.Name, Title: in.Title, Version: in.Version, Contract: in.Contract,
		Type: in.Type, Kinds: in.Kinds, Modes: in.Modes, After: in.After, Cannot: in.Cannot,
		Capabilities: plugin.CapabilitiesOf(p), Permissions: map[plugin.Mode][]plugin.Permission{},
	}
	for _, it := range in.Items {
		out.Items = append(out.Items, it.Name)
	}
	for _, s := range in.Settings {
		out.Settings = append(out.Settings, SettingInfo{s.Name, s.Default, s.Values, s.Flag, s.Help})
	}
	for _, m := range in.Modes {
		out.Permissions[m] = p.Permissions(m)
	}
	return out
}

// PluginList writes one row for each plugin.
func PluginList(w io.Writer, ps []PluginInfo, st Style) error {
	t := table{cols: []column{{title: "NAME"}, {title: "RESOURCE TYPE", flex: true}, {title: "VERSION"}, {title: "MODES"}, {title: "VERIFIES"}, {title: "CODE"}}}
	for _, p := range ps {
		t.add(p.Name, typeAndKinds(p), p.Version, joined(p.Modes), yes(p.Capabilities.Compare, "by content"), yes(p.Capabilities.Declare, "yes"))
	}
	var b strings.Builder
	t.write(&b, st)
	_, err := io.WriteString(w, b.String())
	return err
}

func typeAndKinds(p PluginInfo) string {
	if len(p.Kinds) == 0 {
		return p.Type
	}
	return p.Type + " (" + strings.Join(p.Kinds, ", ") + ")"
}

func yes(ok bool, word string) string {
	if ok {
		return word
	}
	return "no"
}

func joined(ms []plugin.Mode) string {
	words := make([]string, len(ms))
	for i, m := range ms {
		words[i] = string(m)
	}
	return strings.Join(words, ", ")
}

// PluginShow writes everything about one plugin.
func PluginShow(w io.Writer, p PluginInfo, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, version %s\n\n", st.paint(bold, p.Name), p.Title, p.Version)
	facts := table{cols: []column{{}, {flex: true}}}
	facts.add("resource type", typeAndKinds(p))
	facts.add("items", strings.Join(p.Items, ", "))
	facts.add("modes", joined(p.Modes))
	facts.add("done after", orWord(strings.Join(p.After, ", "), "no other type"))
	facts.add("can", strings.Join(abilities(p.Capabilities), ", "))
	for _, row := range facts.rows {
		fmt.Fprintf(&b, "  %-14s  %s\n", row[0], wrap(row[1], 18, st.Width))
	}
	settings(&b, p, st)
	for _, m := range p.Modes {
		permissions(&b, m, p.Permissions[m], st)
	}
	if len(p.Cannot) > 0 {
		fmt.Fprintf(&b, "\n%s\n", st.paint(bold, "Cannot"))
		for _, c := range p.Cannot {
			fmt.Fprintf(&b, "  - %s\n", wrap(c, 4, st.Width))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func abilities(c plugin.Capabilities) []string {
	out := []string{"copy"}
	for _, a := range []struct {
		has  bool
		name string
	}{{c.Compare, "compare"}, {c.Declare, "declare as code"}, {c.Estimate, "estimate"}, {c.Undo, "undo"}, {c.Batch, "batch"}, {c.Access, "check access"}} {
		if a.has {
			out = append(out, a.name)
		}
	}
	return out
}

func settings(b *strings.Builder, p PluginInfo, st Style) {
	if len(p.Settings) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", st.paint(bold, "Settings"))
	for _, s := range p.Settings {
		values := ""
		if len(s.Values) > 0 {
			values = " (" + strings.Join(s.Values, " | ") + ")"
		}
		flag := ""
		if s.Flag != "" {
			flag = ", or --" + s.Flag
		}
		fmt.Fprintf(b, "  --set %s.%s=%s%s%s\n", p.Name, s.Name, orWord(s.Default, "\"\""), values, flag)
		fmt.Fprintf(b, "      %s\n", wrap(s.Help, 6, st.Width))
	}
}

func permissions(b *strings.Builder, m plugin.Mode, ps []plugin.Permission, st Style) {
	fmt.Fprintf(b, "\n%s\n", st.paint(bold, "Permissions, "+string(m)+" mode"))
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		for _, perm := range ps {
			if perm.Side != side {
				continue
			}
			fmt.Fprintf(b, "  %s: %s\n", side, wrap(perm.Reason, 10, st.Width))
			for _, a := range perm.Actions {
				fmt.Fprintf(b, "      action      %s\n", a)
			}
			for _, a := range perm.DataActions {
				fmt.Fprintf(b, "      data action %s\n", a)
			}
		}
	}
}
