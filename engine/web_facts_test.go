//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestWebFactsAreOfTheirSession: the addresses that rules write are those of the session at work,
// although all sessions of a loop use the same Facts. Two clients connect to different addresses, and
// the answer to the first comes after the request of the second.
func TestWebFactsAreOfTheirSession(t *testing.T) {
	const asking = "http-request set-header x-request [%fi|%si|%bi]\n"
	const answering = "http-response set-header x-answer [%fi|%si|%bi]\n"
	for name, rules := range map[string][2]string{
		"of the frontend": {"  " + asking + "  " + answering, ""},
		"of the backend":  {"", "  " + asking + "  " + answering},
	} {
		t.Run(name, func(t *testing.T) {
			type request struct {
				head string
				free chan bool // sent: the answer to this request
			}
			asked := make(chan request)
			server := newPeer(t, func(c *net.TCPConn) {
				for {
					head := readHead(c)
					if head == "" {
						return
					}
					one := request{head, make(chan bool)}
					asked <- one
					<-one.free
					_, _ = io.WriteString(c, sayOK)
				}
			}).String()
			b := start(t, webDefaults+"frontend f\n  bind 0.0.0.0:1\n"+rules[0]+"  default_backend b\nbackend b\n"+rules[1]+"  server s "+server)
			_, port, _ := net.SplitHostPort(b.addrs["f"].String())
			var conns []net.Conn
			var requests []request
			for i := range 4 {
				to := fmt.Sprintf("127.0.0.%d", 1+i)
				conn, err := net.Dial("tcp", net.JoinHostPort(to, port))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conns = append(conns, conn)
				_, _ = io.WriteString(conn, head("a"))
				one := <-asked
				requests = append(requests, one)
				if want := "x-request: [" + to + "||]\r\n"; !strings.Contains(one.head, want) {
					t.Errorf("the request of the client at %s: %q, want %q", to, one.head, want)
				}
			}
			for i, conn := range conns {
				requests[i].free <- true
				got := readHead(conn)
				if want := fmt.Sprintf("x-answer: [127.0.0.%d|127.0.0.1|127.0.0.1]\r\n", 1+i); !strings.Contains(got, want) {
					t.Errorf("the answer to client %d: %q, want %q", i, got, want)
				}
			}
		})
	}
}

// TestWebBackendReadsDestination: a rule of a backend can test the address that the client has
// connected to, also if no rule of the frontend does.
func TestWebBackendReadsDestination(t *testing.T) {
	server := newPeer(t, func(c *net.TCPConn) { readHead(c); _, _ = io.WriteString(c, sayOK) }).String()
	b := start(t, webDefaults+"frontend f\n  bind 0.0.0.0:1\n  default_backend b\nbackend b\n  http-request deny if { dst 127.0.0.2 }\n  server s "+server)
	_, port, _ := net.SplitHostPort(b.addrs["f"].String())
	for to, want := range map[string]string{"127.0.0.1": "HTTP/1.1 200 ", "127.0.0.2": "HTTP/1.1 403 "} {
		conn, err := net.Dial("tcp", net.JoinHostPort(to, port))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, head("a"))
		if got := readHead(conn); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", to, got, want)
		}
	}
}
