// Package containers holds the operations of Blob Storage on containers and the lists.
package containers

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Letters are the SAS permissions that policies of containers may hold.
const Letters = "racwdxyltfmeopi"

// reserved are the containers whose names break the rules.
var reserved = []string{"$root", "$web", "$logs", "$blobchangefeed"}

// ValidName tells whether a container may be called so (Azure: Naming and referencing
// containers, blobs, and metadata).
func ValidName(name string) bool {
	for _, r := range reserved {
		if name == r {
			return true
		}
	}
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "--") || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	return strings.IndexFunc(name, func(c rune) bool { return c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') }) < 0
}

// CheckName refuses a name that no container can have.
func CheckName(name string) *wire.Error {
	switch {
	case ValidName(name):
		return nil
	case len(name) < 3 || len(name) > 63:
		return req.Bad("OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
	}
	return req.Bad("InvalidResourceName", "The specified resource name contains invalid characters.")
}

// Create answers Create Container.
func Create(r *req.Request) *wire.Error {
	if err := r.Allow("cw", "", "containers/write"); err != nil {
		return err
	}
	if err := CheckName(r.Container); err != nil {
		return err
	}
	m, err := r.Metadata()
	if err != nil {
		return err
	}
	public, err := public(r)
	if err != nil {
		return err
	}
	c, err := r.Store.Create(r.Container, r.Now, model.ContainerState{
		Root: Root(r), Meta: m, Public: public, Scope: r.Header("X-Ms-Default-Encryption-Scope"),
		DenyOverride: strings.EqualFold(r.Header("X-Ms-Deny-Encryption-Scope-Override"), "true"),
	})
	if err != nil {
		return err
	}
	s := c.View()
	r.ETag(s.ETag, s.Modified)
	return r.Answer(http.StatusCreated)
}

// Root is who may do what with the root directory of a new container; nil where there is
// no hierarchy.
func Root(r *req.Request) *posix.Access {
	if !r.Store.Hierarchical() {
		return nil
	}
	root := posix.New(r.Caller(), r.Caller(), posix.NewRoot)
	return &root
}

func public(r *req.Request) (string, *wire.Error) {
	switch v := r.Header("X-Ms-Blob-Public-Access"); v {
	case "", "blob", "container":
		return v, nil
	case "true": // before version 2009-09-19
		return "container", nil
	default:
		return "", req.BadHeader("x-ms-blob-public-access", v)
	}
}

// Delete answers Delete Container.
func Delete(r *req.Request) *wire.Error {
	if err := r.Allow("d", "", "containers/delete"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	err = r.Store.Delete(r.Container, r.Now, func(c *model.Container) *wire.Error {
		switch {
		case len(c.Holds) > 0:
			return req.Conflict("ContainerImmutableDueToPolicy", "This operation is not permitted as the container is immutable due to a policy.") // words not confirmed
		case c.Worm != nil && c.Worm.Locked && c.Full(), c.VersionWorm && c.Full():
			return req.Conflict("ContainerImmutableDueToPolicy", "This operation is not permitted as the container is immutable due to a policy.") // words not confirmed
		}
		if err := c.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Container", r.Now); err != nil {
			return err
		}
		return cond.CheckTime(c.Modified)
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusAccepted)
}

// Restore answers Restore Container.
func Restore(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/write"); err != nil {
		return err
	}
	if name := r.Header("X-Ms-Deleted-Container-Name"); name != r.Container {
		return req.BadHeader("x-ms-deleted-container-name", name)
	}
	if err := r.Store.Restore(r.Container, r.Header("X-Ms-Deleted-Container-Version"), r.Now); err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// Get answers Get Container Properties and Get Container Metadata.
func Get(r *req.Request) *wire.Error {
	if err := r.Allow("r", "container", "containers/read"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	s := c.View()
	if err := s.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Container", r.Now); err != nil {
		return err
	}
	r.ETag(s.ETag, s.Modified)
	s.Meta.Write(r.Out)
	if r.Param("comp") == "metadata" {
		return r.Answer(http.StatusOK)
	}
	h := r.Out
	h.Set("X-Ms-Lease-Status", s.Lease.Status(r.Now))
	h.Set("X-Ms-Lease-State", s.Lease.State(r.Now))
	if d := s.Lease.DurationText(r.Now); d != "" {
		h.Set("X-Ms-Lease-Duration", d)
	}
	if s.Public != "" {
		h.Set("X-Ms-Blob-Public-Access", s.Public)
	}
	h.Set("X-Ms-Has-Immutability-Policy", yes(s.Worm != nil))
	h.Set("X-Ms-Has-Legal-Hold", yes(len(s.Holds) > 0))
	h.Set("X-Ms-Immutable-Storage-With-Versioning-Enabled", yes(s.VersionWorm))
	h.Set("X-Ms-Default-Encryption-Scope", scopeOr(s.Scope))
	h.Set("X-Ms-Deny-Encryption-Scope-Override", yes(s.DenyOverride))
	return r.Answer(http.StatusOK)
}

// scopeOr is the name that Azure gives the account's own keys.
func scopeOr(scope string) string {
	if scope == "" {
		return "$account-encryption-key"
	}
	return scope
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// SetMetadata answers Set Container Metadata.
func SetMetadata(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/write"); err != nil {
		return err
	}
	m, err := r.Metadata()
	if err != nil {
		return err
	}
	return change(r, http.StatusOK, func(s *model.ContainerState) *wire.Error {
		s.Meta = m
		return nil
	})
}

// change updates the container under its lease and conditions.
func change(r *req.Request, status int, set func(*model.ContainerState) *wire.Error) *wire.Error {
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Update(func(s *model.ContainerState) *wire.Error {
		if err := s.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Container", r.Now); err != nil {
			return err
		}
		if err := cond.CheckTime(s.Modified); err != nil {
			return err
		}
		if err := set(s); err != nil {
			return err
		}
		s.ETag, s.Modified = model.NewETag(), r.Now
		r.ETag(s.ETag, s.Modified)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(status)
}

// GetACL answers Get Container ACL. A SAS does not open it.
func GetACL(r *req.Request) *wire.Error {
	if err := r.Allow("", "", "containers/getAcl/action"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	s := c.View()
	if err := s.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Container", r.Now); err != nil {
		return err
	}
	r.ETag(s.ETag, s.Modified)
	if s.Public != "" {
		r.Out.Set("X-Ms-Blob-Public-Access", s.Public)
	}
	return r.WriteXML(acl.Format(s.Policies))
}

// SetACL answers Set Container ACL: public access and stored policies.
func SetACL(r *req.Request) *wire.Error {
	if err := r.Allow("", "", "containers/setAcl/action"); err != nil {
		return err
	}
	body, err := r.XML(64 << 10)
	if err != nil {
		return err
	}
	ps, err := acl.Parse(body, Letters)
	if err != nil {
		return err
	}
	public, err := public(r)
	if err != nil {
		return err
	}
	return change(r, http.StatusOK, func(s *model.ContainerState) *wire.Error {
		s.Public, s.Policies = public, ps
		return nil
	})
}

// Lease answers Lease Container.
func Lease(r *req.Request) *wire.Error {
	if err := r.Allow("wd", "", "containers/write"); err != nil {
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
	status := 0
	var etag string
	var modified time.Time
	err = c.Update(func(s *model.ContainerState) *wire.Error {
		if err := cond.CheckTime(s.Modified); err != nil {
			return err
		}
		next, code, err := r.Lease(s.Lease)
		s.Lease, status, etag, modified = next, code, s.ETag, s.Modified
		return err
	})
	if err != nil {
		return err
	}
	r.ETag(etag, modified)
	return r.Answer(status)
}
