package cli

import "github.com/spf13/cobra"

// newFiltersTopic is "atg help filters".
func newFiltersTopic() *cobra.Command {
	return topic("filters", "How --include and --exclude are read", func(*cobra.Command) string { return filtersText })
}

// filtersText says what package filter does.
const filtersText = `--include and --exclude confine plan, apply, verify and what follows from them to some
resources and items. Each takes a rule and may be repeated. An item is worked on if some
--include rule matches it, or none is given, and no --exclude rule matches it.

A rule is one condition or several, parted by commas, that must all hold:

  blobs/logs/**            the key of the item, as plan and the failures show it
  item:blobs/logs/**       the same; needed where the key holds a colon
  kind:secret              the kind of item, as the report's table shows it
  type:storage             the type of the resource: a plugin's name or an ARM type
  resource:prod-*          the name of the source resource, or its ID
  size:>10MiB              the size of the item: >, >=, <, <=, =
  modified:>=2026-01-31    its last change at the source: a date, or a time as
                           2026-01-31T12:00:00Z, in UTC
  age:<30d                 the time since that change: d, h, m, s

In patterns * matches within one segment of a path, ** across segments, and ?, [a-z]
and {a,b} as in a shell. Keys and kinds differ by case; types and resources do not.
What holds an item that is worked on (a container, a directory) is worked on too;
what is in an excluded one is left out with it. An item whose size or change the
service does not tell matches no condition on it.

What is left out is counted in the report, and is no part of fidelity. A plan file and
a run that is resumed keep the filters they were made with.

  atg apply --include type:keyvault --exclude 'secrets/test-*'
  atg apply --mode replication --include 'type:storage,age:<7d' --exclude 'size:>5GiB'
`
