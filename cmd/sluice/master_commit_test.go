package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// socketed is a process with a stats socket and the UNIX socket of a bind line.
type socketed struct {
	*proc
	path, admin, socket string
}

func newSocketed(t *testing.T, args ...string) *socketed {
	t.Helper()
	dir := t.TempDir()
	s := &socketed{admin: filepath.Join(dir, "admin"), socket: filepath.Join(dir, "socket")}
	s.path = config(t, echo(t), "stats socket "+s.admin+" level admin")
	rewrite(t, s.path, "    bind fd@3\n", "    bind fd@3\n    bind unix@"+s.socket+" mode 666\n")
	s.proc = startProc(t, append(args, "-f", s.path)...)
	return s
}

// A reload is reported when the files of UNIX sockets have their new mode, also where a master sets
// it.
func TestReloadIsReportedAfterModesAreSet(t *testing.T) {
	s := newSocketed(t, "-W")
	stale := 0
	for was, is, i := 0o666, 0o600, 0; i < 100; was, is, i = is, was, i+1 {
		rewrite(t, s.path, fmt.Sprintf("mode %o", was), fmt.Sprintf("mode %o", is))
		if answer := run(t, s.admin, "reload"); !strings.HasPrefix(answer, "Success=1") {
			t.Fatal(answer)
		}
		if info, err := os.Stat(s.socket); err != nil || info.Mode().Perm() != fs.FileMode(is) {
			stale++
		}
	}
	if stale > 0 {
		t.Errorf("%d of 100 reloads were reported before the mode was set", stale)
	}
}

// The warnings of a master are in the answer of its worker, before the last line, and once in the log.
func TestReloadReportsWarningsOfTheMaster(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			s := newSocketed(t, args...)
			if err := os.Remove(s.socket); err != nil {
				t.Fatal(err)
			}
			rewrite(t, s.path, "mode 666", "mode 600")
			lines := strings.Split(run(t, s.admin, "reload"), "\n")
			warned := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "the file of its socket was removed or replaced") })
			last := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "reloaded: generation 2, ") })
			if warned < 0 || last < warned {
				t.Errorf("got\n%s", strings.Join(lines, "\n"))
			}
			s.says(t, "reloaded: generation 2, ")
			if n := strings.Count(s.stderr.String(), "the file of its socket was removed or replaced"); n != 1 {
				t.Errorf("%d lines in the log, want 1:\n%s", n, s.stderr.String())
			}
		})
	}
}

// A log target that cannot be opened is reported once, with its place, although proxies share it.
func TestLogTargetErrorsHaveTheirPlace(t *testing.T) {
	fifo := makeFIFO(t) // without a reader, so that only opening it fails
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			s := newSocketed(t, args...)
			rewrite(t, s.path, "    maxconn 100\n", "    maxconn 100\n    log file@"+fifo+" local0\n")
			rewrite(t, s.path, "    mode tcp\n", "    mode tcp\n    log global\n")
			want := ":4: log target file@" + fifo + ": open " + fifo + ": no such device or address\n"
			if answer := run(t, s.admin, "reload"); strings.Count(answer, "log target") != 1 || !strings.Contains(answer, "\n"+s.path+want) {
				t.Errorf("got\n%s\nwant once\n%s", answer, s.path+want)
			}
			path := config(t, echo(t), "log file@"+fifo+" local0")
			rewrite(t, path, "    mode tcp\n", "    mode tcp\n    log global\n")
			p, closeSocket := command(t, append([]string{"run", "-f", path}, args...)...)
			p.refuses(t, closeSocket, path+want)
			if n := strings.Count(p.stderr.String(), "log target"); n != 1 {
				t.Errorf("%d lines, want 1:\n%s", n, p.stderr.String())
			}
		})
	}
}

// A master that has not done its part of a reload yet: its worker reports nothing. Whichever of both
// processes ends at this moment, both end.
func TestEndBeforeTheMasterHasDoneItsPart(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(t *testing.T, p *proc, worker int)
		says string // afterwards, while the master still does its part; empty: nothing
		want int    // exit status of the master; -1: killed
	}{
		"master killed": {func(t *testing.T, p *proc, _ int) { t.Helper(); p.signal(t, syscall.SIGKILL) }, "", -1},
		"worker killed": {func(t *testing.T, _ *proc, worker int) { t.Helper(); kill(t, worker, syscall.SIGKILL) }, "signal: killed: the master ends, too", 128 + int(syscall.SIGKILL)},
		"stop":          {func(t *testing.T, p *proc, _ int) { t.Helper(); p.signal(t, syscall.SIGTERM) }, "info\tstopped", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSocketed(t, "-W")
			worker := workerOf(t, s.Process.Pid)
			said, release := delayModes(t, s.Process.Pid)
			rewrite(t, s.path, "mode 666", "mode 600")
			client, err := net.Dial("unix", s.admin)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := io.WriteString(client, "reload\n"); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the mode to be set", func() bool { return strings.Contains(said.String(), "chmod") })
			if text := s.stderr.String(); strings.Contains(text, "reloaded: ") {
				t.Errorf("reported before the master has done its part:\n%s", text)
			}
			c.end(t, s.proc, worker)
			s.says(t, c.says)
			release()
			if answer, _ := io.ReadAll(client); strings.HasPrefix(string(answer), "Success=1") {
				t.Errorf("got %q", answer)
			}
			s.ends(t, c.want)
			waitFor(t, "the end of the worker", func() bool { return errors.Is(syscall.Kill(worker, 0), syscall.ESRCH) })
			if text := s.stderr.String(); strings.Contains(text, "must not") || strings.Contains(text, "not reloaded") {
				t.Errorf("the log has\n%s", text)
			}
		})
	}
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// delayModes makes a process take a minute for each change of a file's mode, until it is released.
// said is what the tracer says. A process that is traced cannot end during the delay.
func delayModes(t *testing.T, pid int) (said *lockedBuffer, release func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	const calls = "?chmod,?fchmodat,?fchmodat2" // those that this machine and this strace have
	tracer := exec.Command(strace, "-f", "-q", "-e", "trace="+calls, "-e", "inject="+calls+":delay_enter=60000000", "-p", strconv.Itoa(pid))
	said = &lockedBuffer{}
	tracer.Stderr = said
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = tracer.Wait(); close(ended) }()
	release = func() { _ = tracer.Process.Kill(); <-ended }
	t.Cleanup(release)
	waitFor(t, "strace to hold the process", func() bool {
		select {
		case <-ended:
			t.Skipf("strace may not trace: %s", said.String())
		default:
		}
		return status(t, pid, "TracerPid") != "0"
	})
	return said, release
}
