package graphquery_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/graphquery"
)

type (
	obj  = map[string]any
	list = []any
)

var columns = []string{"name", "type", "location", "tags", "n", "properties", "zones"}

func source(name string) (graphquery.Table, bool) {
	rows := []graphquery.Row{
		{"name": "kv-one", "type": "microsoft.keyvault/vaults", "location": "westeurope", "tags": obj{"env": "Prod"}, "n": 3.0, "properties": obj{"sku": obj{"name": "premium"}, "on": true}, "zones": list{"1", "2"}},
		{"name": "kv-two", "type": "microsoft.keyvault/vaults", "location": "eastus", "tags": nil, "n": 1.0, "properties": obj{"sku": obj{"name": "standard"}}, "zones": nil},
		{"name": "st1", "type": "microsoft.storage/storageaccounts", "location": "eastus", "tags": obj{"env": "test", "team-a": "x"}, "n": 2.0, "properties": obj{"json": `{"a":[1]}`}, "zones": nil},
		{"name": "web", "type": "microsoft.web/sites", "location": "", "tags": nil, "n": nil, "properties": nil, "zones": nil},
	}
	return graphquery.Table{Columns: columns, Rows: rows}, name == "resources"
}

// TestWhere: which of the rows a condition leaves.
func TestWhere(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		`type =~ 'Microsoft.KeyVault/vaults'`:                    "kv-one kv-two",
		`type == 'Microsoft.KeyVault/vaults'`:                    "",
		`type != "microsoft.web/sites" and location == 'eastus'`: "kv-two st1",
		`type !~ 'MICROSOFT.WEB/sites'`:                          "kv-one kv-two st1",
		`name <> 'web'`:                                          "kv-one kv-two st1",
		`type in~ ('Microsoft.Web/sites', 'x')`:                  "web",
		`type in ('microsoft.web/sites')`:                        "web",
		`type !in~ ('Microsoft.Web/sites')`:                      "kv-one kv-two st1",
		`name !in ('web', 'st1')`:                                "kv-one kv-two",
		`name contains 'KV'`:                                     "kv-one kv-two",
		`name contains_cs 'KV'`:                                  "",
		`name !contains 'kv'`:                                    "st1 web",
		`name startswith 'KV-T' or name endswith 'EB'`:           "kv-two web",
		`name startswith_cs 'kv' and name endswith_cs 'o'`:       "kv-two",
		`name has 'ONE'`:                                         "kv-one",
		`name has 'on'`:                                          "",
		`name has_cs 'two'`:                                      "kv-two",
		`name matches regex '^kv-t.o$'`:                          "kv-two",
		`n > 1`:                                                  "kv-one st1",
		`n >= 3`:                                                 "kv-one",
		`n < 2`:                                                  "kv-two",
		`n <= 2 and not(n == 1)`:                                 "st1",
		`n + 1 == 3 or n * 2 - 1 == 5`:                           "kv-one st1",
		`n / 0 == 1`:                                             "",
		`-n == -3`:                                               "kv-one",
		`properties.sku.name == 'premium'`:                       "kv-one",
		`properties.SKU.name == 'premium'`:                       "kv-one",
		`tags['team-a'] == 'x'`:                                  "st1",
		`tags.env =~ 'prod'`:                                     "kv-one",
		`zones[1] == '2'`:                                        "kv-one",
		`zones[9] == '2'`:                                        "",
		`tobool(properties.on)`:                                  "kv-one",
		`properties.on == true`:                                  "kv-one",
		`isnull(properties)`:                                     "web",
		`isnotnull(tags)`:                                        "kv-one st1",
		`isempty(location)`:                                      "web",
		`isnotempty(tags.env)`:                                   "kv-one st1",
		`tolower(name) == 'web' or toupper(name) == 'ST1'`:       "st1 web",
		`strcat(name, '/', tostring(n)) == 'kv-two/1'`:           "kv-two",
		`coalesce(tags.env, 'none') == 'none'`:                   "kv-two web",
		`iff(n > 1, 'many', 'few') == 'many'`:                    "kv-one st1",
		`array_length(zones) == 2`:                               "kv-one",
		`split(name, '-')[1] == 'two'`:                           "kv-two",
		`array_length(split(name, '-', 1)) == 1`:                 "kv-one kv-two",
		`parse_json(tostring(properties.json)).a[0] == 1`:        "st1",
		`strlen(name) == 3 and toint('7') == 7`:                  "st1 web",
		`replace_string(name, 'kv-', '') == 'one'`:               "kv-one",
		`trim('w', name) == 'eb'`:                                "web",
		`tostring(zones) == '["1","2"]' // a remark`:             "kv-one",
		`tags == dynamic(null)`:                                  "kv-two web",
		`(name == 'web' or name == 'st1') and n == 2`:            "st1",
		`name == 'web' or name == 'st1' and n == 9`:              "web",
	} {
		got, err := graphquery.Run("Resources | where "+condition+" | project name", source)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		var names []string
		for _, r := range got.Rows {
			names = append(names, graphquery.Text(r["name"]))
		}
		if s := strings.Join(names, " "); s != want {
			t.Errorf("%s leaves %q, want %q", condition, s, want)
		}
	}
}

func TestOperators(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]list{
		`project name, sku = properties.sku.name, tolower(location) | limit 1`: {obj{"name": "kv-one", "sku": "premium", "Column3": "westeurope"}},
		`project properties.sku.name, tags['env'] | take 1`:                    {obj{"properties_sku_name": "premium", "tags_env": "Prod"}},
		`extend upper = toupper(name) | project-keep upper, n | take 1`:        {obj{"upper": "KV-ONE", "n": 3.0}},
		`project-away tags, properties, zones, type, location | take 1`:        {obj{"name": "kv-one", "n": 3.0}},
		`project name, n | project-rename title = name | take 1`:               {obj{"title": "kv-one", "n": 3.0}},
		`project name | order by name`:                                         {obj{"name": "web"}, obj{"name": "st1"}, obj{"name": "kv-two"}, obj{"name": "kv-one"}},
		`order by location asc, n desc nulls last | project name`:              {obj{"name": "web"}, obj{"name": "st1"}, obj{"name": "kv-two"}, obj{"name": "kv-one"}},
		`sort by n asc | project name | limit 2`:                               {obj{"name": "web"}, obj{"name": "kv-two"}},
		`top 1 by n | project name`:                                            {obj{"name": "kv-one"}},
		`distinct location`:                                                    {obj{"location": "westeurope"}, obj{"location": "eastus"}, obj{"location": ""}},
		`project location | distinct *`:                                        {obj{"location": "westeurope"}, obj{"location": "eastus"}, obj{"location": ""}},
		`count`:                                                                {obj{"Count": 4.0}},
		`summarize count() by type | order by type asc | take 2`:               {obj{"type": "microsoft.keyvault/vaults", "count_": 2.0}, obj{"type": "microsoft.storage/storageaccounts", "count_": 1.0}},
		`summarize total = sum(n), low = min(n), high = max(n), mean = avg(n), kinds = dcount(type), big = countif(n > 1)`: {
			obj{"total": 6.0, "low": 1.0, "high": 3.0, "mean": 1.5, "kinds": 3.0, "big": 2.0},
		},
		`where n > 0 | summarize make_set(location), make_list(name), any(type)`: {
			obj{"make_set_location": list{"westeurope", "eastus"}, "make_list_name": list{"kv-one", "kv-two", "st1"}, "any_type": "microsoft.keyvault/vaults"},
		},
		`where name == 'none' | summarize count(), avg(n), any(n)`: {obj{"count_": 0.0, "avg_n": nil, "any_n": nil}},
		`summarize by location | count`:                            {obj{"Count": 3.0}},
	} {
		got, err := graphquery.Run("resources\n| "+query, source)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		rows := list{}
		for _, r := range got.Rows {
			rows = append(rows, obj(r))
			if len(r) != len(got.Columns) {
				t.Errorf("%s: columns %v of %v", query, got.Columns, r)
			}
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		``: "the name of a table", `Nothing`: "the name of a table", `resources | `: "is not known", `resources where`: "'|' expected",
		`resources | join (resources) on name`:          "the operator 'join' is not known",
		`resources | where nobody == 1`:                 "Failed to resolve scalar expression named 'nobody'",
		`resources | where Name == 1`:                   "Failed to resolve scalar expression named 'Name'",
		`resources | project name | where n`:            "Failed to resolve",
		`resources | where magic(name)`:                 "Unknown function: 'magic'",
		`resources | where tolower()`:                   "another number of arguments",
		`resources | where name in 'a'`:                 "'(' expected",
		`resources | where name in ('a' 'b')`:           "',' expected",
		`resources | where (name == 'a'`:                "')' expected",
		`resources | where name == 'a`:                  "not closed",
		`resources | where name ==`:                     "an expression expected",
		`resources | where tags[`:                       "an expression expected",
		`resources | where tags['a'`:                    "']' expected",
		`resources | where tags.`:                       "the name of a property",
		`resources | where name matches 'a'`:            "'regex' expected",
		`resources | where name matches regex '('`:      "a regular expression expected",
		`resources | where 1.2.3 == n`:                  "not a number",
		`resources | take many`:                         "a number expected",
		`resources | top 1 n`:                           "'by' expected",
		`resources | top x`:                             "a number expected",
		`resources | order name`:                        "'by' expected",
		`resources | order by name nulls never`:         "'first' or 'last'",
		`resources | order by nobody`:                   "Failed to resolve",
		`resources | distinct nobody`:                   "the name of a column",
		`resources | project-away nobody`:               "the name of a column",
		`resources | project-rename a = nobody`:         "the name of a column",
		`resources | project-rename 1 = name`:           "a name expected",
		`resources | project-rename a name`:             "'=' expected",
		`resources | extend a =`:                        "an expression expected",
		`resources | project (`:                         "an expression expected",
		`resources | summarize`:                         "an aggregate expected",
		`resources | summarize magic(n)`:                "an aggregate expected",
		`resources | summarize count(n)`:                "another number of arguments",
		`resources | summarize sum()`:                   "another number of arguments",
		`resources | summarize sum(nobody)`:             "Failed to resolve",
		`resources | summarize count() by nobody`:       "Failed to resolve",
		`resources | where ` + strings.Repeat("(", 300): "nested too deeply",
	} {
		_, err := graphquery.Run(query, source)
		var own *graphquery.Error
		if !errors.As(err, &own) || !strings.Contains(own.Message, want) {
			t.Errorf("%.60s: %v, want %q", query, err, want)
		}
	}
	_, err := graphquery.Run("resources\n| where x", source)
	if err == nil || !strings.Contains(err.Error(), "(line 2, column 9, near 'x')") {
		t.Errorf("the place of a mistake: %v", err)
	}
}

// TestAnyQuery: no text makes it panic.
func TestAnyQuery(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{
		"resources", "|", "where", "project", "summarize", "by", "order", "name", "n", "count", "(", ")", "[", "]", "=", "==", "'a'", "'", ",", ".", "in", "-", "1", "take", "top",
	})
	rapid.Check(t, func(t *rapid.T) {
		_, _ = graphquery.Run("resources | "+strings.Join(rapid.SliceOfN(words, 0, 14).Draw(t, "words"), " "), source)
	})
}
