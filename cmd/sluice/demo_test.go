package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestDemo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	busy, err := (&exec.Cmd{Path: exe, Args: []string{"sluice", "demo", "--listen", addr}}).CombinedOutput()
	if want := "another process listens there already; to listen elsewhere: sluice demo --listen "; err == nil || !strings.Contains(string(busy), want) {
		t.Errorf("busy port: got %v and\n%swant '%s'", err, busy, want)
	}
	l.Close()
	p := &proc{Cmd: &exec.Cmd{Path: exe, Args: []string{"sluice", "demo", "--listen", addr}}, addr: addr, exited: make(chan error, 1)}
	p.Stdout, p.Stderr = &p.stderr, &p.stderr
	p.waitsFor(t, "Ctrl-C stops", func() {})
	for _, c := range []struct{ request, want string }{
		{"GET / HTTP/1.0\r\nHost: " + addr + "\r\n\r\n", "hello from apples, you asked for /\n"},
		{"GET /basket HTTP/1.0\r\nHost: pears.localhost\r\n\r\n", "hello from pears, you asked for /basket\n"},
		{"GET /private HTTP/1.0\r\nHost: pears.localhost\r\n\r\n", ""},
	} {
		conn := dial(t, addr)
		if _, err := io.WriteString(conn, c.request); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn)
		conn.Close()
		if !strings.HasSuffix(string(answer), c.want) || c.want == "" && len(answer) > 0 {
			t.Errorf("%q: got %q, want %q", c.request, answer, c.want)
		}
	}
	waitFor(t, "a line for each connection", func() bool {
		s := p.stderr.String()
		return strings.Contains(s, " demo apples/site1 ") && strings.Contains(s, " demo pears/site2 ") && strings.Contains(s, " PR ")
	})
	p.signal(t, syscall.SIGINT)
	p.endsWell(t)
}
