//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Fault 12. 1,000 clients come at once to a process with 256 file descriptors. maxconn is
// lowered to the number that fits. The other clients wait, without use of processor time, and
// all are served.
func TestFault12FewDescriptorsManyClients(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			bind := "127.0.0.1:1"
			if network == "unix" {
				bind = "unix@" + filepath.Join(t.TempDir(), "socket")
			}
			const many = 1000
			gate, asked := make(chan bool), new(atomic.Int64)
			c := startChild(t, nil, 256, strings.Replace(plain, "127.0.0.1:1", bind, 1)+"  server s "+newPeer(t, func(c *net.TCPConn) {
				readHead(c)
				asked.Add(1)
				<-gate
				_, _ = io.WriteString(c, "fine")
			}).String())
			clients := make([]net.Conn, many)
			for i := range clients {
				clients[i] = c.dial("f")
				_, _ = io.WriteString(clients[i], head("any"))
			}
			wait(t, "the first to arrive", func() bool { return asked.Load() > 80 })
			c.isIdle(t, 500*time.Millisecond)
			if n := asked.Load(); n > 128 {
				t.Errorf("%d connections stand with 256 descriptors", n)
			}
			close(gate)
			failed := make(chan error, many)
			for _, conn := range clients {
				go func() {
					got, err := fetch(conn)
					if got != "fine" && err == nil {
						err = fmt.Errorf("a client got %q", got)
					}
					failed <- err
				}()
			}
			for range clients {
				if err := <-failed; err != nil {
					t.Error(err)
				}
			}
			for range many {
				c.wantTerm("--")
			}
			if n := c.complaints("accepting pauses"); n != 0 {
				t.Errorf("%d complaints although maxconn fits", n)
			}
		})
	}
}

// isIdle fails the test if the child uses more than 5 % of a processor during span.
func (c *child) isIdle(t *testing.T, span time.Duration) {
	t.Helper()
	const tick = 10 * time.Millisecond
	start, most := c.cpu(), int(span/tick/20)+2 // two ticks more: the accuracy of the count
	waitUntil(span, func() bool { return c.cpu() > start+most })
	if used := c.cpu() - start; used > most {
		t.Errorf("%v of CPU in %v of waiting", time.Duration(used)*tick, span)
	}
}

// Faults 12 and 25, injected into system calls. The loops continue, and all sessions that are
// served get the right bytes.
func TestFault25InjectedErrors(t *testing.T) {
	for _, c := range []struct {
		call, errors string
		says         string // expected in the process log, at most once a second
	}{
		{"accept4", "EMFILE:when=10+7", "accepting pauses"},
		{"accept4", "ENFILE:when=10+7", "accepting pauses"},
		{"accept4", "ENOBUFS:when=10+7", "accepting pauses"},
		{"accept4", "ECONNABORTED:when=5+3", ""},
		{"accept4", "EINTR:when=5+3", ""},
		{"splice", "EINVAL", ""},
		{"splice", "EINVAL:when=4+3", ""},
		{"splice", "EINTR:when=2+2", ""},
		{"read", "EINTR:when=40+3", ""},
		{"sendto", "EINTR:when=3+2", ""},
		{"sendto", "ENOMEM:when=3+5", ""},
		{"sendto", "ENOBUFS:when=2+5", ""},
		{"splice", "ENOMEM:when=2+5", ""},
		{"read", "ENOMEM:when=40+5", ""},
		{"shutdown", "EINTR:when=1+2", ""},
		{"pipe2", "EMFILE:when=3+1", ""},
		{"fcntl", "EPERM:when=8+1", ""},
	} {
		t.Run(c.call+" "+c.errors, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			text := random(t, 1<<20)
			b := startChild(t, injecting(c.call, c.errors), 1000, plain+"  server s "+newPeer(t, echo).String())
			for range 3 {
				b.echoMany(t, 20, text[:1000])
			}
			b.echoMany(t, 3, text)
			if n, most := b.complaints(c.says), int(time.Since(began).Seconds())+1; c.says != "" && (n == 0 || n > most) {
				t.Errorf("%d complaints; want 1 to %d", n, most)
			}
		})
	}
}

// The same while heads are inspected. No event comes for bytes that have already arrived.
func TestFault25InjectedWhileHeadsAreRead(t *testing.T) {
	for call, errors := range map[string]string{"read": "EINTR:when=40+2", "recvfrom": "EINTR:when=1+2", "sendto": "ENOBUFS:when=2+3"} {
		for _, mode := range []string{"tcp", "http"} {
			t.Run(call+" "+errors+" mode "+mode, func(t *testing.T) {
				t.Parallel()
				b := startChild(t, injecting(call, errors), 1000, "  mode "+mode+sniffing+"  server s "+website(t, "one"))
				for range 30 {
					c, began := b.dial("f"), time.Now()
					_, _ = io.WriteString(c, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
					if got, err := fetch(c); !strings.HasSuffix(got, "one GET /a ") {
						t.Errorf("got %q, %v", got, err)
					}
					within(t, "the answer", int(time.Since(began).Milliseconds()), 0, 3*soon)
				}
			})
		}
	}
}

// A shortage of this machine that hits one connection affects no other.
func TestFault25InjectedShortages(t *testing.T) {
	for call, errors := range map[string]string{
		"epoll_ctl": "ENOMEM:when=30+5",
		"socket":    "EMFILE:when=15+5",
		"connect":   "EADDRNOTAVAIL:when=10+5",
	} {
		t.Run(call+" "+errors, func(t *testing.T) {
			b := startChild(t, injecting(call, errors), 1000, plain+"  server s "+newPeer(t, answers("fine")).String())
			served := 0
			for range 100 {
				switch got := tryAsk(b.balancer); got {
				case "fine":
					served++
				case "":
				default:
					t.Errorf("got %q", got)
				}
			}
			if served < 30 || served == 100 {
				t.Errorf("%d of 100 were served", served)
			}
			for range 100 {
				if e := b.entry(); (e.term == "--") != (e.bytes > 0) || e.term[0] != '-' && e.term[0] != 'R' {
					t.Errorf("log line %q", e.text)
				}
			}
		})
	}
}

func injecting(call, errors string) []string {
	return []string{"strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:error=%s", call, errors)}
}

// echoMany starts this many clients at once. Each must get back the text that it sends.
func (c *child) echoMany(t *testing.T, clients int, text []byte) {
	t.Helper()
	failed := make(chan error, clients)
	for range clients {
		conn := c.dial("f")
		go func() {
			_, _ = conn.Write(text)
			closeWrite(t, conn)
		}()
		go func() {
			got, err := fetch(conn)
			if err == nil && got != string(text) {
				err = fmt.Errorf("%d bytes came back of %d", len(got), len(text))
			}
			failed <- err
		}()
	}
	for range clients {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
