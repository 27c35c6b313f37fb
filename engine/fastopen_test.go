//go:build !simulation

package engine

import (
	"io"
	"net"
	"os"
	"sluice/engine/session"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const synData = 1 << 5 // TCPI_OPT_SYN_DATA

func allowFastOpen(t *testing.T, bits int) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_fastopen", []byte(strconv.Itoa(bits)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fastServer starts a server that accepts bytes in the SYN. For each connection it reports
// whether there were some.
func fastServer(t *testing.T, serve func(*net.TCPConn)) (addr string, inSYN chan bool) {
	t.Helper()
	inSYN = make(chan bool, 1)
	p := newPeer(t, func(c *net.TCPConn) {
		inSYN <- tcpInfo(t, c).Options&synData != 0
		serve(c)
	})
	raw, err := p.Listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 16) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return p.String(), inSYN
}

// fastFarm returns a configuration that inspects first bytes and sends them to servers with
// tfo.
func fastFarm(servers ...string) string {
	text := strings.Replace(farm, "default_backend b", "use_backend b if { hdr(host) site.test }", 1) + "  default-server tfo\n  option redispatch\n"
	for i, at := range servers {
		text += "  server s" + strconv.Itoa(i) + " " + at + "\n"
	}
	return text
}

// With tfo of a server, first bytes are sent in the SYN from the second connection on. The SYN
// contains as many bytes as fit into a segment; the others follow.
func TestFastOpenToServer(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	run(t, "ip", "link", "set", "lo", "mtu", "1500")
	server, inSYN := fastServer(t, echo)
	b := start(t, fastFarm(server))
	text := head("site.test") + string(random(t, 50_000))
	for i := range 3 {
		if got := ask(t, b.dial("f"), text); got != text {
			t.Errorf("connection %d: %d bytes came back; want %d", i, len(got), len(text))
		}
		if got := <-inSYN; got != (i > 0) {
			t.Errorf("connection %d: bytes came with the SYN: %v", i, got)
		}
		b.wantTerm("--")
	}
}

// If a SYN with bytes is not answered, the next server gets these bytes, each of them once. The
// TFO cookie of an address is valid for all its ports, so dead servers get bytes too.
func TestFastOpenBytesSurviveRetries(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	run(t, "ip", "link", "set", "lo", "mtu", "1500")
	server, inSYN := fastServer(t, echo)
	text := head("site.test") + string(random(t, 50_000))
	for name, failing := range map[string]string{"refused": deadPort(t), "timed out": blackhole(t)} {
		t.Run(name, func(t *testing.T) {
			b := start(t, fastFarm(failing+" weight 256", server))
			for i := range 3 {
				if got := ask(t, b.dial("f"), text); got != text {
					t.Errorf("%d bytes came back; want %d", len(got), len(text))
				}
				if got := <-inSYN; !got && i > 0 {
					t.Error("no bytes came with the SYN")
				}
				if e := b.wantTerm("--"); e.retries != "+1" {
					t.Errorf("log line %q; want a redispatch", e.text)
				}
			}
		})
	}
}

// A server that ignores the bytes in the SYN gets them after it.
func TestFastOpenUnanswered(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	fast, inSYN := fastServer(t, echo)
	slow := newPeer(t, echo).String()
	b := start(t, fastFarm(fast, slow))
	text := head("site.test") + string(random(t, 50_000))
	for range 6 {
		if got := ask(t, b.dial("f"), text); got != text {
			t.Errorf("%d bytes came back; want %d", len(got), len(text))
		}
		if e := b.wantTerm("--"); e.server == "b/s0" {
			<-inSYN
		}
	}
}

// In mode http, the head of a request is sent in the SYN, and again with a retry.
func TestFastOpenInModeHTTP(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	server, inSYN := fastServer(t, func(c *net.TCPConn) {
		body := make([]byte, len("hello"))
		head := readHead(c)
		_, _ = io.ReadFull(c, body)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+head+string(body))
	})
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  option redispatch
  default-server tfo
  server dead `+deadPort(t)+` weight 256
  server live `+server)
	const request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	for i := range 3 {
		_, got, _ := strings.Cut(ask(t, b.dial("f"), request), "\r\n\r\n")
		if got != request {
			t.Errorf("the server received %q", got)
		}
		if got := <-inSYN; got != (i > 0) {
			t.Errorf("request %d: bytes came with the SYN: %v", i, got)
		}
	}
}

// A connection that is established and reset before the loop asks is no failed attempt: the server
// has got the bytes of the SYN and may have acted on them. So the request is not sent again, and an
// answer that came before the reset is passed on.
func TestFastOpenThenReset(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	for answer, want := range map[string]string{"": "HTTP/1.1 502 ", "HTTP/1.1 201 Once\r\nContent-Length: 0\r\n\r\n": "HTTP/1.1 201 "} {
		t.Run(want, func(t *testing.T) {
			const request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
			s := newRawServer(t)
			defer s.close()
			b := start(t, webDefaults+"\nfrontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  server s "+s.addr+" tfo\n")
			go s.serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = ask(t, b.dial("f"), request) // the kernel learns the cookie of the server

			s.fill(t) // the next SYN is lost, and sent again after a second
			met := b.probe.(*inspector).holdIn(session.Dialing, func(fd int) {
				_ = unix.Close(s.accept())
				s.serve(answer)
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLERR}}, int(patienceOfTests.Milliseconds()))
			})
			go func() {
				<-met
				s.serve("HTTP/1.1 200 Twice\r\nContent-Length: 0\r\n\r\n")
			}()
			if got := ask(t, b.dial("f"), request); !strings.HasPrefix(got, want) {
				t.Errorf("the client got %.60q; want %s", got, want)
			}
		})
	}
}

// rawServer is a listening socket that accepts bytes in the SYN and whose backlog can be changed.
type rawServer struct {
	fd   int
	addr string
}

func newRawServer(t *testing.T) *rawServer {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 16)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 16)
	}
	own, err2 := unix.Getsockname(fd)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return &rawServer{fd, "127.0.0.1:" + strconv.Itoa(own.(*unix.SockaddrInet4).Port)}
}

// close ends calls of accept, too.
func (s *rawServer) close() {
	_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
	_ = unix.Close(s.fd)
}

// fill makes the accept queue full.
func (s *rawServer) fill(t *testing.T) {
	t.Helper()
	_ = unix.Listen(s.fd, 0)
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
}

func (s *rawServer) accept() int {
	fd, _, _ := unix.Accept(s.fd)
	return fd
}

// serve reads a request, answers, and resets the connection when the answer has arrived.
func (s *rawServer) serve(answer string) {
	fd := s.accept()
	_, _ = unix.Read(fd, make([]byte, 1000))
	_, _ = unix.Write(fd, []byte(answer))
	waitUntil(patienceOfTests, func() bool {
		n, _ := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return n == 0
	})
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(fd)
}

// With tfo of a bind line, the SYN of a client's second connection contains bytes.
func TestFastOpenFromClient(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 3)
	b := start(t, strings.Replace(farm, "bind 127.0.0.1:1", "bind 127.0.0.1:1 tfo", 1)+"  server s "+newPeer(t, echo).String())
	for i := range 2 {
		c := fastDial(t, b.addrs["f"].(*net.TCPAddr), "hello")
		if got := tcpInfo(t, c).Options&synData != 0; got != (i > 0) {
			t.Errorf("connection %d: bytes went with the SYN: %v", i, got)
		}
		if got := ask(t, c, " world"); got != "hello world" {
			t.Errorf("connection %d: got %q", i, got)
		}
		c.Close()
	}
}

// fastDial connects and sends the text in the SYN, if the kernel can do this.
func fastDial(t *testing.T, to *net.TCPAddr, text string) net.Conn {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "client")
	defer file.Close()
	if err := unix.Sendto(fd, []byte(text), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Addr: [4]byte(to.IP.To4()), Port: to.Port}); err != nil {
		t.Fatal(err)
	}
	c, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	bound(c)
	return c
}

// If the system does not allow TCP Fast Open, connections are made without it.
func TestFastOpenForbidden(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	allowFastOpen(t, 0)
	b := start(t, fastFarm(newPeer(t, echo).String()))
	if got := ask(t, b.dial("f"), head("site.test")); got != head("site.test") {
		t.Errorf("got %q", got)
	}
}
