//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	ackTimes = `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
`
	page = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
)

// tcpInfo returns the kernel's TCP_INFO of a connection.
func tcpInfo(t *testing.T, c net.Conn) *unix.TCPInfo {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) {
		info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return info
}

// countsHead starts a server that answers one request. It sends to segments the number of
// segments in which the request came.
func countsHead(t *testing.T) (addr string, segments chan int) {
	t.Helper()
	segments = make(chan int, 1)
	return newPeer(t, func(c *net.TCPConn) {
		readHead(c)
		segments <- int(tcpInfo(t, c).Segs_in)
		_, _ = io.WriteString(c, page)
		_, _ = io.Copy(io.Discard, c)
	}).String(), segments
}

// fewest counts three times and returns the lowest count. On a busy machine the kernel may send
// an ACK before the data that should carry it.
func (b *balancer) fewest(count func(net.Conn) int) int {
	least := 1 << 20
	for range 3 {
		c := b.dial("f")
		_, _ = io.WriteString(c, head("site.test"))
		least = min(least, count(c))
		c.Close()
		b.line()
	}
	return least
}

// handshake is the number of segments that a peer receives before any data or further ACK.
const handshake = 1

// With option tcp-smart-connect, the first segment to the server acknowledges the handshake and
// contains the first bytes.
func TestSmartConnect(t *testing.T) {
	leavesNothing(t)
	for name, c := range map[string]struct {
		words string
		want  int
	}{
		"on":        {"option tcp-smart-connect", handshake + 1},
		"off":       {"", handshake + 2},
		"mode http": {"option tcp-smart-connect\n  mode http", handshake + 1},
		"retried":   {"option tcp-smart-connect\n  option redispatch\n  server dead " + deadPort(t) + " weight 256", handshake + 1},
	} {
		t.Run(name, func(t *testing.T) {
			addr, segments := countsHead(t)
			mode := ""
			if strings.Contains(c.words, "mode http") {
				mode = "  mode http\n"
			}
			b := launch(t, ackTimes+`
frontend f
`+mode+`  bind 127.0.0.1:1
  use_backend b if { hdr(host) site.test }
backend b
  `+c.words+`
  server s `+addr, nil)
			if got := b.fewest(func(net.Conn) int { return <-segments }); got != c.want {
				t.Errorf("the request came in %d segments; want %d", got, c.want)
			}
		})
	}
}

// A server that sends first must see its connection at once.
func TestSmartConnectWithNothingToSend(t *testing.T) {
	server := newPeer(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "220 ready")
		_, _ = io.Copy(io.Discard, c)
	}).String()
	b := start(t, ackTimes+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  option tcp-smart-connect
  server s `+server)
	c := b.dial("f")
	if _, err := io.ReadFull(c, make([]byte, len("220 ready"))); err != nil {
		t.Fatal(err)
	}
	quick, err := unix.GetsockoptInt(ownSocketTo(t, server), unix.IPPROTO_TCP, unix.TCP_QUICKACK)
	if err != nil || quick == 0 {
		t.Errorf("TCP_QUICKACK is %d, %v; want it left alone", quick, err)
	}
	c.Close()
}

// ownSocketTo returns this process's descriptor that is connected to addr.
func ownSocketTo(t *testing.T, addr string) int {
	t.Helper()
	for fd := range 1 << 12 {
		peer, err := unix.Getpeername(fd)
		if to, ok := peer.(*unix.SockaddrInet4); err == nil && ok &&
			(&net.TCPAddr{IP: to.Addr[:], Port: to.Port}).String() == addr {
			return fd
		}
	}
	t.Fatal("no connection to " + addr)
	return -1
}

// With option tcp-smart-accept, the answer carries the ACK of the request.
func TestSmartAccept(t *testing.T) {
	leavesNothing(t)
	for name, c := range map[string]struct {
		words string
		want  int
	}{
		"mode http":     {"mode http", handshake + 1},
		"mode http off": {"mode http\n  no option tcp-smart-accept", handshake + 2},
		"mode tcp":      {"mode tcp", handshake + 2},
		"mode tcp on":   {"mode tcp\n  option tcp-smart-accept", handshake + 1},
	} {
		t.Run(name, func(t *testing.T) {
			addr, segments := countsHead(t)
			b := launch(t, ackTimes+`
listen f
  `+c.words+`
  bind 127.0.0.1:1
  server s `+addr, nil)
			got := b.fewest(func(c net.Conn) int {
				<-segments
				if _, err := io.ReadFull(c, make([]byte, len(page))); err != nil {
					t.Error(err)
				}
				return int(tcpInfo(t, c).Segs_in)
			})
			if got != c.want {
				t.Errorf("the client received %d segments; want %d", got, c.want)
			}
		})
	}
}
