package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// The phases of a run that list the source and work on every item.
const (
	planPhase   = "plan"
	applyPhase  = "apply"
	verifyPhase = "verify"
)

// result is what one run of atg apply did and took.
type result struct {
	wall   time.Duration // from the start of the process to its end
	cpu    time.Duration // of the process
	peak   int64         // bytes of memory that were resident at most
	before calls         // sign-in, inventory and the like
	phases map[string]phase
	all    calls // before and phases

	outcomes map[string]int64
}

// phase is one phase of a run.
type phase struct {
	wall time.Duration
	calls
}

// apply runs atg apply in replication mode and waits for it. It is an error if the run did
// not prove every secret equal.
func (az *azure) apply(ctx context.Context) (*result, error) {
	args := []string{
		"apply", "--mode", "replication", "--yes", "--no-input", "--progress", "none", "-o", "jsonl",
		"--workers", strconv.Itoa(az.lab.workers), "--pace", "limits",
	}
	if !az.of.limits { // nobody enforces what atg would keep to of itself
		args[len(args)-1] = "adaptive"
	}
	cmd := az.lab.command(ctx, az.env, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	watched := watchPeak(cmd.Process.Pid)
	run, err := follow(out)
	err = errors.Join(err, cmd.Wait())
	wall, peak := time.Since(start), watched()
	if err == nil {
		err = run.check(int64(az.of.secrets))
	}
	if err != nil {
		return nil, fmt.Errorf("atg %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	r := &result{
		wall: wall, peak: peakOf(cmd, peak), outcomes: run.report.Outcomes,
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
	}
	return r, r.count(az.log, run.phases)
}

// count splits the calls of the run by phase.
func (r *result) count(log *requestLog, phases []passage) error {
	parts, err := log.next()
	if err != nil {
		return err
	}
	if len(parts) != 1+len(phases) {
		return fmt.Errorf("the source was listed %d times in %d phases: their calls cannot be told apart", len(parts)-1, len(phases))
	}
	r.before, r.phases = parts[0], map[string]phase{}
	r.all = r.before
	for i, p := range phases {
		r.phases[p.name] = phase{p.wall, parts[i+1]}
		r.all = r.all.plus(parts[i+1])
	}
	return nil
}

// passage is when a phase went by.
type passage struct {
	name  string
	wall  time.Duration
	ended time.Time
}

// story is what a run told in JSON lines.
type story struct {
	phases []passage // that list the source
	report *report
}

// report is what is read of a run's report.
type report struct {
	Run struct {
		Complete bool `json:"complete"`
	} `json:"run"`
	Fidelity struct {
		Items    int64 `json:"items"`
		Verified int64 `json:"verified"`
	} `json:"fidelity"`
	Outcomes map[string]int64 `json:"outcomes"`
	Failures int64            `json:"failuresTotal"`
}

// follow reads JSON lines to their end. Phases are timed by the arrival of their records.
func follow(out io.Reader) (*story, error) {
	var s story
	var begun time.Time
	in := bufio.NewReaderSize(out, 1<<16)
	for open := false; ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return &s, nil
		}
		var record struct {
			Type  string `json:"type"`
			Event struct {
				Phase string `json:"phase"`
			} `json:"event"`
			Report *report `json:"report"`
		}
		if err == nil {
			err = json.Unmarshal(line, &record)
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, in) // so that the process can end
			return &s, fmt.Errorf("record of the run: %w", err)
		}
		now := time.Now()
		switch record.Type {
		case "phase-started", "run-finished":
			if open {
				last := &s.phases[len(s.phases)-1]
				last.wall, last.ended = now.Sub(begun), now
			}
			name := record.Event.Phase
			if open = name == planPhase || name == applyPhase || name == verifyPhase; open {
				s.phases, begun = append(s.phases, passage{name: name}), now
			}
		case "report":
			s.report = record.Report
		}
	}
}

// check tells why a run is not worth a number: it must have found that many secrets, done
// something with each and proven each equal.
func (s *story) check(secrets int64) error {
	if s.report == nil {
		return errors.New("there is no report")
	}
	var done int64
	for _, n := range s.report.Outcomes {
		done += n
	}
	f := s.report.Fidelity
	if f.Items != secrets || f.Verified != secrets || done != secrets || s.report.Failures > 0 || !s.report.Run.Complete {
		return fmt.Errorf("of %d secrets it found %d, worked on %d and proved %d equal; %d failed; complete: %t",
			secrets, f.Items, done, f.Verified, s.report.Failures, s.report.Run.Complete)
	}
	return nil
}

// watchPeak follows the peak of a process's memory until the returned function is called,
// which gives the last value seen: 0 where the system does not tell (/proc/PID/status).
func watchPeak(pid int) (last func() int64) {
	var peak int64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, highWater(strconv.Itoa(pid)))
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-ended
		return peak
	}
}

// highWater is the peak of a process's resident memory in bytes, as Linux tells it while
// the process lives; 0 if it does not.
func highWater(pid string) int64 {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// peakOf is the peak of an ended process's memory. The system's own account of a child
// begins with the memory of the parent, which it shares until it runs its own program: the
// account counts only if it says more than this process ever had; watched is what was seen
// while the child lived.
func peakOf(cmd *exec.Cmd, watched int64) int64 {
	account := maxResident(cmd.ProcessState)
	if own := highWater("self"); own > 0 && account <= own {
		return watched
	}
	return max(account, watched)
}
