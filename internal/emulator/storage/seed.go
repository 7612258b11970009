package storage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

// ownKeys are the members of a scenario's "data" object that are the account's own.
var ownKeys = []string{"accountKeys", "blobService", "fileService", "queueService", "tableService", "managementPolicy"}

// seed hands a scenario's data on to the services, and takes what is the account's own.
func (s *Service) seed(e *entry, data json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("data is not a JSON object: %w", err)
	}
	if err := s.checkKeys(members); err != nil {
		return err
	}
	var own struct {
		AccountKeys      []string        `json:"accountKeys"`
		BlobService      map[string]any  `json:"blobService"`
		FileService      map[string]any  `json:"fileService"`
		QueueService     map[string]any  `json:"queueService"`
		TableService     map[string]any  `json:"tableService"`
		ManagementPolicy json.RawMessage `json:"managementPolicy"`
	}
	if err := json.Unmarshal(data, &own); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	now := s.opt.Clock().UTC()
	s.mu.Lock()
	err := e.setKeys(own.AccountKeys, now)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for kind, props := range map[kit.Kind]map[string]any{kit.Blob: own.BlobService, kit.File: own.FileService, kit.Queue: own.QueueService, kit.Table: own.TableService} {
		if props == nil {
			continue
		}
		if err := s.seedService(e, kind, props); err != nil {
			return err
		}
	}
	if own.ManagementPolicy != nil {
		policy, refusal := s.readPolicy(fmt.Appendf(nil, `{"properties":{"policy":%s}}`, own.ManagementPolicy))
		if refusal != nil {
			return fmt.Errorf("managementPolicy: %w", refusal)
		}
		s.setDoc(e, "managementpolicies/default", policy)
	}
	for _, kind := range kinds {
		server, ok := s.servers[kind]
		if !ok || kind == kit.Web || kind == kit.DFS {
			continue // they share the blob service's data
		}
		if err := server.Seed(s.accountOf(e), data, now); err != nil {
			return err
		}
	}
	return nil
}

// seedService sets what ARM would set of a service.
func (s *Service) seedService(e *entry, kind kit.Kind, given map[string]any) error {
	props := cloneMap(defaults[kind])
	for k, v := range given {
		props[k] = v
	}
	if err := s.configure(e, kind, props); err != nil {
		return fmt.Errorf("%sService: %w", kind, err)
	}
	return nil
}

// checkKeys refuses a member that nobody reads, as far as all services say what they read.
func (s *Service) checkKeys(members map[string]json.RawMessage) error {
	known := slices.Clone(ownKeys)
	for _, server := range s.servers {
		says, ok := server.(kit.Seeder)
		if !ok {
			return nil
		}
		known = append(known, says.SeedKeys()...)
	}
	for k := range members {
		if !slices.Contains(known, k) {
			slices.Sort(known)
			return fmt.Errorf("data: nothing is known of %q; known are %s", k, strings.Join(slices.Compact(known), ", "))
		}
	}
	return nil
}
