package keyvault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// older orders versions by creation, which the service counts in seconds, and then by
// ID, so that the order is at least always the same.
func older(a time.Time, aID string, b time.Time, bID string) int {
	return cmp.Or(a.Compare(b), cmp.Compare(aID, bID))
}

// ties counts the versions whose order among their neighbours is a guess.
func ties(created []time.Time) int {
	n := 0
	for i := range created {
		if i > 0 && created[i].Equal(created[i-1]) || i+1 < len(created) && created[i].Equal(created[i+1]) {
			n++
		}
	}
	return n
}

func tieWarning(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d versions were created within the same second as another: Key Vault does not say in which order", n)}
}

// alignment says how the versions that a target has match those that it should have.
type alignment struct {
	missing []int // indexes of wanted versions that it lacks, oldest first
	extra   []int // indexes of versions of its own
}

// align matches versions as multisets: two versions may be equal, and the target's own
// order of creation is lost within a second.
func align[T any](want, have []T, same func(want, have T) bool) alignment {
	used := make([]bool, len(have))
	var a alignment
	for i, w := range want {
		at := -1
		for k, h := range have {
			if !used[k] && same(w, h) {
				at = k
				break
			}
		}
		if at < 0 {
			a.missing = append(a.missing, i)
			continue
		}
		used[at] = true
	}
	for k := range have {
		if !used[k] {
			a.extra = append(a.extra, k)
		}
	}
	return a
}

// unfinished tells whether the target holds the first versions of the source and nothing
// else: a copy that was interrupted, which may go on without Overwrite.
func (a alignment) unfinished(want int) bool {
	return len(a.extra) == 0 && len(a.missing) > 0 && a.missing[0] == want-len(a.missing)
}

// history is all that matters of a secret's versions on both sides.
type history struct {
	want, have []version
	alignment
	current  bool // the target's current version equals the source's
	left     int  // disabled versions of the source that are not copied
	warnings []string
}

// readHistory reads all versions on both sides. A reason says why the source's secret
// cannot be copied at all.
func (j *job) readHistory(ctx context.Context) (h history, reason string, err error) {
	src, err := j.readVersions(ctx, plugin.Source)
	if err != nil {
		return h, "", err
	}
	if len(src) == 0 {
		_, err := j.newest(ctx, plugin.Source)
		return h, "", err
	}
	last := src[len(src)-1]
	switch {
	case last.managed:
		return h, reasonManaged, nil
	case !last.readable && j.setting(setDisabled) != readDisabled:
		return h, reasonDisabled, nil
	}
	created := make([]time.Time, len(src))
	for i, v := range src {
		created[i] = v.created
		if v.readable || j.setting(setDisabled) == readDisabled {
			h.want = append(h.want, v)
		} else {
			h.left++
			h.warnings = append(h.warnings, "version "+v.id+" is disabled and was not copied")
		}
	}
	h.warnings = append(h.warnings, tieWarning(ties(created))...)
	if h.have, err = j.readVersions(ctx, plugin.Target); err != nil {
		return h, "", err
	}
	h.have = slices.DeleteFunc(h.have, version.placeholder)
	h.alignment = align(h.want, h.have, func(a, b version) bool { return len(a.differs(b)) == 0 })
	if n := len(h.have); n > 0 {
		h.current = len(h.want[len(h.want)-1].differs(h.have[n-1])) == 0
	}
	return h, "", nil
}

// readVersions reads every version that can be read, oldest first, the current one last.
func (j *job) readVersions(ctx context.Context, side plugin.Side) ([]version, error) {
	all, err := j.listVersions(ctx, side)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Disabled {
			continue
		}
		read, err := j.readSecret(ctx, side, all[i].id)
		switch {
		case isDisabled(err): // since it was listed
			all[i].Disabled = true
		case err != nil:
			return nil, err
		default:
			all[i].value, all[i].readable = read.value, true
		}
	}
	return all, j.currentLast(ctx, side, all)
}

// currentLast puts the current version last. Only where several versions share the last
// second does it have to ask which one that is.
func (j *job) currentLast(ctx context.Context, side plugin.Side, all []version) error {
	last := len(all) - 1
	if last < 1 || !all[last-1].created.Equal(all[last].created) {
		return nil
	}
	now, err := j.readSecret(ctx, side, "")
	current := func(v version) bool { return v.id == now.id }
	if isDisabled(err) { // it is one of the disabled ones
		current, err = func(v version) bool { return v.Disabled && v.created.Equal(all[last].created) }, nil
	}
	if at := slices.IndexFunc(all, current); err == nil && at >= 0 {
		v := all[at]
		copy(all[at:], all[at+1:])
		all[last] = v
	}
	return err
}

// settleHistory makes the target hold every version of the source, the current one last.
func (j *job) settleHistory(ctx context.Context, force bool) (plugin.Outcome, error) {
	if err := j.returnLent(ctx); err != nil {
		return plugin.Outcome{}, err
	}
	h, reason, err := j.readHistory(ctx)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case reason != "":
		return skipped(reason)
	case len(h.have) > 0 && h.have[0].managed:
		return plugin.Outcome{}, j.belongsToCertificate()
	case len(h.missing) == 0 && h.current:
		return plugin.Outcome{Status: plugin.Unchanged, Warnings: append(h.warnings, h.surplus()...)}, nil
	case !h.unfinished(len(h.want)) && !j.may(force):
		return plugin.Outcome{}, j.conflict([]string{"versions"})
	}
	return j.complete(ctx, h)
}

// complete writes what the target lacks of h, and the current version last.
func (j *job) complete(ctx context.Context, h history) (plugin.Outcome, error) {
	out := plugin.Outcome{Status: plugin.Updated, Warnings: append(h.warnings, h.surplus()...)}
	if len(h.have) == 0 {
		out.Status = plugin.Created
	}
	todo := h.missing
	if last := len(h.want) - 1; len(todo) == 0 || todo[len(todo)-1] != last {
		todo = append(slices.Clone(todo), last) // it is there, but not the current one
	}
	for _, i := range todo {
		v, err := j.loaded(ctx, h.want[i])
		if err != nil {
			return plugin.Outcome{}, err
		}
		if own, ok := h.twin(v, i); ok && len(todo) == 1 {
			done, err := j.patchSecret(ctx, own.id, v.meta)
			done.Warnings = out.Warnings
			return done, err
		}
		done, err := j.setSecret(ctx, v, out.Status)
		if err != nil {
			return plugin.Outcome{}, err
		}
		out.Bytes += done.Bytes
	}
	return out, nil
}

// loaded returns a version with its value, borrowing it if it is disabled.
func (j *job) loaded(ctx context.Context, v version) (version, error) {
	if v.readable {
		return v, nil
	}
	var err error
	v.value, err = j.borrowSecret(ctx, v.id)
	return v, err
}

// twin returns the target's own version that becomes v, the ith wanted one, by a change
// of its properties.
func (h history) twin(v version, i int) (version, bool) {
	for _, k := range h.extra {
		own := h.have[k]
		sameRank := (i == len(h.want)-1) == (k == len(h.have)-1)
		if sameRank && own.readable && own.value.Equal(v.value) && v.patchable(own.meta) {
			return own, true
		}
	}
	return version{}, false
}

// surplus warns of versions that only the target has.
func (h history) surplus() []string {
	if len(h.extra) == 0 {
		return nil
	}
	return []string{surplusVersions(len(h.extra))}
}

func surplusVersions(n int) string {
	return "the target has " + count(n, "further version") + "; versions cannot be deleted"
}

// leftVersions is why a history is not proven equal though all that can be read is there.
func leftVersions(n int) string {
	return count(n, "disabled version") + " of the source could not be read and is not at the target"
}

// count says how many there are of a thing.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// compareHistory compares all versions.
func (j *job) compareHistory(ctx context.Context) (plugin.Comparison, error) {
	h, reason, err := j.readHistory(ctx)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case reason != "":
		return cannotCompare(reason)
	case len(h.have) == 0:
		return j.absent(ctx)
	case h.have[0].managed:
		return takenByCertificate()
	case len(h.missing) > 0 || !h.current:
		return plugin.Comparison{
			State: plugin.Different, Fields: []string{"versions"},
			Reason: fmt.Sprintf("the target holds %d of %d versions", len(h.want)-len(h.missing), len(h.want)),
		}, nil
	case h.left > 0:
		return plugin.Comparison{State: plugin.Same, Reason: leftVersions(h.left)}, nil
	case len(h.extra) > 0:
		return plugin.Comparison{State: plugin.Same, Reason: h.surplus()[0]}, nil
	case slices.ContainsFunc(h.want, func(v version) bool { return !v.readable }):
		return plugin.Comparison{State: plugin.Same, Reason: warnNotCompared}, nil
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}, nil
}
