package cloud_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
)

// managers answer for Resource Managers, by address; they remember what they were asked.
type managers struct {
	answers map[string]string // by address: a file of testdata, or a status
	asked   []string
}

// Do implements policy.Transporter.
func (m *managers) Do(req *http.Request) (*http.Response, error) {
	m.asked = append(m.asked, req.URL.String())
	if req.Header.Get("Authorization") != "" {
		return nil, errors.New("a metadata document needs no token")
	}
	answer, ok := m.answers[req.URL.String()]
	if !ok {
		return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	}
	resp := &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Request: req}
	switch text, err := os.ReadFile(filepath.Join("testdata", answer)); {
	case err == nil:
		resp.Body = io.NopCloser(strings.NewReader(string(text)))
	case answer == "503":
		resp.StatusCode, resp.Status, resp.Body = 503, "503 Service Unavailable", http.NoBody
	default:
		resp.StatusCode, resp.Status, resp.Body = 400, "400 Bad Request", http.NoBody
	}
	return resp, nil
}

var (
	usGovernment = cloud.Endpoints{
		Cloud: "AzureUSGovernment", Portal: "https://portal.azure.us", Authority: "https://login.microsoftonline.us",
		ResourceManager: "https://management.usgovcloudapi.net", Audience: "https://management.core.usgovcloudapi.net",
		KeyVaultSuffix: "vault.usgovcloudapi.net", ManagedHSMSuffix: "managedhsm.usgovcloudapi.net", StorageSuffix: "core.usgovcloudapi.net",
		RegistrySuffix: "azurecr.us", SQLSuffix: "database.usgovcloudapi.net", MySQLSuffix: "mysql.database.usgovcloudapi.net",
		PostgreSQLSuffix: "postgres.database.usgovcloudapi.net", SynapseSuffix: "dev.azuresynapse.usgovcloudapi.net",
		GraphAudience: "https://graph.microsoft.us/", BatchAudience: "https://batch.core.usgovcloudapi.net", LogAnalyticsAudience: "https://api.loganalytics.us",
	}
	stackHub = cloud.Endpoints{
		Cloud: "management.local.azurestack.external", Portal: "https://portal.local.azurestack.external", Authority: "https://login.windows.net",
		ResourceManager: "https://management.local.azurestack.external", Audience: "https://management.contoso.onmicrosoft.com/3cc5febd-e4b7-4a85-a2ed-1d730e2f5928",
		KeyVaultSuffix: "vault.local.azurestack.external", StorageSuffix: "local.azurestack.external",
	}
	germany = cloud.Endpoints{
		Cloud: "AzureGermanCloud", Portal: "https://portal.microsoftazure.de", Authority: "https://login.microsoftonline.de",
		ResourceManager: "https://management.microsoftazure.de", Audience: "https://management.core.cloudapi.de",
		KeyVaultSuffix: "vault.microsoftazure.de", StorageSuffix: "core.cloudapi.de", SQLSuffix: "database.cloudapi.de",
	}
)

func TestLoad(t *testing.T) {
	t.Parallel()
	const query = "/metadata/endpoints?api-version="
	tests := []struct {
		name    string
		value   string
		answers map[string]string
		want    cloud.Endpoints
		asked   int
	}{
		{"a file", filepath.Join("testdata", "usgovernment-2022-09-01.json"), nil, usGovernment, 0},
		{
			"a Resource Manager", "https://management.usgovcloudapi.net/",
			map[string]string{"https://management.usgovcloudapi.net" + query + "2022-09-01": "usgovernment-2022-09-01.json"},
			usGovernment, 1,
		},
		{
			"the address of a document", "https://management.local.azurestack.external" + query + "1.0",
			map[string]string{"https://management.local.azurestack.external" + query + "1.0": "stackhub-1.0.json"},
			stackHub, 1,
		},
		{
			"a Resource Manager that knows the old form alone", "https://management.local.azurestack.external",
			map[string]string{
				"https://management.local.azurestack.external" + query + "2022-09-01": "400",
				"https://management.local.azurestack.external" + query + "2015-01-01": "stackhub-1.0.json",
			},
			stackHub, 2,
		},
		{
			"one of a list of clouds", "https://management.microsoftazure.de" + query + "2019-05-01",
			map[string]string{"https://management.microsoftazure.de" + query + "2019-05-01": "clouds-2019-05-01.json"},
			germany, 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &managers{answers: tt.answers}
			config, got, err := cloud.Load(t.Context(), tt.value, m)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("endpoints (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.want, cloud.Of(config)); d != "" {
				t.Errorf("read back from the configuration (-want +got):\n%s", d)
			}
			arm := config.Services[azcloud.ResourceManager]
			if arm.Endpoint != tt.want.ResourceManager || arm.Audience != tt.want.Audience || config.ActiveDirectoryAuthorityHost != tt.want.Authority+"/" {
				t.Errorf("the SDK is told %+v", config)
			}
			for _, service := range []azcloud.ServiceName{"azcontainerregistry", "data/aztables"} {
				if config.Services[service].Audience == "" {
					t.Errorf("the SDK's client for %s has no audience", service)
				}
			}
			if len(m.asked) != tt.asked {
				t.Errorf("asked: %v", m.asked)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "cloud.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const arm = "https://management.example.com"
	tests := []struct {
		name, value string
		answer      string // of arm, in the newest form
		kind        errs.Kind
		text        string
	}{
		{"a name that is none", "germany", "", errs.Invalid, `there is no cloud "germany"`},
		{"a file that is not there", "./clouds/none.json", "", errs.Invalid, "no such file"},
		{"no JSON", write("metadata"), "", errs.Invalid, "it is no ARM metadata document"},
		{"a list of something else", write(`[1]`), "", errs.Invalid, "it is no ARM metadata document"},
		{"an empty list", write(`[]`), "", errs.Invalid, "empty list"},
		{"several clouds", filepath.Join("testdata", "clouds-2019-05-01.json"), "", errs.Invalid, "2 clouds (AzureChinaCloud, AzureGermanCloud)"},
		{"no sign-in", write(`{"name":"x"}`), "", errs.Invalid, "authentication.loginEndpoint"},
		{"sign-in without TLS", write(`{"authentication":{"loginEndpoint":"http://login.example.com"}}`), "", errs.Invalid, "no https address"},
		{"no audience", write(`{"authentication":{"loginEndpoint":"https://login.example.com"}}`), "", errs.Invalid, "authentication.audiences"},
		{"no Resource Manager", filepath.Join("testdata", "stackhub-1.0.json"), "", errs.Invalid, "resourceManager"},
		{"AD FS", write(`{"authentication":{"loginEndpoint":"https://adfs.local.azurestack.external/adfs","audiences":["https://x"]}}`), "", errs.Unsupported, "AD FS"},
		{"AD FS by name", write(`{"authentication":{"loginEndpoint":"https://adfs.example.com","identityProvider":"adfs","audiences":["https://x"]}}`), "", errs.Unsupported, "AD FS"},
		{"an address without TLS", "http://management.example.com", "", errs.Invalid, "no plain https address"},
		{"an address with a password", "https://me:secret@management.example.com", "", errs.Invalid, "no plain https address"},
		{"nobody answers", "https://management.nowhere.example", "", errs.Unavailable, "connection refused"},
		{"not now", arm, "503", errs.Unavailable, "503 Service Unavailable"},
		{"no document in any form", arm, "404", errs.Invalid, "400 Bad Request"},
		{"the document of another one", arm, "usgovernment-2022-09-01.json", errs.Invalid, "management.usgovcloudapi.net"},
		{"a list without it", arm, "clouds-2019-05-01.json", errs.Invalid, "no cloud whose Resource Manager is at management.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &managers{answers: map[string]string{}}
			if tt.answer != "" {
				m.answers[arm+"/metadata/endpoints?api-version=2022-09-01"] = tt.answer
				m.answers[arm+"/metadata/endpoints?api-version=2015-01-01"] = "404"
			}
			_, _, err := cloud.Load(t.Context(), tt.value, m)
			if errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("kind %q: %v", errs.KindOf(err), err)
			}
			if tt.kind != errs.Unsupported && errs.HintOf(err) == "" {
				t.Error("there is no hint")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes a password: %v", err)
			}
		})
	}
}

func TestAbsolute(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "stackhub-1.0.json")
	whole, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"": "", "China": "China", "https://management.example.com": "https://management.example.com", file: whole, "no/such/file": "no/such/file",
	} {
		if got, err := cloud.Absolute(value); got != want || err != nil {
			t.Errorf("%q became %q: %v", value, got, err)
		}
	}
}
