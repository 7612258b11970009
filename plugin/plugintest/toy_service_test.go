package plugintest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The toy service is a shelf of things, at https://NAME.shelf.azure.net:
//
//	GET  /things?after=NAME&top=N   names, kinds, crates, revisions, a link to the next page
//	GET  /things/NAME               the same and the label; GET …/content: the content
//	PUT  /things/NAME               makes or replaces; If-None-Match: * only makes
//	PUT  /things/NAME/pages/N       stages a page of a ledger; a PUT of the ledger binds them
//	POST /things/NAME/revive        makes a buried name usable again
//
// Things lie in crates, which must exist before. Sealed things do not show their content.
const (
	shelfType   = "Contoso.Shelf/shelves"
	shelfDomain = ".shelf.azure.net"
	actRead     = "Contoso.Shelf/shelves/things/read"
	actContent  = "Contoso.Shelf/shelves/things/content/read"
	actWrite    = "Contoso.Shelf/shelves/things/write"
	actRevive   = "Contoso.Shelf/shelves/things/revive/action"
	actDelete   = "Contoso.Shelf/shelves/things/delete"
	shelfPage   = 25
)

type thing struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // crate, ledger, note, pin
	Crate   string `json:"crate,omitempty"`
	Label   string `json:"label,omitempty"`
	Content string `json:"content,omitempty"`
	Sealed  bool   `json:"sealed,omitempty"`
	Buried  bool   `json:"buried,omitempty"`
	Rev     int    `json:"rev"` // how often it was written
}

type shelf struct {
	id, tenant string
	things     []thing // sorted by name
	pages      map[string][]string
}

func (s *shelf) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.things, name, func(t thing, n string) int { return cmp.Compare(t.Name, n) })
}

func (s *shelf) put(t thing) {
	i, found := s.find(t.Name)
	if found {
		s.things[i] = t
		return
	}
	s.things = slices.Insert(s.things, i, t)
}

type shelfService struct {
	kit emulator.Kit

	mu      sync.Mutex // guards shelves and all in them
	shelves map[string]*shelf
}

func newShelfService(kit emulator.Kit) wire.Service {
	return &shelfService{kit: kit, shelves: map[string]*shelf{}}
}

func (*shelfService) Name() string          { return "shelf" }
func (*shelfService) Owns(host string) bool { return strings.HasSuffix(host, shelfDomain) }
func (*shelfService) Type() string          { return shelfType }

func (v *shelfService) Put(res, _ *wire.Resource) *wire.Error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shelves[res.Name] == nil {
		v.shelves[res.Name] = &shelf{id: res.ID, tenant: res.TenantID, pages: map[string][]string{}}
	}
	return nil
}

func (v *shelfService) Delete(res wire.Resource) *wire.Error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.shelves, res.Name)
	return nil
}

func (*shelfService) Action(wire.Resource, string, json.RawMessage) (any, bool, *wire.Error) {
	return nil, false, nil
}

// shelfSeed is the toy's seed format. Generate adds notes with generated names.
type shelfSeed struct {
	Things   []thing `json:"things"`
	Generate int     `json:"generate"`
}

func (v *shelfService) Seed(resourceID string, data json.RawMessage) error {
	var in shelfSeed
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.shelves[resourceID[strings.LastIndex(resourceID, "/")+1:]]
	if s == nil {
		return fmt.Errorf("no shelf %s", resourceID)
	}
	for _, t := range in.Things {
		t.Rev = 1
		s.put(t)
	}
	for i := range in.Generate {
		s.things = append(s.things, thing{Name: fmt.Sprintf("zz-%08d", i), Kind: "note", Rev: 1})
	}
	return nil
}

func (v *shelfService) Objects(resourceID string) ([]wire.Object, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.shelves[resourceID[strings.LastIndex(resourceID, "/")+1:]]
	if s == nil {
		return nil, fmt.Errorf("no shelf %s", resourceID)
	}
	var out []wire.Object
	for _, t := range s.things {
		if !t.Buried {
			out = append(out, wire.Object{Key: t.Kind + "/" + t.Name, Kind: t.Kind, Fields: map[string]string{
				"crate": t.Crate, "label": t.Label, "content": t.Content,
				"sealed": strconv.FormatBool(t.Sealed), "writes": strconv.Itoa(t.Rev),
			}})
		}
	}
	slices.SortFunc(out, func(a, b wire.Object) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

func (v *shelfService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	name := strings.TrimSuffix(host, shelfDomain)
	var body thing
	if r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			wire.WriteError(w, &wire.Error{Status: 400, Code: "BadRequest", Message: err.Error()})
			return
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.shelves[name]
	if s == nil {
		wire.WriteError(w, &wire.Error{Status: 404, Code: "ShelfNotFound", Message: "There is no such shelf."})
		return
	}
	if e := v.authorize(r, s); e != nil {
		wire.WriteError(w, e)
		return
	}
	status, answer, e := s.serve(r, strings.Split(strings.Trim(r.URL.Path, "/"), "/"), body)
	if e != nil {
		wire.WriteError(w, e)
		return
	}
	wire.WriteJSON(w, status, answer)
}

func (v *shelfService) authorize(r *http.Request, s *shelf) *wire.Error {
	claims, err := v.kit.Tokens.Verify(r)
	if err != nil || !strings.EqualFold(claims.TenantID, s.tenant) {
		return &wire.Error{Status: 401, Code: "Unauthorized", Message: fmt.Sprint("The token is not good here: ", err)}
	}
	action := actRead
	switch {
	case strings.HasSuffix(r.URL.Path, "/content"):
		action = actContent
	case strings.HasSuffix(r.URL.Path, "/revive"):
		action = actRevive
	case r.Method == http.MethodPut:
		action = actWrite
	}
	if !v.kit.Access.Allowed(claims, s.id, action, true) {
		return &wire.Error{Status: 403, Code: "Forbidden", Message: "The caller is not authorized. Action: '" + action + "'"}
	}
	return nil
}

// serve answers an authorized request; the service's lock is held.
func (s *shelf) serve(r *http.Request, path []string, body thing) (int, any, *wire.Error) {
	if len(path) == 1 {
		return s.list(r)
	}
	i, found := s.find(path[1])
	switch {
	case r.Method == http.MethodPut && len(path) == 4:
		return s.stage(path[1], path[3], body)
	case r.Method == http.MethodPut:
		return s.write(r, path[1], body)
	case !found:
		return 0, nil, &wire.Error{Status: 404, Code: "ThingNotFound", Message: "There is no such thing."}
	case r.Method == http.MethodPost:
		s.things[i].Buried = false
		s.things = slices.Delete(s.things, i, i+1)
		return 200, struct{}{}, nil
	case s.things[i].Buried:
		return 0, nil, &wire.Error{Status: 404, Code: "ThingBuried", Message: "There was such a thing."}
	case len(path) == 3 && s.things[i].Sealed:
		return 0, nil, &wire.Error{Status: 403, Code: "Sealed", Message: "The thing is sealed."}
	case len(path) == 3:
		return 200, map[string]string{"content": s.things[i].Content}, nil
	}
	t := s.things[i]
	t.Content = ""
	return 200, t, nil
}

func (s *shelf) list(r *http.Request) (int, any, *wire.Error) {
	q := r.URL.Query()
	i, found := s.find(q.Get("after"))
	if found {
		i++
	}
	top, err := strconv.Atoi(q.Get("top"))
	if err != nil || top <= 0 {
		top = shelfPage
	}
	end := min(i+top, len(s.things))
	page := slices.Clone(s.things[i:end])
	page = slices.DeleteFunc(page, func(t thing) bool { return t.Buried })
	for j := range page {
		page[j].Content = ""
	}
	answer := map[string]any{"things": page}
	if end < len(s.things) {
		answer["next"] = "/things?" + url.Values{"after": {s.things[end-1].Name}, "top": {strconv.Itoa(top)}}.Encode()
	}
	return 200, answer, nil
}

func (s *shelf) stage(name, number string, body thing) (int, any, *wire.Error) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 99 {
		return 0, nil, &wire.Error{Status: 400, Code: "BadPage", Message: "Pages are 0 to 99."}
	}
	for len(s.pages[name]) <= n {
		s.pages[name] = append(s.pages[name], "")
	}
	s.pages[name][n] = body.Content
	return 201, struct{}{}, nil
}

func (s *shelf) write(r *http.Request, name string, t thing) (int, any, *wire.Error) {
	i, found := s.find(name)
	t.Name, t.Rev = name, 1
	switch {
	case found && s.things[i].Buried:
		return 0, nil, &wire.Error{Status: 409, Code: "ThingBuried", Message: "The name is buried; revive it first."}
	case found && r.Header.Get("If-None-Match") == "*":
		return 0, nil, &wire.Error{Status: 412, Code: "ThingExists", Message: "The thing exists."}
	case found:
		t.Rev = s.things[i].Rev + 1
	}
	if j, ok := s.find(t.Crate); t.Crate != "" && (!ok || s.things[j].Kind != "crate") {
		return 0, nil, &wire.Error{Status: 404, Code: "CrateNotFound", Message: "There is no such crate."}
	}
	if t.Kind == "ledger" {
		t.Content = strings.Join(s.pages[name], "")
		delete(s.pages, name)
	}
	s.put(t)
	return 201, struct{}{}, nil
}
