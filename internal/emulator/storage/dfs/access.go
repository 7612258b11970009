package dfs

import (
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// getAccess answers Path Get Properties with getAccessControl.
func getAccess(r *req.Request) *wire.Error {
	if err := onlyHierarchical(r); err != nil {
		return err
	}
	if err := r.AllowPath("er", model.Rights{Path: r.Blob}, "containers/blobs/read"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	if r.Blob == "" {
		s := c.View()
		r.ETag(s.ETag, s.Modified)
		showAccess(r, s.Root, true)
		r.Out.Set("X-Ms-Resource-Type", "directory")
		return r.Answer(http.StatusOK)
	}
	b := r.Store.Look(r.Container, r.Blob, r.Now)
	if b == nil {
		return model.BlobNotFound()
	}
	if err := cond.CheckRead(b); err != nil {
		return err
	}
	r.ETag(b.ETag, b.Modified)
	showAccess(r, b.Access, true)
	r.Out.Set("X-Ms-Resource-Type", kindOf(b))
	return r.Answer(http.StatusOK)
}

// setAccess answers Path Update with setAccessControl.
func setAccess(r *req.Request) *wire.Error {
	if err := onlyHierarchical(r); err != nil {
		return err
	}
	want, err := readChange(r)
	if err != nil {
		return err
	}
	if err := want.allow(r); err != nil {
		return err
	}
	if r.Blob == "" {
		err = changeRoot(r, want.apply)
	} else {
		err = update(r, func(t *model.Tx, b *model.Blob) *wire.Error {
			next, err := want.apply(*b.Access, b.Dir)
			if err != nil {
				return err
			}
			alterAccess(t, b, next)
			return nil
		})
	}
	if err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}

// alterAccess gives a path another access. It stays the same file: neither its time nor its
// ETag change, which is not confirmed.
func alterAccess(t *model.Tx, b *model.Blob, a posix.Access) {
	next := b.Clone()
	next.Access = &a
	t.Swap(b, next)
}

// changeRoot changes the root directory.
func changeRoot(r *req.Request, alter func(posix.Access, bool) (posix.Access, *wire.Error)) *wire.Error {
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	return c.Update(func(s *model.ContainerState) *wire.Error {
		next, err := alter(*s.Root, true)
		if err != nil {
			return err
		}
		s.Root = &next
		r.ETag(s.ETag, s.Modified)
		return nil
	})
}

// accessChange is what a request wants a path's access to be; "" and nil stay as they are.
type accessChange struct {
	owner, group string
	mode         *posix.Mode
	list         posix.ACL
}

func readChange(r *req.Request) (accessChange, *wire.Error) {
	out := accessChange{owner: r.Header("X-Ms-Owner"), group: r.Header("X-Ms-Group")}
	permissions, list := r.Header("X-Ms-Permissions"), r.Header("X-Ms-Acl")
	if permissions != "" && list != "" {
		return out, req.BadHeader("x-ms-acl", list)
	}
	if permissions != "" {
		m, err := posix.ParseMode(permissions)
		if err != nil {
			return out, req.BadHeader("x-ms-permissions", permissions)
		}
		out.mode = &m
	}
	if list != "" {
		var err error
		if out.list, err = posix.Parse(list, true); err != nil {
			return out, req.BadHeader("x-ms-acl", list)
		}
	}
	if out.owner == "" && out.group == "" && out.mode == nil && out.list == nil {
		return out, req.MissingHeader("x-ms-acl") // which one Azure names is not confirmed
	}
	return out, nil
}

func (w accessChange) apply(a posix.Access, directory bool) (posix.Access, *wire.Error) {
	if w.owner != "" {
		a.Owner = w.owner
	}
	if w.group != "" {
		a.Group = w.group
	}
	if w.mode != nil {
		a = a.Chmod(*w.mode)
	}
	if w.list != nil {
		next, err := a.Replace(w.list, directory)
		if err != nil {
			return a, badList(w.list, err)
		}
		a = next
	}
	return a, nil
}

// badList: code and words are not confirmed.
func badList(list posix.ACL, err error) *wire.Error {
	e := req.BadHeader("x-ms-acl", list.Text())
	e.Message += " The access control list is not valid: " + err.Error() + "."
	return e
}

// allow asks for the right to change the owner, which super users have, and to change the
// rest, which the owner has too (Azure: Access control lists, The owning user).
func (w accessChange) allow(r *req.Request) *wire.Error {
	if w.owner != "" {
		if err := r.Allow("o", "", "containers/blobs/manageOwnership/action"); err != nil {
			return err
		}
	}
	if w.owner != "" && w.group == "" && w.mode == nil && w.list == nil {
		return nil
	}
	return allowModify(r)
}

func mayModify(r *req.Request) *wire.Error {
	return r.Allow("p", "", "containers/blobs/modifyPermissions/action")
}

func allowModify(r *req.Request) *wire.Error {
	err := mayModify(r)
	if err != nil && r.Owns(r.Blob) {
		return nil
	}
	return err
}
