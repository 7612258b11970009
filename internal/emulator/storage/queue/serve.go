package queue

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue/messages"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// call is one request.
type call struct {
	*kit.Call
	server  *Server
	account *account
	query   url.Values
	queue   string // the name in the path
	id      string // of the message in the path
}

// letters are the permissions that a queue SAS may have.
const letters = "raup"

// actions are the prefix of the actions of queues.
const actions = "Microsoft.Storage/storageAccounts/queueServices/"

// operation answers one kind of request.
type operation struct {
	names   []string // of actions; one suffices
	and     []string // of which one is needed as well
	letters string
	typ     string
	do      func(*call) (answer, *wire.Error)
}

// serve finds the operation, asks whether it is allowed, and does it.
func (x *call) serve() (answer, *wire.Error) {
	op, err := x.route()
	if err != nil {
		return answer{}, err
	}
	scope := ""
	if x.queue != "" {
		scope = "/queueServices/default/queues/" + x.queue
	}
	for _, names := range [][]string{op.names, op.and} {
		if names == nil {
			continue
		}
		n := kit.Need{Scope: scope, Letters: op.letters, Type: op.typ, Container: x.queue}
		for _, name := range names {
			n.Actions = append(n.Actions, actions+name)
		}
		if err := x.Grant.Check(n); err != nil {
			return answer{}, err
		}
	}
	return op.do(x)
}

func (x *call) route() (operation, *wire.Error) {
	var rest string
	x.queue, rest, _ = strings.Cut(strings.TrimSuffix(x.Path, "/"), "/")
	first, id, deep := strings.Cut(rest, "/")
	m := x.R.Method
	if m == http.MethodHead {
		m = http.MethodGet
	}
	var table map[string]operation
	key := m + " " + x.query.Get("comp")
	switch {
	case x.queue == "":
		table = ofService
	case rest == "":
		table = ofQueue
	case first == "messages" && !deep:
		table, key = ofMessages, m
		if m == http.MethodGet && strings.EqualFold(x.query.Get("peekonly"), "true") {
			key = "PEEK"
		}
	case first == "messages" && id != "" && !strings.Contains(id, "/"):
		table, key = ofMessage, m
		x.id = id
	default:
		return operation{}, bad("InvalidUri", "The requested URI does not represent any resource on the server.")
	}
	op, ok := table[key]
	if !ok {
		return op, &wire.Error{Status: http.StatusMethodNotAllowed, Code: "UnsupportedHttpVerb", Message: "The resource doesn't support specified Http Verb."}
	}
	return op, nil
}

var ofService = map[string]operation{
	"GET list":       {names: []string{"queues/read"}, letters: "l", typ: "s", do: (*call).list},
	"GET properties": {names: []string{"read"}, letters: "r", typ: "s", do: (*call).getSettings},
	"PUT properties": {names: []string{"write"}, letters: "w", typ: "s", do: (*call).setSettings},
	"GET stats":      {names: []string{"read"}, letters: "r", typ: "s", do: (*call).stats},
}

var ofQueue = map[string]operation{
	"PUT ":         {names: []string{"queues/write"}, letters: "cw", typ: "c", do: (*call).create},
	"DELETE ":      {names: []string{"queues/delete"}, letters: "d", typ: "c", do: (*call).delete},
	"GET metadata": {names: []string{"queues/read"}, letters: "r", typ: "c", do: (*call).getMetadata},
	"PUT metadata": {names: []string{"queues/write"}, letters: "w", typ: "c", do: (*call).setMetadata},
	"GET acl":      {names: []string{"queues/getAcl/action"}, typ: "c", do: (*call).getACL},
	"PUT acl":      {names: []string{"queues/setAcl/action"}, typ: "c", do: (*call).setACL},
}

// To get messages, the right to process them does, or those to read and to delete.
var ofMessages = map[string]operation{
	"POST": {names: []string{"queues/messages/add/action", "queues/messages/write"}, letters: "a", typ: "o", do: (*call).put},
	"GET": {
		names: []string{"queues/messages/process/action", "queues/messages/read"},
		and:   []string{"queues/messages/process/action", "queues/messages/delete"}, letters: "p", typ: "o", do: (*call).get,
	},
	"PEEK":   {names: []string{"queues/messages/read"}, letters: "r", typ: "o", do: (*call).peek},
	"DELETE": {names: []string{"queues/messages/delete"}, letters: "d", typ: "o", do: (*call).clear},
}

var ofMessage = map[string]operation{
	"PUT":    {names: []string{"queues/messages/write"}, letters: "u", typ: "o", do: (*call).update},
	"DELETE": {names: []string{"queues/messages/process/action", "queues/messages/delete"}, letters: "p", typ: "o", do: (*call).remove},
}

// listing is the document of List Queues.
type listing struct {
	XMLName    xml.Name `xml:"EnumerationResults"`
	Endpoint   string   `xml:"ServiceEndpoint,attr"`
	Prefix     string   `xml:"Prefix,omitempty"`
	Marker     string   `xml:"Marker,omitempty"`
	MaxResults string   `xml:"MaxResults,omitempty"`
	Queues     struct {
		Queue []listed
	} `xml:"Queues"`
	NextMarker string `xml:"NextMarker"`
}

type listed struct {
	Name     string
	Metadata *meta.Map `xml:"Metadata"`
}

// mostListed is how many queues a page has.
const mostListed = 5000

func (x *call) list() (answer, *wire.Error) {
	most, err := x.number("maxresults", mostListed, 1, mostListed)
	if err != nil {
		return answer{}, err
	}
	q := x.query
	out := listing{Endpoint: "https://" + x.R.Host + "/", Prefix: q.Get("prefix"), Marker: q.Get("marker"), MaxResults: q.Get("maxresults")}
	withMeta := slices.Contains(strings.Split(q.Get("include"), ","), "metadata")
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	from := out.Marker[strings.LastIndex(out.Marker, "/")+1:]
	for _, name := range x.account.names() {
		if name < from || !strings.HasPrefix(name, out.Prefix) {
			continue
		}
		if len(out.Queues.Queue) == most {
			out.NextMarker = "/" + x.Account.Name + "/" + name
			break
		}
		e := listed{Name: name}
		if withMeta {
			md := maps.Clone(x.account.queues[name].metadata)
			e.Metadata = &md
		}
		out.Queues.Queue = append(out.Queues.Queue, e)
	}
	return answer{http.StatusOK, out}, nil
}

// create answers Create Queue: 204 if a queue of the same metadata is there.
func (x *call) create() (answer, *wire.Error) {
	if err := checkName(x.queue); err != nil {
		return answer{}, err
	}
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return answer{}, err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	if old, ok := x.account.queues[x.queue]; ok {
		if maps.Equal(old.metadata, md) {
			return answer{status: http.StatusNoContent}, nil
		}
		return answer{}, &wire.Error{Status: http.StatusConflict, Code: "QueueAlreadyExists", Message: "The specified queue already exists."}
	}
	x.account.queues[x.queue] = &queue{metadata: md, messages: messages.New()}
	return answer{status: http.StatusCreated}, nil
}

// on runs f with the queue of the path, under the account's lock.
func (x *call) on(f func(*queue) (answer, *wire.Error)) (answer, *wire.Error) {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	q, err := x.account.find(x.queue)
	if err != nil {
		return answer{}, err
	}
	return f(q)
}

func (x *call) delete() (answer, *wire.Error) {
	return x.on(func(*queue) (answer, *wire.Error) {
		delete(x.account.queues, x.queue)
		return answer{status: http.StatusNoContent}, nil
	})
}

func (x *call) getMetadata() (answer, *wire.Error) {
	return x.on(func(q *queue) (answer, *wire.Error) {
		q.metadata.Write(x.W.Header())
		x.W.Header().Set("X-Ms-Approximate-Messages-Count", strconv.Itoa(q.messages.Len(x.Now)))
		return answer{status: http.StatusOK}, nil
	})
}

func (x *call) setMetadata() (answer, *wire.Error) {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		q.metadata = md
		return answer{status: http.StatusNoContent}, nil
	})
}

func (x *call) getACL() (answer, *wire.Error) {
	return x.on(func(q *queue) (answer, *wire.Error) {
		return answer{http.StatusOK, acl.Format(q.policies)}, nil
	})
}

func (x *call) setACL() (answer, *wire.Error) {
	body, err := x.body()
	if err != nil {
		return answer{}, err
	}
	ps, err := acl.Parse(body, letters)
	if err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		q.policies = ps
		return answer{status: http.StatusNoContent}, nil
	})
}

func (x *call) getSettings() (answer, *wire.Error) {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	return answer{http.StatusOK, *x.account.settings}, nil
}

func (x *call) setSettings() (answer, *wire.Error) {
	body, err := x.body()
	if err != nil {
		return answer{}, err
	}
	in, err := settings.Parse(body)
	if err != nil {
		return answer{}, err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	x.account.settings.Apply(in)
	return answer{status: http.StatusAccepted}, nil
}

func (x *call) stats() (answer, *wire.Error) {
	s, err := settings.ReadStats(x.R.Host, x.Now)
	return answer{http.StatusOK, s}, err
}
