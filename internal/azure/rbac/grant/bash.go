package grant

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
)

// preamble stops the script at the first failure, and lets it be run again: what is there
// already is no failure.
const preamble = `set -euo pipefail

# Runs a command. That what it makes is there already is no failure, and a custom role
# that was made a moment ago takes its time to be known.
once() {
  local said= try
  for try in 1 2 3 4 5 6; do
    if said=$("$@" 2>&1); then return 0; fi
    case $said in
      *RoleAssignmentExists* | *"already exists"*) return 0 ;;
      *RoleDefinitionDoesNotExist* | *"Role '"*"' doesn't exist"*) sleep 10 ;;
      *) break ;;
    esac
  done
  printf '%s\n' "$said" >&2
  return 1
}
`

// roleFunction defines custom roles, anew where they exist.
const roleFunction = `
# Makes the custom role NAME after the definition JSON, or brings it up to date.
role() { # NAME JSON SUBSCRIPTION
  if [ "$(az role definition list --name "$1" --subscription "$3" --query 'length(@)' --output tsv)" = 0 ]; then
    az role definition create --role-definition "$2" --subscription "$3" --output none
  else
    az role definition update --role-definition "$2" --subscription "$3" --output none
  fi
}
`

// Bash writes the script. Every word that comes from outside is quoted for the shell.
// Items that say nobody are refused.
func Bash(items []Item, opt Options) (string, error) {
	all := groups(items)
	if len(all) == 0 {
		return "", &errs.Error{Op: opWrite, Kind: errs.NotFound, Err: fmt.Errorf("there is no resource to give rights at")}
	}
	var body strings.Builder
	custom := false
	for _, g := range all {
		section, madeRole, err := g.bash(opt)
		if err != nil {
			return "", err
		}
		custom = custom || madeRole
		body.WriteString(section)
	}
	var b strings.Builder
	b.WriteString("#!/usr/bin/env bash\n")
	fmt.Fprintf(&b, "# Gives the principals of a run of atg what they need. Written by atg %s; read it\n# before you run it. It may be run again.\n#\n", comment(opt.Version))
	b.WriteString("# Run it as somebody who may assign roles at these resources (Owner, User Access\n" +
		"# Administrator or Role Based Access Control Administrator), signed in with \"az login\"\n" +
		"# to the tenant of each subscription. Azure may take some minutes to act on it.\n")
	fmt.Fprintf(&b, "#\n# Built-in roles as of %s.\n", catalog.BuiltIn().Date)
	b.WriteString(preamble)
	if custom {
		b.WriteString(roleFunction)
	}
	b.WriteString(body.String())
	return b.String(), nil
}

// bash writes the part of one group.
func (g *group) bash(opt Options) (text string, custom bool, err error) {
	var b strings.Builder
	info := g.plugin.Info()
	fmt.Fprintf(&b, "\n# %s, %s mode: %s", capital(string(g.side)), g.mode, info.Title)
	if g.tenant != "" {
		fmt.Fprintf(&b, " in tenant %s", comment(g.tenant))
	}
	b.WriteString("\n")
	roles, custom, err := g.roles(&b, opt)
	if err != nil {
		return "", false, err
	}
	for _, it := range g.items {
		if it.Access.By != "" && it.Who.ObjectID == "" && uuid.Validate(it.Who.Name) != nil {
			return "", false, it.refuse("its "+it.Access.By+" name principals by object ID, and that of "+it.Who.Name+" is not known", "give the object ID")
		}
		fmt.Fprintf(&b, "\n# %s\n", comment(it.Resource.Name))
		if err := it.assign(&b, roles); err != nil {
			return "", false, err
		}
		for _, cmd := range it.Access.Grant {
			fmt.Fprintf(&b, "%s --output none\n", words(cmd))
		}
	}
	return b.String(), custom, nil
}

// roles decides which roles the group's principal gets, says so in comments, and writes
// the definition of a custom one where it takes one. It returns what "--role" is given.
func (g *group) roles(b *strings.Builder, opt Options) (names []string, custom bool, err error) {
	needs := g.needs()
	if opt.CustomRole {
		name, err := g.defineRole(b, needs)
		return []string{name}, true, err
	}
	choice := catalog.Least(needs, cmp.Or(opt.Prefer, catalog.Preferences()[0]))
	for _, r := range choice.Roles {
		fmt.Fprintf(b, "#   %s  %s\n", r.ID, r.Name)
		names = append(names, r.ID)
	}
	b.WriteString(excess(choice, opt))
	if len(choice.Uncovered) == 0 {
		return names, false, nil
	}
	b.WriteString("# No built-in role grants the rest of what is needed:\n")
	name, err := g.defineRole(b, choice.Uncovered)
	return append(names, name), true, err
}

// excess says what built-in roles grant beyond the need, and how to grant less.
func excess(c catalog.Choice, opt Options) string {
	if len(c.Beyond) == 0 {
		return ""
	}
	much := c.Excess()
	text := fmt.Sprintf("# These allow %d more operations of the service than the %d that are needed;\n# %d of the %d only read.\n", len(c.Beyond), len(c.Needed), much.Reads, len(c.Beyond))
	if opt.Prefer == catalog.Narrowest {
		return text
	}
	if narrow := catalog.Least(c.Needed, catalog.Narrowest); narrow.Excess().Changes < much.Changes {
		text += fmt.Sprintf("# --prefer %s makes that %d with %d roles, --custom-role none.\n", catalog.Narrowest, len(narrow.Beyond), len(narrow.Roles))
	}
	return text
}

// defineRole writes the definition of a custom role and returns its name.
func (g *group) defineRole(b *strings.Builder, needs []catalog.Operation) (string, error) {
	r, err := g.customRole(needs)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", &errs.Error{Op: opWrite, Kind: errs.Internal, Err: err}
	}
	sub := strings.TrimPrefix(r.AssignableScopes[0], "/subscriptions/")
	fmt.Fprintf(b, "%s\n", words([]string{"role", r.Name, string(text), sub}))
	return r.Name, nil
}

// assign writes the role assignments at one resource.
func (it Item) assign(b *strings.Builder, roles []string) error {
	sub, err := subscriptionOf(it.Resource.ID)
	if err != nil {
		return err
	}
	var who []string
	switch {
	case it.Who.ObjectID != "":
		kind := "ServicePrincipal"
		if it.Who.User {
			kind = "User"
		}
		who = []string{"--assignee-object-id", it.Who.ObjectID, "--assignee-principal-type", kind}
	case it.Who.Name != "":
		who = []string{"--assignee", it.Who.Name}
	default:
		return it.refuse("nobody is named to get the rights", "name the principal")
	}
	for _, role := range roles {
		cmd := append([]string{"once", "az", "role", "assignment", "create"}, who...)
		cmd = append(cmd, "--role", role, "--scope", it.Resource.ID, "--subscription", sub, "--output", "none")
		fmt.Fprintf(b, "%s\n", words(cmd))
	}
	return nil
}

func (it Item) refuse(why, hint string) error {
	return &errs.Error{
		Op: opWrite, Kind: errs.Invalid, Side: string(it.Side), Resource: it.Resource.ID, Err: errors.New(why),
		Hint: fmt.Sprintf("%s: --%s-assignee ID", hint, it.Side),
	}
}

// words writes a command for the shell.
func words(cmd []string) string {
	out := make([]string, len(cmd))
	for i, w := range cmd {
		out[i] = quote(w)
	}
	return strings.Join(out, " ")
}

// plain are words that no shell takes for anything else.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// comment keeps text from outside within its comment.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
