package conformance

import (
	"fmt"
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

// carried are the fields of each kind that a copy has to have.
var carried = map[string][]string{
	"container": {"metadata", "publicAccess", "policies"},
	"share":     {"quota", "tier", "protocol", "rootSquash", "metadata", "policies"},
	"directory": {"type", "metadata", "attributes", "created", "written", "changed", "permission"},
	"file": {
		"type", "size", "ranges", "sha256", "md5", "contentType", "contentEncoding", "contentLanguage", "cacheControl", "contentDisposition",
		"metadata", "attributes", "created", "written", "changed", "permission",
	},
	"queue":            {"metadata", "policies"},
	"table":            {"policies"},
	"corsRules":        {"rules"},
	"managementPolicy": {"rules"},
	"blob": {
		"type", "size", "contentType", "contentEncoding", "contentLanguage", "contentDisposition", "cacheControl", "metadata", "tags",
		"sealed", "sequenceNumber", "ranges", "sha256",
	},
	"snapshot": {"type", "size", "metadata", "sha256"},
}

// expect says what is wrong with the target of a finished run.
func expect(s plugintest.Site) []string {
	j := &judge{Site: s, src: plugintest.ByKey(s.Source), was: plugintest.ByKey(s.Before), dst: plugintest.ByKey(s.Target)}
	for _, src := range s.Source {
		j.object(src)
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

func (j *judge) object(src wire.Object) {
	switch {
	case strings.HasSuffix(src.Kind, "Service"):
		return // its rules are objects, too
	case j.leftOut(src):
		j.absent(src)
		return
	case src.Kind == "blob" && strings.HasSuffix(src.Key, "/"+archived):
		if o := j.Outcomes[plugin.Key(src.Key)]; o.Status != plugin.Skipped {
			j.problem(src.Key, "is %q, want skipped: it is in the archive tier", o.Status)
		}
		j.absent(src)
		return
	}
	dst, ok := j.dst[src.Key]
	if !ok {
		j.problem(src.Key, "is missing at the target")
		return
	}
	fields, known := carried[src.Kind]
	if !known && src.Kind != "entity" {
		j.problem(src.Key, "the suite does not know the kind %q", src.Kind)
	}
	if src.Kind == "entity" {
		src, dst = withoutTime(src), withoutTime(dst)
	}
	j.problems = append(j.problems, plugintest.Differences(src, dst, fields...)...)
	if src.Kind == "blob" {
		j.blob(src, dst)
	}
}

// leftOut tells whether a run does not copy an object at all.
func (j *judge) leftOut(src wire.Object) bool {
	switch src.Kind {
	case "message":
		return true
	case "snapshot":
		return j.Mode == plugin.Template || j.Settings["history"] != "snapshots"
	default:
		return j.Mode == plugin.Template && isContent(src)
	}
}

// blob looks at what is carried over only if the source has it.
func (j *judge) blob(src, dst wire.Object) {
	if sum := src.Fields["contentMD5"]; sum != "" && sum != dst.Fields["contentMD5"] {
		j.problem(src.Key, "has another Content-MD5")
	}
	if src.Fields["tierInferred"] == "false" && src.Fields["tier"] != dst.Fields["tier"] {
		j.problem(src.Key, "is in the tier %q, want %q", dst.Fields["tier"], src.Fields["tier"])
	}
}

// absent demands that nothing was made of an object.
func (j *judge) absent(src wire.Object) {
	_, is := j.dst[src.Key]
	if _, was := j.was[src.Key]; is && !was {
		j.problem(src.Key, "is at the target, and should not be copied")
	}
}

// withoutTime leaves away when an entity was written.
func withoutTime(o wire.Object) wire.Object {
	fields := map[string]string{}
	for k, v := range o.Fields {
		if k != "Timestamp" && k != "etag" && k != "odata.etag" {
			fields[k] = v
		}
	}
	o.Fields = fields
	return o
}
