package permissions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
)

// azVariable makes the test binary behave as the Azure CLI: it holds an azLogin as JSON.
const azVariable = "ATG_TEST_AZ"

// azLogin is what the stand-in for the Azure CLI knows: where the emulator is, and who is
// signed in to the tenant of each subscription.
type azLogin struct {
	Emulator string
	Accounts map[string]azAccount // by subscription
}

type azAccount struct{ Tenant, App, Secret string }

func TestMain(m *testing.M) {
	if text := os.Getenv(azVariable); text != "" {
		if err := az(context.Background(), text, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "ERROR:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// az carries out the commands that a script has, by the requests that the Azure CLI sends.
func az(ctx context.Context, login string, args []string) error {
	var l azLogin
	if err := json.Unmarshal([]byte(login), &l); err != nil {
		return err
	}
	options, command := parse(args)
	sub := options["--subscription"]
	if len(sub) != 1 {
		return errors.New("no --subscription: which account is meant is left to chance")
	}
	account, ok := l.Accounts[sub[0]]
	if !ok {
		return fmt.Errorf("the subscription of '%s' doesn't exist in cloud 'AzureCloud'", sub[0])
	}
	c := &azClient{account: account, subscription: "/subscriptions/" + sub[0]}
	transport, err := emulator.Connect(ctx, l.Emulator)
	if err != nil {
		return err
	}
	c.http = &http.Client{Transport: transport}
	if err := c.signIn(ctx); err != nil {
		return err
	}
	switch command {
	case "role assignment create":
		return c.assign(ctx, options)
	case "role definition list":
		roles, err := c.roles(ctx, one(options, "--name"))
		fmt.Println(len(roles))
		return err
	case "role definition create", "role definition update":
		return c.define(ctx, one(options, "--role-definition"))
	case "keyvault set-policy":
		return c.setPolicy(ctx, options)
	}
	return fmt.Errorf("'%s' is misspelled or not recognized by the system", command)
}

// parse takes a command line apart: words before the first option, and options with
// their values.
func parse(args []string) (options map[string][]string, command string) {
	options = map[string][]string{}
	name, words := "", []string{}
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, "--"):
			name, options[a] = a, []string{}
		case name == "":
			words = append(words, a)
		default:
			options[name] = append(options[name], a)
		}
	}
	return options, strings.Join(words, " ")
}

func one(options map[string][]string, name string) string { return strings.Join(options[name], " ") }

type azClient struct {
	account      azAccount
	subscription string
	http         *http.Client
	token        string
}

func (c *azClient) signIn(ctx context.Context) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.account.App}, "client_secret": {c.account.Secret}, "scope": {"https://management.azure.com/.default"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.microsoftonline.com/"+c.account.Tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Token string `json:"access_token"`
	}
	err = c.do(req, &answer)
	c.token = answer.Token
	return err
}

// arm sends a request to Resource Manager.
func (c *azClient) arm(ctx context.Context, method, path, version string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	address, filter, _ := strings.Cut(path, "?")
	u := url.URL{Scheme: "https", Host: "management.azure.com", Path: address, RawQuery: "api-version=" + version + "&" + filter}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	return c.do(req, answer)
}

func (c *azClient) do(req *http.Request, answer any) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

const authorization = "2022-04-01"

type roleDefinition struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		RoleName string `json:"roleName"`
	} `json:"properties"`
}

// roles finds the roles of a name or a GUID.
func (c *azClient) roles(ctx context.Context, name string) ([]roleDefinition, error) {
	var list struct{ Value []roleDefinition }
	err := c.arm(ctx, http.MethodGet, c.subscription+"/providers/Microsoft.Authorization/roleDefinitions", authorization, nil, &list)
	return slices.DeleteFunc(list.Value, func(r roleDefinition) bool {
		return !strings.EqualFold(r.Name, name) && !strings.EqualFold(r.Properties.RoleName, name)
	}), err
}

func (c *azClient) assign(ctx context.Context, options map[string][]string) error {
	found, err := c.roles(ctx, one(options, "--role"))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("the role '%s' doesn't exist", one(options, "--role"))
	}
	return c.arm(ctx, http.MethodPut, one(options, "--scope")+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString(), authorization, map[string]any{
		"properties": map[string]any{
			"roleDefinitionId": found[0].ID, "principalType": one(options, "--assignee-principal-type"),
			// The Azure CLI asks Microsoft Graph whose ID --assignee is; here it is an object ID.
			"principalId": one(options, "--assignee-object-id") + one(options, "--assignee"),
		},
	}, nil)
}

func (c *azClient) define(ctx context.Context, text string) error {
	var in struct {
		Name, Description                                                  string
		Actions, NotActions, DataActions, NotDataActions, AssignableScopes []string
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return err
	}
	id := uuid.NewString()
	if found, err := c.roles(ctx, in.Name); err != nil {
		return err
	} else if len(found) > 0 {
		id = found[0].Name
	}
	return c.arm(ctx, http.MethodPut, c.subscription+"/providers/Microsoft.Authorization/roleDefinitions/"+id, authorization, map[string]any{
		"properties": map[string]any{
			"roleName": in.Name, "description": in.Description, "type": "CustomRole", "assignableScopes": in.AssignableScopes,
			"permissions": []any{map[string]any{"actions": in.Actions, "notActions": in.NotActions, "dataActions": in.DataActions, "notDataActions": in.NotDataActions}},
		},
	}, nil)
}

// setPolicy reads the vault, replaces the kinds of rights that are named in the entry of
// the principal, and writes the vault.
func (c *azClient) setPolicy(ctx context.Context, options map[string][]string) error {
	const version = "2024-11-01"
	path := c.subscription + "/resourceGroups/" + one(options, "--resource-group") + "/providers/Microsoft.KeyVault/vaults/" + one(options, "--name")
	var vault map[string]any
	if err := c.arm(ctx, http.MethodGet, path, version, nil, &vault); err != nil {
		return err
	}
	properties := vault["properties"].(map[string]any)
	policies, _ := properties["accessPolicies"].([]any)
	object := one(options, "--object-id")
	i := slices.IndexFunc(policies, func(p any) bool { return p.(map[string]any)["objectId"] == object })
	if i < 0 {
		i = len(policies)
		policies = append(policies, map[string]any{"tenantId": c.account.Tenant, "objectId": object, "permissions": map[string]any{}})
	}
	rights := policies[i].(map[string]any)["permissions"].(map[string]any)
	for _, kind := range []string{"secret", "key", "certificate"} {
		if given, ok := options["--"+kind+"-permissions"]; ok {
			rights[kind+"s"] = given
		}
	}
	properties["accessPolicies"] = policies
	return c.arm(ctx, http.MethodPut, path, version, map[string]any{"location": vault["location"], "tags": vault["tags"], "properties": properties}, nil)
}
