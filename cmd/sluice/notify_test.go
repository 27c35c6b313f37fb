package main

import (
	"fmt"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestSystemdIsTold(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p, closeSocket := command(t, "run", "-f", config(t, echo(t), "uid 65534", "gid 65534", "chroot "+filepath.Join(dir, "jail")))
	p.Env = append(p.Env, "NOTIFY_SOCKET="+path)
	p.begin(t, closeSocket)
	hears(t, l, fmt.Sprintf("MAINPID=%d\nREADY=1", p.Process.Pid))
	p.signal(t, syscall.SIGTERM)
	hears(t, l, "STOPPING=1")
	p.endsWell(t)
}

func hears(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	b := make([]byte, 4096)
	n, err := l.Read(b)
	if err != nil || string(b[:n]) != want {
		t.Errorf("got %q, %v, want %q", b[:n], err, want)
	}
}
