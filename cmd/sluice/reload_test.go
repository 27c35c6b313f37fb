package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rewrite replaces a text in a file. The text must be there.
func rewrite(t *testing.T, path, was, is string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), was) {
		t.Fatalf("%s does not contain '%s'", path, was)
	}
	if err := replaceFile(path, []byte(strings.ReplaceAll(string(text), was, is))); err != nil {
		t.Fatal(err)
	}
}

// says waits until the log of p contains a text.
func (p *proc) says(t *testing.T, text string) {
	t.Helper()
	waitFor(t, "'"+text+"' in the log", func() bool { return strings.Contains(p.stderr.String(), text) })
}

// greeter is a server that sends a word to each client.
func greeter(t *testing.T, word string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			_, _ = io.WriteString(c, word)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// greeting returns all bytes that a client gets.
func greeting(t *testing.T, addr string) string {
	t.Helper()
	got, err := io.ReadAll(dial(t, addr))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// Each of both signals makes new connections use the new file. The log names each change. An open
// connection goes on.
func TestSignalsReload(t *testing.T) {
	was := echo(t)
	path := config(t, was)
	p := startProc(t, "-f", path)
	open := dial(t, p.addr)
	mustAsk(t, open)
	for i, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2} {
		word := fmt.Sprintf("server %d", i)
		is := greeter(t, word)
		rewrite(t, path, was, is)
		p.signal(t, sig)
		p.says(t, signalName(sig)+": reload of "+path)
		p.says(t, fmt.Sprintf("backend bk: server s1: address %s is now %s", was, is))
		p.says(t, fmt.Sprintf("reloaded: generation %d, 1 change, in ", i+2))
		if got := greeting(t, p.addr); got != word {
			t.Errorf("after the reload: %q, want %q", got, word)
		}
		was = is
	}
	mustAsk(t, open)
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)
}

// A file that is not valid changes nothing, and all its problems are in the log.
func TestReloadOfABrokenFile(t *testing.T) {
	path := config(t, echo(t))
	p := startProc(t, "-f", path)
	rewrite(t, path, "default_backend bk", "default_backend nobody\n    no-such-word")
	p.signal(t, syscall.SIGHUP)
	p.says(t, path+" is not valid: 2 errors, ")
	p.says(t, "not reloaded: the old configuration stays in use")
	for _, want := range []string{path + ":12: error: ", path + ":13: error: "} {
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("no '%s' in\n%s", want, p.stderr.String())
		}
	}
	mustAsk(t, dial(t, p.addr))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.says(t, "configuration '"+path+"' cannot be read: no such file or directory")
	mustAsk(t, dial(t, p.addr))
}

// An address that cannot be bound is an error with its place, and nothing changes.
func TestReloadOnABusyAddress(t *testing.T) {
	path := config(t, echo(t))
	p := startProc(t, "-f", path)
	busy := echo(t)
	rewrite(t, path, "bind fd@3", "bind fd@3\n    bind "+busy)
	p.signal(t, syscall.SIGHUP)
	p.says(t, "another process listens there already")
	p.says(t, "not reloaded: the old configuration stays in use")
	mustAsk(t, dial(t, p.addr))
}

func TestReloadDuringADrainIsRefused(t *testing.T) {
	p := startProc(t, "-f", config(t, echo(t)))
	c := dial(t, p.addr)
	mustAsk(t, c)
	p.signal(t, syscall.SIGUSR1)
	p.says(t, "draining")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "the process is stopping, so its configuration stays as it is")
	mustAsk(t, c)
	c.Close()
	p.endsWell(t)
}

func TestReloadOfStandardInputIsRefused(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) { refusesStandardInput(t, args...) })
	}
}

func refusesStandardInput(t *testing.T, args ...string) {
	t.Helper()
	path := config(t, echo(t))
	p, closeSocket := command(t, append([]string{"run", "-f", "-"}, args...)...)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p.Stdin = file
	p.begin(t, closeSocket)
	p.signal(t, syscall.SIGHUP)
	p.says(t, "the configuration came from standard input, which cannot be read again")
	mustAsk(t, dial(t, p.addr))
}

// A change that a process cannot make is a warning. Of many changes only some are reported.
func TestReloadReportsWarningsAndManyChanges(t *testing.T) {
	server := echo(t)
	path := config(t, server)
	p := startProc(t, "-f", path)
	var more strings.Builder
	for i := range 60 {
		fmt.Fprintf(&more, "    server t%d 127.0.0.1:9\n", i)
	}
	rewrite(t, path, server+"\n", server+"\n"+more.String())
	rewrite(t, path, "nbthread 2", "nbthread 1")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "and 11 more changes")
	p.says(t, "global: nbthread 2 is now 1: takes effect after a restart only, because the event loops are made at the start")
	p.says(t, "reloaded: generation 2, 61 changes, in ")
	if n := strings.Count(p.stderr.String(), " added"); n != 49 {
		t.Errorf("%d lines about servers, want 49:\n%s", n, p.stderr.String())
	}
}

// A reload that changes maxconn of the process says so, with the sum.
func TestReloadReportsMaxconn(t *testing.T) {
	server := echo(t)
	path := config(t, server)
	p := startProc(t, "-f", path)
	rewrite(t, path, "maxconn 100", "maxconn 7")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "reloaded: generation 2, 1 change, in ")
	sum := regexp.MustCompile(`maxconn 7, was 100: 7 connections x 2 \+ .* = \d+ of \d+`)
	if !sum.MatchString(p.stderr.String()) {
		t.Errorf("no line matches %s:\n%s", sum, p.stderr.String())
	}
}

// systemd hears of each reload until it is over, also of one that fails, and of the stop. With a master
// it hears of the master.
func TestSystemdIsToldOfReloads(t *testing.T) {
	for name, args := range map[string][]string{"alone": nil, "with a master": {"-Ws"}} {
		t.Run(name, func(t *testing.T) { hearsOfReloads(t, args) })
	}
}

func hearsOfReloads(t *testing.T, args []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, echo(t))
	p, closeSocket := command(t, append([]string{"run", "-f", cfg}, args...)...)
	p.Env = append(p.Env, "NOTIFY_SOCKET="+path)
	p.begin(t, closeSocket)
	hears(t, l, fmt.Sprintf("MAINPID=%d\nREADY=1", p.Process.Pid))
	for _, backend := range []string{"bk", "nobody"} {
		rewrite(t, cfg, "default_backend bk", "default_backend "+backend)
		p.signal(t, syscall.SIGHUP)
		b := make([]byte, 4096)
		n, err := l.Read(b)
		if err != nil || !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9]\d+$`).Match(b[:n]) {
			t.Errorf("got %q, %v", b[:n], err)
		}
		hears(t, l, "READY=1")
	}
	p.signal(t, syscall.SIGTERM)
	hears(t, l, "STOPPING=1")
	p.endsWell(t)
}

// A daemon, which leaves its directory, finds its files at relative paths again.
func TestDaemonReloadsRelativePaths(t *testing.T) {
	dir := t.TempDir()
	pidPath := filepath.Join(dir, "pid")
	p, closeSocket := command(t, "run", "-D", "-p", pidPath, "-f", "web.cfg")
	p.Dir = dir
	path := filepath.Join(dir, "web.cfg")
	was := config(t, echo(t), "log log.socket local0")
	if err := os.Rename(was, path); err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, "log log.socket", "log unix@log.socket")
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "log.socket")})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	pid := p.becomesDaemon(t, closeSocket, pidPath)
	rewrite(t, path, "bind fd@3", "bind fd@3\n    bind unix@second.socket")
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, log, "frontend in: bind unix@second.socket added")
	awaitLine(t, log, "reloaded: generation 2, 1 change, in ")
	c, err := net.Dial("unix", filepath.Join(dir, "second.socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mustAsk(t, c)
	isDetached(t, pid)
}

// After a reload no line goes to a log file that was renamed, with and without a master.
func TestReloadOpensLogFilesAnew(t *testing.T) {
	for _, args := range [][]string{nil, {"-W"}} {
		log := filepath.Join(t.TempDir(), "log")
		path := config(t, echo(t), "log file@"+log+" format raw local0")
		rewrite(t, path, "mode tcp", "mode tcp\n    log global\n    option tcplog")
		p := startProc(t, append(args, "-f", path)...)
		connectOnce(t, p)
		waitFor(t, "a line", func() bool { return lines(log) == 1 })
		if err := os.Rename(log, log+".1"); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
		p.says(t, "reloaded: generation 2, 0 changes, in ")
		connectOnce(t, p)
		waitFor(t, "a line in the new file", func() bool { return lines(log) == 1 })
		if n := lines(log + ".1"); n != 1 {
			t.Errorf("%v: %d lines in the old file, wanted 1", args, n)
		}
	}
}

// connectOnce makes a connection and ends it.
func connectOnce(t *testing.T, p *proc) {
	t.Helper()
	c := dial(t, p.addr)
	mustAsk(t, c)
	_ = c.Close()
}

// lines returns the number of lines of a file.
func lines(path string) int {
	b, _ := os.ReadFile(path)
	return strings.Count(string(b), "\n")
}

// A file that has lost the line feed at its end may be truncated. A file that never had one is taken.
func TestReloadOfATruncatedFile(t *testing.T) {
	path := config(t, echo(t))
	p := startProc(t, "-f", path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	short := bytes.TrimSuffix(text, []byte("\n"))
	if err := os.WriteFile(path, short, 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.says(t, "configuration '"+path+"' does not end with a line feed, as it did before: it may be truncated; write all of it, then reload again")
	p.says(t, "not reloaded: the old configuration stays in use")
	mustAsk(t, dial(t, p.addr))
	p = startProc(t, "-f", path)
	p.signal(t, syscall.SIGHUP)
	p.says(t, "reloaded: generation 2, 0 changes, in ")
}
