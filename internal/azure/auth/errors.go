package auth

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ChainError holds what every link of a chain said when none gave a token.
type ChainError struct {
	Tenant   string // as it was asked for; "" if nobody said
	Attempts []Attempt
	causes   []error
}

// Error lists the links and what they said, in one line.
func (e *ChainError) Error() string {
	lines := make([]string, 0, len(e.Attempts))
	for _, a := range e.Attempts {
		lines = append(lines, a.Link+": "+a.Said)
	}
	head := "no credential works"
	if e.Tenant != "" {
		head += " for tenant " + e.Tenant
	}
	return head + ": " + strings.Join(lines, "; ")
}

// Clauses returns what Error says in parts, each a short line. Links that nobody has set up
// are left out unless all are wanted.
func (e *ChainError) Clauses(all bool) []string {
	var lines []string
	for _, a := range e.Attempts {
		if all || !a.Absent {
			lines = append(lines, a.Link+": "+a.Said)
		}
	}
	tenant := ""
	if e.Tenant != "" {
		tenant = " for tenant " + e.Tenant
	}
	switch len(lines) {
	case 0:
		return []string{"no credential is given" + tenant + ": by no flag, no environment variable, no identity of this machine"}
	case 1:
		return lines
	default:
		return append([]string{"no credential works" + tenant}, lines...)
	}
}

// Unwrap returns the errors of the links that are configured.
func (e *ChainError) Unwrap() []error { return e.causes }

// response returns the authority's answer behind a refusal, or nil.
func response(err error) *http.Response {
	var e *azidentity.AuthenticationFailedError
	if errors.As(err, &e) {
		return e.RawResponse
	}
	return nil
}

// description returns the authority's words, such as "AADSTS7000215: Invalid client secret
// provided. …", without the trace lines behind them. It is "" if there was no answer.
func description(err error) string {
	resp := response(err) //nolint:bodyclose // azidentity has read and closed it; the body is kept in memory
	if resp == nil {
		return ""
	}
	body, readErr := runtime.Payload(resp)
	if readErr != nil {
		return ""
	}
	var answer struct {
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	text, _, _ := strings.Cut(answer.Description, " Trace ID:")
	text, _, _ = strings.Cut(text, "\n")
	return strings.TrimSpace(text)
}

// longest is the number of bytes that oneLine keeps of a foreign text.
const longest = 300

// noAnswer is net/http's text about a request without an answer. The SDK does not always
// wrap the error itself.
var noAnswer = regexp.MustCompile(`(?:Get|Post|Head) "?https?://([^/"]+)[^" ]*"?: (.*)`)

// unreached says which host gave no answer, and why. It is "" if err says nothing of that.
func unreached(err error) string {
	found := noAnswer.FindStringSubmatch(strings.Join(strings.Fields(err.Error()), " "))
	if found == nil {
		return ""
	}
	why, _, _ := strings.Cut(found[2], ". To troubleshoot")
	return found[1] + " cannot be reached: " + why
}

// member is how azidentity begins the text of a credential's error.
var member = regexp.MustCompile(`^\w+Credential(: | authentication failed\.? ?)`)

// oneLine returns what an error says, shortened to one line: the authority's own words,
// else its status, else the text without azidentity's dump of the exchange.
func oneLine(err error) string {
	text := description(err)
	if resp := response(err); text == "" && resp != nil { //nolint:bodyclose // as in description
		text = "it was answered " + strings.TrimSpace(strconv.Itoa(resp.StatusCode)+" "+http.StatusText(resp.StatusCode))
	}
	if text == "" {
		text = unreached(err)
	}
	if text == "" {
		text = strings.Join(strings.Fields(err.Error()), " ")
		text = first(member.ReplaceAllString(text, ""), text)
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// codeOf returns the authority's error code, or "".
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return aadsts.FindString(description(err))
}

// kindOf tells a refusal from an authority that could not be reached. A developer tool
// never says which of the two it was.
func kindOf(err error, tool bool) errs.Kind {
	var e *azidentity.AuthenticationFailedError
	switch failed := errors.As(err, &e); {
	case tool, !failed && unreached(err) == "":
		return errs.Unauthenticated
	case !failed:
		return errs.Unavailable
	}
	switch {
	case e.RawResponse == nil, e.RawResponse.StatusCode >= http.StatusInternalServerError:
		return errs.Unavailable
	case e.RawResponse.StatusCode == http.StatusTooManyRequests:
		return errs.Throttled
	}
	return errs.Unauthenticated
}

// hints are by the authority's error code, as Microsoft lists them in "Microsoft Entra
// authentication and authorization error codes".
var hints = map[string]string{
	"AADSTS7000215": "give the secret's value, not its ID; make a new one with: az ad app credential reset --id CLIENT-ID",
	"AADSTS7000222": "the secret has expired; make a new one with: az ad app credential reset --id CLIENT-ID",
	"AADSTS700016":  "the tenant does not know this application: check client ID and tenant ID, they belong together",
	"AADSTS700027":  "the application does not know this certificate: add it with: az ad app credential reset --id CLIENT-ID --cert @FILE --append",
	"AADSTS90002":   "there is no such tenant: check the tenant ID and --cloud",
}

const hintUnreachable = "check the network and the proxy (HTTPS_PROXY, NO_PROXY): no sign-in service answered"

// hint says what to do about a chain that failed.
func (c *chain) hint(code string) string {
	if h := hints[code]; h != "" {
		return h
	}
	prefix := "AZURE_DATAPLANE_"
	if c.cfg.Side == plugin.Source {
		prefix = "ATG_SOURCE_"
	}
	login := "az login"
	if c.tenant != "" {
		login += " --tenant " + c.tenant
	}
	return "set " + prefix + "TENANT_ID, " + prefix + "CLIENT_ID and " + prefix + "CLIENT_SECRET, or run: " + login
}
