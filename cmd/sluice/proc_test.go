package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second

// waitFor is how tests wait: for a condition, never for a time.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if ok() {
			return
		}
		<-time.After(2 * time.Millisecond)
	}
	t.Fatalf("waited %s in vain for: %s", patience, what)
}

// proc is a running sluice whose frontend is the inherited socket at addr.
type proc struct {
	*exec.Cmd
	addr   string
	stderr lockedBuffer
	exited chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// config is a frontend on the inherited descriptor 3 before one echo server,
// with global's lines in front.
func config(t *testing.T, server string, global ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.cfg")
	text := fmt.Sprintf(`global
    nbthread 2
    maxconn 100
    %s
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend in
    bind fd@3
    default_backend bk
backend bk
    server s1 %s
`, strings.Join(global, "\n    "), server)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is `sluice args...` with a listening socket as descriptor 3. The
// test's own copy must be closed by the function returned: while it is open,
// nothing is refused.
func command(t *testing.T, args ...string) (*proc, func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	p := &proc{Cmd: &exec.Cmd{Path: exe, Args: append([]string{"sluice"}, args...)}, addr: l.Addr().String(), exited: make(chan error, 1)}
	p.Env = os.Environ()
	p.ExtraFiles = []*os.File{f}
	p.Stderr = &p.stderr
	return p, func() { f.Close(); l.Close() }
}

// startProc runs sluice in the foreground until it is ready.
func startProc(t *testing.T, args ...string) *proc {
	t.Helper()
	p, closeSocket := command(t, append([]string{"run"}, args...)...)
	p.begin(t, closeSocket)
	return p
}

// through lets a shell run something first, which then becomes p.
func through(p *proc, before string) {
	p.Args = append([]string{"bash", "-c", before + `; exec -a sluice "$@"`, "bash", p.Path}, p.Args[1:]...)
	p.Path = "/bin/bash"
}

// begin starts p and waits until it is ready.
func (p *proc) begin(t *testing.T, closeSocket func()) {
	t.Helper()
	p.waitsFor(t, "ready, pid", closeSocket)
}

// waitsFor starts p and waits until it says so.
func (p *proc) waitsFor(t *testing.T, word string, closeSocket func()) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	closeSocket()
	over := make(chan struct{})
	go func() { p.exited <- p.Wait(); close(over) }()
	t.Cleanup(func() { _ = p.Process.Kill(); <-over })
	waitFor(t, word, func() bool {
		select {
		case err := <-p.exited:
			t.Fatalf("ended before ready: %v\n%s", err, p.stderr.String())
		default:
		}
		return strings.Contains(p.stderr.String(), word)
	})
}

// refuses runs p, which must end with exit status 1 and say so.
func (p *proc) refuses(t *testing.T, closeSocket func(), want string) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	closeSocket()
	late := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	defer late.Stop()
	if err := p.Wait(); p.ProcessState.ExitCode() != 1 || !strings.Contains(p.stderr.String(), want) {
		t.Errorf("got %v and\n%swant exit status 1 and '%s'", err, p.stderr.String(), want)
	}
}

// endsWell waits for exit status 0.
func (p *proc) endsWell(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			t.Fatalf("want exit status 0, got %v\n%s", err, p.stderr.String())
		}
	case <-time.After(patience):
		t.Fatalf("still running\n%s", p.stderr.String())
	}
}

func (p *proc) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
			}
		}
	}()
	return l.Addr().String()
}

// dial opens a connection that must hold for the test's time at most.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends a word and wants it back.
func ask(c net.Conn) error {
	if _, err := io.WriteString(c, "word"); err != nil {
		return err
	}
	var b [4]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return err
	}
	if string(b[:]) != "word" {
		return fmt.Errorf("sent 'word', got %q", b)
	}
	return nil
}

func mustAsk(t *testing.T, c net.Conn) {
	t.Helper()
	if err := ask(c); err != nil {
		t.Fatal(err)
	}
}
