package cloud

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestRegions(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(Names()) || len(Names()) < 50 {
		t.Errorf("%d regions, sorted: %v", len(Names()), slices.IsSorted(Names()))
	}
	for _, r := range Regions() {
		if Normal(r.Display) != r.Name {
			t.Errorf("%q is not the name of %q", r.Name, r.Display)
		}
		if r.Paired != "" && !Known(r.Paired) {
			t.Errorf("%s is paired with %q, which does not exist", r.Name, r.Paired)
		}
	}
	for l, want := range map[string]bool{"West Europe": true, "westeurope": true, "global": true, "nowhere": false, "": false} {
		if Known(l) != want {
			t.Errorf("Known(%q) = %v", l, !want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, v := range EndpointVersions {
		if _, ok := Endpoints(v); !ok {
			t.Errorf("%s is not answered", v)
		}
	}
	if _, ok := Endpoints("1999-01-01"); ok {
		t.Error("1999-01-01 is answered")
	}
	var oldest struct {
		Authentication struct{ LoginEndpoint string }
	}
	decode(t, "2015-01-01", &oldest)
	var list []struct{ ResourceManager string }
	decode(t, "2019-05-01", &list)
	var newest struct {
		ResourceManager string
		Suffixes        map[string]string
	}
	decode(t, "2022-09-01", &newest)
	if oldest.Authentication.LoginEndpoint == "" || len(list) != 1 || list[0].ResourceManager != "https://management.azure.com/" || newest.Suffixes["mhsmDns"] != "managedhsm.azure.net" {
		t.Errorf("%+v\n%+v\n%+v", oldest, list, newest)
	}
}

func decode(t *testing.T, version string, into any) {
	t.Helper()
	answer, _ := Endpoints(version)
	raw, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", version, err)
	}
}
