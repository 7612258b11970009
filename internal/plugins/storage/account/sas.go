package account

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/azure-tenant-grapher/atg/secret"
)

// ErrNoKey is the cause where a key cannot be one. The SDK says where its base64 breaks off,
// which is about the key itself and is not passed on.
var ErrNoKey = errors.New("what was given is not the key of a storage account")

// How long signatures live. A delegation key may live for seven days
// (https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key); shorter
// is safer, and a new one costs one request.
const (
	keyLife  = 24 * time.Hour
	sasLife  = 6 * time.Hour
	sasRenew = 2 * time.Hour    // what a signature that is handed out has left, at least
	skew     = 15 * time.Minute // between this machine's clock and the service's
)

// delegation is a user delegation key, as the SDK of its service has it.
type delegation[C any] struct {
	cred    *C
	expires time.Time
}

// shared is a signature for a container or a share.
type shared struct {
	query   secret.Value
	expires time.Time
}

// ReadSAS returns the query of a URL that lets its bearer read the blobs of a container,
// and their index tags if tags is set, for two hours at least. It is signed with a user
// delegation key, or with the account's key where that is what the account signs in with
// or where no delegation key is to be had. One signature serves all items of a container.
func (a *Account) ReadSAS(ctx context.Context, container string, tags bool) (secret.Value, error) {
	return a.signature(ctx, container, sas.ContainerPermissions{Read: true, Tag: tags})
}

// signature returns a signature for a container that lives for long enough.
func (a *Account) signature(ctx context.Context, container string, perms sas.ContainerPermissions) (secret.Value, error) {
	return a.kept(ctx, container+"?"+perms.String(), func(ctx context.Context, from, to time.Time) (string, error) {
		return a.sign(ctx, sas.BlobSignatureValues{
			Protocol: sas.ProtocolHTTPS, StartTime: from, ExpiryTime: to, ContainerName: container, Permissions: perms.String(),
		})
	})
}

// signer makes the query of a signature that is valid in a span of time.
type signer func(ctx context.Context, from, to time.Time) (string, error)

// kept returns the signature of that name that lives for long enough, or a new one.
func (a *Account) kept(ctx context.Context, name string, sign signer) (secret.Value, error) {
	if known := a.knownSAS(name); known != nil {
		return known.query, nil
	}
	select { // many items want the first one at once
	case a.signing <- struct{}{}:
	case <-ctx.Done():
		return secret.Value{}, ctx.Err()
	}
	defer func() { <-a.signing }()
	if known := a.knownSAS(name); known != nil {
		return known.query, nil
	}
	query, expires, err := a.newSAS(ctx, sign)
	if err != nil {
		return secret.Value{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sas[name] = &shared{query, expires}
	return query, nil
}

// Refused says that a signature of ReadSAS or ShareSAS was not taken, and forgets it with
// the key that signed it: both may have been revoked, or live by another clock than this
// program knows.
func (a *Account) Refused(query secret.Value) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, s := range a.sas {
		if s.query.Equal(query) {
			delete(a.sas, name)
			a.udk, a.fileUDK = nil, nil
		}
	}
}

// knownSAS returns a signature that lives for long enough, or nil.
func (a *Account) knownSAS(name string) *shared {
	now := a.clock.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sas[name]; s != nil && s.expires.Sub(now) > sasRenew {
		return s
	}
	return nil
}

// newSAS signs. What must be asked for first may tell that this machine's clock is wrong:
// then it is asked for once more.
func (a *Account) newSAS(ctx context.Context, sign signer) (secret.Value, time.Time, error) {
	for again := false; ; again = true {
		now := a.clock.now()
		query, err := sign(ctx, now.Add(-skew), now.Add(sasLife))
		wrong := a.clock.now().Sub(now).Abs() > skew
		if again || !wrong || ctx.Err() != nil {
			return secret.New(query), now.Add(sasLife), err
		}
	}
}

// byEither signs with a user delegation key first and with the account's key second.
func (a *Account) byEither(ctx context.Context, delegated, keyed func() (string, error)) (string, error) {
	if a.useKey {
		return keyed()
	}
	query, first := delegated()
	if first == nil || ctx.Err() != nil {
		return query, first
	}
	query, err := keyed()
	if err != nil {
		return "", first // the key is the second choice: what the first one needs is said
	}
	return query, nil
}

func (a *Account) sign(ctx context.Context, values sas.BlobSignatureValues) (string, error) {
	return a.byEither(ctx, func() (string, error) {
		cred, err := a.delegate(ctx)
		if err != nil {
			return "", err
		}
		q, err := values.SignWithUserDelegation(cred)
		return q.Encode(), err
	}, func() (string, error) {
		cred, err := a.blobKey(ctx)
		if err != nil {
			return "", err
		}
		q, err := values.SignWithSharedKey(cred)
		return q.Encode(), err
	})
}

// delegated returns the user delegation key that is kept, if it outlives a new signature,
// or else one that ask gets for a span of time, and keeps it.
func delegated[C any](a *Account, kept **delegation[C], ask func(from, to string) (*C, error)) (*C, error) {
	now := a.clock.now()
	a.mu.Lock()
	known := *kept
	a.mu.Unlock()
	if known != nil && known.expires.Sub(now) > sasLife {
		return known.cred, nil
	}
	cred, err := ask(now.Add(-skew).Format(sas.TimeFormat), now.Add(keyLife).Format(sas.TimeFormat))
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	*kept = &delegation[C]{cred, now.Add(keyLife)}
	return cred, nil
}

func (a *Account) delegate(ctx context.Context) (*service.UserDelegationCredential, error) {
	return delegated(a, &a.udk, func(from, to string) (*service.UserDelegationCredential, error) {
		c, err := a.Blobs(ctx)
		if err != nil {
			return nil, err
		}
		return c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: &from, Expiry: &to}, nil)
	})
}
