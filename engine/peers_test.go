//go:build !simulation

package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// peer is a server that passes each connection to serve, on its own goroutine.
type peer struct {
	net.Listener
	t *testing.T
}

func newPeer(t *testing.T, serve func(*net.TCPConn)) *peer {
	t.Helper()
	return newPeerOn(t, "127.0.0.1:0", serve)
}

func newPeerOn(t *testing.T, addr string, serve func(*net.TCPConn)) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Listener: ln, t: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(serve)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return p
}

func (p *peer) run(serve func(*net.TCPConn)) {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patienceOfTests))
			serve(conn.(*net.TCPConn))
		}()
	}
}

func (p *peer) String() string { return p.Addr().String() }

// echo sends back all bytes until the end.
func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
	_ = c.CloseWrite()
}

// says sends a text and closes.
func says(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) { _, _ = io.WriteString(c, text) }
}

// answers reads one request head, sends a text and closes.
func answers(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, text)
	}
}

// silent reads until the end and sends nothing.
func silent(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// hang keeps the connection open until the test ends, without reading.
func hang(t *testing.T) func(*net.TCPConn) {
	t.Helper()
	return func(*net.TCPConn) { <-t.Context().Done() }
}

func readHead(c net.Conn) string {
	var head []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		if _, err := c.Read(one); err != nil {
			return string(head)
		}
		head = append(head, one[0])
	}
	return string(head)
}

// deadPort returns an address that refuses connections. It binds a socket that does not listen,
// so the kernel gives this port to nobody else. A server may still listen there, if it names
// the port and sets SO_REUSEADDR.
func deadPort(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", own.(*unix.SockaddrInet4).Port)
}

// blackhole returns an address whose SYNs are dropped: its queue has one place and is full.
func blackhole(t *testing.T) string {
	t.Helper()
	_, at := fullQueue(t)
	return at
}

// fullQueue returns a listening socket whose queue has one place and is full.
func fullQueue(t *testing.T) (fd int, at string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(own.(*unix.SockaddrInet4).Port)).String()
	first, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	return fd, at
}

// reset closes with RST.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// resetSent closes with RST when the other side's kernel has all bytes. RST discards bytes that
// are still queued.
func resetSent(t *testing.T, c *net.TCPConn) {
	t.Helper()
	waitSent(t, c)
	reset(c)
}

func waitSent(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	for end := time.Now().Add(patienceOfTests); time.Now().Before(end); <-time.After(time.Millisecond) {
		left := 0
		_ = raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if left == 0 {
			return
		}
	}
	t.Error("bytes are never acknowledged")
}

// push writes until a write fails, and returns that error.
func push(c net.Conn) error {
	for chunk := make([]byte, 64<<10); ; {
		if _, err := c.Write(chunk); err != nil {
			return err
		}
	}
}

func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) }

// ask sends a text and FIN, and returns all bytes that come back.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	closeWrite(t, c)
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

// fetch reads to the end and closes.
func fetch(c net.Conn) (string, error) {
	defer c.Close()
	got, err := io.ReadAll(c)
	return string(got), err
}

func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
}

func head(host string) string {
	return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
}

// smallBuffer gives a socket the smallest receive buffer.
func smallBuffer(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
}
