package queue

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue/messages"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/rate"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options set a Server up.
type Options struct {
	Clock  wire.Clock // tells the time where no request does; nil: the system's
	Limits bool       // enforce the service's target: 2,000 messages a second and queue
}

// Server is Queue Storage for all accounts. New makes one.
type Server struct {
	opt   Options
	meter rate.Meter

	mu       sync.Mutex // guards accounts, not what is in them
	accounts map[string]*account
}

var (
	_ kit.Server = (*Server)(nil)
	_ kit.Seeder = (*Server)(nil)
)

// account is what one account has. mu guards all of it.
type account struct {
	mu       sync.Mutex
	settings *settings.Properties
	queues   map[string]*queue
}

type queue struct {
	metadata meta.Map
	policies []kit.Policy
	messages *messages.List
}

// New makes a Server without any queue.
func New(opt Options) *Server {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	return &Server{opt: opt, accounts: map[string]*account{}}
}

func (s *Server) account(id string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = strings.ToLower(id)
	a, ok := s.accounts[id]
	if !ok {
		a = &account{settings: settings.New(true), queues: map[string]*queue{}}
		s.accounts[id] = a
	}
	return a
}

// Drop forgets everything of an account.
func (s *Server) Drop(accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, strings.ToLower(accountID))
}

// Policies returns the stored access policies of a queue; ok is false if there is none.
func (s *Server) Policies(accountID, name string) ([]kit.Policy, bool) {
	a := s.account(accountID)
	a.mu.Lock()
	defer a.mu.Unlock()
	q, ok := a.queues[name]
	if !ok {
		return nil, false
	}
	return slices.Clone(q.policies), true
}

// Public returns "": no queue can be read anonymously.
func (s *Server) Public(string, string) string { return "" }

// names lists the queues in order.
func (a *account) names() []string { return slices.Sorted(maps.Keys(a.queues)) }

// find returns a queue or QueueNotFound.
func (a *account) find(name string) (*queue, *wire.Error) {
	q, ok := a.queues[name]
	if !ok {
		return nil, &wire.Error{Status: http.StatusNotFound, Code: "QueueNotFound", Message: "The specified queue does not exist."}
	}
	return q, nil
}

// checkName applies the rules for queue names (Azure: Naming queues and metadata).
func checkName(name string) *wire.Error {
	if len(name) < 3 || len(name) > 63 {
		return bad("OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
	}
	for i, r := range name {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		inner := r == '-' && i > 0 && i < len(name)-1 && name[i-1] != '-'
		if !alnum && !inner {
			return bad("InvalidResourceName", "The specified resource name contains invalid characters.")
		}
	}
	return nil
}

func bad(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// answer is what an operation answers with: a document, or nil for no body.
type answer struct {
	status int
	body   any
}

// Serve answers a request.
func (s *Server) Serve(c *kit.Call) {
	x := &call{Call: c, server: s, account: s.account(c.Account.ID), query: c.R.URL.Query()}
	c.W.Header().Set("Cache-Control", "no-cache")
	a, err := x.serve()
	switch {
	case err != nil:
		kit.WriteError(c.W, err)
	case a.body == nil:
		c.W.WriteHeader(a.status)
	default:
		kit.WriteXML(c.W, a.status, a.body)
	}
}

// mostBody is how large a request may be: a message whose text is all escaped.
const mostBody = 512 << 10

func (x *call) body() ([]byte, *wire.Error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, x.R.Body, mostBody))
	if err != nil {
		return nil, tooLarge()
	}
	return data, nil
}

// message reads the body of Put Message and Update Message; nil if there is none.
func (x *call) message() (*string, *wire.Error) {
	data, err := x.body()
	if err != nil || len(data) == 0 {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"QueueMessage"`
		Text    *string  `xml:"MessageText"`
	}
	if xml.Unmarshal(data, &in) != nil {
		return nil, bad("InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	if in.Text == nil {
		return nil, bad("MissingRequiredXmlNode", "A required XML node was not specified in the request body.")
	}
	if len(*in.Text) > largest {
		return nil, tooLarge()
	}
	return in.Text, nil
}

// largest is how many bytes a message may have.
const largest = 64 << 10

func tooLarge() *wire.Error {
	return kit.WithDetail(&wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestBodyTooLarge", Message: "The request body is too large and exceeds the maximum permissible limit."}, "MaxLimit", "65536")
}
