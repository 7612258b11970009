package file

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// create puts a new node at the path. f completes it; old is what it replaces, or nil.
func (x *call) create(kind tree.Kind, f func(sh *tree.Share, n, old *tree.Node) *wire.Error) (*tree.Share, *tree.Node, *wire.Error) {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return nil, nil, err
	}
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return nil, nil, err
	}
	if len(x.path) == 0 {
		return nil, nil, exists()
	}
	if _, err := sh.In(x.path); err != nil {
		return nil, nil, err
	}
	n := &tree.Node{Kind: kind, Path: x.path, ID: x.account.stamps.ID(), Metadata: md, Links: 1}
	if err := f(sh, n, sh.Get(x.path)); err != nil {
		return nil, nil, err
	}
	x.stamp(n)
	sh.Put(n)
	return sh, n, nil
}

// createDirectory answers Create Directory.
func (x *call) createDirectory() *wire.Error {
	sh, n, err := x.create(tree.Directory, func(sh *tree.Share, n, old *tree.Node) *wire.Error {
		if old != nil {
			return exists()
		}
		return x.describe(sh, n, true)
	})
	if err != nil {
		return err
	}
	x.show(sh, n)
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusCreated)
}

// getDirectory answers Get Directory Properties and Get Directory Metadata.
func (x *call) getDirectory() *wire.Error {
	sh, n, err := x.node()
	if err != nil {
		return err
	}
	if n.Kind != tree.Directory {
		return typeMismatch()
	}
	x.show(sh, n)
	n.Metadata.Write(x.out)
	x.out.Set("X-Ms-Server-Encrypted", "true")
	return x.answer(http.StatusOK)
}

// deleteDirectory answers Delete Directory.
func (x *call) deleteDirectory() *wire.Error {
	return x.remove(func(sh *tree.Share, n *tree.Node) *wire.Error {
		switch {
		case n.Kind != tree.Directory:
			return typeMismatch()
		case len(x.path) == 0:
			return conflict("CannotDeleteFileOrDirectory", "The file or directory could not be deleted.")
		case !sh.Empty(x.path):
			return conflict("DirectoryNotEmpty", "The specified directory is not empty.")
		}
		return nil
	})
}

// remove takes the node at the path away if may says so.
func (x *call) remove(may func(*tree.Share, *tree.Node) *wire.Error) *wire.Error {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	n := sh.Get(x.path)
	if n == nil {
		if len(x.path) > 0 {
			if _, err := sh.In(x.path); err != nil {
				return err
			}
		}
		return notFound()
	}
	if err := may(sh, n); err != nil {
		return err
	}
	if left := sh.Remove(n); n.Kind != tree.Directory && sh.Protocol == "NFS" {
		x.out.Set("X-Ms-Link-Count", strconv.Itoa(left))
	}
	return x.answer(http.StatusAccepted)
}

// largestFile is the size that a file may have: 4 TiB.
const largestFile = 4 << 40

func fileSize(v string) (int64, *wire.Error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > largestFile {
		return 0, badHeader("x-ms-content-length", v)
	}
	return n, nil
}

// putFile answers Create File and Copy File.
func (x *call) putFile() *wire.Error {
	if x.R.Header.Get("X-Ms-Copy-Source") != "" {
		return x.copyFile()
	}
	v := x.R.Header.Get("X-Ms-Content-Length")
	if v == "" {
		return noHeader("x-ms-content-length")
	}
	if t := x.R.Header.Get("X-Ms-Type"); !strings.EqualFold(t, "file") {
		return badHeader("x-ms-type", t)
	}
	size, err := fileSize(v)
	if err != nil {
		return err
	}
	headers, err := x.headers()
	if err != nil {
		return err
	}
	whole := content.NewSparse(size)
	if x.R.ContentLength > 0 { // since version 2025-05-05 a file may come with its content
		if x.R.ContentLength > size {
			return badHeader("x-ms-content-length", v)
		}
		data, err := x.take(x.R.ContentLength)
		if err != nil {
			return err
		}
		whole = whole.Write(0, data)
	}
	sh, n, err := x.create(tree.File, func(sh *tree.Share, n, old *tree.Node) *wire.Error {
		if err := x.replaceable(old); err != nil {
			return err
		}
		if old != nil {
			sh.Remove(old)
		}
		n.Headers, n.Content = headers, whole
		return x.describe(sh, n, true)
	})
	if err != nil {
		return err
	}
	x.show(sh, n)
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusCreated)
}

// replaceable tells whether a new file may take a node's place.
func (x *call) replaceable(old *tree.Node) *wire.Error {
	switch {
	case old == nil:
		return nil
	case old.Kind == tree.Directory:
		return typeMismatch()
	case old.Attributes&tree.ReadOnly != 0:
		return readOnly()
	}
	return old.Lease.CheckWrite(x.R.Header.Get("X-Ms-Lease-Id"), "File", x.Now)
}

// deleteFile answers Delete File.
func (x *call) deleteFile() *wire.Error {
	return x.remove(func(_ *tree.Share, n *tree.Node) *wire.Error {
		switch {
		case n.Kind == tree.Directory:
			return typeMismatch()
		case n.Attributes&tree.ReadOnly != 0:
			return readOnly()
		}
		return n.Lease.CheckWrite(x.R.Header.Get("X-Ms-Lease-Id"), "File", x.Now)
	})
}

// file returns the file that the path names; a link is none.
func (x *call) file() (*tree.Share, *tree.Node, *wire.Error) {
	sh, n, err := x.node()
	if err != nil {
		return nil, nil, err
	}
	if n.Kind == tree.Directory {
		return nil, nil, typeMismatch()
	}
	return sh, n, n.Lease.CheckRead(x.R.Header.Get("X-Ms-Lease-Id"), "File", x.Now)
}

// headFile answers Get File Properties and Get File Metadata.
func (x *call) headFile() *wire.Error {
	sh, n, err := x.file()
	if err != nil {
		return err
	}
	x.describeFile(sh, n)
	x.out.Set("Content-Length", strconv.FormatInt(n.Content.Size(), 10))
	if n.Headers.MD5 != nil {
		x.out.Set("Content-MD5", base64.StdEncoding.EncodeToString(n.Headers.MD5))
	}
	if x.R.Method == http.MethodGet { // Get File Metadata: no content
		x.out.Del("Content-Length")
	}
	return x.answer(http.StatusOK)
}

// describeFile writes the headers that tell of a file, its content apart.
func (x *call) describeFile(sh *tree.Share, n *tree.Node) {
	x.show(sh, n)
	n.Metadata.Write(x.out)
	x.out.Set("X-Ms-Type", "File")
	x.out.Set("X-Ms-Server-Encrypted", "true")
	x.leaseHeaders(n.Lease)
	for name, v := range map[string]string{
		"Content-Type": n.Headers.Type, "Content-Encoding": n.Headers.Encoding, "Content-Language": n.Headers.Language,
		"Cache-Control": n.Headers.CacheControl, "Content-Disposition": n.Headers.Disposition,
	} {
		if v != "" {
			x.out.Set(name, v)
		}
	}
	if c := n.Copy; c != nil {
		x.out.Set("X-Ms-Copy-Id", c.ID)
		x.out.Set("X-Ms-Copy-Source", c.Source)
		x.out.Set("X-Ms-Copy-Status", c.Status)
		x.out.Set("X-Ms-Copy-Progress", c.Progress)
		x.out.Set("X-Ms-Copy-Completion-Time", httpTime(c.Completed))
	}
	// A SAS may say how the file is to be shown.
	for param, name := range map[string]string{"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding", "rscl": "Content-Language", "rsct": "Content-Type"} {
		if v := x.query.Get(param); v != "" && x.query.Has("sig") {
			x.out.Set(name, v)
		}
	}
}

// getFile answers Get File.
func (x *call) getFile() *wire.Error {
	sh, n, err := x.file()
	if err != nil {
		return err
	}
	r, partial, err := x.readRange(n.Content.Size())
	if err != nil {
		return err
	}
	part := n.Content.Content(r.Off, r.N)
	if strings.EqualFold(x.R.Header.Get("X-Ms-Range-Get-Content-Md5"), "true") {
		if err := x.rangeMD5(part, partial); err != nil {
			return err
		}
	}
	x.describeFile(sh, n)
	x.out.Set("Accept-Ranges", "bytes")
	x.out.Set("Content-Length", strconv.FormatInt(r.N, 10))
	status := http.StatusOK
	if sum := n.Headers.MD5; sum != nil && !partial {
		x.out.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum))
	}
	if partial {
		status = http.StatusPartialContent
		x.out.Set("Content-Range", "bytes "+strconv.FormatInt(r.Off, 10)+"-"+strconv.FormatInt(r.End()-1, 10)+"/"+strconv.FormatInt(n.Content.Size(), 10))
		if n.Headers.MD5 != nil {
			x.out.Set("X-Ms-Content-Md5", base64.StdEncoding.EncodeToString(n.Headers.MD5))
		}
	}
	x.W.WriteHeader(status)
	if t, ok := x.W.(kit.Taker); ok {
		t.Take(part)
		return nil
	}
	// The client may have gone, or the octets were dropped: the answer ends too early.
	_, _ = part.WriteTo(x.W)
	return nil
}

// rangeMD5 computes the checksum of a range of at most 4 MiB.
func (x *call) rangeMD5(part content.Content, partial bool) *wire.Error {
	if !partial || part.Size() > largestRange {
		return bad("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
	}
	sums, err := content.Sum(part)
	if err != nil {
		return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()}
	}
	x.out.Set("Content-MD5", base64.StdEncoding.EncodeToString(sums.MD5))
	return nil
}
