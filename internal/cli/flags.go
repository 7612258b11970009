package cli

import (
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth/keyfile"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// The values of --output.
const (
	outputText  = "text"
	outputJSON  = "json"
	outputLines = "jsonl"
)

// choice is a flag value out of a fixed list.
type choice struct {
	value string
	legal []string
	other string            // what it may be beside, for the help text instead of the list; "": nothing
	takes func(string) bool // tells whether a value may be that
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value: the list stands in the help text.
func (c *choice) Type() string {
	if c.other != "" {
		return c.other
	}
	return strings.Join(c.legal, "|")
}

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.legal, s) && (c.takes == nil || !c.takes(s)) {
		return usagef("%q is not one of %s", s, strings.Join(c.legal, ", "))
	}
	c.value = s
	return nil
}

// choiceFlag adds a flag that takes one of the legal values; the first is the default.
func choiceFlag(cmd *cobra.Command, name, short, help string, legal ...string) *choice {
	c := &choice{value: legal[0], legal: legal}
	cmd.Flags().VarP(c, name, short, help)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(legal, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// outputFlag adds -o.
func outputFlag(cmd *cobra.Command, legal ...string) *choice {
	return choiceFlag(cmd, "output", "o", "form of the result on standard output", legal...)
}

// progressFlag adds --progress.
func progressFlag(cmd *cobra.Command) *choice {
	return choiceFlag(cmd, "progress", "", "progress on standard error", progressAuto, progressTTY, progressPlain, progressNone)
}

// sideFlags are the flags of one side of a run.
type sideFlags struct {
	tenant, spTenant, subscription, group, inventory string
	clientID, clientSecret, secretFile               string
	secrets                                          string
}

// addSide adds the flags of a side. Every one has the side's name in front; those of the
// target's service principal have a second, shorter name, which the specification of the
// deploy command uses.
func addSide(f *pflag.FlagSet, side plugin.Side) *sideFlags {
	s, name := &sideFlags{}, string(side)+"-"
	f.StringVar(&s.tenant, name+"tenant-id", "", "tenant `ID` or domain (default: that of the credential)")
	f.StringVar(&s.subscription, name+"subscription-id", "", "subscription `ID` (default: every one that the principal sees)")
	f.StringVar(&s.group, name+"resource-group", "", "resource group `name` (default: every one)")
	f.StringVar(&s.inventory, name+"inventory", "", "`KIND[:PATH]`: "+inventoryHelp)
	f.StringVar(&s.clientID, name+"sp-client-id", "", "application `ID` of the service principal")
	f.StringVar(&s.clientSecret, name+"sp-client-secret", "", "its client `secret`; others can read a command line: rather use a file or the environment")
	f.StringVar(&s.secretFile, name+"sp-client-secret-file", "", "`file` with its client secret; - reads standard input")
	f.StringVar(&s.secrets, name+"secrets", "", "JSON `file` with connection strings and keys of single resources, by ID or name; - reads standard input")
	names := []string{"tenant-id", "subscription-id", "sp-client-id", "sp-client-secret", "sp-client-secret-file", "secrets", "resource-group", "inventory"}
	for i := range names {
		names[i] = name + names[i]
	}
	credential(f, names[:6]...)
	inGroup(f, strings.ToUpper(string(side[:1]))+string(side[1:]), names...)
	return s
}

// addShort adds the short names of the target's service principal.
func (s *sideFlags) addShort(f *pflag.FlagSet) {
	f.StringVar(&s.clientID, "sp-client-id", "", "same as --target-sp-client-id")
	f.StringVar(&s.clientSecret, "sp-client-secret", "", "same as --target-sp-client-secret")
	f.StringVar(&s.secretFile, "sp-client-secret-file", "", "same as --target-sp-client-secret-file")
	f.StringVar(&s.spTenant, "sp-tenant-id", "", "tenant `ID` of the service principal: that of the target")
	short := []string{"sp-client-id", "sp-client-secret", "sp-client-secret-file", "sp-tenant-id"}
	credential(f, short...)
	for _, name := range short {
		_ = f.MarkHidden(name)
	}
}

// credentialFlag marks flags that no variable ATG_<FLAG> stands for: who signs in is
// found by package auth, which has variables of its own.
const credentialFlag = "atg_sign_in"

func credential(f *pflag.FlagSet, names ...string) {
	for _, n := range names {
		_ = f.SetAnnotation(n, credentialFlag, nil)
	}
}

// side turns the flags into what a session wants.
func (s *sideFlags) side(name plugin.Side, in io.Reader) (session.Side, error) {
	origin := "--" + string(name) + "-sp-*"
	value, err := s.secret(in)
	if err != nil {
		return session.Side{}, err
	}
	if s.tenant != "" && s.spTenant != "" && !strings.EqualFold(s.tenant, s.spTenant) && !strings.Contains(s.tenant+s.spTenant, ".") {
		return session.Side{}, usagef("--sp-tenant-id %s is another tenant than --%s-tenant-id %s", s.spTenant, name, s.tenant)
	}
	tenant := cmp.Or(s.tenant, s.spTenant)
	out := session.Side{
		TenantID: tenant, SubscriptionID: s.subscription, ResourceGroup: s.group, Inventory: s.inventory,
	}
	if s.clientID != "" || !value.Empty() {
		out.Principal = auth.Principal{Origin: origin, TenantID: tenant, ClientID: s.clientID, ClientSecret: value}
	}
	if s.secrets != "" {
		out.Secrets, err = keyfile.Read(name, s.secrets, in)
	}
	return out, err
}

// maxSecretFile is more than any client secret has; a larger file is the wrong one.
const maxSecretFile = 4 << 10

func (s *sideFlags) secret(in io.Reader) (secret.Value, error) {
	switch {
	case s.secretFile == "":
		return secret.New(s.clientSecret), nil
	case s.clientSecret != "":
		return secret.Value{}, usagef("a client secret is given twice: by value and by file")
	case s.secretFile != "-":
		f, err := os.Open(s.secretFile)
		if err != nil {
			return secret.Value{}, usagef("cannot read the client secret: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSecretFile+1))
	switch {
	case err != nil:
		return secret.Value{}, usagef("cannot read the client secret: %w", err)
	case len(b) > maxSecretFile:
		return secret.Value{}, usagef("the file for the client secret holds more than %d bytes: it is not a client secret", maxSecretFile)
	}
	if value := strings.TrimRight(string(b), "\r\n"); value != "" {
		return secret.New(value), nil
	}
	return secret.Value{}, usagef("the file for the client secret is empty")
}

// readable refuses input files that are not there, before anybody signs in.
func readable(paths ...string) error {
	for _, p := range paths {
		if p == "" {
			continue
		}
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return usagef("cannot read %s: %w", p, errors.Unwrap(err))
		case info.IsDir():
			return usagef("cannot read %s: is a directory", p)
		}
	}
	return nil
}

// settingFlags turns PLUGIN.SETTING=VALUE into settings by plugin, each checked against
// what the plugin declares.
func settingFlags(reg *plugin.Registry, given []string) (map[string]plugin.Settings, error) {
	out := map[string]plugin.Settings{}
	for _, g := range given {
		key, value, ok := strings.Cut(g, "=")
		name, setting, dotted := strings.Cut(key, ".")
		if !ok || !dotted {
			return nil, usagef("--set %s: want PLUGIN.SETTING=VALUE", g)
		}
		p := reg.Named(name)
		if p == nil {
			return nil, usagef("--set %s: there is no plugin %q; there are: %s", g, name, strings.Join(pluginNames(reg), ", "))
		}
		info := p.Info()
		if err := checkSetting(info, setting, value); err != nil {
			return nil, usagef("--set %s: %w", g, err)
		}
		if out[info.Name] == nil {
			out[info.Name] = plugin.Settings{}
		}
		out[info.Name][setting] = value
	}
	return out, nil
}

func checkSetting(info plugin.Info, setting, value string) error {
	var names []string
	for _, s := range info.Settings {
		if s.Name != setting {
			names = append(names, s.Name)
			continue
		}
		if len(s.Values) > 0 && !slices.Contains(s.Values, value) {
			return usagef("%s is one of %s", setting, strings.Join(s.Values, ", "))
		}
		return nil
	}
	if len(names) == 0 {
		return usagef("plugin %s has no settings", info.Name)
	}
	return usagef("plugin %s has no setting %q; it has: %s", info.Name, setting, strings.Join(names, ", "))
}

// typeFlags turns resource types and plugin names into resource types.
func typeFlags(reg *plugin.Registry, given []string) ([]string, error) {
	var out []string
	for _, g := range given {
		if p := reg.Named(g); p != nil {
			out = append(out, p.Info().Type)
			continue
		}
		i := slices.IndexFunc(reg.Types(), func(t string) bool { return strings.EqualFold(t, g) })
		if i < 0 {
			return nil, usagef("--type %s: no plugin is for this resource type; there are: %s", g, strings.Join(reg.Types(), ", "))
		}
		out = append(out, reg.Types()[i])
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func pluginNames(reg *plugin.Registry) []string {
	all := reg.All()
	out := make([]string, 0, len(all))
	for _, p := range all {
		out = append(out, p.Info().Name)
	}
	slices.Sort(out)
	return out
}

// cloudFlag adds --cloud.
func cloudFlag(cmd *cobra.Command) *choice {
	c := choiceFlag(cmd, "cloud", "", "Azure cloud of both tenants: "+strings.Join(cloud.Names(), ", ")+"; of another one the address of its Resource Manager, or a file with its metadata document", cloud.Names()...)
	c.other = "NAME|URL|FILE"
	c.takes = func(s string) bool {
		_, _, err := cloud.Resolve(s) // in another spelling
		return err == nil || strings.ContainsAny(s, `./\:`)
	}
	return c
}
