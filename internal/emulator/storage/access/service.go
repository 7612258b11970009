package access

import (
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// overrides are the parameters that change headers of the answer to a read.
var overrides = []string{"rscc", "rscd", "rsce", "rscl", "rsct"}

// ofService checks a service SAS.
func (s *sas) ofService() (kit.Grant, *wire.Error) {
	text := s.serviceText()
	if !s.signedBy(s.acc.Keys, text, s.get("sig")) {
		return nil, s.mismatch(text)
	}
	letters, start, expiry, err := s.terms()
	if err == nil {
		err = s.checkFrame(start, expiry)
	}
	if err != nil {
		return nil, err
	}
	return serviceSAS{s.reach(), letters}, nil
}

// serviceText is the string to sign. The members follow the version (sv) and the service.
func (s *sas) serviceText() string {
	sv := s.get("sv")
	fields := []string{s.get("sp"), s.get("st"), s.get("se"), s.resource(), s.get("si"), s.get("sip"), s.get("spr"), sv}
	if sv < "2015-04-05" {
		fields = []string{s.get("sp"), s.get("st"), s.get("se"), s.resource(), s.get("si"), sv}
	}
	switch s.service {
	case kit.Queue:
		return strings.Join(fields, "\n")
	case kit.Table:
		return strings.Join(append(fields, s.get("spk"), s.get("srk"), s.get("epk"), s.get("erk")), "\n")
	case kit.Blob, kit.DFS, kit.Web:
		if sv >= "2018-11-09" {
			fields = append(fields, s.get("sr"), s.snapshot())
		}
		if sv >= "2020-12-06" {
			fields = append(fields, s.get("ses"))
		}
	case kit.File:
	}
	return strings.Join(s.withOverrides(fields), "\n")
}

func (s *sas) withOverrides(fields []string) []string {
	for _, name := range overrides {
		fields = append(fields, s.get(name))
	}
	return fields
}

// snapshot is the snapshot or version that a signature is bound to.
func (s *sas) snapshot() string {
	switch s.get("sr") {
	case "bs":
		return s.get("snapshot")
	case "bv":
		return s.get("versionid")
	}
	return ""
}

// resource is the canonicalized resource that the signature must be for.
func (s *sas) resource() string {
	service := string(s.service)
	if s.service == kit.DFS || s.service == kit.Web {
		service = string(kit.Blob)
	}
	prefix := "/" + service + "/" + s.acc.Name + "/"
	if s.get("sv") < "2015-02-21" {
		prefix = "/" + s.acc.Name + "/"
	}
	container := s.container
	if s.service == kit.Table {
		container = strings.ToLower(s.tableOf())
	}
	object := s.object
	switch s.get("sr") {
	case "c", "s", "":
		object = ""
	case "d":
		object = s.directory()
	}
	if object == "" {
		return prefix + container
	}
	return prefix + container + "/" + object
}

// tableOf is tn, which names the table, or the table of the path if the client left it out.
func (s *sas) tableOf() string {
	if tn := s.get("tn"); tn != "" {
		return tn
	}
	return s.container
}

// directory is the part of the path that a directory's signature is for: sdd segments.
func (s *sas) directory() string {
	depth := 0
	for _, c := range s.get("sdd") {
		if c < '0' || c > '9' || depth > 1000 {
			return s.object
		}
		depth = depth*10 + int(c-'0')
	}
	segments := strings.Split(strings.TrimSuffix(s.object, "/"), "/")
	if depth == 0 {
		return ""
	}
	return strings.Join(segments[:min(depth, len(segments))], "/")
}

// terms are permissions and times, from the query or the stored policy; what stands in
// both is refused.
func (s *sas) terms() (letters string, start, expiry time.Time, err *wire.Error) {
	letters = s.get("sp")
	if start, expiry, err = s.frame(); err != nil {
		return "", start, expiry, err
	}
	if id := s.get("si"); id != "" {
		p, ok := s.policy(id)
		if !ok {
			return "", start, expiry, failed("Access without signed identifier cannot have time window more than 1 hour or the identifier is not found: " + id) // words not confirmed
		}
		if letters != "" && p.Permission != "" || !start.IsZero() && !p.Start.IsZero() || !expiry.IsZero() && !p.Expiry.IsZero() {
			return "", start, expiry, failed("A field is given both in the signature and in the access policy " + id + ".") // words not confirmed
		}
		letters += p.Permission
		start, expiry = either(start, p.Start), either(expiry, p.Expiry)
	}
	if expiry.IsZero() {
		return "", start, expiry, failed("se is mandatory. Cannot be empty")
	}
	if letters == "" {
		return "", start, expiry, failed("sp is mandatory. Cannot be empty")
	}
	return letters, start, expiry, nil
}

func either(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (s *sas) policy(id string) (kit.Policy, bool) {
	container := s.container
	if s.service == kit.Table {
		container = s.tableOf()
	}
	ps, _ := s.server.Policies(s.acc.ID, container)
	for _, p := range ps {
		if p.ID == id {
			return p, true
		}
	}
	return kit.Policy{}, false
}

// reach is what a signature is bound to.
type reach struct {
	service    kit.Kind
	container  string
	object     string
	kind       string // sr
	version    string // snapshot or version
	from, to   [2]string
	fromN, toN int // how many keys of the range are given
}

func (s *sas) reach() reach {
	r := reach{service: s.service, container: s.container, object: s.object, kind: s.get("sr"), version: s.snapshot()}
	if s.service == kit.Table {
		r.container = s.tableOf()
		r.from, r.fromN = keys(s.get("spk"), s.get("srk"))
		r.to, r.toN = keys(s.get("epk"), s.get("erk"))
	}
	if r.kind == "d" {
		r.object = s.directory()
	}
	return r
}

func keys(partition, row string) ([2]string, int) {
	switch {
	case partition == "":
		return [2]string{}, 0
	case row == "":
		return [2]string{partition}, 1
	}
	return [2]string{partition, row}, 2
}

// holds tells whether an operation is about what the signature is bound to.
func (r reach) holds(n kit.Need) bool {
	if n.Container == "" || !r.sameContainer(n.Container) {
		return false
	}
	switch r.kind {
	case "b", "bs", "bv", "f":
		return n.Object != "" && n.Object == r.object
	case "d":
		return r.object == "" || n.Object == r.object || strings.HasPrefix(n.Object, r.object+"/")
	}
	return r.inKeys(n)
}

// barred tells whether an operation is one that no service SAS allows: containers and
// tables are not created, deleted or described with it, and of a container it lets list and
// search the blobs alone (Azure: Create a service SAS; the code is that of the live tests of
// Azure's SDK for Go). Of queues, no letter of a SAS would do.
func (r reach) barred(n kit.Need) bool {
	switch r.service {
	case kit.Blob:
		return n.Object == "" && !strings.ContainsAny(n.Letters, "lft")
	case kit.Table:
		return n.Type == "c"
	case kit.DFS, kit.File, kit.Queue, kit.Web:
	}
	return false
}

func (r reach) sameContainer(name string) bool {
	if r.service == kit.Table {
		return strings.EqualFold(name, r.container)
	}
	return name == r.container
}

// inKeys tells whether an entity is in the range of keys of a table's signature. An
// operation without keys, a query, is for the service to cut down.
func (r reach) inKeys(n kit.Need) bool {
	if n.Partition == "" && n.Row == "" {
		return true
	}
	at := [2]string{n.Partition, n.Row}
	return compareKeys(at, r.from, r.fromN) >= 0 && compareKeys(at, r.to, r.toN) <= 0
}

func compareKeys(a, b [2]string, n int) int { return slices.Compare(a[:n], b[:n]) }

// serviceSAS is the grant of a service SAS.
type serviceSAS struct {
	reach
	letters string
}

// Check implements kit.Grant.
func (g serviceSAS) Check(n kit.Need) *wire.Error {
	if !g.holds(n) || n.Letters == "" || g.barred(n) {
		return notAuthorized()
	}
	if !strings.ContainsAny(g.letters, n.Letters) {
		return permissionMismatch()
	}
	return nil
}

// How implements kit.Grant.
func (serviceSAS) How() string { return "ServiceSAS" }
