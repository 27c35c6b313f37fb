package engine

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// wire is how peers are connected.
type wire struct {
	network string
	narrow  bool // with the smallest buffers that the kernel gives
}

var (
	overTCP    = wire{network: "tcp"}
	overUnix   = wire{network: "unix"}
	narrowTCP  = wire{network: "tcp", narrow: true}
	narrowUnix = wire{network: "unix", narrow: true}
)

// narrowReceive is the receive buffer of a narrow socket. With the smallest that
// there can be, the window stays below a segment, and the kernel sends into it
// every 200 ms only.
const narrowReceive = 4096

// squeeze makes the buffers of a socket as small as the kernel allows. The
// window that a peer offers first depends on it: a listening socket or one that
// is not connected yet is squeezed in time.
func (w wire) squeeze(_, _ string, raw syscall.RawConn) error {
	if !w.narrow {
		return nil
	}
	return raw.Control(func(fd uintptr) { squeezeFD(int(fd)) })
}

func squeezeFD(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, narrowReceive)
}

// narrowClients makes the balancer's sockets towards its clients as small as the
// kernel allows.
func narrowClients(o *Options) {
	for _, b := range o.Listeners.binds {
		for _, fd := range b.fds {
			squeezeFD(fd)
		}
	}
}

func dialOver(t *testing.T, w wire, to net.Addr) net.Conn {
	t.Helper()
	d := net.Dialer{Control: w.squeeze}
	conn, err := d.DialContext(t.Context(), to.Network(), to.String())
	if err != nil {
		t.Error(err)
		return nil
	}
	return conn
}

// wireServer hands each connection to serve, on a goroutine.
type wireServer struct {
	net.Listener
	wire wire
}

func serveConns(t *testing.T, w wire, serve func(net.Conn)) *wireServer {
	t.Helper()
	at := "127.0.0.1:0"
	if w.network == "unix" {
		at = filepath.Join(shortDir(t), "s")
	}
	c := net.ListenConfig{Control: w.squeeze}
	ln, err := c.Listen(t.Context(), w.network, at)
	if err != nil {
		t.Fatal(err)
	}
	s := &wireServer{ln, w}
	over := make(chan struct{})
	go func() { defer close(over); s.accept(t, serve) }()
	t.Cleanup(func() { ln.Close(); <-over })
	return s
}

func (s *wireServer) accept(t *testing.T, serve func(net.Conn)) {
	t.Helper()
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		if raw, err := conn.(syscall.Conn).SyscallConn(); err == nil {
			_ = s.wire.squeeze("", "", raw)
		}
		stop := context.AfterFunc(t.Context(), func() { conn.Close() })
		go func() {
			defer stop()
			defer conn.Close()
			serve(conn)
		}()
	}
}

// String is the server's address in the configuration's words.
func (s *wireServer) String() string {
	if s.wire.network == "unix" {
		return "unix@" + s.Addr().String()
	}
	return s.Addr().String()
}

// shortDir is a directory for sockets, for whose path t.TempDir may be too long.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "script") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
