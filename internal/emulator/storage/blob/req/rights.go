package req

import (
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Caller owns what the request makes: the object ID of a token, or the super user where
// there is none.
func (r *Request) Caller() string {
	if c, ok := access.Claims(r.Grant); ok && c.ObjectID != "" {
		return c.ObjectID
	}
	return posix.Superuser
}

// AllowPath is Allow for an operation on the request's path in a hierarchical namespace,
// which the access control lists may grant to those whose roles do not (Azure: Access control model
// in Azure Data Lake Storage).
func (r *Request) AllowPath(letters string, need model.Rights, actions ...string) *wire.Error {
	n := kit.Need{Scope: r.Scope(), Letters: letters, Type: "o", Container: r.Container, Object: r.Blob}
	for _, a := range actions {
		n.Actions = append(n.Actions, services+a)
	}
	err := r.Grant.Check(n)
	if err != nil && r.listed(&need) {
		return nil
	}
	return err
}

// ByLists returns the caller whom the access control lists let in, where no role does.
func (r *Request) ByLists(actions ...string) (id string, ok bool) {
	c, bearer := access.Claims(r.Grant)
	n := kit.Need{Scope: r.Scope()}
	for _, a := range actions {
		n.Actions = append(n.Actions, services+a)
	}
	return c.ObjectID, bearer && r.Grant.Check(n) != nil
}

// rights are what an operation of the blob service needs of the lists; nil: nothing that a
// list could give. A list of blobs is asked for by the directory that its prefix names.
func (r *Request) rights(action string) *model.Rights {
	switch {
	case action == "containers/blobs/read" && r.Blob != "":
		return &model.Rights{Path: r.Blob, Want: posix.Read}
	case action == "containers/blobs/read" && r.Container != "":
		return &model.Rights{Path: model.Parent(r.Param("prefix")), Want: posix.Read | posix.Execute}
	case r.Blob == "":
		return nil
	case action == "containers/blobs/write" || action == "containers/blobs/add/action":
		return &model.Rights{Path: r.Blob, Want: posix.Write, Create: posix.Write | posix.Execute}
	case action == "containers/blobs/delete":
		need := model.Leave(r.Blob)
		return &need
	}
	return nil
}

// listed tells whether the lists let the bearer of a token do something.
func (r *Request) listed(need *model.Rights) bool {
	c, ok := access.Claims(r.Grant)
	if !ok || need == nil || !r.Store.Hierarchical() {
		return false
	}
	into, err := r.Store.Container(r.Container)
	return err == nil && into.Allows(c.ObjectID, *need)
}

// Owns tells whether the caller is the owner of a path; "" is the root directory.
func (r *Request) Owns(path string) bool {
	c, ok := access.Claims(r.Grant)
	if !ok {
		return false
	}
	in, err := r.Store.Container(r.Container)
	return err == nil && in.Owns(c.ObjectID, path)
}
