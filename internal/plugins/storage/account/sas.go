package account

import (
	"cmp"
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

// delegation is a user delegation key.
type delegation struct {
	cred    *service.UserDelegationCredential
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

// sign signs with a user delegation key first and with the account's key second.
func (a *Account) sign(ctx context.Context, values sas.BlobSignatureValues) (string, error) {
	var first error
	if !a.useKey {
		cred, err := a.delegate(ctx)
		if err == nil {
			q, err := values.SignWithUserDelegation(cred)
			return q.Encode(), err
		}
		if ctx.Err() != nil {
			return "", err
		}
		first = err
	}
	cred, err := a.blobKey(ctx)
	if err != nil {
		return "", cmp.Or(first, err) // the key is the second choice: what the first one needs is said
	}
	q, err := values.SignWithSharedKey(cred)
	return q.Encode(), err
}

// delegate returns a user delegation key that outlives a new signature.
func (a *Account) delegate(ctx context.Context) (*service.UserDelegationCredential, error) {
	now := a.clock.now()
	a.mu.Lock()
	known := a.udk
	a.mu.Unlock()
	if known != nil && known.expires.Sub(now) > sasLife {
		return known.cred, nil
	}
	c, err := a.Blobs(ctx)
	if err != nil {
		return nil, err
	}
	from, to := now.Add(-skew).Format(sas.TimeFormat), now.Add(keyLife).Format(sas.TimeFormat)
	cred, err := c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: &from, Expiry: &to}, nil)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.udk = &delegation{cred, now.Add(keyLife)}
	return cred, nil
}
