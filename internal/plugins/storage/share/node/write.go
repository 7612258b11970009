package node

import (
	"context"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
)

// The properties of a new node are what is given, nothing is added
// (https://learn.microsoft.com/rest/api/storageservices/create-file).
var restore = file.FilePropertySemanticsRestore

// smb returns the properties of SMB as the SDK takes them.
func (p *Props) smb() (*file.SMBProperties, error) {
	text := p.Attributes
	if text == "" {
		text = "None"
	}
	a, err := file.ParseNTFSFileAttributes(&text)
	if err != nil {
		return nil, err
	}
	return &file.SMBProperties{Attributes: a, CreationTime: moment(p.Created), LastWriteTime: moment(p.Written), ChangeTime: moment(p.Changed)}, nil
}

// nfs returns those of NFS; nil on a share of SMB.
func (p *Props) nfs() *file.NFSProperties {
	if !p.NFS {
		return nil
	}
	return &file.NFSProperties{CreationTime: moment(p.Created), LastWriteTime: moment(p.Written), FileMode: text(p.Mode), Owner: text(p.Owner), Group: text(p.Group)}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (p *Props) headers() *file.HTTPHeaders {
	return &file.HTTPHeaders{
		ContentType: text(p.ContentType), ContentEncoding: text(p.Encoding), ContentLanguage: text(p.Language),
		ContentDisposition: text(p.Disposition), CacheControl: text(p.CacheControl), ContentMD5: p.MD5,
	}
}

// CreateDirectory makes a directory, which must not be there, by one request.
func CreateDirectory(ctx context.Context, at Place, p *Props) error {
	c, err := at.Directory(ctx, at.Share, at.Path)
	if err != nil {
		return err
	}
	opt := &directory.CreateOptions{Metadata: Pointers(p.Metadata), FileNFSProperties: p.nfs()}
	if !p.NFS {
		if opt.FileSMBProperties, err = p.smb(); err != nil {
			return err
		}
		if opt.FilePermissions, err = permissions(ctx, at, p.SDDL); err != nil {
			return err
		}
		opt.FilePropertySemantics = &restore
	}
	at.Wrote()
	_, err = c.Create(ctx, opt)
	return err
}

// SetDirectory gives a directory properties and, if metadata is set, metadata; was is what it has.
func SetDirectory(ctx context.Context, at Place, p, was *Props, metadata bool) error {
	c, err := at.Directory(ctx, at.Share, at.Path)
	if err != nil {
		return err
	}
	at.Wrote()
	if metadata {
		if _, err := c.SetMetadata(ctx, &directory.SetMetadataOptions{Metadata: Pointers(p.Metadata)}); err != nil {
			return err
		}
	}
	opt := &directory.SetPropertiesOptions{FileNFSProperties: p.nfs()}
	if !p.NFS {
		if opt.FileSMBProperties, err = p.smb(); err != nil {
			return err
		}
		if opt.FilePermissions, err = changed(ctx, at, p, was); err != nil {
			return err
		}
	}
	_, err = c.SetProperties(ctx, opt)
	return err
}

// changed returns the descriptor that is to be set; none if it is there already.
func changed(ctx context.Context, at Place, p, was *Props) (*file.Permissions, error) {
	if was != nil && was.SDDL == p.SDDL {
		return nil, nil
	}
	return permissions(ctx, at, p.SDDL)
}

// CreateFile makes a file without content, and replaces one that is there: the service has
// no condition for this request. A file that has content to come is made as a part of
// token, with the rights that the whole will have and the time of now.
func CreateFile(ctx context.Context, at Place, p *Props, token string) error {
	c, err := at.File(ctx, at.Share, at.Path)
	if err != nil {
		return err
	}
	first := *p
	if token != "" {
		first = Props{Kind: File, NFS: p.NFS, SDDL: p.SDDL, Mode: p.Mode, Owner: p.Owner, Group: p.Group, ContentType: unfinished + token}
	}
	opt := &file.CreateOptions{HTTPHeaders: first.headers(), Metadata: Pointers(p.Metadata), NFSProperties: first.nfs()}
	if !p.NFS {
		if opt.SMBProperties, err = first.smb(); err != nil {
			return err
		}
		if opt.Permissions, err = permissions(ctx, at, p.SDDL); err != nil {
			return err
		}
		opt.FilePropertySemantics = &restore
	}
	at.Wrote()
	_, err = c.Create(ctx, p.Size, opt)
	return err
}

// SetFile gives a file its HTTP headers and properties, all by one request, and before it,
// if metadata is set, metadata; was is what it has, nil if unknown. The attribute ReadOnly so comes with the last write.
func SetFile(ctx context.Context, at Place, p, was *Props, metadata bool) error {
	c, err := at.File(ctx, at.Share, at.Path)
	if err != nil {
		return err
	}
	at.Wrote()
	if metadata {
		if _, err := c.SetMetadata(ctx, &file.SetMetadataOptions{Metadata: Pointers(p.Metadata)}); err != nil {
			return err
		}
	}
	opt := &file.SetHTTPHeadersOptions{HTTPHeaders: p.headers(), NFSProperties: p.nfs()}
	if !p.NFS {
		if opt.SMBProperties, err = p.smb(); err != nil {
			return err
		}
		if opt.Permissions, err = changed(ctx, at, p, was); err != nil {
			return err
		}
	}
	_, err = c.SetHTTPHeaders(ctx, opt)
	return err
}

// Unlock takes the attribute ReadOnly from a file, as which it is now.
func Unlock(ctx context.Context, at Place, now *Props) error {
	free := *now
	free.Attributes, _ = Attributes(strings.ReplaceAll(now.Attributes, "ReadOnly", ""))
	return SetFile(ctx, at, &free, now, false)
}

// CreateLink makes a symbolic link, which must not be there.
func CreateLink(ctx context.Context, at Place, p *Props) error {
	c, err := at.File(ctx, at.Share, at.Path)
	if err != nil {
		return err
	}
	at.Wrote()
	_, err = c.CreateSymbolicLink(ctx, url.PathEscape(p.To), &file.CreateSymbolicLinkOptions{FileNFSProperties: p.nfs(), Metadata: Pointers(p.Metadata)})
	return err
}
