package graph

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// hosts are those of the public, US Government and China clouds.
var hosts = []string{"graph.microsoft.com", "graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"}

// audiences are the resources whose tokens Graph takes: its application ID, and the URL of
// each host.
var audiences = []string{
	"00000003-0000-0000-c000-000000000000",
	"https://graph.microsoft.com", "https://graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn",
}

// Options configure a Service.
type Options struct {
	Tokens    wire.Tokens
	Directory *entra.Authority
	Clock     wire.Clock
}

// Service answers for the directories of all tenants.
type Service struct{ opt Options }

var (
	_ wire.Service     = (*Service)(nil)
	_ wire.ErrorWriter = (*Service)(nil)
)

// New returns a service.
func New(opt Options) *Service { return &Service{opt} }

// Name implements wire.Service.
func (s *Service) Name() string { return "graph" }

// Owns implements wire.Service.
func (s *Service) Owns(host string) bool { return slices.Contains(hosts, host) }

// ServeHTTP implements wire.Service.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	claims, fault := s.authenticate(r)
	if fault != nil {
		s.WriteError(w, r, fault)
		return
	}
	version, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if version != "v1.0" && version != "beta" {
		s.WriteError(w, r, refusal(http.StatusNotFound, "BadRequest", "Invalid version: %s", version))
		return
	}
	answer, fault := s.answer(claims, version, strings.Trim(path, "/"), r)
	if fault != nil {
		s.WriteError(w, r, fault)
		return
	}
	wire.WriteJSON(w, http.StatusOK, answer)
}

// authenticate verifies the token, whose tenant is the one that is read.
func (s *Service) authenticate(r *http.Request) (wire.Claims, *wire.Error) {
	c, err := s.opt.Tokens.Verify(r)
	switch {
	case err == nil && !slices.Contains(audiences, strings.TrimRight(strings.ToLower(c.Audience), "/")):
		return c, unauthorized("Access token validation failure. Invalid audience.")
	case errors.Is(err, wire.ErrNoToken):
		return c, unauthorized("Access token is empty.")
	case errors.Is(err, wire.ErrTokenExpired):
		return c, unauthorized("Lifetime validation failed, the token is expired.")
	case err != nil:
		return c, unauthorized("Access token validation failure.")
	}
	return c, nil
}

// errorBody is Graph's error shape: https://learn.microsoft.com/graph/errors.
type errorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   struct {
			Date      string `json:"date"`
			RequestID string `json:"request-id"`
		} `json:"innerError"`
	} `json:"error"`
}

// WriteError implements wire.ErrorWriter.
func (s *Service) WriteError(w http.ResponseWriter, _ *http.Request, e *wire.Error) {
	for k, v := range e.Header {
		w.Header().Set(k, v)
	}
	var body errorBody
	body.Error.Code, body.Error.Message = e.Code, e.Message
	body.Error.Inner.Date = s.opt.Clock().UTC().Format(time.DateOnly + "T" + time.TimeOnly)
	body.Error.Inner.RequestID = w.Header().Get(wire.HeaderRequestID)
	w.Header().Set("Request-Id", body.Error.Inner.RequestID)
	wire.NoteCode(w, e.Code)
	wire.WriteJSON(w, e.Status, body)
}
