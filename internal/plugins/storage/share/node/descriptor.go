package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

// Shares keep each security descriptor once and give it a key, which means nothing in
// another share (https://learn.microsoft.com/rest/api/storageservices/create-permission).
// So the text is read at the source by its key and written at the target as text, or, if
// it is too long for a header, under a key of the target's. A share has few of them, for
// many files: each is asked for once.

// longestInline is how long a descriptor in a header may be, in bytes.
const longestInline = 8 << 10

// maxBook bounds what a book holds, in bytes: a descriptor may take 64 KiB.
const maxBook = 8 << 20

// book is what is known of an account's descriptors: texts by share and key, keys by share
// and sum of the text. A full book is thrown away: it is quickly written anew.
type book struct {
	mu   sync.Mutex // guards what follows
	of   map[string]string
	size int
}

func bookOf(a *account.Account) (*book, error) {
	return account.Memo(a, func() (*book, error) { return &book{of: map[string]string{}}, nil })
}

func (b *book) get(name string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.of[name]
	return v, ok
}

func (b *book) put(name, v string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size += len(name) + len(v); b.size > maxBook {
		clear(b.of)
		b.size = len(name) + len(v)
	}
	b.of[name] = v
}

// Descriptor returns the text, SDDL, of a key in the share of a place.
func Descriptor(ctx context.Context, at Place, key string) (string, error) {
	known, err := bookOf(at.Account)
	if err != nil {
		return "", err
	}
	name := at.Share + "/key/" + key
	if text, ok := known.get(name); ok {
		return text, nil
	}
	c, err := at.Files(ctx)
	if err != nil {
		return "", err
	}
	resp, err := c.NewShareClient(at.Share).GetPermission(ctx, key, nil)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(of(resp.Permission))
	known.put(name, text)
	return text, nil
}

// permissions returns a descriptor as the SDK takes it; nil for none.
func permissions(ctx context.Context, at Place, sddl string) (*file.Permissions, error) {
	switch {
	case sddl == "":
		return nil, nil
	case len(sddl) <= longestInline:
		return &file.Permissions{Permission: &sddl}, nil
	}
	known, err := bookOf(at.Account)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(sddl))
	name := at.Share + "/text/" + hex.EncodeToString(sum[:])
	if key, ok := known.get(name); ok {
		return &file.Permissions{PermissionKey: &key}, nil
	}
	c, err := at.Files(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := c.NewShareClient(at.Share).CreatePermission(ctx, sddl, nil)
	if err != nil {
		return nil, err
	}
	key := of(resp.FilePermissionKey)
	known.put(name, key)
	return &file.Permissions{PermissionKey: &key}, nil
}
