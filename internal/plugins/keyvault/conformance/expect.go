package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// judge is a Site with its objects at hand.
type judge struct {
	plugintest.Site
	src, was, dst map[string]wire.Object
	problems      []string
}

// expect says what is wrong with the target of a finished run.
func expect(s plugintest.Site) []string {
	j := &judge{Site: s, src: plugintest.ByKey(s.Source), was: plugintest.ByKey(s.Before), dst: plugintest.ByKey(s.Target)}
	for _, src := range s.Source {
		switch src.Kind {
		case "secret":
			j.secret(src)
		case "key":
			j.key(src)
		case "certificate":
			j.certificate(src)
		case "issuer":
			j.issuer(src)
		case "contacts":
			j.copied(src)
		default:
			j.problem(src.Key, "the suite does not know the kind %q", src.Kind)
		}
	}
	for _, dst := range s.Target {
		_, known := j.src[dst.Key]
		if _, was := j.was[dst.Key]; !known && !was {
			j.problem(dst.Key, "is at the target and not at the source")
		}
	}
	return j.problems
}

func (j *judge) problem(key, format string, args ...any) {
	j.problems = append(j.problems, key+": "+fmt.Sprintf(format, args...))
}

func (j *judge) outcome(key string) plugin.Outcome { return j.Outcomes[plugin.Key(key)] }

// skipped demands that an item was skipped, and that nothing was made of it.
func (j *judge) skipped(key, why string) {
	if o := j.outcome(key); o.Status != plugin.Skipped {
		j.problem(key, "is %q, want skipped: %s", o.Status, why)
	}
	if _, was := j.was[key]; !was {
		if _, is := j.dst[key]; is {
			j.problem(key, "was skipped, and is at the target")
		}
	}
}

// present returns the target's object, or reports that it is missing or was skipped.
func (j *judge) present(key string) (wire.Object, bool) {
	dst, ok := j.dst[key]
	if !ok {
		j.problem(key, "is missing at the target")
	}
	if o := j.outcome(key); o.Status == plugin.Skipped {
		j.problem(key, "is skipped (%s), but can be copied", o.Reason)
	}
	return dst, ok
}

// copied demands that fields are equal; all fields if none is named.
func (j *judge) copied(src wire.Object, fields ...string) {
	if dst, ok := j.present(src.Key); ok {
		j.problems = append(j.problems, plugintest.Differences(src, dst, fields...)...)
	}
}

// issuer demands the issuer without its credentials. An organization without a name and
// without administrators is none.
func (j *judge) issuer(src wire.Object) {
	j.copied(src, "provider", "enabled")
	dst := j.dst[src.Key]
	if organization(src) != organization(dst) {
		j.problem(src.Key, "has another organization")
	}
	if dst.Fields["password"] != "" {
		j.problem(src.Key, "has a password, which nobody can have read")
	}
}

func organization(issuer wire.Object) string {
	var org struct {
		ID     string            `json:"id"`
		Admins []json.RawMessage `json:"admin_details"`
	}
	text := issuer.Fields["orgDetails"]
	if err := json.Unmarshal([]byte(text), &org); err == nil && org.ID == "" && len(org.Admins) == 0 {
		return ""
	}
	return text
}

// oneVersion demands one version, and where the name was in use one more than there were
// at most.
func (j *judge) oneVersion(dst wire.Object) {
	got, err := strconv.Atoi(dst.Fields["versions"])
	had, _ := strconv.Atoi(j.was[dst.Key].Fields["versions"]) // "" is none
	if j.recovered(dst.Key) {
		had = 1
	}
	switch {
	case err != nil:
		j.problem(dst.Key, "has %q versions", dst.Fields["versions"])
	case had == 0 && got != 1, had > 0 && (got < had || got > had+1):
		j.problem(dst.Key, "has %d versions, want one (it had %d)", got, had)
	}
}

// recovered tells whether the run brought an object back from the graveyard. In template
// mode such a secret keeps its value: template mode replaces none.
func (j *judge) recovered(key string) bool { return j.Settings["deleted"] == "recover" && buried[key] }

// buried are the objects of graveyard.
var buried = map[string]bool{
	"secrets/" + plainSecret: true, "keys/" + plainKey: true, "keys/" + taggedKey: true, "certificates/" + plainCertificate: true,
}

var (
	stampFields  = []string{"enabled", "notBefore", "expires", "tags"}
	secretFields = append([]string{"contentType"}, stampFields...)
	keyFields    = append([]string{"kty", "size", "curve", "ops", "exportable", "rotationPolicy"}, stampFields...)
)

func (j *judge) secret(src wire.Object) {
	disabled := src.Fields["enabled"] == "false"
	if j.Mode == plugin.Template {
		if dst, ok := j.present(src.Key); ok {
			j.problems = append(j.problems, plugintest.Differences(src, dst, secretFields...)...)
			j.oneVersion(dst)
			if _, was := j.was[src.Key]; !was && !j.recovered(src.Key) && !strings.HasPrefix(dst.Fields["value"], "PLACEHOLDER") {
				j.problem(src.Key, "has a value that is not a placeholder")
			}
		}
		return
	}
	if disabled && j.Settings["disabled"] != "read" {
		j.skipped(src.Key, "it is disabled")
		return
	}
	dst, ok := j.present(src.Key)
	if !ok {
		return
	}
	j.problems = append(j.problems, plugintest.Differences(src, dst, append([]string{"value"}, secretFields...)...)...)
	if j.Settings["versions"] != "all" {
		j.oneVersion(dst)
		return
	}
	j.history(src, dst, append([]string{"value"}, secretFields...))
}

// history demands every enabled version of the source, in their order.
func (j *judge) history(src, dst wire.Object, fields []string) {
	var want []wire.Object
	for _, v := range versionsOf(src) {
		if v.Fields["enabled"] == "true" {
			want = append(want, v)
		}
	}
	got := versionsOf(dst)
	if len(got) != len(want) {
		j.problem(src.Key, "has %d versions at the target, want %d", len(got), len(want))
		return
	}
	for i := range want {
		j.problems = append(j.problems, plugintest.Differences(want[i], got[i], fields...)...)
	}
}

// versionsOf takes an object apart into its versions, oldest first.
func versionsOf(o wire.Object) []wire.Object {
	n, err := strconv.Atoi(o.Fields["versions"])
	if err != nil || n < 2 {
		return []wire.Object{o}
	}
	out := make([]wire.Object, n)
	for i := range out {
		prefix := "v" + strconv.Itoa(i) + "."
		out[i] = wire.Object{Key: o.Key + " " + prefix[:len(prefix)-1], Kind: o.Kind, Fields: map[string]string{}}
		for f, v := range o.Fields {
			if name, ok := strings.CutPrefix(f, prefix); ok {
				out[i].Fields[name] = v
			}
		}
	}
	return out
}

// key demands a key of the same shape and other material.
func (j *judge) key(src wire.Object) {
	if strings.HasSuffix(src.Fields["kty"], "-HSM") {
		j.skipped(src.Key, "the target holds no keys in hardware")
		return
	}
	dst, ok := j.present(src.Key)
	if !ok {
		return
	}
	j.problems = append(j.problems, plugintest.Differences(src, dst, keyFields...)...)
	j.oneVersion(dst)
	if src.Fields["thumbprint"] == dst.Fields["thumbprint"] {
		j.problem(src.Key, "has the source's material, which cannot be")
	}
}

func (j *judge) certificate(src wire.Object) {
	if j.Mode == plugin.Template {
		j.templateCertificate(src)
		return
	}
	switch {
	case src.Fields["exportable"] == "false":
		j.skipped(src.Key, "its private key cannot be exported")
		return
	case src.Fields["enabled"] == "false" && j.Settings["disabled"] != "read":
		j.skipped(src.Key, "it is disabled")
		return
	}
	dst, ok := j.present(src.Key)
	if !ok {
		return
	}
	fields := append([]string{"x5t", "chain"}, stampFields...)
	j.problems = append(j.problems, plugintest.Differences(src, dst, append([]string{"policy", "exportable", "contentType", "hasPrivateKey", "keyThumbprint"}, fields...)...)...)
	if j.Settings["versions"] == "all" {
		j.history(src, dst, fields)
		return
	}
	j.oneVersion(dst)
}

// templateCertificate demands another certificate by the same policy, where the vault
// can issue one by itself.
func (j *judge) templateCertificate(src wire.Object) {
	if !strings.Contains(src.Fields["policy"], `"name":"Self"`) {
		j.skipped(src.Key, "its issuer is not the vault")
		return
	}
	dst, ok := j.present(src.Key)
	if !ok {
		return
	}
	j.problems = append(j.problems, plugintest.Differences(src, dst, "policy", "exportable", "contentType", "hasPrivateKey", "enabled", "tags")...)
	j.oneVersion(dst)
	if src.Fields["x5t"] == dst.Fields["x5t"] {
		j.problem(src.Key, "is the source's own certificate")
	}
}
