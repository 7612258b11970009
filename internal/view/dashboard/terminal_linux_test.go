package dashboard

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pty is a pseudo terminal.
type pty struct {
	master, slave *os.File

	mu   sync.Mutex
	out  bytes.Buffer // what was written to slave
	more chan struct{}
}

func openPTY(t testing.TB, w, h uint16) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	n, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.FormatUint(uint64(n), 10), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{master: master, slave: slave, more: make(chan struct{}, 1)}
	p.resize(t, w, h)
	go p.read()
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
	})
	return p
}

func (p *pty) read() {
	b := make([]byte, 4096)
	for {
		n, err := p.master.Read(b)
		p.mu.Lock()
		p.out.Write(b[:n])
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (p *pty) resize(t testing.TB, w, h uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: w, Row: h}); err != nil {
		t.Fatal(err)
	}
}

// until waits for text, and forgets all that came up to its end.
func (p *pty) until(t testing.TB, text string) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		p.mu.Lock()
		i := strings.Index(p.out.String(), text)
		if i >= 0 {
			p.out.Next(i + len(text))
		}
		p.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-p.more:
		case <-limit:
			t.Fatalf("no %q in %q", text, p.out.String())
		}
	}
}

func (p *pty) echoes(t testing.TB) bool {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag&unix.ECHO != 0
}

// typed is how many letters wait to be read from the slave.
func (p *pty) typed(t testing.TB) int {
	t.Helper()
	n, err := unix.IoctlGetInt(int(p.slave.Fd()), unix.TIOCINQ)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
)

func TestOnTerminal(t *testing.T) {
	t.Parallel()
	p := openPTY(t, 100, 30)
	d := New(Options{Out: p.slave, Term: "xterm"})
	d.Show()
	begin(d, 2)
	p.until(t, hideCursor)
	p.until(t, "→ kv-金庫-01-t")
	if p.echoes(t) {
		t.Error("keys are echoed into the frame")
	}
	fmt.Fprintln(d, "a line above")
	p.until(t, "a line above")
	p.resize(t, 50, 15)
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	p.until(t, "1b0c3f52-7d…d0f5b1f6a01")
	if _, err := p.master.WriteString("typed ahead\n"); err != nil {
		t.Fatal(err)
	}
	for p.typed(t) == 0 { // the terminal takes its time
		runtime.Gosched()
	}
	end(d, 2, 0)
	if err := d.Hide(); err != nil {
		t.Fatal(err)
	}
	p.until(t, showCursor)
	p.until(t, "finished in")
	if !p.echoes(t) {
		t.Error("keys are not echoed any more")
	}
	if n := p.typed(t); n != 0 {
		t.Errorf("%d typed letters wait for the next question", n)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	p := openPTY(t, 100, 30)
	d := New(Options{Out: p.slave, Term: "xterm"})
	d.Restore()
	d.Show()
	begin(d, 2)
	p.until(t, hideCursor)
	d.Restore()
	p.until(t, showCursor)
	if !p.echoes(t) {
		t.Error("keys are not echoed any more")
	}
	if err := d.Hide(); err != nil {
		t.Fatal(err)
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	if wide := openPTY(t, MinWidth, 10); !Fits(wide.slave) {
		t.Error("a terminal of the least width does not fit")
	}
	if narrow := openPTY(t, MinWidth-1, 10); Fits(narrow.slave) {
		t.Error("a narrower one does")
	}
	if Fits(&bytes.Buffer{}) {
		t.Error("a buffer does")
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Fits(null) {
		t.Error("a file that is no terminal does")
	}
}

// TestSuspend stops and continues a process that shows a run, as Ctrl-Z and fg do.
func TestSuspend(t *testing.T) {
	t.Parallel()
	p := openPTY(t, 100, 30)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuspendedProcess$")
	cmd.Env = append(os.Environ(), suspendedProcess+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.slave, p.slave, p.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	send := func(s syscall.Signal) {
		t.Helper()
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		p.until(t, hideCursor)
		p.until(t, "run 7F3K01XY")
		if p.echoes(t) {
			t.Error("keys are echoed into the frame")
		}
		send(unix.SIGTSTP)
		var status unix.WaitStatus
		if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatalf("not stopped: %v %v", status, err)
		}
		p.until(t, showCursor)
		p.until(t, "run 7F3K01XY")
		if !p.echoes(t) {
			t.Error("the shell's terminal does not echo")
		}
		send(unix.SIGCONT)
	}
	p.until(t, "run 7F3K01XY")
	send(unix.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	p.until(t, "finished in")
}

const suspendedProcess = "TEST_DASHBOARD_SUSPENDED"

// TestSuspendedProcess is the process that TestSuspend starts.
func TestSuspendedProcess(t *testing.T) {
	if os.Getenv(suspendedProcess) == "" {
		t.Skip("it is a part of TestSuspend")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	d := New(Options{Out: os.Stderr, Term: "xterm"})
	d.Show()
	begin(d, 2)
	<-stop
	end(d, 2, 0)
	if err := d.Hide(); err != nil {
		t.Error(err)
	}
	fmt.Fprintln(os.Stderr)
}
