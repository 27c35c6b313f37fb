package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// workerOf waits until a master has its worker, and returns the pid of the worker.
func workerOf(t *testing.T, master int) (pid int) {
	t.Helper()
	waitFor(t, "the worker", func() bool {
		pid = childOf(t, master)
		return pid != 0
	})
	return pid
}

// childOf returns the pid of a child of a process, or 0.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := bytes.Cut(b, []byte(") "))
		if fields := strings.Fields(string(after)); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	return 0
}

// ends waits for the exit status of p.
func (p *proc) ends(t *testing.T, status int) {
	t.Helper()
	select {
	case err := <-p.exited:
		if got := p.ProcessState.ExitCode(); got != status {
			t.Fatalf("exit status %d, want %d: %v\n%s", got, status, err, p.stderr.String())
		}
	case <-time.After(patience):
		t.Fatalf("still running\n%s", p.stderr.String())
	}
}

// A worker that is killed ends its master with the status that a shell gives.
func TestMasterEndsWithItsWorker(t *testing.T) {
	pidPath := filepath.Join(t.TempDir(), "pid")
	p := startProc(t, "-W", "-p", pidPath, "-f", config(t, echo(t)))
	mustAsk(t, dial(t, p.addr))
	worker := workerOf(t, p.Process.Pid)
	if b, err := os.ReadFile(pidPath); strings.TrimSpace(string(b)) != strconv.Itoa(p.Process.Pid) {
		t.Errorf("the pid file has %q, %v; want the master's %d", b, err, p.Process.Pid)
	}
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 128+int(syscall.SIGKILL))
	p.says(t, fmt.Sprintf("the worker, pid %d, ended: signal: killed: the master ends, too", worker))
	if _, err := os.Stat(pidPath); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pid file is there: %v", err)
	}
}

// A worker whose master is killed closes its connections and ends, as in HAProxy.
func TestWorkerEndsWithItsMaster(t *testing.T) {
	for _, global := range [][]string{nil, {"uid 65534", "gid 65534"}} {
		if global != nil {
			needRoot(t)
		}
		p := startProc(t, "-Ws", "-db", "-f", config(t, echo(t), global...))
		c := dial(t, p.addr)
		mustAsk(t, c)
		worker := workerOf(t, p.Process.Pid)
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the worker's end", func() bool { return gone(worker) })
		p.says(t, "stopped: the master process has ended, so its worker ends, too")
		if err := ask(c); err == nil {
			t.Error("the connection is still there")
		}
	}
}

// The master passes signals on. A drain lets a connection end.
func TestMasterPassesSignalsOn(t *testing.T) {
	p := startProc(t, "-f", config(t, echo(t), "master-worker no-exit-on-failure"))
	p.says(t, "'no-exit-on-failure' is ignored")
	c := dial(t, p.addr)
	mustAsk(t, c)
	worker := workerOf(t, p.Process.Pid)
	p.signal(t, syscall.SIGUSR1)
	p.says(t, "SIGUSR1: draining")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "the process is stopping, so its configuration stays as it is")
	mustAsk(t, c)
	c.Close()
	p.endsWell(t)
	if !gone(worker) {
		t.Error("the worker is still there")
	}
}

// A worker that ends with an error at its start ends the start, with one message.
func TestWorkersFailedStartIsSeen(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "admin"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, closeSocket := command(t, "run", "-W", "-f", config(t, "127.0.0.1:1", "stats socket "+dir+"/../"+filepath.Base(dir)+"/none/admin"))
	p.refuses(t, closeSocket, "no such file or directory")
	if n := strings.Count(p.stderr.String(), "sluice: "); n != 1 {
		t.Errorf("%d messages, want 1:\n%s", n, p.stderr.String())
	}
}

// A daemon with a master: both leave the terminal, and HUP to the pid of the pid file reloads a file
// at a relative path.
func TestDaemonWithAMaster(t *testing.T) {
	dir := t.TempDir()
	log := newLogSocket(t)
	path := filepath.Join(dir, "web.cfg")
	if err := os.Rename(config(t, echo(t), "log "+log.LocalAddr().String()+" local0"), path); err != nil {
		t.Fatal(err)
	}
	pidPath := filepath.Join(dir, "pid")
	p, closeSocket := command(t, "run", "-W", "-D", "-p", pidPath, "-f", "web.cfg")
	p.Dir = dir
	pid := p.becomesDaemon(t, closeSocket, pidPath)
	worker := workerOf(t, pid)
	isDetached(t, pid)
	for link, want := range map[string]string{"cwd": "/", "fd/0": os.DevNull, "fd/1": os.DevNull, "fd/2": os.DevNull} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", worker, link)); err != nil || got != want {
			t.Errorf("%s of the worker is '%s', %v, want '%s'", link, got, err, want)
		}
	}
	rewrite(t, path, "bind fd@3", "bind fd@3\n    bind unix@second.socket")
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, log, fmt.Sprintf("sluice[%d]: SIGHUP: reload of web.cfg", pid))
	awaitLine(t, log, fmt.Sprintf("sluice[%d]: frontend in: bind unix@second.socket added", worker))
	c, err := net.Dial("unix", filepath.Join(dir, "second.socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mustAsk(t, c)
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, log, fmt.Sprintf("sluice[%d]: the worker, pid %d, ended: signal: killed", pid, worker))
	waitFor(t, "the master's end", func() bool { return gone(pid) })
}
