// Package seed fills Blob Storage with what a scenario says and reads it back.
package seed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Keys are the members of a scenario's "data" object that are read here.
var Keys = []string{"containers", "virtual", "discardWrites", "encryptionScopes"}

// document is what is read of the "data" object.
type document struct {
	Containers []containerSeed `json:"containers"`
	Virtual    virtuals        `json:"virtual"`
	Discard    bool            `json:"discardWrites"`
	Scopes     []string        `json:"encryptionScopes"`
}

type containerSeed struct {
	Name         string            `json:"name"`
	Public       string            `json:"publicAccess"`
	Metadata     map[string]string `json:"metadata"`
	Policies     json.RawMessage   `json:"policies"`
	Scope        string            `json:"defaultEncryptionScope"`
	DenyOverride bool              `json:"denyEncryptionScopeOverride"`
	Holds        []string          `json:"legalHolds"`
	VersionWorm  bool              `json:"versionImmutability"`
	Immutability *struct {
		Days   int  `json:"days"`
		Locked bool `json:"locked"`
	} `json:"immutability"`
	Directories []directorySeed `json:"directories"`
	Blobs       []blobSeed      `json:"blobs"`
}

// virtuals is one object or a list of them.
type virtuals []virtualSeed

// UnmarshalJSON implements json.Unmarshaler.
func (v *virtuals) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		return decode(data, (*[]virtualSeed)(v))
	}
	var one virtualSeed
	if err := decode(data, &one); err != nil {
		return err
	}
	*v = virtuals{one}
	return nil
}

type virtualSeed struct {
	Container   string `json:"container"`
	Count       int    `json:"count"`
	Size        int64  `json:"size"`
	Seed        uint64 `json:"seed"`
	Prefix      string `json:"prefix"`
	PerFolder   int    `json:"perFolder"`
	Tier        string `json:"tier"`
	ContentType string `json:"contentType"`
}

// decode refuses members that are not known.
func decode(data []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Plant adds what a scenario says.
func Plant(a *model.Account, data json.RawMessage, now time.Time) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	mine := map[string]json.RawMessage{}
	for _, k := range Keys {
		if v, ok := members[k]; ok {
			mine[k] = v
		}
	}
	own, err := json.Marshal(mine)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	var doc document
	if err := decode(own, &doc); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	a.Configure(func(s *model.Settings) {
		s.Drop = s.Drop || doc.Discard
		s.Scopes = append(s.Scopes, doc.Scopes...)
	})
	for _, c := range doc.Containers {
		if err := c.plant(a, now); err != nil {
			return fmt.Errorf("container %q: %w", c.Name, err)
		}
	}
	for _, v := range doc.Virtual {
		if err := v.plant(a, now); err != nil {
			return fmt.Errorf("virtual blobs of container %q: %w", v.Container, err)
		}
	}
	return nil
}

func (c containerSeed) plant(a *model.Account, now time.Time) error {
	if !containers.ValidName(c.Name) {
		return fmt.Errorf("a container cannot have this name")
	}
	m, err := meta.FromSeed(c.Metadata)
	if err != nil {
		return err
	}
	policies, err := acl.Seed(c.Policies, containers.Letters)
	if err != nil {
		return err
	}
	state := model.ContainerState{
		Meta: m, Public: strings.ToLower(c.Public), Policies: policies, Scope: c.Scope, DenyOverride: c.DenyOverride, VersionWorm: c.VersionWorm,
	}
	if state.Public != "" && state.Public != "blob" && state.Public != "container" {
		return fmt.Errorf("publicAccess is %q, not blob or container", c.Public)
	}
	into, refusal := a.Create(c.Name, now, state)
	if refusal != nil {
		return refusal
	}
	for i, d := range c.Directories {
		if err := d.plant(into, now); err != nil {
			return fmt.Errorf("directory %d %q: %w", i, d.Path, err)
		}
	}
	for i, b := range c.Blobs {
		if err := b.plant(into, now); err != nil {
			return fmt.Errorf("blob %d %q: %w", i, b.Name, err)
		}
	}
	// What protects the blobs comes after them.
	return asError(into.Update(func(s *model.ContainerState) *wire.Error {
		s.Holds = c.Holds
		if w := c.Immutability; w != nil {
			s.Worm = &model.Worm{Days: w.Days, Locked: w.Locked, ETag: model.NewETag(), At: now}
		}
		return nil
	}))
}

// asError keeps a nil *wire.Error from becoming an error that is not nil.
func asError(e *wire.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func (v virtualSeed) plant(a *model.Account, now time.Time) error {
	switch {
	case v.Count < 1:
		return fmt.Errorf("count is %d: at least 1 is needed", v.Count)
	case a.Hierarchical():
		return fmt.Errorf("generated blobs have no directories: accounts with isHnsEnabled cannot have them")
	case v.Size < 0 || v.PerFolder < 0:
		return fmt.Errorf("size and perFolder are not negative")
	}
	c, err := a.Container(v.Container)
	if err != nil {
		if !containers.ValidName(v.Container) {
			return fmt.Errorf("a container cannot have this name")
		}
		if c, err = a.Create(v.Container, now, model.ContainerState{}); err != nil {
			return err
		}
	}
	if v.Tier == "" {
		v.Tier = "Hot"
	}
	if v.ContentType == "" {
		v.ContentType = "application/octet-stream"
	}
	c.SetVirtual(model.NewVirtual(model.Virtual{
		Count: v.Count, Size: v.Size, Seed: v.Seed, Prefix: v.Prefix, PerFolder: v.PerFolder, Tier: v.Tier, ContentType: v.ContentType,
		At: now.UTC().Truncate(time.Second),
	}))
	return nil
}
