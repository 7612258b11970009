package inventory_test

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
)

func TestParsePlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want inventory.Place
		err  string
	}{
		{"", inventory.Place{Kind: inventory.ARM}, ""},
		{"arm", inventory.Place{Kind: inventory.ARM}, ""},
		{"graph", inventory.Place{Kind: inventory.Graph}, ""},
		{"file:a:b.json", inventory.Place{Kind: inventory.File, Path: "a:b.json"}, ""},
		{"tfstate:infra", inventory.Place{Kind: inventory.Terraform, Path: "infra"}, ""},
		{"neo4j", inventory.Place{Kind: inventory.Neo4j}, ""},
		{"neo4j:bolt://host:7687", inventory.Place{Kind: inventory.Neo4j, Path: "bolt://host:7687"}, ""},
		{"resources.json", inventory.Place{Kind: inventory.File, Path: "resources.json"}, ""},
		{"infra/Terraform.TFSTATE", inventory.Place{Kind: inventory.Terraform, Path: "infra/Terraform.TFSTATE"}, ""},
		{`C:\infra\resources.json`, inventory.Place{Kind: inventory.File, Path: `C:\infra\resources.json`}, ""},
		{"./odd:name", inventory.Place{Kind: inventory.File, Path: "./odd:name"}, ""},
		{"terraform:x", inventory.Place{}, `no inventory of kind "terraform"; there are: arm, graph, file, tfstate, neo4j`},
		{"file", inventory.Place{}, "wants a path: file:PATH"},
		{"tfstate:", inventory.Place{}, "wants a path: tfstate:PATH"},
		{"arm:x", inventory.Place{}, "takes no path"},
		{"graph:", inventory.Place{}, "takes no path"},
	}
	for _, tt := range tests {
		got, err := inventory.ParsePlace(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, want %q", tt.text, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: %+v, %v", tt.text, got, err)
		}
		if again, err := inventory.ParsePlace(got.String()); err != nil || again != got {
			t.Errorf("%q: %s is %+v, %v", tt.text, got, again, err)
		}
	}
}
