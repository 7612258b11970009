package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// offerChoice lets a person choose mode and types, where the command line leaves the mode
// open and somebody can be asked. Otherwise the mode is the flag's default, template: it
// copies no content.
func (a *App) offerChoice(name string, cmd *cobra.Command, opt *runOptions) {
	if cmd.Flags().Changed("mode") || !opt.ask || opt.yes {
		return
	}
	opt.Choose = func(ctx context.Context, found session.Found) (session.Choice, error) {
		typesOpen := !cmd.Flags().Changed("type")
		choice, err := a.choose(ctx, name, found, typesOpen)
		if err != nil {
			return choice, unanswered(err, "--mode")
		}
		// The commands that the report offers must repeat the choice.
		flags := cmd.Flags()
		err = flags.Set("mode", string(choice.Mode))
		for _, t := range choice.Types {
			err = errors.Join(err, flags.Set("type", t))
		}
		opt.Mode, opt.next = choice.Mode, nextCommands(name, flags)
		return choice, err
	}
}

// choose asks for mode and types.
func (a *App) choose(ctx context.Context, name string, found session.Found, typesOpen bool) (session.Choice, error) {
	q := view.ModeQuestion{Source: found.Source.String(), Target: found.Target.String(), Writes: name == "apply" || name == "deploy"}
	for _, t := range found.Types {
		q.Types = append(q.Types, view.TypeCount{Name: t.Name, Count: t.Count})
	}
	if err := view.Modes(a.Err, q, a.errStyle()); err != nil {
		return session.Choice{}, err
	}
	mode, err := askUntil(ctx, a, "Mode [template]", parseMode)
	if err != nil {
		return session.Choice{}, err
	}
	choice := session.Choice{Mode: mode}
	if typesOpen && len(found.Types) > 1 {
		choice.Types, err = askUntil(ctx, a, "Types, by number or name, with commas between [all]", typeParser(found.Types))
		if err != nil {
			return choice, err
		}
	}
	if mode == plugin.Replication {
		choice.Mode, err = a.agree(ctx)
	}
	return choice, err
}

// agree asks for consent to replication mode; without it the mode is template.
func (a *App) agree(ctx context.Context) (plugin.Mode, error) {
	answer, err := a.ask(ctx, "Replication reads secrets and other content of the source. Go on? [y/N]")
	if err != nil {
		return "", err
	}
	if a := strings.ToLower(answer); a == "y" || a == "yes" {
		return plugin.Replication, nil
	}
	return plugin.Template, view.Note(a.Err, "Then in template mode.", a.errStyle())
}

// parseMode takes a mode, its first letters, its number, or nothing for the default.
func parseMode(answer string) (plugin.Mode, error) {
	word := strings.ToLower(answer)
	for i, m := range plugin.Modes() {
		if word == strconv.Itoa(i+1) || (word != "" && strings.HasPrefix(string(m), word)) {
			return m, nil
		}
	}
	if word == "" {
		return plugin.Template, nil
	}
	return "", fmt.Errorf("there is no mode %q: template or replication", answer)
}

// typeParser takes numbers and names of types; nothing and "all" mean every type.
func typeParser(found []session.Type) func(string) ([]string, error) {
	return func(answer string) ([]string, error) {
		if answer == "" || strings.EqualFold(answer, "all") {
			return nil, nil
		}
		var out []string
		for word := range strings.SplitSeq(answer, ",") {
			word = strings.TrimSpace(word)
			i := slices.IndexFunc(found, func(t session.Type) bool { return strings.EqualFold(t.Name, word) })
			if n, err := strconv.Atoi(word); err == nil {
				i = n - 1
			}
			if i < 0 || i >= len(found) {
				return nil, fmt.Errorf("there is no type %q in the list", word)
			}
			out = append(out, found[i].Name)
		}
		slices.Sort(out)
		return slices.Compact(out), nil
	}
}

// unanswered makes a usage error of a question that met the end of the input.
func unanswered(err error, flag string) error {
	if errors.Is(err, errSilent) {
		return usagef("%w; give the answer by %s", err, flag)
	}
	return err
}
