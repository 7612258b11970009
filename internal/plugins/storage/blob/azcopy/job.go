package azcopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/secret"
)

// Copy is one job: the block blobs of a container that the target lacks.
type Copy struct {
	Program        Program
	Source, Target string       // addresses of the two containers
	Proxy          secret.Value // through which they are reached
	Unsigned       string       // what stands for a signature in both addresses
	Dir            string       // where AzCopy keeps what it knows of the job; it is there, and nobody else's
	Job            string       // the job to go on with; "": a new one
	Tags           bool         // index tags are copied
	Tiers          bool         // access tiers are kept
	// Begun gets the job's ID before anything is copied. If it fails the job is ended.
	Begun func(job string) error
	// Moved gets the bytes that are at the target so far.
	Moved func(bytes int64)
}

// Result is how a job ended.
type Result struct {
	Job       string
	Status    Status
	Total     int64 // blobs that AzCopy found
	Completed int64
	Failed    int64
	Skipped   int64
	Bytes     int64 // of the blobs that were copied, also by an earlier part of the job
}

// Errors of a job.
var (
	// ErrUnknownJob says that this AzCopy cannot go on with the job.
	ErrUnknownJob = errors.New("AzCopy does not know this job")
	// ErrNoResult says that AzCopy ended without one.
	ErrNoResult = errors.New("AzCopy ended without a result")
)

// graceful is how long AzCopy has to end by itself once it was told to.
const graceful = 10 * time.Second

// Run copies, and returns when AzCopy has ended. Blobs that it could not copy are no
// error: they are counted. If ctx ends AzCopy is interrupted and then killed, and the error
// is ctx's.
func (c Copy) Run(ctx context.Context) (Result, error) {
	runtime.LockOSThread() // with a thread that ends, Linux would take its children for orphans
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, c.Program.Path, c.args()...) //nolint:gosec // the user says which program it is
	cmd.Env = environment(cmd.Environ(), c.variables()...)
	cmd.Dir, cmd.SysProcAttr = c.Dir, alone()
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = graceful
	out, in := io.Pipe()
	cmd.Stdout = in
	read := make(chan reading, 1)
	go func() { read <- c.follow(out, cancel) }()
	err := cmd.Run()
	_ = in.Close() // it never fails
	got := <-read
	if ctx.Err() != nil {
		return Result{Job: got.job}, context.Cause(ctx)
	}
	return got.result(c, err)
}

func (c Copy) args() []string {
	common := []string{"--output-type=json", "--log-level=NONE"}
	if c.Job != "" {
		return append([]string{"jobs", "resume", c.Job, "--source-sas=" + c.Unsigned, "--destination-sas=" + c.Unsigned}, common...)
	}
	return append([]string{
		"copy", c.Source, c.Target, "--from-to=BlobBlob", "--recursive", "--as-subdir=false",
		"--overwrite=false", // what differs at the target is not AzCopy's to judge
		// Blobs of other types show a part for the whole while they are written.
		"--exclude-blob-type=PageBlob;AppendBlob",
		"--s2s-preserve-properties=true", "--s2s-handle-invalid-metadata=ExcludeIfInvalid", "--check-length=false",
		"--s2s-preserve-access-tier=" + strconv.FormatBool(c.Tiers), "--s2s-preserve-blob-tags=" + strconv.FormatBool(c.Tags),
	}, common...)
}

// variables are those that AzCopy gets beside the usual ones. Its home is the job's
// directory: it neither finds a sign-in of the user's nor leaves anything behind.
func (c Copy) variables() []string {
	return []string{
		"HOME=" + c.Dir, "USERPROFILE=" + c.Dir, "AZCOPY_LOG_LOCATION=" + c.Dir, "AZCOPY_JOB_PLAN_LOCATION=" + c.Dir,
		"HTTP_PROXY=" + c.Proxy.Reveal(), "AZCOPY_DISABLE_SYSLOG=true",
	}
}

// reading is what AzCopy has said.
type reading struct {
	summary
	ended bool
	says  string // its last error
	err   error
}

// follow reads what AzCopy says until it has nothing more to say.
func (c Copy) follow(out io.Reader, cancel context.CancelCauseFunc) reading {
	var r reading
	known := ""
	r.err = messages(out, func(m message) {
		switch m.Type {
		case failure:
			r.says = m.Content
			return
		case initial, progress, ended:
			r.read(m.Content)
			r.ended = m.Type == ended
		}
		if r.job != known && c.Begun != nil {
			if err := c.Begun(r.job); err != nil {
				cancel(err)
			}
			known = r.job
		}
		if r.bytes > 0 && c.Moved != nil {
			c.Moved(int64(r.bytes))
		}
	})
	return r
}

// result judges how AzCopy ended; err is how its process did.
func (r *reading) result(c Copy, err error) (Result, error) {
	out := Result{
		Job: r.job, Status: Status(r.status), Total: int64(r.total), Completed: int64(r.completed), Failed: int64(r.failed), Skipped: int64(r.skipped), Bytes: int64(r.bytes),
	}
	switch {
	case r.ended && r.err == nil:
		return out, nil // the process's exit code says less
	case c.Job != "" && r.job == "":
		return out, fmt.Errorf("%w: %s", ErrUnknownJob, c.scrub(r.says))
	default:
		return out, fmt.Errorf("%w: %w: %s", ErrNoResult, errors.Join(err, r.err), c.scrub(r.says))
	}
}

// scrub takes out of what AzCopy says the address that it was given, and all but the first line.
func (c Copy) scrub(text string) string {
	return firstLine(strings.ReplaceAll(text, c.Proxy.Reveal(), "the gateway"))
}

func interrupt(p *os.Process) error {
	if err := p.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return p.Kill() // Windows knows no interrupt of another process
	}
	return nil
}
