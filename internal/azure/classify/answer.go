package classify

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// body is what an error answer says.
type body struct {
	message string
	inner   string // innermost error code; "" if there is none
}

// envelope is the JSON form; Key Vault, Resource Manager and Cosmos DB use it. Container
// registries have a list instead, App Configuration a title (RFC 9457).
type envelope struct {
	Error  *detail  `json:"error"`
	Errors []detail `json:"errors"`
	Title  string   `json:"title"`
	detail
}

type detail struct {
	Message string `json:"message"`
	Inner   *inner `json:"innererror"`
}

type inner struct {
	Code string `json:"code"`
	Next *inner `json:"innererror"`
}

// xmlError is the form of Azure Storage.
type xmlError struct {
	Message string `xml:"Message"`
}

// readBody reads an error answer's body, which the SDK keeps in memory.
func readBody(resp *http.Response) body {
	if resp == nil || resp.Body == nil {
		return body{}
	}
	raw, err := runtime.Payload(resp)
	if err != nil {
		return body{}
	}
	var env envelope
	if json.Unmarshal(raw, &env) == nil {
		d := env.detail
		switch {
		case env.Error != nil:
			d = *env.Error
		case len(env.Errors) > 0:
			d = env.Errors[0]
		case d.Message == "":
			d.Message = env.Title
		}
		return body{message: d.Message, inner: innermost(d.Inner)}
	}
	var x xmlError
	if xml.Unmarshal(raw, &x) == nil {
		return body{message: x.Message}
	}
	return body{}
}

func innermost(in *inner) string {
	code := ""
	for ; in != nil; in = in.Next {
		if in.Code != "" {
			code = in.Code
		}
	}
	return code
}

// maxText bounds a quoted message, in bytes.
const maxText = 300

// firstLine returns the first line of text, or instead if there is none.
func firstLine(text, instead string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.TrimSpace(text)
	if text == "" {
		return instead
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// actionPatterns find the permission that is missing in the texts of Key Vault with
// Azure RBAC ("Action: '…'") and of Resource Manager ("perform action '…'").
var actionPatterns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\baction:\s*'([^']+)'`),
	regexp.MustCompile(`(?i)\bperform action '([^']+)'`),
}

// policyPattern finds it in the text of a vault with access policies: "does not have
// secrets get permission on key vault".
var policyPattern = regexp.MustCompile(`(?i)\bdoes not have (secrets|keys|certificates|storage) (\w+) permission`)

// missingAction returns the permission that a refusal names, or "".
func missingAction(message string) string {
	for _, p := range actionPatterns {
		if m := p.FindStringSubmatch(message); m != nil {
			return m[1]
		}
	}
	if m := policyPattern.FindStringSubmatch(message); m != nil {
		return strings.ToLower(m[1] + "/" + m[2])
	}
	return ""
}

// requestID returns the service's id of a request, under the names that Key Vault,
// Resource Manager, Storage and Entra ID use.
func requestID(h http.Header) string {
	for _, name := range []string{"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-activity-id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}
