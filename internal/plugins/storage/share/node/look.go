package node

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"
)

// Look reads what is at a place, which is thought to be a directory or not; nil if nothing
// is there. Of something else than is thought it tells the Kind alone.
func Look(ctx context.Context, at Place, directory bool) (*Props, error) {
	var p *Props
	var key string
	var err error
	if directory {
		p, key, err = lookAtDirectory(ctx, at)
	} else {
		p, key, err = lookAtFile(ctx, at)
	}
	switch {
	case Missing(err):
		return nil, nil
	case fileerror.HasCode(err, fileerror.ResourceTypeMismatch) && directory:
		return &Props{Kind: File}, nil
	case fileerror.HasCode(err, fileerror.ResourceTypeMismatch):
		return &Props{Kind: Directory}, nil
	case err != nil || key == "":
		return p, err
	}
	p.SDDL, err = Descriptor(ctx, at, key)
	return p, err
}

// Missing tells whether a service answered that a thing is not there, or what it is in.
func Missing(err error) bool {
	var answer *azcore.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

func lookAtDirectory(ctx context.Context, at Place) (*Props, string, error) {
	c, err := at.Directory(ctx, at.Share, at.Path)
	if err != nil {
		return nil, "", err
	}
	r, err := c.GetProperties(ctx, nil)
	if err != nil {
		return nil, "", err
	}
	p := &Props{
		Kind: Directory, NFS: r.FileMode != nil, ETag: of(r.ETag), Modified: of(r.LastModified),
		Created: of(r.FileCreationTime), Written: of(r.FileLastWriteTime), Changed: of(r.FileChangeTime),
		Mode: of(r.FileMode), Owner: of(r.Owner), Group: of(r.Group), Metadata: Lower(r.Metadata),
	}
	p.Attributes, p.Unknown = Attributes(of(r.FileAttributes))
	return p, of(r.FilePermissionKey), nil
}

func lookAtFile(ctx context.Context, at Place) (*Props, string, error) {
	c, err := at.File(ctx, at.Share, at.Path)
	if err != nil {
		return nil, "", err
	}
	r, err := c.GetProperties(ctx, nil)
	if err != nil {
		return nil, "", err
	}
	p := &Props{
		Kind: File, NFS: r.FileMode != nil, ETag: of(r.ETag), Modified: of(r.LastModified), Size: of(r.ContentLength),
		Created: of(r.FileCreationTime), Written: of(r.FileLastWriteTime), Changed: of(r.FileChangeTime),
		Mode: of(r.FileMode), Owner: of(r.Owner), Group: of(r.Group), Names: of(r.LinkCount), Metadata: Lower(r.Metadata),
		ContentType: of(r.ContentType), Encoding: of(r.ContentEncoding), Language: of(r.ContentLanguage),
		Disposition: of(r.ContentDisposition), CacheControl: of(r.CacheControl), MD5: r.ContentMD5,
	}
	p.Attributes, p.Unknown = Attributes(of(r.FileAttributes))
	if of(r.NFSFileType) == file.NFSFileTypeSymlink {
		return p, "", p.lookAtLink(ctx, c)
	}
	return p, of(r.FilePermissionKey), nil
}

// lookAtLink reads where a link leads. It has no content, so no headers about one.
func (p *Props) lookAtLink(ctx context.Context, c *file.Client) error {
	p.Kind, p.Size, p.ContentType = Link, 0, ""
	r, err := c.GetSymbolicLink(ctx, nil)
	if err != nil {
		return err
	}
	// The text is percent-encoded: https://learn.microsoft.com/rest/api/storageservices/read-symbolic-link
	p.To, err = url.PathUnescape(of(r.LinkText))
	return err
}

// of returns what SDKs point at; nil stands for what is not there.
func of[T any](v *T) T {
	if v == nil {
		var none T
		return none
	}
	return *v
}

// Lower returns metadata as it is compared: HTTP does not keep the case of its names.
func Lower(m map[string]*string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if v != nil {
			out[strings.ToLower(k)] = *v
		}
	}
	return out
}

// Pointers returns metadata as the SDK takes it.
func Pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

// moment returns a time as the SDK takes it: nil for one that is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
