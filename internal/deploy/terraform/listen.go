package terraform

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// message is a line of Terraform's output for machines, as far as it is read here.
type message struct {
	Level      string      `json:"@level"`
	Text       string      `json:"@message"`
	Type       string      `json:"type"`
	Hook       *hook       `json:"hook"`
	Diagnostic *diagnostic `json:"diagnostic"`
}

type hook struct {
	Action   string `json:"action"`
	Resource struct {
		Address string `json:"addr"`
		Type    string `json:"resource_type"`
	} `json:"resource"`
}

type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
}

const (
	maxSaid     = 200      // lines that are kept to explain a failure
	maxMessage  = 64 << 10 // bytes of a line that are shown
	maxOneLine  = 8 << 20  // bytes of a line that are read: diagnostics quote source code
	maxProblems = 50       // diagnostics that are kept
)

// listener takes what the program prints, line by line, and tells it as events. It is safe
// for concurrent use: both output streams write to it.
type listener struct {
	emit  event.Sink
	count *count // nil: no resource is deployed

	mu       sync.Mutex // guards all below
	part     []byte
	said     []string
	problems []diagnostic
}

func (d *Driver) listen(c *count) *listener {
	l := &listener{emit: d.opt.Emit, count: c}
	d.tf.SetStderr(l)
	return l
}

// Write implements io.Writer.
func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		before, after, whole := bytes.Cut(p, []byte("\n"))
		if room := maxOneLine - len(l.part); room > 0 {
			l.part = append(l.part, before[:min(len(before), room)]...)
		}
		if !whole {
			return n, nil
		}
		l.line(l.part)
		l.part, p = l.part[:0], after
	}
}

// line takes one line. l.mu is held.
func (l *listener) line(text []byte) {
	var m message
	if len(text) == 0 || text[0] != '{' || json.Unmarshal(text, &m) != nil || m.Type == "" && m.Level == "" {
		l.tell(string(text))
		return
	}
	if d := m.Diagnostic; d != nil && d.Severity == "error" && len(l.problems) < maxProblems {
		l.problems = append(l.problems, *d)
	}
	if m.Type != "version" && m.Type != "outputs" {
		l.tell(m.Text)
	}
	if m.Hook != nil && l.count != nil {
		l.count.hook(m.Type, *m.Hook, l.emit)
	}
}

// tell passes a line on and keeps it for an explanation. l.mu is held.
func (l *listener) tell(text string) {
	text = strings.TrimRight(text, " \r\t")
	if text == "" {
		return
	}
	text = text[:min(len(text), maxMessage)]
	if len(l.said) == maxSaid {
		l.said = l.said[1:]
	}
	l.said = append(l.said, text)
	l.emit(event.DeployOutput{Line: text})
}

// heard returns the diagnostics and the last lines.
func (l *listener) heard() ([]diagnostic, []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problems, l.said
}

// count follows which resources of a plan are in place.
type count struct {
	mu       sync.Mutex // guards all below
	total    int64
	left     map[string]bool // addresses that are still to be deployed
	failures []change.Failure
	failed   map[string]bool
}

// newCount counts the declared resources: those that are the same already are in place.
func newCount(p change.Plan) *count {
	c := &count{total: p.Resources(), left: map[string]bool{}, failed: map[string]bool{}}
	for _, ch := range p.Changes {
		if ch.Action != change.Same && ch.Action != change.Delete {
			c.left[ch.Name] = true
		}
	}
	return c
}

// The action with which Terraform's hooks name a deletion; a replacement has one before or
// after its creation.
const deletes = "delete"

// hook takes what happened to a resource: the message types are apply_start,
// apply_complete and apply_errored.
func (c *count) hook(typ string, h hook, emit event.Sink) {
	address := h.Resource.Address
	told := event.DeployResource{Resource: address, Kind: h.Resource.Type}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch typ {
	case "apply_start":
		if h.Action == deletes {
			return
		}
		told.State = event.ResourceRunning
	case "apply_complete":
		if h.Action == deletes {
			return
		}
		delete(c.left, address)
		told.State = event.ResourceReady
	case "apply_errored":
		c.failed[address] = true
		told.State, told.Err = event.ResourceFailed, &errs.Error{Op: "deploy", Kind: errs.Conflict, Item: address, Err: errFailed}
		c.failures = append(c.failures, change.Failure{Resource: address, Type: h.Resource.Type, Err: told.Err})
	default:
		return
	}
	emit(told)
}

// result is what was deployed until now.
func (c *count) result() change.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	return change.Result{Resources: c.total, Deployed: c.total - int64(len(c.left)), Failures: c.failures}
}
