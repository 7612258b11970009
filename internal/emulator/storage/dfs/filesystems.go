package dfs

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// createFilesystem answers Filesystem Create.
func createFilesystem(r *req.Request) *wire.Error {
	if err := r.Allow("cw", "", "containers/write"); err != nil {
		return err
	}
	if err := containers.CheckName(r.Container); err != nil {
		return err
	}
	m, err := readProperties(r)
	if err != nil {
		return err
	}
	c, err := r.Store.Create(r.Container, r.Now, model.ContainerState{Meta: m, Root: containers.Root(r)})
	if err != nil {
		return err
	}
	s := c.View()
	r.ETag(s.ETag, s.Modified)
	r.Out.Set("X-Ms-Namespace-Enabled", strconv.FormatBool(r.Store.Hierarchical()))
	return r.Answer(http.StatusCreated)
}

// deleteFilesystem answers Filesystem Delete.
func deleteFilesystem(r *req.Request) *wire.Error { return containers.Delete(r) }

// getFilesystemProperties answers Filesystem Get Properties.
func getFilesystemProperties(r *req.Request) *wire.Error {
	if err := r.Allow("r", "", "containers/read"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	s := c.View()
	r.ETag(s.ETag, s.Modified)
	s.Meta.Write(r.Out)
	r.Out.Set("X-Ms-Namespace-Enabled", strconv.FormatBool(r.Store.Hierarchical()))
	return r.Answer(http.StatusOK)
}

// setFilesystemProperties answers Filesystem Set Properties: all at once.
func setFilesystemProperties(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/write"); err != nil {
		return err
	}
	m, err := readProperties(r)
	if err != nil {
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
	err = c.Update(func(s *model.ContainerState) *wire.Error {
		if err := cond.CheckTime(s.Modified); err != nil {
			return err
		}
		s.Meta, s.ETag, s.Modified = m, model.NewETag(), r.Now
		r.ETag(s.ETag, s.Modified)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}

// listedFilesystem is one of Filesystem List.
type listedFilesystem struct {
	Name     string `json:"name"`
	ETag     string `json:"eTag"`
	Modified string `json:"lastModified"`
}

// listFilesystems answers Filesystem List.
func listFilesystems(r *req.Request) *wire.Error {
	if err := r.Allow("l", "", "containers/read"); err != nil {
		return err
	}
	most, from, err := page(r)
	if err != nil {
		return err
	}
	out := []listedFilesystem{}
	prefix := r.Param("prefix")
	r.Store.Containers(max(from, prefix), false, r.Now, func(c *model.Container) bool {
		if !strings.HasPrefix(c.Name, prefix) {
			return false
		}
		if len(out) == most {
			r.Out.Set("X-Ms-Continuation", mark(c.Name))
			return false
		}
		s := c.View()
		out = append(out, listedFilesystem{c.Name, s.ETag, s.Modified.UTC().Format(http.TimeFormat)})
		return true
	})
	return writeJSON(r, map[string]any{"filesystems": out})
}

func writeJSON(r *req.Request, v any) *wire.Error {
	body, err := json.Marshal(v)
	if err != nil {
		return req.Refuse(http.StatusInternalServerError, "InternalError", "The server encountered an internal error. Please retry the request.")
	}
	r.Out.Set("Content-Type", "application/json;charset=utf-8")
	r.W.WriteHeader(http.StatusOK)
	_, _ = r.W.Write(body) // the client may have gone
	return nil
}

// fileTime is a time as Windows counts it: hundreds of nanoseconds since 1601.
func fileTime(t time.Time) string {
	const to1970 = 116_444_736_000_000_000
	return strconv.FormatInt(t.UnixNano()/100+to1970, 10)
}
