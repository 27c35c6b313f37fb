package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPassedSocketThatNobodyBindsIsTold(t *testing.T) {
	p, closeSocket := command(t, "run", "-f", config(t, echo(t)))
	through(p, "export LISTEN_PID=$$ LISTEN_FDS=2")
	p.begin(t, closeSocket)
	want := "warning: systemd passed a socket as descriptor 4, but no frontend has 'bind fd@4'"
	if said := p.stderr.String(); !strings.Contains(said, want) || strings.Contains(said, "fd@3'") {
		t.Errorf("want '%s' and nothing of descriptor 3, got\n%s", want, said)
	}
	mustAsk(t, dial(t, p.addr))
}

// A socket of packets would lose bytes: it is refused, in a bind line and as a stats socket.
func TestInheritedSocketOfPackets(t *testing.T) {
	for _, global := range []string{"", "stats socket fd@4"} {
		p, closeSocket := command(t, "run", "-f", config(t, echo(t), global))
		packets := listenPackets(t)
		want := "stats socket 'fd@4': descriptor 4 is not an inherited listening stream socket"
		if p.ExtraFiles = append(p.ExtraFiles, packets); global == "" {
			p.ExtraFiles = []*os.File{packets}
			want = "frontend 'in' on fd@3: descriptor 3 is not an inherited listening stream socket"
		}
		p.refuses(t, closeSocket, want)
	}
}

// listenPackets returns a listening UNIX socket of the type SOCK_SEQPACKET.
func listenPackets(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "packets")
	t.Cleanup(func() { f.Close() })
	name := fmt.Sprintf("@sluice-packets-%d-%d", os.Getpid(), fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	return f
}
