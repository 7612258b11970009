package arm

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const typeLock = "Microsoft.Authorization/locks"

// Levels of a lock.
const (
	canNotDelete = "CanNotDelete"
	readOnly     = "ReadOnly"
)

// locks is the provider of management locks, which are extension resources of
// subscriptions, groups and resources.
type locks struct{}

// Type implements wire.Provider.
func (locks) Type() string { return typeLock }

// Put implements wire.Provider.
func (locks) Put(res, _ *wire.Resource) *wire.Error {
	props := properties(res.Body)
	level, _ := props["level"].(string)
	for _, known := range []string{canNotDelete, readOnly} {
		if strings.EqualFold(level, known) {
			props["level"] = known
			return nil
		}
	}
	// The wording could not be confirmed.
	return refusal(http.StatusBadRequest, "LockLevelInvalid", "The lock level '%s' is not valid. Allowed values are '%s' and '%s'.", level, canNotDelete, readOnly)
}

// Delete implements wire.Provider.
func (locks) Delete(wire.Resource) *wire.Error { return nil }

// Action implements wire.Provider.
func (locks) Action(wire.Resource, string, json.RawMessage) (any, bool, *wire.Error) {
	return nil, false, nil
}

// unlocked refuses an action that a lock forbids: a deletion under a lock of either level,
// anything but reading under a ReadOnly one. A lock holds for its scope and all below, and
// nothing above a locked scope can be deleted.
func (s *Store) unlocked(action, scope string) *wire.Error {
	verb := strings.ToLower(action[strings.LastIndexByte(action, '/')+1:])
	id := armid.Parse(scope)
	if verb == "read" || id.Subscription == "" || isLock(id) {
		return nil
	}
	key := id.Key()
	var holding []string
	for _, lock := range s.locksAround(id, verb == "delete") {
		level, _ := properties(cloneMap(lock.Res.Body))["level"].(string)
		on := armid.Key(lock.ID.Scope)
		if verb != "delete" && (level != readOnly || !armid.Under(key, on)) {
			continue
		}
		holding = append(holding, lock.ID.Scope)
	}
	if len(holding) == 0 {
		return nil
	}
	if verb == "action" {
		verb = "write"
	}
	return refusal(http.StatusConflict, "ScopeLocked",
		"The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.",
		scope, verb, strings.Join(holding, ","))
}

func isLock(id armid.ID) bool {
	return strings.EqualFold(id.Namespace, "Microsoft.Authorization") && len(id.Types) > 0 && strings.EqualFold(id.Types[0], "locks")
}

// locksAround lists the locks at a scope and above it, and those below it too if asked.
func (s *Store) locksAround(id armid.ID, below bool) []*tree.Entry {
	key := id.Key()
	var out []*tree.Entry
	for _, e := range s.res.Scan(id.Subscription, typeLock, armid.Key(id.SubscriptionID()), "", maxLocks) {
		on := armid.Key(e.ID.Scope)
		if armid.Under(key, on) || (below && armid.Under(on, key)) {
			out = append(out, e)
		}
	}
	return out
}

// maxLocks is how many locks of a subscription are looked at; Azure allows 20 a scope.
const maxLocks = 10_000
