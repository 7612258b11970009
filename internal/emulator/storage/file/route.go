package file

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// call is one request.
type call struct {
	*kit.Call
	server  *Server
	account *account
	query   url.Values
	out     http.Header
	share   string    // its name in the path
	path    tree.Path // below the share
}

// operation answers one kind of request.
type operation struct {
	need []string // kinds of right, each of which is asked for: see rights
	read bool     // a snapshot may be read so
	do   func(*call) *wire.Error
	typ  string // resource type of an account SAS: "s", "c", "o"
	sas  string // letters
}

// actions are the prefix of the actions of file shares.
const actions = "Microsoft.Storage/storageAccounts/fileServices/"

// rights are the actions that stand for a kind of right: each of them is needed (Azure:
// Authorize with Microsoft Entra ID over REST for Azure Files: the privileged roles).
var rights = map[string][]string{
	"service read":  {"read"},
	"service write": {"write"},
	"list":          {"shares/read"},
	"share read":    {"shares/read"},
	"share write":   {"shares/write"},
	"share delete":  {"shares/delete"},
	"read":          {"fileshares/files/read", "readFileBackupSemantics/action"},
	"write":         {"fileshares/files/write", "writeFileBackupSemantics/action"},
	"delete":        {"fileshares/files/delete", "writeFileBackupSemantics/action"},
	"permissions":   {"fileshares/files/modifypermissions/action", "writeFileBackupSemantics/action"},
}

func (x *call) serve() *wire.Error {
	op, err := x.route()
	if err != nil {
		return err
	}
	// Who comes with a token must say that rights of the file system do not count.
	if intent := x.R.Header.Get("X-Ms-File-Request-Intent"); x.Grant.How() == "Bearer" && !strings.EqualFold(intent, "backup") {
		if intent != "" {
			return badHeader("x-ms-file-request-intent", intent)
		}
		return noHeader("x-ms-file-request-intent")
	}
	if err := x.allowed(op); err != nil {
		return err
	}
	if !op.read && x.query.Has("sharesnapshot") {
		return badQuery("sharesnapshot", x.query.Get("sharesnapshot"))
	}
	if x.server.opt.Limits && x.share != "" {
		if err := x.server.meter.Admit(x.Now, strings.ToLower(x.Account.ID)+"/"+x.share, 1, perSecond); err != nil {
			return err
		}
	}
	return op.do(x)
}

// perSecond is how many requests a standard share is made for.
const perSecond = 1000

func (x *call) allowed(op operation) *wire.Error {
	n := kit.Need{Letters: op.sas, Type: op.typ, Container: x.share, Object: x.path.String()}
	if x.share != "" {
		n.Scope = "/fileServices/default/fileshares/" + x.share
	}
	for _, kind := range op.need {
		for _, action := range rights[kind] {
			n.Actions = []string{actions + action}
			if err := x.Grant.Check(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// route finds the operation by path, method, restype and comp.
func (x *call) route() (operation, *wire.Error) {
	var rest string
	var err *wire.Error
	x.share, rest, _ = strings.Cut(x.Path, "/")
	if x.path, err = tree.ParsePath(rest, x.R.Header.Get("X-Ms-Allow-Trailing-Dot") == "true"); err != nil {
		return operation{}, err
	}
	m := x.R.Method
	restype, comp := strings.ToLower(x.query.Get("restype")), strings.ToLower(x.query.Get("comp"))
	table := ofFile
	switch {
	case x.share == "":
		table = ofService
	case restype == "share":
		table = ofShare
	case len(x.path) == 0 && restype+comp == "":
		// A share is neither a file nor, unless the request says so, a directory
		// (Azure/azure-sdk-for-net#38368 shows Azure's answer).
		return operation{}, badQuery("comp", "")
	case restype == "directory" || len(x.path) == 0:
		table = ofDirectory
	case restype != "":
		comp = restype
	}
	op, ok := table[m+" "+comp]
	if !ok {
		return op, unsupportedVerb()
	}
	return op, nil
}

var ofService = map[string]operation{
	"GET list":       {need: []string{"list"}, sas: "l", typ: "s", do: (*call).listShares},
	"GET properties": {need: []string{"service read"}, sas: "r", typ: "s", do: (*call).getSettings},
	"PUT properties": {need: []string{"service write"}, sas: "w", typ: "s", do: (*call).setSettings},
}

var ofShare = map[string]operation{
	"PUT ":               {need: []string{"share write"}, sas: "cw", typ: "c", do: (*call).createShare},
	"GET ":               {need: []string{"share read"}, sas: "r", typ: "c", read: true, do: (*call).getShare},
	"HEAD ":              {need: []string{"share read"}, sas: "r", typ: "c", read: true, do: (*call).getShare},
	"DELETE ":            {need: []string{"share delete"}, sas: "d", typ: "c", read: true, do: (*call).deleteShare},
	"PUT undelete":       {need: []string{"share write"}, sas: "w", typ: "c", do: (*call).restoreShare},
	"PUT properties":     {need: []string{"share write"}, sas: "w", typ: "c", do: (*call).setShare},
	"PUT metadata":       {need: []string{"share write"}, sas: "w", typ: "c", do: (*call).setShareMetadata},
	"GET metadata":       {need: []string{"share read"}, sas: "r", typ: "c", read: true, do: (*call).getShare},
	"HEAD metadata":      {need: []string{"share read"}, sas: "r", typ: "c", read: true, do: (*call).getShare},
	"GET acl":            {need: []string{"share read"}, typ: "c", do: (*call).getACL},
	"HEAD acl":           {need: []string{"share read"}, typ: "c", do: (*call).getACL},
	"PUT acl":            {need: []string{"share write"}, typ: "c", do: (*call).setACL},
	"GET stats":          {need: []string{"share read"}, sas: "r", typ: "c", do: (*call).shareStats},
	"PUT snapshot":       {need: []string{"share write"}, sas: "cw", typ: "c", do: (*call).snapshot},
	"PUT lease":          {need: []string{"share write"}, sas: "w", typ: "c", read: true, do: (*call).leaseShare},
	"PUT filepermission": {need: []string{"permissions"}, sas: "cw", typ: "c", do: (*call).createPermission},
	"GET filepermission": {need: []string{"read"}, sas: "r", typ: "c", do: (*call).getPermission},
}

var ofDirectory = map[string]operation{
	"PUT ":                  {need: []string{"write"}, sas: "cw", typ: "o", do: (*call).createDirectory},
	"GET ":                  {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getDirectory},
	"HEAD ":                 {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getDirectory},
	"DELETE ":               {need: []string{"delete"}, sas: "d", typ: "o", do: (*call).deleteDirectory},
	"PUT properties":        {need: []string{"write"}, sas: "w", typ: "o", do: (*call).setProperties},
	"PUT metadata":          {need: []string{"write"}, sas: "w", typ: "o", do: (*call).setMetadata},
	"GET metadata":          {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getDirectory},
	"HEAD metadata":         {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getDirectory},
	"GET list":              {need: []string{"read"}, sas: "l", typ: "c", read: true, do: (*call).listDirectory},
	"PUT rename":            {need: []string{"write", "delete"}, sas: "w", typ: "o", do: (*call).rename},
	"GET listhandles":       {need: []string{"read"}, sas: "l", typ: "o", read: true, do: (*call).listHandles},
	"PUT forceclosehandles": {need: []string{"write"}, sas: "w", typ: "o", read: true, do: (*call).closeHandles},
}

var ofFile = map[string]operation{
	"PUT ":                  {need: []string{"write"}, sas: "cw", typ: "o", do: (*call).putFile},
	"GET ":                  {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getFile},
	"HEAD ":                 {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).headFile},
	"DELETE ":               {need: []string{"delete"}, sas: "d", typ: "o", do: (*call).deleteFile},
	"PUT properties":        {need: []string{"write"}, sas: "w", typ: "o", do: (*call).setProperties},
	"PUT metadata":          {need: []string{"write"}, sas: "w", typ: "o", do: (*call).setMetadata},
	"GET metadata":          {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).headFile},
	"HEAD metadata":         {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).headFile},
	"PUT range":             {need: []string{"write"}, sas: "w", typ: "o", do: (*call).putRange},
	"GET rangelist":         {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).listRanges},
	"PUT copy":              {need: []string{"write"}, sas: "w", typ: "o", do: (*call).abortCopy},
	"PUT lease":             {need: []string{"write"}, sas: "wd", typ: "o", do: (*call).leaseFile},
	"PUT rename":            {need: []string{"write", "delete"}, sas: "w", typ: "o", do: (*call).rename},
	"GET listhandles":       {need: []string{"read"}, sas: "l", typ: "o", read: true, do: (*call).listHandles},
	"PUT forceclosehandles": {need: []string{"write"}, sas: "w", typ: "o", read: true, do: (*call).closeHandles},
	"PUT symboliclink":      {need: []string{"write"}, sas: "cw", typ: "o", do: (*call).createLink},
	"GET symboliclink":      {need: []string{"read"}, sas: "r", typ: "o", read: true, do: (*call).getLink},
	"PUT hardlink":          {need: []string{"write"}, sas: "cw", typ: "o", do: (*call).createHardLink},
}

// find returns the share of the path, or the snapshot that the query names. The caller
// holds the account's lock.
func (x *call) find() (*tree.Share, *wire.Error) {
	sh, ok := x.account.shares[x.share]
	if !ok {
		return nil, shareNotFound()
	}
	moment := x.query.Get("sharesnapshot")
	if moment == "" {
		return sh, nil
	}
	if snap := sh.At(moment); snap != nil {
		return snap, nil
	}
	return nil, snapshotNotFound()
}

// node returns what the path names, as it is now or in a snapshot.
func (x *call) node() (*tree.Share, *tree.Node, *wire.Error) {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, err := x.find()
	if err != nil {
		return nil, nil, err
	}
	n := sh.Get(x.path)
	if n == nil {
		if len(x.path) > 0 {
			if _, err := sh.In(x.path); err != nil {
				return nil, nil, err
			}
		}
		return nil, nil, notFound()
	}
	return sh, n, nil
}

// parentID is that of the directory which a node is in.
func parentID(sh *tree.Share, n *tree.Node) uint64 {
	if len(n.Path) == 0 {
		return 0
	}
	if parent := sh.Get(n.Path.Parent()); parent != nil {
		return parent.ID
	}
	return 0
}

// answer writes the status of an answer without a body.
func (x *call) answer(status int) *wire.Error {
	x.W.WriteHeader(status)
	return nil
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// iso is the form of the times of files, with seven digits of a second.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
