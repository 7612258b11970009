package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// mark is a checkpoint: what an attempt did that a later one must know of.
type mark struct {
	// Lent are the versions of the source that were enabled for reading and have to be
	// disabled again.
	Lent []string `json:"lent,omitempty"`
	// Ours says that the target's object differs because this program has not finished with it.
	Ours bool `json:"ours,omitempty"`
	// Recovered says that the target's deleted object is being recovered, to be written over.
	Recovered bool `json:"recovered,omitempty"`
}

func readMark(b []byte) (mark, error) {
	var m mark
	if len(b) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("the checkpoint cannot be read: %w", err)
	}
	return m, nil
}

// save makes a change of the mark durable before the step that it speaks of.
func (j *job) save(change func(*mark)) error {
	change(&j.mark)
	if j.Save == nil {
		return nil
	}
	b, err := json.Marshal(j.mark)
	if err != nil {
		return err
	}
	if err := j.Save(b); err != nil {
		return j.fail("save a checkpoint", "", err)
	}
	return nil
}

func (j *job) clients(side plugin.Side) *vault.Clients {
	if side == plugin.Source {
		return j.src
	}
	return j.dst
}

// fail wraps what the SDK returned with where it happened.
func (j *job) fail(op string, side plugin.Side, err error) error {
	return classify.Error(op, side, j.resource(side), string(j.Item.Key), err)
}

// problem is an error that no service reported.
func (j *job) problem(op string, side plugin.Side, kind errs.Kind, err error) *errs.Error {
	return &errs.Error{Op: op, Kind: kind, Side: string(side), Resource: j.resource(side), Item: string(j.Item.Key), Err: err}
}

func (j *job) resource(side plugin.Side) string {
	if side == plugin.Target {
		return j.Target.Resource.ID
	}
	return j.Source.Resource.ID
}

// conflict says that the target holds something else.
func (j *job) conflict(fields []string) error {
	return j.problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs in %s", strings.Join(fields, ", ")))
}

// belongsToCertificate says that a name cannot be written as what it is at the source.
func (j *job) belongsToCertificate() error {
	err := j.problem("copy", plugin.Target, errs.Conflict, errors.New(reasonTaken))
	err.Hint = "rename or delete the certificate at the target"
	return err
}

const reasonTaken = "the name belongs to a certificate at the target, with its key and its secret"

func takenByCertificate() (plugin.Comparison, error) {
	return plugin.Comparison{State: plugin.Different, Fields: []string{"managed"}, Reason: reasonTaken}, nil
}

// missing tells whether the service answered that the thing is not there. A host that
// does not resolve is another matter.
func missing(err error) bool {
	e := errs.Find(err)
	return e != nil && e.Status == http.StatusNotFound
}

// hasCode tells whether the service gave this error code.
func hasCode(err error, code string) bool {
	e := errs.Find(err)
	return e != nil && e.Code == code
}

// isDisabled tells whether Key Vault refused to read an object because it is disabled.
func isDisabled(err error) bool {
	return hasCode(err, "SecretDisabled") || hasCode(err, "KeyDisabled") || hasCode(err, "CertificateDisabled")
}

func skipped(reason string) (plugin.Outcome, error) {
	return plugin.Outcome{Status: plugin.Skipped, Reason: reason}, nil
}

func cannotCompare(reason string) (plugin.Comparison, error) {
	return plugin.Comparison{State: plugin.Cannot, Reason: reason}, nil
}

// verdict is the comparison of two things whose content was read.
func verdict(fields []string) plugin.Comparison {
	if len(fields) > 0 {
		return plugin.Comparison{State: plugin.Different, Fields: fields}
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}
}
