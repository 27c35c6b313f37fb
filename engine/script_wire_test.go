//go:build !simulation

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

// wire describes the connections of the peers: their network and their buffers.
type wire struct {
	network string
	narrow  bool // with the smallest buffers that the kernel allows
}

var (
	overTCP    = wire{network: "tcp"}
	overUnix   = wire{network: "unix"}
	narrowTCP  = wire{network: "tcp", narrow: true}
	narrowUnix = wire{network: "unix", narrow: true}
)

// narrowReceive is the receive buffer of a narrow socket, in bytes. With the minimum of the
// kernel, the window would be smaller than a segment, and the sender would only send every 200
// ms.
const narrowReceive = 4096

// squeeze makes the buffers of a socket as small as the kernel allows. It must be called before
// the socket is connected, or on the listening socket, because the first window depends on the
// buffer.
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

// narrowServers gives the balancer's sockets to servers the smallest buffers that the kernel
// allows.
func narrowServers(o *Options) { o.probe.(*inspector).open = squeezeFD }

// narrowClients gives the balancer's sockets to clients the smallest buffers that the kernel
// allows.
func narrowClients(o *Options) {
	for _, b := range o.Listeners.Binds() {
		for _, fd := range b.FDs {
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

// wireServer passes each connection to serve, on its own goroutine.
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

// String returns the server's address as in a configuration.
func (s *wireServer) String() string {
	if s.wire.network == "unix" {
		return "unix@" + s.Addr().String()
	}
	return s.Addr().String()
}

// shortDir returns a directory for UNIX sockets. The path of t.TempDir may be too long for
// them.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "script") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
