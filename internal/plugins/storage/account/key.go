package account

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/secret"
)

// The names under which a user can give what signs in to one account.
const (
	secretKey        = "accountKey"
	secretConnection = "connectionString"
)

// keyed is an account's key, however it was found.
type keyed struct{ key secret.Value }

// Key returns the account's key: the one that the user gave, else the first full key that
// Resource Manager lists
// (https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys). It is asked
// for once. Callers hand it to the SDK's credential of their service and keep it nowhere.
func (a *Account) Key(ctx context.Context) (secret.Value, error) {
	a.mu.Lock()
	known := a.keyed
	a.mu.Unlock()
	if known != nil {
		return known.key, nil
	}
	key, ok := a.givenKey()
	if !ok {
		var err error
		if key, err = a.listKey(ctx); err != nil {
			return secret.Value{}, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keyed = &keyed{key}
	return key, nil
}

func lookup(from func(string) (secret.Value, bool), name string) (secret.Value, bool) {
	if from == nil {
		return secret.Value{}, false
	}
	v, ok := from(name)
	return v, ok && !v.Empty()
}

// givenKey returns the key that the user gave, alone or in a connection string.
func (a *Account) givenKey() (secret.Value, bool) {
	if v, ok := lookup(a.given, secretKey); ok {
		return v, true
	}
	v, ok := lookup(a.given, secretConnection)
	if !ok {
		return secret.Value{}, false
	}
	for part := range strings.SplitSeq(v.Reveal(), ";") {
		if name, value, found := strings.Cut(strings.TrimSpace(part), "="); found && strings.EqualFold(name, "AccountKey") {
			return secret.New(value), true
		}
	}
	return secret.Value{}, false
}

// keyList is the answer of listKeys.
type keyList struct {
	Keys []struct {
		Value       string `json:"value"`
		Permissions string `json:"permissions"`
	} `json:"keys"`
}

func (a *Account) listKey(ctx context.Context) (secret.Value, error) {
	if a.NoSharedKey {
		return secret.Value{}, &errs.Error{
			Op: "read the account's key", Kind: errs.Unsupported, Resource: a.ID,
			Err: errors.New("the account does not take its keys (allowSharedKeyAccess is false)"),
		}
	}
	var list keyList
	if err := a.Manage(ctx, http.MethodPost, "/listKeys", nil, &list); err != nil {
		return secret.Value{}, err
	}
	for _, k := range list.Keys {
		if strings.EqualFold(k.Permissions, "full") && k.Value != "" {
			return secret.New(k.Value), nil
		}
	}
	return secret.Value{}, &errs.Error{
		Op: "read the account's key", Kind: errs.NotFound, Resource: a.ID, Err: errors.New("no key with full rights is listed by Resource Manager"),
	}
}
