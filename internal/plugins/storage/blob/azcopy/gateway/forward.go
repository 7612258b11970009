package gateway

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

// Headers of a copy from a URL.
const (
	copySource       = "X-Ms-Copy-Source"
	sourceUnmodified = "X-Ms-Source-If-Unmodified-Since"
	errorCode        = "X-Ms-Error-Code"
)

// answer does what a request asks for, if it may.
func (g *Gateway) answer(req *http.Request, body []byte) *http.Response {
	to := g.From
	if strings.EqualFold(req.URL.Host, g.to) {
		to = g.To
	}
	is := g.rule(req)
	switch is {
	case nothing:
		return refuse(req, http.StatusForbidden, "AuthorizationPermissionMismatch", "a copy of this container's block blobs does not need this request")
	case exists:
		return refuse(req, http.StatusConflict, "ContainerAlreadyExists", "the container was made before")
	case remove: // what was not written whole is not there; what is there is not the program's
		return refuse(req, http.StatusNotFound, "BlobNotFound", "nothing was written here")
	case kind: // the service wants a right for this answer that a copy does not need
		return answerWith(req, http.StatusOK, http.Header{"X-Ms-Sku-Name": {to.SKU}, "X-Ms-Account-Kind": {to.Kind}, "X-Ms-Is-Hns-Enabled": {strconv.FormatBool(to.HNS)}}, nil)
	case whole, list:
		req.Header.Set("If-None-Match", "*")
	case look, block: // as they are
	}
	f := account.Foreign{
		Method: req.Method, Container: g.Container, Path: req.URL.EscapedPath(), Query: withoutSignature(req.URL.Query()), Header: maps.Clone(req.Header), Body: body,
	}
	for _, own := range []string{"Proxy-Connection", "Connection", "Content-Length", "Accept-Encoding", "Authorization", "X-Ms-Copy-Source-Authorization"} {
		f.Header.Del(own)
	}
	var resp *http.Response
	var err error
	if is == whole || is == block {
		resp, err = g.copy(f)
	} else {
		resp, err = to.Forward(g.ctx, f)
	}
	if err != nil {
		return failed(req, err)
	}
	if resp.StatusCode < http.StatusMultipleChoices && (is == block || is == list) {
		g.stage(req.URL.Path, is == block)
	}
	return passedOn(req, resp)
}

// copy has the target's service read from the source's, with a signature that the request
// carries in a header. One that is refused is made once more: it may have been revoked.
func (g *Gateway) copy(f account.Foreign) (*http.Response, error) {
	f.Header.Set(sourceUnmodified, g.Since.UTC().Format(http.TimeFormat))
	g.To.Wrote()
	defer g.To.Wrote()
	u, err := url.Parse(f.Header.Get(copySource))
	if err != nil {
		return nil, err
	}
	for again := false; ; again = true {
		query, err := g.From.ReadSAS(g.ctx, g.Container, false)
		if err != nil {
			return nil, err
		}
		f.Header.Set(copySource, "https://"+u.Host+u.EscapedPath()+"?"+query.Reveal())
		resp, err := g.To.Forward(g.ctx, f)
		if again || err != nil || resp.Header.Get(errorCode) != "CannotVerifyCopySource" {
			return resp, err
		}
		g.From.Refused(query)
	}
}

// withoutSignature is the query that is sent on.
func withoutSignature(q url.Values) string {
	q.Del("sig")
	q.Del("sv")
	return q.Encode()
}

// inferred is, in a listing, a tier that a blob has only as long as its account has it. The
// program would make it the copy's own. That the service always writes the two side by side
// could not be confirmed: where it does not, the tier becomes the copy's own.
var inferred = regexp.MustCompile(`<AccessTier>\w*</AccessTier>\s*<AccessTierInferred>true</AccessTierInferred>`)

// passedOn is an answer of a service as the program gets it.
func passedOn(req *http.Request, resp *http.Response) *http.Response {
	body, err := io.ReadAll(resp.Body)
	body = inferred.ReplaceAll(body, nil)
	_ = resp.Body.Close() // it is at hand already
	if err != nil {
		return failed(req, err)
	}
	header := resp.Header.Clone()
	for _, own := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		header.Del(own)
	}
	out := answerWith(req, resp.StatusCode, header, body)
	if req.Method == http.MethodHead {
		out.ContentLength = resp.ContentLength
	}
	return out
}

// failed answers for a request that no service answered, or that could not be signed. Only
// the code of what went wrong is told: what a program writes down is not under control.
func failed(req *http.Request, err error) *http.Response {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && answer.StatusCode > 0 {
		return refuse(req, answer.StatusCode, answer.ErrorCode, "it could not be signed")
	}
	if e := errs.Find(err); e != nil && !errs.Retryable(err) {
		return refuse(req, http.StatusForbidden, "AuthenticationFailed", "it could not be signed")
	}
	return refuse(req, http.StatusServiceUnavailable, "ServerBusy", "it could not be sent on")
}
