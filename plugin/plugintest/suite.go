package plugintest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Check is one claim that the suite tests.
type Check struct {
	Name  string // stable, printed to users: "Discover/Resume"
	Claim string // what holds if it passes, in one clause
	// Alone says that the check measures or replaces something of the whole process (the
	// heap, the loggers): nothing else should run beside it.
	Alone bool
	run   func(*trial)
}

// Status is how a check ended.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped" // does not apply; the message says why
	Waived  Status = "waived"  // not run, for the reason that the Subject gives
)

// Result is how one check ended, in a form that machines can read.
type Result struct {
	Name     string        `json:"name"`
	Claim    string        `json:"claim"`
	Status   Status        `json:"status"`
	Duration time.Duration `json:"duration"` // nanoseconds
	Messages []string      `json:"messages,omitempty"`
}

// Report is the result of a run of the suite.
type Report struct {
	Plugin  string   `json:"plugin"`
	Version string   `json:"version"`
	Results []Result `json:"results"`
}

// OK tells whether no check failed.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Results, func(x Result) bool { return x.Status == Failed })
}

// Options steer a run of the suite. The zero value runs everything.
type Options struct {
	Only  func(name string) bool // which checks to run; nil: all
	Seed  uint64                 // other content for other seeds
	Limit time.Duration          // for one check; default 3 minutes
	Done  func(Result)           // told of each check as it ends; may be nil
}

// Checks lists every check in the order in which Run runs them.
func Checks() []Check {
	var all []Check
	for _, part := range [][]Check{
		pureChecks(), discoverChecks(), streamChecks(), replicateChecks(), faultChecks(),
		compareChecks(), declareChecks(), permissionChecks(), secretChecks(),
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs the checks one after another. An incomplete Subject and a waiver that is
// wrong (no reason, no such check) are failures in the report, under "Subject".
// When ctx ends, the checks that are left fail with its error.
func Run(ctx context.Context, s Subject, opt Options) Report {
	var rep Report
	add := func(r Result) {
		rep.Results = append(rep.Results, r)
		if opt.Done != nil {
			opt.Done(r)
		}
	}
	if problems := s.Problems(); len(problems) > 0 {
		add(Result{Name: "Subject", Claim: subjectClaim, Status: Failed, Messages: problems})
		return rep
	}
	info := s.Plugin.Info()
	rep.Plugin, rep.Version = info.Name, info.Version
	for _, c := range Checks() {
		if opt.Only == nil || opt.Only(c.Name) {
			add(c.Run(ctx, s, opt))
		}
	}
	return rep
}

const subjectClaim = "the subject says all that the suite needs, and each waiver has a reason"

// Run runs one check. The Subject must have no Problems.
func (c Check) Run(ctx context.Context, s Subject, opt Options) Result {
	res := Result{Name: c.Name, Claim: c.Claim}
	if reason, ok := s.Waive[c.Name]; ok {
		res.Status, res.Messages = Waived, []string{reason}
		return res
	}
	if err := ctx.Err(); err != nil {
		res.Status, res.Messages = Failed, []string{"not run: " + err.Error()}
		return res
	}
	limit := opt.Limit
	if limit <= 0 {
		limit = 3 * time.Minute
	}
	start := time.Now()
	t := newTrial(ctx, s, opt.Seed, limit)
	finished := t.do(c.run, limit+10*time.Second)
	res.Duration = time.Since(start)
	res.Status, res.Messages = t.verdict()
	if !finished {
		res.Status = Failed
		res.Messages = append(res.Messages, fmt.Sprintf("still running %v after its context ended", 10*time.Second))
	}
	return res
}
