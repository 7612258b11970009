package queue

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue/messages"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	week       = 7 * 24 * 60 * 60 // seconds: the default time to live, the longest time hidden
	perRequest = 32               // messages at most
	perSecond  = 2000             // messages that a queue is made for
)

// list is the document of messages.
type list struct {
	XMLName  xml.Name `xml:"QueueMessagesList"`
	Messages []shown  `xml:"QueueMessage"`
}

// shown is a message in an answer. What an operation does not tell is nil.
type shown struct {
	ID         string  `xml:"MessageId"`
	Inserted   string  `xml:"InsertionTime"`
	Expires    string  `xml:"ExpirationTime"`
	PopReceipt *string `xml:"PopReceipt"`
	Visible    *string `xml:"TimeNextVisible"`
	Dequeued   *int    `xml:"DequeueCount"`
	Text       *string `xml:"MessageText"`
}

func show(m messages.Message) shown {
	return shown{ID: m.ID, Inserted: stamp(m.Inserted), Expires: stamp(m.Expires)}
}

func (s shown) held(m messages.Message) shown {
	visible := stamp(m.Visible)
	s.PopReceipt, s.Visible = &m.PopReceipt, &visible
	return s
}

func (s shown) content(m messages.Message) shown {
	s.Dequeued, s.Text = &m.Dequeued, &m.Text
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// number reads a whole number of the query within bounds; absent, it is def.
func (x *call) number(name string, def, least, most int) (int, *wire.Error) {
	s := x.query.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, detailed(bad("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid."), name, s)
	}
	if n < least || n > most {
		e := detailed(bad("OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range."), name, s)
		return 0, kit.WithDetail(kit.WithDetail(e, "MinimumAllowed", strconv.Itoa(least)), "MaximumAllowed", strconv.Itoa(most))
	}
	return n, nil
}

func detailed(e *wire.Error, name, value string) *wire.Error {
	return kit.WithDetail(kit.WithDetail(e, "QueryParameterName", name), "QueryParameterValue", value)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// lifetime reads messagettl: -1 and more than a week since version 2017-07-29.
func (x *call) lifetime() (int, *wire.Error) {
	most := week
	if x.Version >= "2017-07-29" {
		most = 1<<31 - 1
	}
	if x.query.Get("messagettl") == "-1" && most > week {
		return -1, nil
	}
	return x.number("messagettl", week, 1, most)
}

// put answers Put Message.
func (x *call) put() (answer, *wire.Error) {
	ttl, err := x.lifetime()
	if err != nil {
		return answer{}, err
	}
	hidden, err := x.number("visibilitytimeout", 0, 0, week)
	if err != nil {
		return answer{}, err
	}
	if ttl >= 0 && hidden >= ttl {
		return answer{}, detailed(bad("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid."), "visibilitytimeout", strconv.Itoa(hidden))
	}
	text, err := x.message()
	if err != nil {
		return answer{}, err
	}
	if text == nil {
		return answer{}, bad("InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	if err := x.admit(1); err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		m := q.messages.Put(x.Now, *text, seconds(hidden), seconds(ttl))
		return answer{http.StatusCreated, list{Messages: []shown{show(m).held(m)}}}, nil
	})
}

// admit counts messages against the queue's target, if limits are on.
func (x *call) admit(n int) *wire.Error {
	if !x.server.opt.Limits {
		return nil
	}
	return x.server.meter.Admit(x.Now, strings.ToLower(x.Account.ID)+"/"+x.queue, n, perSecond)
}

// get answers Get Messages.
func (x *call) get() (answer, *wire.Error) {
	n, err := x.number("numofmessages", 1, 1, perRequest)
	if err != nil {
		return answer{}, err
	}
	hidden, err := x.number("visibilitytimeout", 30, 1, week)
	if err != nil {
		return answer{}, err
	}
	if err := x.admit(1); err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		var out list
		for _, m := range q.messages.Get(x.Now, n, seconds(hidden)) {
			out.Messages = append(out.Messages, show(m).held(m).content(m))
		}
		return answer{http.StatusOK, out}, nil
	})
}

// peek answers Peek Messages.
func (x *call) peek() (answer, *wire.Error) {
	n, err := x.number("numofmessages", 1, 1, perRequest)
	if err != nil {
		return answer{}, err
	}
	if err := x.admit(1); err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		var out list
		for _, m := range q.messages.Peek(x.Now, n) {
			out.Messages = append(out.Messages, show(m).content(m))
		}
		return answer{http.StatusOK, out}, nil
	})
}

// clear answers Clear Messages.
func (x *call) clear() (answer, *wire.Error) {
	return x.on(func(q *queue) (answer, *wire.Error) {
		q.messages.Clear()
		return answer{status: http.StatusNoContent}, nil
	})
}

// receipt reads the pop receipt of the query.
func (x *call) receipt() (string, *wire.Error) {
	pop := x.query.Get("popreceipt")
	switch {
	case pop == "":
		return "", kit.WithDetail(bad("MissingRequiredQueryParameter", "A query parameter that's mandatory for this request is not specified."), "QueryParameterName", "popreceipt")
	case !messages.IsReceipt(pop):
		return "", detailed(bad("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid."), "popreceipt", pop)
	}
	return pop, nil
}

// update answers Update Message.
func (x *call) update() (answer, *wire.Error) {
	pop, err := x.receipt()
	if err != nil {
		return answer{}, err
	}
	if !x.query.Has("visibilitytimeout") {
		return answer{}, kit.WithDetail(bad("MissingRequiredQueryParameter", "A query parameter that's mandatory for this request is not specified."), "QueryParameterName", "visibilitytimeout")
	}
	hidden, err := x.number("visibilitytimeout", 0, 0, week)
	if err != nil {
		return answer{}, err
	}
	text, err := x.message()
	if err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		m, err := q.messages.Update(x.Now, x.id, pop, seconds(hidden), text)
		if err != nil {
			return answer{}, err
		}
		x.W.Header().Set("X-Ms-Popreceipt", m.PopReceipt)
		x.W.Header().Set("X-Ms-Time-Next-Visible", stamp(m.Visible))
		return answer{status: http.StatusNoContent}, nil
	})
}

// remove answers Delete Message.
func (x *call) remove() (answer, *wire.Error) {
	pop, err := x.receipt()
	if err != nil {
		return answer{}, err
	}
	return x.on(func(q *queue) (answer, *wire.Error) {
		return answer{status: http.StatusNoContent}, q.messages.Delete(x.Now, x.id, pop)
	})
}
