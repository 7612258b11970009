package auth

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClauses(t *testing.T) {
	t.Parallel()
	absent := Attempt{Link: "workload identity", Said: "AZURE_FEDERATED_TOKEN_FILE is not set", Absent: true}
	wrong := Attempt{Link: "AZURE_*", Said: "AADSTS7000215: invalid"}
	half := Attempt{Link: "ATG_SOURCE_*", Said: "the client secret is not set"}
	tests := []struct {
		name     string
		tenant   string
		attempts []Attempt
		all      bool
		want     []string
	}{
		{"nothing is set up", "", []Attempt{absent}, false, []string{"no credential is given: by no flag, no environment variable, no identity of this machine"}},
		{"nothing, for a tenant", "contoso.com", []Attempt{absent}, false, []string{"no credential is given for tenant contoso.com: by no flag, no environment variable, no identity of this machine"}},
		{"one", "", []Attempt{wrong, absent}, false, []string{"AZURE_*: AADSTS7000215: invalid"}},
		{"two", "contoso.com", []Attempt{half, wrong, absent}, false, []string{
			"no credential works for tenant contoso.com", "ATG_SOURCE_*: the client secret is not set", "AZURE_*: AADSTS7000215: invalid",
		}},
		{"all", "", []Attempt{wrong, absent}, true, []string{
			"no credential works", "AZURE_*: AADSTS7000215: invalid", "workload identity: AZURE_FEDERATED_TOKEN_FILE is not set",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := &ChainError{Tenant: tt.tenant, Attempts: tt.attempts}
			if d := cmp.Diff(tt.want, e.Clauses(tt.all)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"AzureCLICredential: ERROR: Please run 'az login'":           "ERROR: Please run 'az login'",
		"ManagedIdentityCredential authentication failed.\nGET http": "GET http",
		"dial tcp: refused": "dial tcp: refused",
		"unable to resolve an endpoint: server response error:\n Get \"https://login.example.com/x?\": dial tcp: connection refused. To troubleshoot, visit https://aka.ms/x": "login.example.com cannot be reached: dial tcp: connection refused",
	} {
		if got := oneLine(errors.New(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for err, want := range map[error]bool{unset("x"): true, partial("x"): false, errors.New("AzureCLICredential: executable not found on path"): true, errors.New("x"): false} {
		if isAbsent(err) != want {
			t.Errorf("%v is absent: %v", err, !want)
		}
	}
}
