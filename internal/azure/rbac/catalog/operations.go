package catalog

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed operations/*.txt
var operationFiles embed.FS

// Provider is a resource provider's list of operations.
type Provider struct {
	Namespace   string // "Microsoft.KeyVault"
	Source      string // the page that lists the operations
	Date        string // of that page: "2024-03-01"
	Actions     []string
	DataActions []string
}

// providers are the lists, by namespace in lower case.
var providers = sync.OnceValues(readProviders)

func readProviders() (map[string]Provider, error) {
	files, err := operationFiles.ReadDir("operations")
	if err != nil {
		return nil, fmt.Errorf("operations: %w", err)
	}
	out := map[string]Provider{}
	for _, f := range files {
		text, err := operationFiles.ReadFile(path.Join("operations", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("operations: %w", err)
		}
		p, err := parseProvider(strings.TrimSuffix(f.Name(), ".txt"), string(text))
		if err != nil {
			return nil, fmt.Errorf("operations of %s: %w", f.Name(), err)
		}
		out[strings.ToLower(p.Namespace)] = p
	}
	return out, nil
}

// parseProvider reads a list: comments "# source: …" and "# date: …", then the names
// under [actions] and [dataActions], one a line.
func parseProvider(namespace, text string) (Provider, error) {
	p := Provider{Namespace: namespace}
	var list *[]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		source, isSource := strings.CutPrefix(line, "# source: ")
		date, isDate := strings.CutPrefix(line, "# date: ")
		switch {
		case isSource:
			p.Source = source
		case isDate:
			p.Date = date
		case line == "[actions]":
			list = &p.Actions
		case line == "[dataActions]":
			list = &p.DataActions
		case line == "" || strings.HasPrefix(line, "#"):
		case list == nil || !strings.HasPrefix(strings.ToLower(line), strings.ToLower(namespace)+"/"):
			return p, fmt.Errorf("%q is no operation of this provider", line)
		default:
			*list = append(*list, line)
		}
	}
	if p.Source == "" || p.Date == "" {
		return p, fmt.Errorf("source and date are not given")
	}
	return p, nil
}

// Operations returns the list of a provider, and false if there is none.
func Operations(namespace string) (Provider, bool) {
	all, err := providers()
	if err != nil {
		return Provider{}, false
	}
	p, ok := all[strings.ToLower(namespace)]
	return p, ok
}

// All returns both kinds of operation.
func (p Provider) All() []Operation {
	out := make([]Operation, 0, len(p.Actions)+len(p.DataActions))
	for _, a := range p.Actions {
		out = append(out, Operation{a, false})
	}
	for _, a := range p.DataActions {
		out = append(out, Operation{a, true})
	}
	return out
}

// Known returns nil if the operation stands in its provider's list, and otherwise an
// error that says what is wrong with the name.
func Known(op Operation) error {
	namespace, _, _ := strings.Cut(op.Name, "/")
	p, ok := Operations(namespace)
	if !ok {
		return fmt.Errorf("%s: there is no list of the operations of %s", op.Name, namespace)
	}
	all := p.All()
	if slices.ContainsFunc(all, op.same) {
		return nil
	}
	other := Operation{op.Name, !op.Data}
	if slices.ContainsFunc(all, other.same) {
		return fmt.Errorf("%s is %s, not %s", op.Name, kind(other.Data), kind(op.Data))
	}
	return fmt.Errorf("%s has no operation %s (%s, %s)", p.Namespace, op.Name, p.Source, p.Date)
}

func kind(data bool) string {
	if data {
		return "a data action"
	}
	return "a control plane action"
}
