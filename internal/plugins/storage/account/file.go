package account

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/listing"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Files returns the client of the account's file service, which is made once. With a token
// it works as a backup does: rights of the file system do not count, those of the role do
// (https://learn.microsoft.com/azure/storage/files/authorize-oauth-rest). Names are taken
// as they are, dots at their ends included.
func (a *Account) Files(ctx context.Context) (*service.Client, error) {
	address, err := a.URL(File)
	if err != nil {
		return nil, err
	}
	dots := true
	opt := &service.ClientOptions{ClientOptions: a.options, AllowTrailingDot: &dots, AllowSourceTrailingDot: &dots}
	opt.PerCallPolicies = append(slices.Clone(opt.PerCallPolicies), listing.Tap{})
	opt.PerRetryPolicies = append(slices.Clone(opt.PerRetryPolicies), &a.clock)
	if !a.useKey {
		backup := service.ShareTokenIntentBackup
		opt.FileRequestIntent = &backup
		opt.PerCallPolicies = append(opt.PerCallPolicies, asBackup{})
		return Memo(a, func() (*service.Client, error) { return service.NewClient(address, a.credential, opt) })
	}
	cred, err := a.fileKey(ctx)
	if err != nil {
		return nil, err
	}
	return Memo(a, func() (*service.Client, error) { return service.NewClientWithSharedKeyCredential(address, cred, opt) })
}

// asBackup says of List Shares what the SDK's service client, unlike all others, does not:
// that the caller works as a backup does, which must be said with a token.
type asBackup struct{}

// Do implements policy.Policy.
func (asBackup) Do(req *policy.Request) (*http.Response, error) {
	if raw := req.Raw(); raw.URL.Query().Get("comp") == "list" {
		raw.Header["x-ms-file-request-intent"] = []string{string(service.ShareTokenIntentBackup)} // spelt as the SDK does
	}
	return req.Next()
}

// Directory returns a client for a directory of a share; path is as listings have its
// names, joined by slashes, and "" for the root.
func (a *Account) Directory(ctx context.Context, share, path string) (*directory.Client, error) {
	c, err := a.Files(ctx)
	if err != nil {
		return nil, err
	}
	d := c.NewShareClient(share).NewRootDirectoryClient()
	for name := range strings.SplitSeq(path, "/") { // as a whole, its slashes would be escaped
		if name != "" {
			d = d.NewSubdirectoryClient(name)
		}
	}
	return d, nil
}

// File returns a client for a file of a share, whose path is not "".
func (a *Account) File(ctx context.Context, share, path string) (*file.Client, error) {
	at := strings.LastIndexByte(path, '/')
	d, err := a.Directory(ctx, share, path[:max(at, 0)])
	if err != nil {
		return nil, err
	}
	return d.NewFileClient(path[at+1:]), nil
}

// fileKey returns the credential that signs with the account's key.
func (a *Account) fileKey(ctx context.Context) (*service.SharedKeyCredential, error) {
	key, err := a.Key(ctx)
	if err != nil {
		return nil, err
	}
	cred, err := service.NewSharedKeyCredential(a.Name, key.Reveal())
	if err != nil { // the SDK's text says where the base64 breaks off, which is about the key
		return nil, &errs.Error{Op: "sign in with the account's key", Kind: errs.Invalid, Resource: a.ID, Err: ErrNoKey}
	}
	return cred, nil
}

// ShareSAS returns the query of a URL that lets its bearer read the files of a share, for
// two hours at least, signed as ReadSAS says. One signature serves all files of a share.
func (a *Account) ShareSAS(ctx context.Context, share string) (secret.Value, error) {
	perms := sas.SharePermissions{Read: true}
	return a.kept(ctx, "share/"+share, func(ctx context.Context, from, to time.Time) (string, error) { // no container is called like this
		return a.signFiles(ctx, sas.SignatureValues{
			Protocol: sas.ProtocolHTTPS, StartTime: from, ExpiryTime: to, ShareName: share, Permissions: perms.String(),
		})
	})
}

func (a *Account) signFiles(ctx context.Context, values sas.SignatureValues) (string, error) {
	return a.byEither(ctx, func() (string, error) {
		cred, err := a.delegateFiles(ctx)
		if err != nil {
			return "", err
		}
		q, err := values.SignWithUserDelegation(cred)
		return q.Encode(), err
	}, func() (string, error) {
		cred, err := a.fileKey(ctx)
		if err != nil {
			return "", err
		}
		q, err := values.SignWithSharedKey(cred)
		return q.Encode(), err
	})
}

// delegateFiles asks for a key of the file service: each service has its own.
func (a *Account) delegateFiles(ctx context.Context) (*service.UserDelegationCredential, error) {
	return delegated(a, &a.fileUDK, func(from, to string) (*service.UserDelegationCredential, error) {
		c, err := a.Files(ctx)
		if err != nil {
			return nil, err
		}
		return c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: &from, Expiry: &to}, nil)
	})
}
