package access

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// signature checks a shared access signature of any kind.
func (q *request) signature() (kit.Grant, *wire.Error) {
	values := q.r.URL.Query()
	s := sas{request: q, values: values, container: "", object: ""}
	s.container, s.object, _ = strings.Cut(strings.TrimPrefix(q.r.URL.Path, "/"), "/")
	if q.service == kit.Table {
		s.container, s.object = tableName(s.container), ""
	}
	switch {
	case values.Has("skoid"):
		return s.delegated()
	case !q.acc.SharedKey:
		return nil, keysNotPermitted()
	case values.Has("ss"):
		return s.account()
	}
	return s.ofService()
}

// sas is a shared access signature as the query has it.
type sas struct {
	*request
	values    url.Values
	container string // of the request's path
	object    string
}

func (s *sas) get(name string) string { return s.values.Get(name) }

// tableName is the table that a segment like T(PartitionKey='a',RowKey='b') is about.
func tableName(segment string) string {
	name, _, _ := strings.Cut(segment, "(")
	return name
}

// times are the formats of st and se that Azure documents.
var times = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.9999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02"}

func parseTime(text string) (time.Time, bool) {
	for _, layout := range times {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// checkFrame checks what all signatures have in common: time, protocol and address. Start
// and expiry may come from a stored policy.
func (s *sas) checkFrame(start, expiry time.Time) *wire.Error {
	if !start.IsZero() && s.now.Before(start) || !s.now.Before(expiry) {
		return failed(fmt.Sprintf("Signature not valid in the specified time frame: Start [%s] - Expiry [%s] - Current [%s]",
			httpTime(start), httpTime(expiry), httpTime(s.now)))
	}
	switch spr := s.get("spr"); spr {
	case "", "https,http", "http,https":
	case "https":
		if !s.acc.Encrypted {
			return refusal(http.StatusForbidden, "AuthorizationProtocolMismatch", "This request is not authorized to perform this operation using this protocol.")
		}
	default:
		return failed("spr is invalid.") // words not confirmed
	}
	if sip := s.get("sip"); sip != "" && !inRange(sip, s.acc.ClientIP) {
		return refusal(http.StatusForbidden, "AuthorizationSourceIPMismatch", "This request is not authorized to perform this operation using this source IP "+s.acc.ClientIP+".")
	}
	return nil
}

func httpTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(http.TimeFormat)
}

// inRange tells whether an address is in "a" or "a-b".
func inRange(sip, ip string) bool {
	from, to, isRange := strings.Cut(sip, "-")
	if !isRange {
		to = from
	}
	a, err1 := netip.ParseAddr(from)
	b, err2 := netip.ParseAddr(to)
	at, err3 := netip.ParseAddr(ip)
	return err1 == nil && err2 == nil && err3 == nil && at.Compare(a) >= 0 && at.Compare(b) <= 0
}

// frame reads st and se of the query; both zero if they are absent.
func (s *sas) frame() (start, expiry time.Time, err *wire.Error) {
	for name, t := range map[string]*time.Time{"st": &start, "se": &expiry} {
		text := s.get(name)
		if text == "" {
			continue
		}
		var ok bool
		if *t, ok = parseTime(text); !ok {
			return start, expiry, failed(fmt.Sprintf("%s is not a valid date time: '%s'", name, text)) // words not confirmed
		}
	}
	return start, expiry, nil
}

func (s *sas) mismatch(text string) *wire.Error {
	return failed("Signature did not match. String to sign used was " + text)
}

// account checks an account SAS.
func (s *sas) account() (kit.Grant, *wire.Error) {
	fields := []string{s.acc.Name, s.get("sp"), s.get("ss"), s.get("srt"), s.get("st"), s.get("se"), s.get("sip"), s.get("spr"), s.get("sv")}
	if s.get("sv") >= "2020-12-06" {
		fields = append(fields, s.get("ses"))
	}
	text := strings.Join(fields, "\n") + "\n"
	if !s.signedBy(s.acc.Keys, text, s.get("sig")) {
		return nil, s.mismatch(text)
	}
	start, expiry, err := s.frame()
	if err == nil {
		err = s.checkFrame(start, expiry)
	}
	if err != nil {
		return nil, err
	}
	if !strings.Contains(s.get("ss"), serviceLetter(s.service)) {
		return nil, refusal(http.StatusForbidden, "AuthorizationServiceMismatch", "This request is not authorized to perform this operation using this service.")
	}
	return accountSAS{s.get("sp"), s.get("srt")}, nil
}

func serviceLetter(k kit.Kind) string {
	switch k {
	case kit.File, kit.Queue, kit.Table:
		return string(k[0])
	case kit.Blob, kit.DFS, kit.Web:
	}
	return "b"
}

// accountSAS is the grant of an account SAS.
type accountSAS struct{ letters, types string }

// Check implements kit.Grant.
func (g accountSAS) Check(n kit.Need) *wire.Error {
	switch {
	case n.Letters == "" || n.Type == "":
		return notAuthorized()
	case !strings.Contains(g.types, n.Type):
		return refusal(http.StatusForbidden, "AuthorizationResourceTypeMismatch", "This request is not authorized to perform this operation using this resource type.")
	case !strings.ContainsAny(g.letters, n.Letters):
		return permissionMismatch()
	}
	return nil
}

// How implements kit.Grant.
func (accountSAS) How() string { return "AccountSAS" }
