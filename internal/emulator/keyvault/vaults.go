package keyvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The links that the service puts into refusals about vaults.
const (
	linkNames   = "https://go.microsoft.com/fwlink/?linkid=2147742"
	linkInUse   = "https://go.microsoft.com/fwlink/?linkid=2147740"
	linkDeleted = "https://go.microsoft.com/fwlink/?linkid=2149745"
)

// Type implements wire.Provider.
func (s *Service) Type() string { return "Microsoft.KeyVault/vaults" }

// Put implements wire.Provider: it checks and completes the vault's properties and makes,
// updates or recovers its data plane.
func (s *Service) Put(res *wire.Resource, old *wire.Resource) *wire.Error {
	if !validVaultName(res.Name) {
		return &wire.Error{Status: http.StatusBadRequest, Code: "VaultNameNotValid", Message: badVaultName(res.Name)}
	}
	if res.Body == nil {
		res.Body = map[string]any{}
	}
	p, err := readProperties(res.Body)
	if err != nil {
		return badRequest("%s", err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	key := strings.ToLower(res.Name)
	e := s.live[key]
	if e != nil && !strings.EqualFold(e.id, res.ID) {
		return nameInUse(res.Name)
	}
	if e == nil {
		return s.create(res, p)
	}
	var before *properties
	if old != nil {
		if was, err := readProperties(old.Body); err == nil {
			before = &was
		}
	}
	if err := complete(res, &p, before); err != nil {
		return err
	}
	e.settings, e.body = p.settings(e), cloneBody(res.Body)
	e.data.Configure(e.settings.config)
	return nil
}

// create makes a new vault, or recovers a deleted one if that is asked for. The caller
// holds the lock.
func (s *Service) create(res *wire.Resource, p properties) *wire.Error {
	key := strings.ToLower(res.Name)
	gone := s.deleted[key]
	if gone != nil && !strings.EqualFold(subscriptionOf(gone.id), subscriptionOf(res.ID)) {
		return nameInUse(res.Name)
	}
	recover := strings.EqualFold(p.CreateMode, "recover")
	switch {
	case gone != nil && !recover:
		return &wire.Error{
			Status: http.StatusConflict, Code: "ConflictError",
			Message: "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. " +
				"Follow this link " + linkDeleted + " for more information on soft delete.",
		}
	case gone != nil:
		return s.revive(gone, res)
	case recover:
		return &wire.Error{Status: http.StatusNotFound, Code: "DeletedVaultNotFound", Message: "The specified deleted vault '" + res.Name + "' does not exist."}
	}
	if err := complete(res, &p, nil); err != nil {
		return err
	}
	location, _ := res.Body["location"].(string)
	e := &entry{id: res.ID, name: res.Name, location: strings.ToLower(strings.ReplaceAll(location, " ", "")), body: cloneBody(res.Body), meter: &throttle.Meter{}}
	e.settings = p.settings(e)
	e.data = vault.New(e.settings.config, vault.Options{
		Clock: s.opt.Clock, DeleteFor: s.opt.DeleteFor, RecoverFor: s.opt.RecoverFor, Polls: s.opt.Polls, Seal: s.seal,
	})
	s.live[key] = e
	return nil
}

// revive brings a deleted vault back as it was: the request's own properties do not count.
func (s *Service) revive(e *entry, res *wire.Resource) *wire.Error {
	key := strings.ToLower(res.Name)
	delete(s.deleted, key)
	for member, was := range cloneBody(e.body) {
		if member == "properties" || member == "location" || member == "tags" {
			res.Body[member] = was
		}
	}
	s.live[key] = &entry{
		id: res.ID, name: e.name, location: e.location, data: e.data, meter: e.meter, settings: e.settings, body: cloneBody(res.Body),
	}
	return nil
}

// Delete implements wire.Provider: the vault goes to the deleted ones, with its data.
func (s *Service) Delete(res wire.Resource) *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(res.Name)
	e, ok := s.live[key]
	if !ok || !strings.EqualFold(e.id, res.ID) {
		return nil
	}
	delete(s.live, key)
	if e.settings.config.SoftDelete {
		e.deletedAt = s.opt.Clock()
		s.deleted[key] = e
	}
	return nil
}

// Action implements wire.Provider: a vault has no actions; what else ARM is asked about
// vaults is Operate's.
func (s *Service) Action(wire.Resource, string, json.RawMessage) (any, bool, *wire.Error) {
	return nil, false, nil
}

// expire forgets deleted vaults whose retention is over. The caller holds the lock.
func (s *Service) expire() {
	now := s.opt.Clock()
	for k, e := range s.deleted {
		if !now.Before(e.purgeAt()) {
			delete(s.deleted, k)
		}
	}
}

func (e *entry) purgeAt() time.Time {
	return e.deletedAt.AddDate(0, 0, e.settings.config.RetentionDays)
}

// cloneBody copies a JSON object with all that is in it, so that ARM may go on with its
// own.
func cloneBody(body map[string]any) map[string]any {
	data, err := json.Marshal(body)
	if err != nil {
		return map[string]any{}
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		return map[string]any{}
	}
	return out
}

func badRequest(format string, args ...any) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "BadRequest", Message: fmt.Sprintf(format, args...)}
}

func inUse(name string) string {
	return fmt.Sprintf("The vault name '%s' is already in use. Vault names are globally unique so it is possible that the name is already taken. "+
		"If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged "+
		"after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. "+
		"For more information on soft delete and purging a vault follow this link %s.", name, linkInUse)
}

func nameInUse(name string) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: "VaultAlreadyExists", Message: inUse(name)}
}

func badVaultName(name string) string {
	return fmt.Sprintf("The vault name '%s' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, "+
		"end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: %s", name, linkNames)
}

func validVaultName(name string) bool {
	if len(name) < 3 || len(name) > 24 || strings.Contains(name, "--") || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		return false
	}
	return vault.ValidName(name) && (name[0] < '0' || name[0] > '9')
}
