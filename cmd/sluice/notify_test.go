package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// schedule is a line that GODEBUG=schedtrace=1 makes the runtime print.
var schedule = regexp.MustCompile(`SCHED \d+ms: gomaxprocs=(\d+) `)

// TestProcessorsAreSetBeforeReady: a signal that meets a change of GOMAXPROCS
// loses the trace of the crash, so none may come once the start is announced.
// systemd's socket is full here, which holds the process in its announcement.
func TestProcessorsAreSetBeforeReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	fillNotify(t, path)
	p, closeSocket := command(t, "run", "-f", config(t, echo(t), "nbthread 6"))
	p.Env = append(p.Env, "NOTIFY_SOCKET="+path, "GODEBUG=schedtrace=1", "GOMAXPROCS=")
	p.begin(t, closeSocket)
	var seen []string
	waitFor(t, "the runtime's line", func() bool {
		_, after, _ := strings.Cut(p.stderr.String(), "ready, pid")
		seen = schedule.FindStringSubmatch(after)
		return seen != nil
	})
	if seen[1] != "7" {
		t.Errorf("GOMAXPROCS is %s for 6 loops when the process says ready, want 7", seen[1])
	}
}

// fillNotify opens a socket that takes no more messages.
func fillNotify(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for err == nil {
		err = unix.Sendto(fd, []byte("full"), 0, &unix.SockaddrUnix{Name: path})
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
}
