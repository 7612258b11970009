package children

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// containerServer is what the Blob service does for Resource Manager alone.
type containerServer interface {
	Container(accountID, name string, change func(*model.ContainerState) *wire.Error) (model.ContainerState, *wire.Error)
}

// same leaves a container as it is.
func same(*model.ContainerState) *wire.Error { return nil }

func (c *Child) containers() containerServer {
	s, _ := c.Server.(containerServer) // storage's own blob service; tests with another have no containers
	return s
}

// container answers what is below a container: its immutability policy and legal holds.
func (c *Child) container(name string, rest []string) (wire.Answer, bool, *wire.Error) {
	if c.containers() == nil {
		return wire.Answer{}, false, nil
	}
	post := c.Call.Method == http.MethodPost
	switch {
	case post && strings.EqualFold(rest[0], "setLegalHold"), post && strings.EqualFold(rest[0], "clearLegalHold"):
		answer, err := c.legalHold(name, strings.EqualFold(rest[0], "setLegalHold"))
		return answer, true, err
	case post && strings.EqualFold(rest[0], "lease"):
		answer, err := c.lease(name)
		return answer, true, err
	case post && strings.EqualFold(rest[0], "migrate"):
		return wire.Answer{Status: http.StatusAccepted}, true, c.lockVersions(name)
	case strings.EqualFold(rest[0], "immutabilityPolicies") && len(rest) >= 2:
		answer, err := c.policy(name, rest[1:])
		return answer, true, err
	}
	return wire.Answer{}, false, nil
}

func (c *Child) lockVersions(name string) *wire.Error {
	_, err := c.containers().Container(c.Account.ID, name, func(s *model.ContainerState) *wire.Error {
		s.VersionWorm = true
		return nil
	})
	return err
}

// immutability adds to a container's properties what protects it.
func (c *Child) immutability(name string, props map[string]any) {
	if c.containers() == nil {
		return
	}
	s, err := c.containers().Container(c.Account.ID, name, same)
	if err != nil {
		return
	}
	props["hasImmutabilityPolicy"], props["hasLegalHold"] = s.Worm != nil, len(s.Holds) > 0
	if s.VersionWorm {
		props["immutableStorageWithVersioning"] = map[string]any{"enabled": true, "migrationState": "Completed"}
	}
	if s.Worm != nil {
		props["immutabilityPolicy"] = map[string]any{"etag": s.Worm.ETag, "properties": policyProperties(s.Worm)}
	}
	if len(s.Holds) > 0 {
		tags := []any{}
		for _, h := range s.Holds {
			tags = append(tags, map[string]any{"tag": h})
		}
		props["legalHold"] = map[string]any{"hasLegalHold": true, "tags": tags}
	}
}

// legalHold answers Blob Containers - Set Legal Hold and Clear Legal Hold.
func (c *Child) legalHold(name string, set bool) (wire.Answer, *wire.Error) {
	var in struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(c.Call.Body, &in); err != nil {
		return wire.Answer{}, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	for _, t := range in.Tags {
		if len(t) < 3 || len(t) > 23 {
			return wire.Answer{}, badRequest("InvalidLegalHoldTag", "The legal hold tag %s has not 3 to 23 alphanumeric characters.", t) // words not confirmed
		}
	}
	s, err := c.containers().Container(c.Account.ID, name, func(s *model.ContainerState) *wire.Error {
		holds := slices.DeleteFunc(slices.Clone(s.Holds), func(h string) bool { return slices.Contains(in.Tags, h) })
		if set {
			holds = append(holds, in.Tags...)
		}
		if len(holds) > 10 {
			return badRequest("TooManyLegalHoldTags", "A container has at most 10 legal hold tags.") // words not confirmed
		}
		s.Holds = holds
		return nil
	})
	if err != nil {
		return wire.Answer{}, err
	}
	return wire.Answer{Body: map[string]any{"hasLegalHold": len(s.Holds) > 0, "tags": in.Tags}}, nil
}

// policy answers the operations on a container's immutability policy.
func (c *Child) policy(name string, rest []string) (wire.Answer, *wire.Error) {
	change := same
	switch {
	case c.Call.Method == http.MethodGet && len(rest) == 1:
	case c.Call.Method == http.MethodPut && len(rest) == 1:
		change = c.setWorm(false)
	case c.Call.Method == http.MethodPost && len(rest) == 2 && strings.EqualFold(rest[1], "extend"):
		change = c.setWorm(true)
	case c.Call.Method == http.MethodPost && len(rest) == 2 && strings.EqualFold(rest[1], "lock"):
		change = lockWorm
	case c.Call.Method == http.MethodDelete && len(rest) == 1:
		change = deleteWorm
	default:
		return wire.Answer{}, &wire.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The immutability policy does not support " + c.Call.Method + "."}
	}
	s, err := c.containers().Container(c.Account.ID, name, change)
	if err != nil {
		return wire.Answer{}, err
	}
	w := s.Worm
	if w == nil {
		w = &model.Worm{}
	}
	id := c.Account.ID + "/blobServices/default/containers/" + name + "/immutabilityPolicies/default"
	out := resource(id, "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies", "default", policyProperties(w))
	out["etag"] = w.ETag
	return wire.Answer{Body: out}, nil
}

func policyProperties(w *model.Worm) map[string]any {
	state := "Unlocked"
	switch {
	case w.Locked:
		state = "Locked"
	case w.ETag == "":
		state = "Deleted"
	}
	return map[string]any{
		"immutabilityPeriodSinceCreationInDays": w.Days, "state": state,
		"allowProtectedAppendWrites": w.AllowAppend, "allowProtectedAppendWritesAll": w.AllowAppends,
	}
}

// setWorm sets the days of an unlocked policy, or lengthens those of a locked one. The
// words of the refusals are not confirmed.
func (c *Child) setWorm(extend bool) func(*model.ContainerState) *wire.Error {
	return func(s *model.ContainerState) *wire.Error {
		var in struct {
			Properties struct {
				Days    int  `json:"immutabilityPeriodSinceCreationInDays"`
				Append  bool `json:"allowProtectedAppendWrites"`
				Appends bool `json:"allowProtectedAppendWritesAll"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(c.Call.Body, &in); err != nil {
			return badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
		}
		p := in.Properties
		if p.Days < 1 || p.Days > 146_000 {
			return badRequest("InvalidImmutabilityPeriod", "The immutability period is 1 to 146,000 days.")
		}
		old := s.Worm
		next := &model.Worm{Days: p.Days, AllowAppend: p.Append, AllowAppends: p.Appends, ETag: model.NewETag(), At: c.Now}
		switch {
		case extend && (old == nil || !old.Locked):
			return conflict("ImmutabilityPolicyNotLocked", "Only a locked immutability policy is extended.")
		case extend && (p.Days <= old.Days || old.Updates >= 5):
			return conflict("InvalidOperationOnLockedImmutabilityPolicy", "A locked policy can be made longer, and only five times.")
		case extend:
			next.Locked, next.Updates, next.AllowAppend, next.AllowAppends = true, old.Updates+1, old.AllowAppend, old.AllowAppends
		case old != nil && old.Locked:
			return conflict("ContainerImmutabilityPolicyFailure", "The immutability policy is locked.")
		}
		s.Worm = next
		return nil
	}
}

func lockWorm(s *model.ContainerState) *wire.Error {
	if s.Worm == nil {
		return notFound("ContainerImmutabilityPolicyNotFound", "The container has no immutability policy.") // words not confirmed
	}
	next := *s.Worm
	next.Locked, next.ETag = true, model.NewETag()
	s.Worm = &next
	return nil
}

func deleteWorm(s *model.ContainerState) *wire.Error {
	if s.Worm != nil && s.Worm.Locked {
		return conflict("ContainerImmutabilityPolicyFailure", "The immutability policy is locked.") // words not confirmed
	}
	s.Worm = nil
	return nil
}

// lease answers Blob Containers - Lease: the same as on the data plane.
func (c *Child) lease(name string) (wire.Answer, *wire.Error) {
	var in struct {
		Action   string  `json:"action"`
		ID       string  `json:"leaseId"`
		Proposed string  `json:"proposedLeaseId"`
		Duration *number `json:"leaseDuration"`
		Break    *number `json:"breakPeriod"`
	}
	if err := json.Unmarshal(c.Call.Body, &in); err != nil {
		return wire.Answer{}, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	h := map[string]string{"x-ms-lease-action": strings.ToLower(in.Action)}
	for name, v := range map[string]string{"x-ms-lease-id": in.ID, "x-ms-proposed-lease-id": in.Proposed, "x-ms-lease-duration": in.Duration.text(), "x-ms-lease-break-period": in.Break.text()} {
		if v != "" {
			h[name] = v
		}
	}
	w := c.request(http.MethodPut, name, c.with("lease"), h, nil)
	if err := w.Failure(); err != nil {
		return wire.Answer{}, err
	}
	out := map[string]any{}
	if id := w.Header().Get("X-Ms-Lease-Id"); id != "" {
		out["leaseId"] = id
	}
	if left := w.Header().Get("X-Ms-Lease-Time"); left != "" {
		out["leaseTimeSeconds"] = left
	}
	return wire.Answer{Body: out}, nil
}

// number is an optional whole number.
type number json.Number

func (n *number) text() string {
	if n == nil {
		return ""
	}
	return string(*n)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	*n = number(data)
	return nil
}
