package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon runs `sluice run -D` to its end and returns the pid in the pid file.
func daemon(t *testing.T, dir string, args ...string) (pid int, addr, said string) {
	t.Helper()
	pidPath := filepath.Join(dir, "pid")
	p, closeSocket := command(t, append([]string{"run", "-D", "-p", pidPath}, args...)...)
	pid = p.becomesDaemon(t, closeSocket, pidPath)
	return pid, p.addr, p.stderr.String()
}

// becomesDaemon runs p to its end and returns the pid in the pid file.
func (p *proc) becomesDaemon(t *testing.T, closeSocket func(), pidPath string) (pid int) {
	t.Helper()
	err := p.Run()
	closeSocket()
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	b, err := os.ReadFile(pidPath)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil || pid == p.Process.Pid {
		t.Fatalf("pid file holds %q, the parent was %d", b, p.Process.Pid)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// gone says whether a process has ended; its entry may wait for init.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return errors.Is(err, os.ErrNotExist) || bytes.Contains(b, []byte(") Z "))
}

func TestDaemon(t *testing.T) {
	dir := t.TempDir()
	pid, addr, said := daemon(t, dir, "-f", config(t, echo(t)))
	if !strings.Contains(said, "frontend 'in' on "+addr) || !strings.Contains(said, "maxconn 100: ") || !strings.Contains(said, fmt.Sprintf("ready, pid %d", pid)) {
		t.Errorf("the start should say what listens where, the sum and the pid:\n%s", said)
	}
	isDetached(t, pid)
	c := dial(t, addr)
	mustAsk(t, c)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the daemon's end", func() bool { return gone(pid) })
	for _, name := range []string{"pid", "pid.crash"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s should be gone: %v", name, err)
		}
	}
}

// isDetached wants a session of its own, no directory held, no terminal.
func isDetached(t *testing.T, pid int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(b, []byte(") "))
	if session := strings.Fields(string(after))[3]; session != strconv.Itoa(pid) {
		t.Errorf("session is %s, want %d", session, pid)
	}
	for link, want := range map[string]string{"cwd": "/", "fd/0": os.DevNull, "fd/1": os.DevNull, "fd/2": os.DevNull} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, link)); err != nil || got != want {
			t.Errorf("%s is '%s', %v, want '%s'", link, got, err, want)
		}
	}
}

// A relative path of a server's socket means the same in a daemon, which leaves the directory.
func TestDaemonReachesRelativeServer(t *testing.T) {
	dir := t.TempDir()
	pidPath := filepath.Join(dir, "pid")
	p, closeSocket := command(t, "run", "-D", "-p", pidPath, "-f", config(t, "unix@server"))
	p.Dir = dir
	ln, err := net.Listen("unix", filepath.Join(dir, "server"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	p.becomesDaemon(t, closeSocket, pidPath)
	mustAsk(t, dial(t, p.addr))
}

func TestJailedDaemon(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	jail := filepath.Join(dir, "jail")
	pid, addr, _ := daemon(t, dir, "-f", config(t, echo(t), "uid 65534", "gid 65534", "chroot "+jail))
	isJailed(t, workerOf(t, pid), nobody, jail)
	mustAsk(t, dial(t, addr))
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the daemon's end", func() bool { return gone(pid) })
}

func TestDaemonsFailedStartIsSeen(t *testing.T) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, closeSocket := command(t, "run", "-D", "-f", config(t, "127.0.0.1:1", "pidfile "+file+"/pid"))
	err := p.Run()
	closeSocket()
	if p.ProcessState.ExitCode() != 1 {
		t.Errorf("want exit status 1, got %v", err)
	}
	want := "sluice: pid file '" + file + "/pid' cannot be written: not a directory\nsluice: the daemon ended before it was ready: exit status 1\n"
	if got := p.stderr.String(); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDaemonsCrashIsKept(t *testing.T) {
	dir := t.TempDir()
	pid, _, _ := daemon(t, dir, "-f", config(t, echo(t)))
	abortKept(t, dir, pid, pid)
	pid, _, said := daemon(t, dir, "-W", "-f", config(t, echo(t)))
	if want := "the last run crashed with 'SIGABRT: abort'; its trace is in " + dir + "/pid.crash.old"; !strings.Contains(said, want) {
		t.Errorf("no '%s' in\n%s", want, said)
	}
	abortKept(t, dir, pid, workerOf(t, pid))
	_, _, said = daemon(t, dir, "-f", config(t, echo(t)))
	if !strings.Contains(said, "the last run crashed with 'SIGABRT: abort'") {
		t.Errorf("the crash of a worker is not told:\n%s", said)
	}
}

// abortKept aborts a process of a daemon, and wants the trace in the crash log.
func abortKept(t *testing.T, dir string, daemon, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the daemon's end", func() bool { return gone(daemon) })
	trace, err := os.ReadFile(filepath.Join(dir, "pid.crash"))
	if err != nil || !bytes.Contains(trace, []byte("SIGABRT: abort")) || !bytes.Contains(trace, []byte("goroutine ")) {
		t.Fatalf("want the trace of the abort, got %q, %v", trace, err)
	}
}

func TestDaemonLogsToItsTargets(t *testing.T) {
	first, second := newLogSocket(t), newLogSocket(t)
	path := config(t, echo(t), "log "+first.LocalAddr().String()+" local0")
	pid, _, _ := daemon(t, t.TempDir(), "-f", path)
	hangUp := func() {
		if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	tag := fmt.Sprintf(" sluice[%d]: ", pid)
	hangUp()
	awaitLine(t, first, tag+"SIGHUP: reload of "+path)
	awaitLine(t, first, tag+"reloaded: generation 2, 0 changes, in ")
	rewrite(t, path, first.LocalAddr().String(), second.LocalAddr().String())
	hangUp()
	awaitLine(t, second, tag+"reloaded: generation 3, 2 changes, in ")
}

func newLogSocket(t *testing.T) net.PacketConn {
	t.Helper()
	log, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// awaitLine reads datagrams until one contains want.
func awaitLine(t *testing.T, log net.PacketConn, want string) {
	t.Helper()
	if err := log.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		b := make([]byte, 4096)
		n, _, err := log.ReadFrom(b)
		if err != nil {
			t.Fatalf("no line '%s': %v", want, err)
		}
		if strings.Contains(string(b[:n]), want) {
			return
		}
	}
}

// TestDaemonDropsItsCallersDescriptors: it keeps its own and those that the
// configuration names, also as stats sockets.
func TestDaemonDropsItsCallersDescriptors(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) { dropsItsCallersDescriptors(t, args...) })
	}
}

func dropsItsCallersDescriptors(t *testing.T, args ...string) {
	t.Helper()
	dir := t.TempDir()
	stats, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stats.Close()
	passed, err := stats.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer passed.Close()
	callers, err := os.Create(filepath.Join(dir, "callers"))
	if err != nil {
		t.Fatal(err)
	}
	defer callers.Close()
	pidPath := filepath.Join(dir, "pid")
	p, closeSocket := command(t, append([]string{"run", "-D", "-p", pidPath, "-f", config(t, echo(t), "stats socket fd@4")}, args...)...)
	p.ExtraFiles = append(p.ExtraFiles, passed)
	p.ExtraFiles = append(p.ExtraFiles, slices.Repeat([]*os.File{callers}, 16)...) // at numbers that the daemon's own don't take
	pid := p.becomesDaemon(t, closeSocket, pidPath)
	serving := pid
	if len(args) > 0 {
		serving = workerOf(t, pid)
	}
	for _, one := range []int{pid, serving} {
		if links := linksOf(t, one); slices.Contains(links, callers.Name()) {
			t.Errorf("%d holds the file of the daemon's caller: %v", one, links)
		}
	}
	mustAsk(t, dial(t, p.addr))
	c := dial(t, stats.Addr().String())
	if _, err := io.WriteString(c, "show info\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); !strings.Contains(string(answer), fmt.Sprintf("Pid: %d\n", serving)) {
		t.Errorf("the inherited stats socket says %q, %v", answer, err)
	}
}

// linksOf says what the descriptors of a process are.
func linksOf(t *testing.T, pid int) (links []string) {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, e.Name())); err == nil {
			links = append(links, to)
		}
	}
	return links
}

// TestDaemonFromStandardInput: the parent reads it, and its child again.
func TestDaemonFromStandardInput(t *testing.T) {
	text, err := os.Open(config(t, echo(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	pidPath := filepath.Join(t.TempDir(), "pid")
	p, closeSocket := command(t, "run", "-D", "-p", pidPath, "-f", "-")
	p.Stdin = text
	pid := p.becomesDaemon(t, closeSocket, pidPath)
	isDetached(t, pid)
	mustAsk(t, dial(t, p.addr))
}
