package seed

import (
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// accessSeed is who may do what with a path of a hierarchical namespace. What is left out
// comes from the directory that holds it.
type accessSeed struct {
	Owner       string `json:"owner"`
	Group       string `json:"group"`
	Permissions string `json:"permissions"` // "rwxr-x---" or "0750"
	ACL         string `json:"acl"`         // as x-ms-acl has it, default entries among them if wanted
	DefaultACL  string `json:"defaultAcl"`  // of a directory, with or without "default:"
}

// given tells whether a scenario says anything of it.
func (s accessSeed) given() bool { return s != accessSeed{} }

// over returns an access with what the scenario says in place of what it had.
func (s accessSeed) over(a posix.Access, directory bool) (posix.Access, error) {
	if s.Owner != "" {
		a.Owner = s.Owner
	}
	if s.Group != "" {
		a.Group = s.Group
	}
	if s.Permissions != "" {
		m, err := posix.ParseMode(s.Permissions)
		if err != nil {
			return a, fmt.Errorf("permissions: %w", err)
		}
		a = a.Chmod(m)
	}
	var err error
	if s.ACL != "" {
		var list posix.ACL
		if list, err = posix.Parse(s.ACL, true); err == nil {
			a, err = a.Replace(list, directory)
		}
	}
	if s.DefaultACL != "" && err == nil {
		var list posix.ACL
		if list, err = posix.Parse(s.DefaultACL, true); err == nil {
			for i := range list {
				list[i].Default = true
			}
			a, err = a.Modify(list, directory)
		}
	}
	if err != nil {
		return a, fmt.Errorf("acl: %w", err)
	}
	return a, nil
}

type directorySeed struct {
	accessSeed
	Path     string            `json:"path"` // "/" is the root directory
	Metadata map[string]string `json:"metadata"`
}

// plant makes the directory, and those above it that are not there.
func (s directorySeed) plant(c *model.Container, now time.Time) error {
	path := req.Clean(strings.TrimSpace(s.Path))
	if c.View().Root == nil {
		return fmt.Errorf("only accounts with isHnsEnabled have directories")
	}
	if path == "" {
		return s.root(c)
	}
	m, err := meta.FromSeed(s.Metadata)
	if err != nil {
		return err
	}
	var failure error
	refusal := c.Change(path, now, func(t *model.Tx) *wire.Error {
		if err := t.Way(); err != nil {
			return err
		}
		if t.Live() != nil {
			return &wire.Error{Code: "PathAlreadyExists", Message: "The specified path already exists."}
		}
		d := t.Replace(model.NewDirectory(nil, m))
		a, err := s.over(*d.Access, true)
		d.Access, failure = &a, err
		return nil
	})
	if refusal != nil {
		return refusal
	}
	return failure
}

func (s directorySeed) root(c *model.Container) error {
	if s.Path != "/" {
		return fmt.Errorf("path is %q: \"/\" is the root directory", s.Path)
	}
	root, err := s.over(*c.View().Root, true)
	if err != nil {
		return err
	}
	return asError(c.Update(func(st *model.ContainerState) *wire.Error {
		st.Root = &root
		return nil
	}))
}
