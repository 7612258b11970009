package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// clockSkew is how far a request's date may be from now (Azure: Authorize with Shared Key,
// Specifying the Date header).
const clockSkew = 15 * time.Minute

// sharedKey checks "account:signature".
func (q *request) sharedKey(credential string, lite bool) (kit.Grant, *wire.Error) {
	if !q.acc.SharedKey {
		return nil, keysNotPermitted()
	}
	name, signature, ok := strings.Cut(strings.TrimSpace(credential), ":")
	if !ok {
		return nil, invalidAuthentication("")
	}
	if name != q.acc.Name {
		return nil, failed("The account name in the Authorization header is not that of the account.") // words not confirmed
	}
	if err := q.checkDate(); err != nil {
		return nil, err
	}
	texts := q.stringsToSign(lite)
	for _, text := range texts {
		if q.signedBy(q.acc.Keys, text, signature) {
			return everything{}, nil
		}
	}
	return nil, failed(fmt.Sprintf("The MAC signature found in the HTTP request '%s' is not the same as any computed signature. Server used following string to sign: '%s'.", signature, texts[0]))
}

func (q *request) checkDate() *wire.Error {
	date := q.r.Header.Get("X-Ms-Date")
	if date == "" {
		date = q.r.Header.Get("Date")
	}
	t, err := http.ParseTime(date)
	if err != nil {
		return failed("The Date header in the request is incorrect.")
	}
	if q.now.Sub(t) > clockSkew {
		return failed(fmt.Sprintf("Request date header too old: '%s'", date))
	}
	if t.Sub(q.now) > clockSkew {
		return failed(fmt.Sprintf("Request date header is in the future: '%s'", date)) // words not confirmed
	}
	return nil
}

// signedBy tells whether one of the keys made the signature.
func (q *request) signedBy(keys [][]byte, text, signature string) bool {
	want, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	for _, k := range keys {
		if hmac.Equal(want, sum(k, text)) {
			return true
		}
	}
	return false
}

func sum(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)
}

// stringsToSign are the texts of which the client must have signed one: they differ in the
// order of the headers.
func (q *request) stringsToSign(lite bool) []string {
	h := q.r.Header
	table := q.service == kit.Table
	switch {
	case table && lite:
		return []string{q.tableDate() + "\n" + q.shortResource()}
	case table:
		return []string{strings.Join([]string{q.r.Method, h.Get("Content-MD5"), h.Get("Content-Type"), q.tableDate(), q.shortResource()}, "\n")}
	}
	fields := []string{q.r.Method, h.Get("Content-MD5"), h.Get("Content-Type"), q.date()}
	resource := q.shortResource()
	if !lite {
		fields = []string{
			q.r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), q.contentLength(), h.Get("Content-MD5"), h.Get("Content-Type"), q.date(),
			h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range"),
		}
		resource = q.fullResource()
	}
	head := strings.Join(fields, "\n") + "\n"
	var out []string
	for _, order := range []func(a, b string) int{strings.Compare, compareNames} {
		if text := head + canonicalHeaders(h, order) + resource; !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// date is empty if x-ms-date, which is among the signed headers, gives it.
func (q *request) date() string {
	if q.r.Header.Get("X-Ms-Date") != "" {
		return ""
	}
	return q.r.Header.Get("Date")
}

// tableDate: Table Storage signs x-ms-date in the place of Date.
func (q *request) tableDate() string {
	if d := q.r.Header.Get("X-Ms-Date"); d != "" {
		return d
	}
	return q.r.Header.Get("Date")
}

// contentLength is empty for no body (since version 2015-02-21).
func (q *request) contentLength() string {
	length := q.r.Header.Get("Content-Length")
	if length == "" && q.r.ContentLength > 0 {
		length = fmt.Sprint(q.r.ContentLength)
	}
	if length == "0" && q.r.Header.Get("X-Ms-Version") >= "2015-02-21" {
		return ""
	}
	return length
}

// canonicalHeaders are the x-ms- headers, one a line.
func canonicalHeaders(h http.Header, order func(a, b string) int) string {
	var names []string
	for k := range h {
		if name := strings.ToLower(k); strings.HasPrefix(name, "x-ms-") {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, order)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range h[http.CanonicalHeaderKey(name)] {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.TrimSpace(v))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// compareNames orders header names as the service's own libraries sort them: by their
// letters, digits before letters and signs before both, and then by where hyphens stand.
func compareNames(a, b string) int {
	if c := slices.CompareFunc([]byte(bare(a)), []byte(bare(b)), func(x, y byte) int { return weight(x) - weight(y) }); c != 0 {
		return c
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] { // a name without a hyphen here goes first
			if a[i] == '-' {
				return 1
			}
			return -1
		}
	}
	return 0
}

func bare(name string) string { return strings.ReplaceAll(name, "-", "") }

func weight(c byte) int {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return 512 + int(c|0x20)
	case c >= '0' && c <= '9':
		return 256 + int(c)
	}
	return int(c)
}

// fullResource is the canonicalized resource of Shared Key: path and all parameters.
func (q *request) fullResource() string {
	var b strings.Builder
	b.WriteString("/" + q.acc.Name + q.path)
	params := map[string][]string{}
	for k, v := range q.r.URL.Query() {
		k = strings.ToLower(k)
		params[k] = append(params[k], v...)
	}
	for _, k := range slices.Sorted(keysOf(params)) {
		slices.Sort(params[k])
		b.WriteString("\n" + k + ":" + strings.Join(params[k], ","))
	}
	return b.String()
}

func keysOf(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// shortResource is the canonicalized resource of Shared Key Lite and of Table Storage: path
// and comp alone.
func (q *request) shortResource() string {
	out := "/" + q.acc.Name + q.path
	if comp := q.param("comp"); comp != "" {
		out += "?comp=" + comp
	}
	return out
}

func (q *request) param(name string) string { return Param(q.r.URL.Query(), name) }

// Param returns a query parameter; the services do not regard the case of its name.
func Param(values url.Values, name string) string {
	if v, ok := values[name]; ok && len(v) > 0 {
		return v[0]
	}
	for k, v := range values {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
