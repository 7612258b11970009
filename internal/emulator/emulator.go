package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/front"
	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options of an Emulator. The zero value is the default scenario without limits.
type Options struct {
	Scenario *scenario.Scenario // nil: scenario.Default()
	Limits   bool               // enforce the services' documented rate limits
	Latency  time.Duration      // delays every answer
	Strict   bool               // ARM refuses operations and api-versions that Azure's SDK does not know
	Clock    wire.Clock         // nil: time.Now; TLS goes by the true time anyway
	LogTo    io.Writer          // request log as JSON lines; nil: none
	LogKeep  int                // requests kept for Requests; 0: front.DefaultLogKeep, < 0: none
	Listen   string             // loopback address of the proxy; "": a free port of 127.0.0.1
	Extra    []ExtraService     // further services

	TokenLifetime time.Duration // 0: entra.DefaultTokenLifetime
	PageSize      int           // longest page of an ARM list; 0: ARM's own
	Polls         int           // how often a long-running ARM operation answers "in progress"
	RetryAfter    time.Duration // what ARM tells clients to wait between looks at such an operation; 0: ARM's own
}

// Kit is what a service needs of its surroundings.
type Kit struct {
	Tokens wire.Tokens
	Access wire.Access
	Clock  wire.Clock
	Limits bool
	// Directory knows the tenants and their applications.
	Directory *entra.Authority
}

// ExtraService makes a service beside the emulator's own. It owns Azure names only
// (loopback.IsAzure) and comes before the emulator's own in routing. If it is a wire.DataPlane, ARM
// and scenarios know its resource type too.
type ExtraService func(Kit) wire.Service

// Emulator is a running emulator. It is safe for concurrent use.
type Emulator struct {
	scenario *scenario.Scenario
	entra    *entra.Authority
	arm      *arm.Store
	planes   map[string]wire.DataPlane // by lower-case resource type
	front    *front.Front
	ca       *loopback.CA
	server   *loopback.Server
	spool    string // directory of large request bodies; "" until there is one
	warm     sync.WaitGroup
	close    func() error
}

// Start builds the scenario's world and listens. The emulator is ready when Start
// returns. The caller closes it.
func Start(opt Options) (*Emulator, error) {
	if opt.Scenario == nil {
		opt.Scenario = scenario.Default()
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if err := opt.Scenario.Check(); err != nil {
		return nil, err
	}
	e := newEmulator(opt)
	e.warm.Go(func() { _ = e.entra.Warm() }) // its error comes again with the first token
	err := e.seedScenario()
	if err == nil {
		err = e.listen(opt)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// newEmulator makes the services and tells them of each other.
func newEmulator(opt Options) *Emulator {
	e := &Emulator{scenario: withSecrets(opt.Scenario), planes: map[string]wire.DataPlane{}}
	e.close = sync.OnceValue(e.shutdown)
	e.entra = entra.New(entra.Options{Clock: opt.Clock, TokenLifetime: opt.TokenLifetime})
	e.arm = arm.New(arm.Options{Tokens: e.entra, Clock: opt.Clock, Strict: opt.Strict, PageSize: opt.PageSize, Polls: opt.Polls, RetryAfter: opt.RetryAfter})
	kit := Kit{Tokens: e.entra, Access: e.arm, Clock: opt.Clock, Limits: opt.Limits, Directory: e.entra}
	own := append([]wire.Service{e.entra, e.arm}, services(kit)...)
	all := make([]wire.Service, 0, len(opt.Extra)+len(own))
	for _, extra := range opt.Extra {
		all = append(all, extra(kit))
	}
	all = append(all, own...)
	for _, s := range all {
		if plane, ok := s.(wire.DataPlane); ok {
			e.planes[strings.ToLower(plane.Type())] = plane
			e.arm.Register(plane)
		}
	}
	e.front = front.New(front.Options{
		Services: all, SignIn: e.entra.Name(), Caller: e.entra.Caller, Clock: opt.Clock,
		Latency: opt.Latency, LogTo: opt.LogTo, LogKeep: opt.LogKeep, Spool: sync.OnceValues(e.makeSpool),
	})
	return e
}

// listen goes on the network.
func (e *Emulator) listen(opt Options) error {
	var err error
	if e.ca, err = loopback.NewCA(time.Now()); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	e.server, err = loopback.Start(loopback.Options{
		Listen: opt.Listen, Handler: e.front, Control: control(e), CA: e.ca, Exists: e.front.Exists,
	})
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return nil
}

// Close cuts all connections, stops listening and removes what was spooled. It returns the
// first error of writing the request log, too. Further calls do nothing.
func (e *Emulator) Close() error { return e.close() }

func (e *Emulator) shutdown() error {
	var errs []error
	if e.server != nil {
		errs = append(errs, e.server.Close())
	}
	e.warm.Wait()
	errs = append(errs, e.front.LogError())
	if e.spool != "" {
		errs = append(errs, os.RemoveAll(e.spool))
	}
	return errors.Join(errs...)
}

func (e *Emulator) makeSpool() (string, error) {
	var err error
	e.spool, err = os.MkdirTemp("", "atg-emulator-")
	return e.spool, err
}

// Transport returns a new transport that reaches the emulator alone, by Azure names
// alone; any other host is an error that wraps loopback.ErrOutside. Give it to every
// client of Azure.
func (e *Emulator) Transport() *http.Transport { return e.server.Transport() }

// ProxyURL is the address of the CONNECT proxy, "http://127.0.0.1:port".
func (e *Emulator) ProxyURL() string { return "http://" + e.server.ProxyAddr() }

// CAPEM is the emulator's certificate authority.
func (e *Emulator) CAPEM() []byte { return e.ca.PEM() }

// ARM gives access to the control plane behind the wire's back.
func (e *Emulator) ARM() *arm.Store { return e.arm }

// Entra gives access to tenants, applications and tokens behind the wire's back.
func (e *Emulator) Entra() *entra.Authority { return e.entra }

// Requests returns the request log, oldest first.
func (e *Emulator) Requests() []wire.Request { return e.front.Requests() }

// ResetRequests empties the request log.
func (e *Emulator) ResetRequests() { e.front.ResetRequests() }

// AddFault scripts a failure; the first one that matches a request answers it. Sign-in is
// spared unless the fault's Host names it. A fault that could never work is refused.
func (e *Emulator) AddFault(f wire.Fault) error { return e.front.AddFault(f) }

// ClearFaults removes all scripted failures.
func (e *Emulator) ClearFaults() { e.front.ClearFaults() }

// Faults returns the scripted failures with their counters.
func (e *Emulator) Faults() []front.FaultState { return e.front.Faults() }

// Seed adds objects to a resource, in the format of its service.
func (e *Emulator) Seed(resourceID string, data json.RawMessage) error {
	plane, err := e.planeOf(resourceID)
	if err != nil {
		return err
	}
	return plane.Seed(resourceID, data)
}

// Objects returns what a resource's data plane holds, secrets included, sorted by key.
func (e *Emulator) Objects(resourceID string) ([]wire.Object, error) {
	plane, err := e.planeOf(resourceID)
	if err != nil {
		return nil, err
	}
	return plane.Objects(resourceID)
}

func (e *Emulator) planeOf(resourceID string) (wire.DataPlane, error) {
	res, ok := e.arm.Get(resourceID)
	if !ok {
		return nil, fmt.Errorf("emulator: there is no resource %s", resourceID)
	}
	plane, ok := e.planes[strings.ToLower(res.Type)]
	if !ok {
		return nil, fmt.Errorf("emulator: the data plane of %s is not emulated (resource %s)", res.Type, resourceID)
	}
	return plane, nil
}
