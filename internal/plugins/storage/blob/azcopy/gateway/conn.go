package gateway

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

// maxHead bounds the lines of a request before its body: names take 1,024 characters,
// metadata 8 KiB and tags 4 KiB, each escaped.
const maxHead = 64 << 10

// maxBody bounds a body. The largest is a list of 50,000 blocks with IDs of 64 bytes.
const maxBody = 16 << 20

// serve answers the requests of a connection, one after another. It is no http.Server,
// because that one changes the case of header names, and metadata has its names there.
func (g *Gateway) serve(c net.Conn) {
	defer func() {
		_ = c.Close() // everything that was to be said was written
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.conns, c)
	}()
	in, out := bufio.NewReaderSize(c, maxHead), bufio.NewWriter(c)
	for {
		names, err := metadataNames(in)
		if err != nil {
			return
		}
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		resp := g.respond(req, names) //nolint:bodyclose // its body is at hand
		if resp.Write(out) != nil || out.Flush() != nil || req.Close || resp.Close {
			return
		}
	}
}

// respond answers one request.
func (g *Gateway) respond(req *http.Request, names map[string]string) *http.Response {
	if !g.allowed(req) {
		return refuse(req, http.StatusProxyAuthRequired, "ProxyAuthenticationRequired", "the password of this proxy is not given")
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		resp := refuse(req, http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "no request of a copy has such a body")
		resp.Close = true
		return resp
	}
	for name, written := range names {
		if values, ok := req.Header[name]; ok {
			delete(req.Header, name)
			req.Header[written] = values
		}
	}
	return g.answer(req, body)
}

const metadataHeader = "x-ms-meta-"

// metadataNames looks at the request that comes next and returns how the names of its
// metadata are written, by the names that package http gives them.
func metadataNames(in *bufio.Reader) (map[string]string, error) {
	end := -1
	var head []byte
	for n := 1; end < 0; n = in.Buffered() + 1 {
		if _, err := in.Peek(n); err != nil {
			return nil, err
		}
		head, _ = in.Peek(in.Buffered())
		end = bytes.Index(head, []byte("\r\n\r\n"))
	}
	names := map[string]string{}
	for line := range strings.SplitSeq(string(head[:end]), "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if len(name) > len(metadataHeader) && strings.EqualFold(name[:len(metadataHeader)], metadataHeader) {
			names[textproto.CanonicalMIMEHeaderKey(name)] = name
		}
	}
	return names, nil
}

// refuse answers with an error in the service's form.
func refuse(req *http.Request, status int, code, why string) *http.Response {
	text := `<?xml version="1.0" encoding="utf-8"?><Error><Code>` + code + `</Code><Message>` + why + `</Message></Error>`
	return answerWith(req, status, http.Header{"Content-Type": {"application/xml"}, "X-Ms-Error-Code": {code}}, []byte(text))
}

func answerWith(req *http.Request, status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
