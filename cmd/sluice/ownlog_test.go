package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A standard error that takes nothing holds up neither health checks nor a stop.
func TestFullStandardError(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			at := server.Addr().String()
			p, closeSocket := command(t, "run", "-f", checked(t, log, at))
			stderr := fullPipe(t, p)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			closeSocket()
			go func() { p.exited <- p.Wait() }()
			t.Cleanup(func() { _ = p.Process.Kill() })
			stderr.fill(t)
			for i := range 3 {
				server.Close()
				waitFor(t, "the server to be down", func() bool { return timesIn(log, "DOWN") > i })
				if server, err = net.Listen("tcp", at); err != nil {
					t.Fatal(err)
				}
				waitFor(t, "the server to be up", func() bool { return timesIn(log, "UP") > i })
			}
			server.Close()
			p.signal(t, sig)
			p.endsWell(t)
		})
	}
}

// checked is a configuration with a server that is checked often, and a log file.
func checked(t *testing.T, log, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.cfg")
	text := fmt.Sprintf(`global
    nbthread 1
    log file@%s local0
defaults
    log global
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen in
    bind fd@3
    server s1 %s check inter 10ms rise 1 fall 1
`, log, server)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// timesIn counts the lines of a log about a server in that state.
func timesIn(log, state string) int {
	text, _ := os.ReadFile(log)
	return strings.Count(string(text), " is "+state)
}

// pipe is the standard error of a process, and nobody reads more of it than its start.
type pipe struct{ r, w *os.File }

// fullPipe gives p a standard error that can be filled.
func fullPipe(t *testing.T, p *proc) pipe {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	p.Stderr = w
	return pipe{r, w}
}

// fill waits until the process is ready, and then makes each further write of it block.
func (p pipe) fill(t *testing.T) {
	t.Helper()
	for said := ""; !strings.Contains(said, "ready, pid"); {
		b := make([]byte, 4096)
		n, err := p.r.Read(b)
		if err != nil {
			t.Fatalf("not ready: %v\n%s", err, said)
		}
		said += string(b[:n])
	}
	// another open file, because the process must not get EAGAIN
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", p.w.Fd()), unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, size := range []int{4096, 1} {
		for err = nil; err == nil; {
			_, err = unix.Write(fd, make([]byte, size))
		}
	}
	if err != unix.EAGAIN {
		t.Fatal(err)
	}
}
